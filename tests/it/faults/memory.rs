//! What the target remembers, damaged or from elsewhere.

use std::fs;

use crate::sandbox::{Ran, Sandbox};

/// The files of the memory, the lock aside.
fn memory(sandbox: &Sandbox) -> Vec<String> {
    let entries = fs::read_dir(sandbox.path("target/.trueup")).unwrap();
    let files = entries.map(|entry| entry.unwrap()).filter(|entry| entry.metadata().unwrap().len() > 0);
    let mut names: Vec<String> =
        files.map(|file| format!("target/.trueup/{}", file.file_name().display())).collect();
    names.retain(|name| !name.ends_with("lock"));
    names.sort();
    assert!(!names.is_empty(), "the target remembers nothing");
    names
}

fn applied() -> Sandbox {
    let sandbox = Sandbox::with_files(&[("motd", "one\n"), ("gone", "gone\n")]);
    sandbox.trueup(&["apply", "--yes", "-q"]).expect(0);
    sandbox.sh("echo two > site/motd; rm site/gone; commit 'Change'").expect(0);
    sandbox
}

/// No verb takes a damaged memory for an answer, and the message names a way out.
#[track_caller]
fn refused(ran: &Ran, what: &str) {
    assert!(ran.exit == 1 || ran.exit >= 64, "{what}: {ran:?}");
    assert!(ran.stderr.contains("error: ") && ran.stderr.contains("hint: "), "{what}: {ran:?}");
}

/// Damages one file of the memory at a time, and checks that plan and apply refuse it and write nothing.
fn refuses(damage: impl Fn(&[u8]) -> Vec<Vec<u8>>) {
    let sandbox = applied();
    let before = sandbox.list("target");
    for file in memory(&sandbox) {
        let whole = fs::read(sandbox.path(&file)).unwrap();
        for damaged in damage(&whole) {
            let what = format!("{file} as {:?}", String::from_utf8_lossy(&damaged));
            sandbox.write(&file, &damaged);
            refused(&sandbox.trueup(&["plan"]), &what);
            refused(&sandbox.trueup(&["apply", "--yes"]), &what);
            assert_eq!(sandbox.list("target"), before, "{what}");
        }
        sandbox.write(&file, &whole);
    }
    sandbox.trueup(&["plan", "-q"]).expect(2);
}

#[test]
fn a_truncated_memory_is_refused_with_the_way_out() {
    refuses(|whole| {
        let step = (whole.len() / 12).max(1);
        (0..whole.trim_ascii_end().len()).step_by(step).map(|length| whole[..length].to_vec()).collect()
    });
}

#[test]
fn a_memory_of_another_version_or_kind_is_refused_with_the_way_out() {
    refuses(|_| {
        ["{}", "[]", "null", "{\"schema\":\"trueup.record/v999\"}", "\0\0\0\0"].map(|text| text.into()).into()
    });
}

#[test]
fn the_memory_of_another_target_is_refused_with_the_way_out() {
    let sandbox = applied();
    sandbox.sh("mkdir ../other && cp -a ../target/.trueup ../other").expect(0);
    sandbox.sh("sed -i 's,root: ../target,root: ../other,' trueup.yaml && commit 'Move'").expect(0);
    refused(&sandbox.trueup(&["plan"]), "copied");
    refused(&sandbox.trueup(&["apply", "--yes"]), "copied");
}

#[test]
fn a_file_whose_times_lie_in_the_future_is_still_compared() {
    let sandbox = Sandbox::with_files(&[("motd", "one\n")]);
    sandbox.trueup(&["apply", "--yes", "-q"]).expect(0);
    for time in ["2099-01-01", "1990-01-01"] {
        sandbox.sh(&format!("echo two > ../target/motd; touch -d {time} ../target/motd")).expect(0);
        sandbox.trueup(&["plan", "-q"]).expect(3);
        sandbox.trueup(&["apply", "--yes", "-q"]).expect(0);
        sandbox.trueup(&["plan", "-q"]).expect(0);
    }
}
