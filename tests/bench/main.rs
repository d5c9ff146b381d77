//! Compares trueup with its peers in one run: `cargo bench --locked`.
//!
//! Prints ratios, since absolute times say more of the machine than of the
//! program. Every measure is repeated, the sides in turn, and the fastest
//! of each counts; the median stands beside it. Nothing here is a test.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark for people, not shipped"
)]

mod cluster;
mod files;
mod kubernetes;
mod manifests;
mod measure;
#[path = "../it/parts/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the suite uses all of them")]
mod parts;
mod place;
#[path = "../it/rest/proxy.rs"]
#[expect(dead_code, reason = "the suite has more faults")]
mod proxy;
mod rest;
#[path = "../it/kubernetes/server.rs"]
#[expect(dead_code, reason = "the suite also needs controllers")]
mod server;
#[path = "../it/skip.rs"]
#[expect(dead_code, reason = "the suite needs more of it")]
mod skip;

use std::{env, panic, process::ExitCode, time::Instant};

/// One part of the benchmark.
struct Part {
    name: &'static str,
    /// Whether it runs only when it is named, since it takes minutes or gigabytes.
    long: bool,
    run: fn(),
}

const PARTS: &[Part] = &[
    Part { name: "start", long: false, run: files::start },
    Part { name: "plan", long: false, run: files::plans },
    Part { name: "apply", long: false, run: files::first_apply },
    Part { name: "memory", long: false, run: files::memory },
    Part { name: "load", long: false, run: manifests::load },
    Part { name: "kubernetes", long: false, run: kubernetes::everyday },
    Part { name: "kubernetes-memory", long: false, run: kubernetes::memory },
    Part { name: "gitea", long: false, run: rest::gitea },
    Part { name: "powerdns", long: false, run: rest::powerdns },
    Part { name: "scale", long: true, run: files::scale },
    Part { name: "large", long: true, run: files::large },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if let [first, command @ ..] = &arguments[..]
        && first == "--peak"
    {
        measure::print_peak(command);
        return ExitCode::SUCCESS;
    }
    let known = |name: &String| PARTS.iter().any(|part| part.name == name);
    if let Some(unknown) = arguments.iter().find(|name| !known(name)) {
        let names: Vec<&str> = PARTS.iter().map(|part| part.name).collect();
        println!("no part `{unknown}`; there is {}", names.join(", "));
        return ExitCode::from(64);
    }
    measure::print_header();
    let chosen = |part: &&Part| match arguments.is_empty() {
        true => !part.long,
        false => arguments.iter().any(|name| name == part.name),
    };
    let failed = PARTS.iter().filter(chosen).filter(|part| !runs(part)).count();
    if failed > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Runs one part; whether it came to its end. The others run even if it does not.
fn runs(part: &Part) -> bool {
    let begun = Instant::now();
    let ended = panic::catch_unwind(part.run).is_ok();
    let how = if ended { "took" } else { "FAILED after" };
    println!("[{} {how} {:.0} s]", part.name, begun.elapsed().as_secs_f64());
    ended
}
