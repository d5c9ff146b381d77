//! SIGINT and SIGTERM in the middle of an apply, and two applies at once.

use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use super::{finish, names, number, traced, wait_until};
use crate::{sandbox::Sandbox, skip};

const FILES: usize = 40;

fn many_files() -> Sandbox {
    let names: Vec<String> = (0..FILES).map(|number| format!("file-{number:02}")).collect();
    let files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "content\n")).collect();
    Sandbox::with_files(&files)
}

/// An apply that takes its time over each file, and has begun.
fn slow_apply(sandbox: &Sandbox) -> Child {
    let slow = ["-o", "/dev/null", "-e", "inject=?rename,?renameat,?renameat2,?linkat:delay_enter=60000"];
    let mut command = traced(sandbox, &slow, &["apply", "--yes", "-o", "json"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_until("the first file", || names(&sandbox.path("target")).contains(&"file-00".to_owned()));
    child
}

/// Interrupts an apply, and checks that it reports what it did and leaves the rest.
fn interrupt(signal: Signal, exit: i32) {
    if skip::lacks_strace() {
        return;
    }
    let sandbox = many_files();
    let child = slow_apply(&sandbox);
    kill_process(Pid::from_child(&child), signal).unwrap();
    let ran = finish(child).expect(exit);
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let outcomes = report["outcomes"].as_array().unwrap();
    let done = outcomes.iter().filter(|outcome| outcome["verdict"] == "done").count();
    assert_eq!((outcomes.len(), &report["exit"], &report["partial"]), (FILES, &exit.into(), &true.into()));
    let found = names(&sandbox.path("target"));
    assert_eq!(found.iter().filter(|name| name.starts_with("file-")).count(), done, "{}", ran.stdout);
    assert_eq!(found.len(), done, "something else was left: {found:?}");
    assert!(0 < done && done < FILES, "{done} of {FILES} were done");
    let plan = sandbox.trueup(&["plan", "-o", "json"]).expect(2);
    assert_eq!((number(&plan.stdout, "create"), number(&plan.stdout, "drift")), ((FILES - done) as u64, 0));
    sandbox.trueup(&["apply", "--yes", "-q"]).expect(0);
    assert_eq!(names(&sandbox.path("target")).len(), FILES);
}

#[test]
fn sigint_ends_an_apply_with_130_and_an_honest_report() {
    interrupt(Signal::INT, 130);
}

#[test]
fn sigterm_ends_an_apply_with_143_and_an_honest_report() {
    interrupt(Signal::TERM, 143);
}

#[test]
fn a_second_signal_ends_an_apply_at_once() {
    if skip::lacks_strace() {
        return;
    }
    let sandbox = many_files();
    let mut child = slow_apply(&sandbox);
    let pid = Pid::from_child(&child);
    wait_until("the end", || {
        // It may be gone between the two.
        let _ = kill_process(pid, Signal::INT);
        child.try_wait().unwrap().is_some()
    });
    assert_eq!(finish(child).exit, 130);
    sandbox.trueup(&["apply", "--yes", "-q"]).expect(0);
    assert_eq!(names(&sandbox.path("target")).len(), FILES);
}

#[test]
fn of_two_applies_at_once_one_works_and_the_other_answers_9() {
    if skip::lacks_strace() {
        return;
    }
    let sandbox = many_files();
    let first = slow_apply(&sandbox);
    let second = sandbox.trueup(&["apply", "--yes"]).expect(9);
    assert!(second.stderr.contains("hint: "), "{}", second.stderr);
    finish(first).expect(0);
    sandbox.trueup(&["plan", "-q"]).expect(0);
}

#[test]
fn an_apply_waits_for_the_lock_if_it_is_told_to() {
    if skip::lacks_strace() {
        return;
    }
    let sandbox = many_files();
    let first = slow_apply(&sandbox);
    sandbox.trueup(&["apply", "--yes", "--lock-timeout", "60"]).expect(0);
    finish(first).expect(0);
}

#[test]
fn an_apply_goes_on_when_its_reader_has_left() {
    let sandbox = many_files();
    let mut child = sandbox.command_trueup(&["apply", "--yes"]).stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(names(&sandbox.path("target")).len(), FILES);
}
