//! Somebody else writes to the target while an apply runs.

use std::{
    fs,
    path::Path,
    process::{Child, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::{finish, names, traced, wait_until};
use crate::{
    sandbox::{Ran, Sandbox},
    skip,
};

/// An apply that stands still for a while before it puts its first file in place.
fn held_apply(sandbox: &Sandbox, folder: &str) -> Child {
    let slow = ["-o", "/dev/null", "-e", "inject=?fsync,?fdatasync,?syncfs:delay_enter=1000000:when=1..1000"];
    let mut command = traced(sandbox, &slow, &["apply", "--yes"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let is_temporary = |name: &String| name.contains(".trueup-");
    wait_until("a temporary file", || names(&sandbox.path(folder)).iter().any(is_temporary));
    child
}

#[test]
fn a_file_that_somebody_changes_during_an_apply_is_not_overwritten() {
    if skip::lacks_strace() {
        return;
    }
    let sandbox = Sandbox::with_files(&[("motd", "old\n")]);
    sandbox.trueup(&["apply", "--yes", "-q"]).expect(0);
    sandbox.sh("echo new > site/motd; commit 'Change'").expect(0);
    let apply = held_apply(&sandbox, "target");
    sandbox.write("target/motd", "somebody's\n");
    finish(apply).expect(6);
    assert_eq!(sandbox.read("target/motd"), "somebody's\n");
    sandbox.trueup(&["plan", "-q"]).expect(5);
}

#[test]
fn a_file_that_somebody_creates_during_an_apply_is_not_overwritten() {
    if skip::lacks_strace() {
        return;
    }
    let sandbox = Sandbox::with_files(&[("motd", "new\n")]);
    let apply = held_apply(&sandbox, "target");
    sandbox.write("target/motd", "somebody's\n");
    finish(apply).expect(6);
    assert_eq!(sandbox.read("target/motd"), "somebody's\n");
    assert_eq!(names(&sandbox.path("target")), ["motd"]);
}

/// Runs `body` while a folder and a link to somewhere else keep changing places.
fn while_swapping<T>(one: &Path, other: &Path, body: impl FnOnce() -> T) -> T {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::SeqCst) {
                renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE).unwrap();
            }
        });
        let result = body();
        stop.store(true, Ordering::SeqCst);
        result
    })
}

#[test]
fn a_link_that_is_swapped_in_leads_no_write_out_of_the_root() {
    let sandbox = Sandbox::with_files(&[("dir/a", "a\n"), ("dir/b", "b\n"), ("dir/deep/c", "c\n")]);
    for folder in ["target/dir", "outside", "outside/deep"] {
        fs::create_dir(sandbox.path(folder)).unwrap();
    }
    let link = sandbox.path("target/link");
    std::os::unix::fs::symlink(sandbox.path("outside"), &link).unwrap();
    let runs: Vec<Ran> = while_swapping(&sandbox.path("target/dir"), &link, || {
        (0..40).map(|_| sandbox.trueup(&["apply", "--yes"])).collect()
    });
    let outside = sandbox.list("outside");
    assert_eq!(outside, "  deep/ 0755\n");
    let wrote = runs.iter().any(|ran| ran.exit == 0);
    let refused = runs.iter().any(|ran| ran.exit != 0);
    assert!(wrote || refused);
    for ran in &runs {
        assert!([0, 1, 6, 7, 8].contains(&ran.exit), "{ran:?}");
    }
}
