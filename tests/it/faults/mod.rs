//! What goes wrong from outside: kills, signals, full disks, other writers, damaged memory.

use std::{
    path::Path,
    process::{Child, Command},
    time::{Duration, Instant},
};

use crate::sandbox::{Ran, Sandbox, TRUEUP};

mod disk;
mod interrupted;
mod killed;
mod memory;
mod races;
mod reading;
mod users;

/// `trueup` under `strace` with `options`, about to run. It is the child of
/// this process, `strace` is a grandchild, so that signals reach the right one.
/// (With `--seccomp-bpf`, `strace` loses the signals that it is to inject.)
fn traced(sandbox: &Sandbox, options: &[&str], args: &[&str]) -> Command {
    let mut command = sandbox.command("strace");
    command.args(["-D", "-f", "-qqq"]).args(options).arg(TRUEUP).args(args);
    command
}

/// Waits until `done` answers true, at most a while.
#[track_caller]
fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what} did not happen");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Waits for the end of `child`, whose streams are pipes.
fn finish(child: Child) -> Ran {
    child.wait_with_output().unwrap().into()
}

/// The names in `folder`, without the memory of the target.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| name != ".trueup")
        .collect();
    names.sort();
    names
}

/// One number of the JSON document, found by its key alone.
#[track_caller]
fn number(json: &str, key: &str) -> u64 {
    let value: serde_json::Value =
        serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {json}"));
    value["summary"][key].as_u64().unwrap_or_else(|| panic!("no `summary.{key}` in {json}"))
}
