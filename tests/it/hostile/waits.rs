//! One signal ends an apply that has not written anything, whatever it waits for, and the lock is given back.

use std::{
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{
    rest::{
        proxy::{Answer, Proxy},
        small,
    },
    sandbox::{Ran, Sandbox},
};

const SIGNALS: [(Signal, i32); 3] = [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 143)];

/// How long the end may take.
const PATIENCE: Duration = Duration::from_secs(5);

fn begin(sandbox: &Sandbox, args: &[&str]) -> Child {
    let mut command = sandbox.command_trueup(args);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Sends one signal, and waits for the end.
fn end(mut child: Child, signal: Signal) -> Ran {
    kill_process(Pid::from_child(&child), signal).unwrap();
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if begun.elapsed() > PATIENCE {
            child.kill().unwrap();
            panic!("it goes on after {signal:?}");
        }
        thread::sleep(Duration::from_millis(10));
    }
    child.wait_with_output().unwrap().into()
}

fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{what} does not come");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_signal_ends_a_wait_for_a_lock() {
    let sandbox = Sandbox::with_files(&[("a", "1\n")]);
    sandbox.sh("mkdir -p ../target/.trueup").expect(0);
    for (signal, exit) in SIGNALS {
        let mut holder = sandbox.command("flock");
        let mut holder = holder.args(["--no-fork", "../target/.trueup/lock", "sleep", "60"]).spawn().unwrap();
        thread::sleep(Duration::from_millis(300));
        let child = begin(&sandbox, &["apply", "--yes", "--lock-timeout", "60"]);
        thread::sleep(Duration::from_millis(700));
        let ran = end(child, signal).expect(exit);
        assert!(ran.stderr.contains("nothing was written"), "{}", ran.stderr);
        holder.kill().unwrap();
        holder.wait().unwrap();
    }
}

#[test]
fn a_signal_ends_a_plan_against_a_silent_server_and_gives_the_lock_back() {
    for (signal, exit) in SIGNALS {
        let silent = Proxy::start("", |_| {
            Answer::Act(|_| {
                thread::sleep(Duration::from_secs(60));
                Ok(())
            })
        });
        let checkout = small::checkout(&silent.url, small::UNPAGED, &["a"]);
        for verb in [&["apply", "--yes"][..], &["plan"]] {
            let before = silent.requests().len();
            let child = begin(&checkout.sandbox, verb);
            wait_until("a request", || silent.requests().len() > before);
            let code = if verb == ["plan"] && signal == Signal::HUP { 129 } else { exit };
            end(child, signal).expect(code);
        }
    }
}

#[test]
fn a_signal_ends_a_question() {
    for (signal, exit) in SIGNALS {
        let sandbox = Sandbox::with_files(&[("a", "1\n")]);
        let mut command = sandbox.command("script");
        let trueup = crate::sandbox::TRUEUP;
        // `script` gives the program a terminal to ask on.
        let line =
            format!("echo $$ > {0}/pid; exec {trueup} -C {0}/checkout apply", sandbox.root().display());
        let mut asking = command
            .args(["-qec", &format!("sh -c '{line}'"), "/dev/null"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        wait_until("the program", || sandbox.path("pid").exists() && !sandbox.read("pid").trim().is_empty());
        thread::sleep(Duration::from_millis(1500));
        let pid: i32 = sandbox.read("pid").trim().parse().unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = asking.try_wait().unwrap() {
                break status;
            }
            assert!(begun.elapsed() < PATIENCE, "it goes on asking after {signal:?}");
            thread::sleep(Duration::from_millis(10));
        };
        assert_eq!(status.code(), Some(exit));
        assert_eq!(sandbox.list("target"), "", "something was left");
    }
}
