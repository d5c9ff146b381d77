//! Targets that take no more, or nothing at all.

use std::fs;

use crate::{
    sandbox::{Ran, Sandbox},
    skip,
};

/// Runs a script where its mounts are its own and gone afterwards.
fn with_mounts(sandbox: &Sandbox, script: &str) -> Ran {
    let script = format!("{}\n{script}", include_str!("../functions.sh"));
    sandbox.command("unshare").args(["-m", "sh", "-eux", "-c", &script]).output().unwrap().into()
}

fn lacks_mounts() -> bool {
    skip::lacks("unshare") || skip::lacks_mounts()
}

#[test]
fn a_full_disk_leaves_each_file_old_or_new_and_room_makes_the_next_apply_work() {
    if lacks_mounts() {
        return;
    }
    let sandbox = Sandbox::new();
    for name in ["a", "b", "c", "d"] {
        sandbox.write(&format!("checkout/site/{name}"), format!("{name}\n").repeat(200_000));
    }
    sandbox.write(
        "checkout/trueup.yaml",
        "version: 1\ntargets:\n  site: {provider: files, path: site, root: ../target}\n",
    );
    sandbox.sh("commit 'Declare'").expect(0);
    let script = "
        mount -t tmpfs -o size=1m,mode=0755 tmpfs ../target
        code=0; trueup apply --yes || code=$?
        test $code = 7 || test $code = 1
        for file in $(ls ../target); do cmp site/$file ../target/$file; done
        find ../target -name '.*.trueup-*' | grep . && exit 90
        code=0; trueup plan -q || code=$?
        test $code = 2
        mount -o remount,size=10m ../target
        trueup apply --yes
        trueup plan
        diff -r site ../target --exclude .trueup";
    let ran = with_mounts(&sandbox, script).expect(0);
    assert!(ran.stdout.contains("no space left"), "{}", ran.stdout);
}

#[test]
fn a_read_only_target_is_planned_and_refused() {
    if lacks_mounts() {
        return;
    }
    let sandbox = Sandbox::with_files(&[("motd", "new\n")]);
    sandbox.write("target/motd", "old\n");
    let script = "
        mount --bind ../target ../target
        mount -o remount,bind,ro ../target
        code=0; trueup plan -q || code=$?
        test $code = 2
        trueup apply --yes --adopt motd";
    let ran = with_mounts(&sandbox, script);
    assert!([1, 69, 77].contains(&ran.exit), "{ran:?}");
    assert!(ran.stderr.contains("ead-only"), "{}", ran.stderr);
    assert_eq!(sandbox.read("target/motd"), "old\n");
}

#[test]
fn the_inside_of_a_mounted_file_system_is_part_of_the_target() {
    if lacks_mounts() {
        return;
    }
    let sandbox = Sandbox::with_files(&[("data/motd", "new\n")]);
    fs::create_dir(sandbox.path("target/data")).unwrap();
    let script = "
        mount -t tmpfs tmpfs ../target/data
        trueup apply --yes
        trueup plan
        cmp site/data/motd ../target/data/motd";
    with_mounts(&sandbox, script).expect(0);
}
