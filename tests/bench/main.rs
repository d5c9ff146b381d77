//! Compares trueup with its peers in one run: `cargo bench --locked`.
//!
//! Prints ratios, since absolute times say more of the machine than of the
//! program. Every measure is repeated, the two sides in turn, and the fastest
//! of each counts; the median stands beside it. Nothing here is a test.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark for people, not shipped")]

mod measure;
mod place;

use std::{env, fs};

use measure::{Side, compare, peak, time};
use place::Place;

/// What the time of a command should be, in shares of its peer's.
fn header() {
    println!(
        "{:<46} {:>16} {:>16} {:>7} {:>7}",
        "measure (fastest / median, ms)", "trueup", "peer", "ratio", "reach"
    );
}

fn main() {
    let arguments: Vec<String> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if let [first, command @ ..] = &arguments[..]
        && first == "--peak"
    {
        return measure::print_peak(command);
    }
    let wanted = |name: &str| arguments.is_empty() || arguments.iter().any(|argument| argument == name);
    header();
    if wanted("start") {
        start();
    }
    if wanted("plan") {
        plans();
    }
    if wanted("apply") {
        first_apply();
    }
    if wanted("scale") {
        scale();
    }
    if wanted("memory") {
        memory();
    }
}

/// Commands that have next to nothing to do.
fn start() {
    let place = Place::with_files(10);
    place.apply();
    compare(
        "--version, against git --version",
        50,
        None,
        place.trueup(&["--version"]),
        place.run("git", &["--version"]),
    );
    compare(
        "plan of 10 files, against git status",
        50,
        None,
        place.trueup(&["plan", "-q"]),
        place.run("git", &["status", "-s"]),
    );
}

/// Plans of 10,000 files in sync.
fn plans() {
    let place = Place::with_files(10_000);
    place.apply();
    let site = place.path("checkout/site/").display().to_string();
    let target = place.path("target/").display().to_string();
    let rsync = |options: &[&str]| place.run("rsync", &[options, &[&site, &target]].concat());
    let diff = || place.run("diff", &["-rq", "-x", ".trueup", &site, &target]);
    compare(
        "plan of 10,000, against rsync -rn --size-only",
        15,
        Some(0.7),
        place.trueup(&["plan", "-q"]),
        rsync(&["-rn", "--size-only"]),
    );
    let verify = || place.trueup(&["plan", "-q", "--verify"]);
    compare("plan --verify, against rsync -rnc", 10, Some(0.7), verify(), rsync(&["-rnc"]));
    compare("plan --verify, against diff -rq", 10, None, verify(), diff());
    compare(
        "plan, against git status",
        15,
        None,
        place.trueup(&["plan", "-q"]),
        place.run("git", &["status", "-s"]),
    );
}

/// A first apply of 10,000 files, each safe on disk when it ends.
fn first_apply() {
    let place = Place::with_files(10_000);
    let site = place.path("checkout/site/").display().to_string();
    let target = place.path("target/").display().to_string();
    let empty = || place.empty_target();
    let side = place.trueup(&["apply", "--yes", "-q"]).before(&empty);
    let peer = place.run("rsync", &["-r", "--fsync", &site, &target]).before(&empty);
    compare("first apply of 10,000, against rsync -r --fsync", 3, Some(1.0), side, peer);
    let side = place.trueup(&["apply", "--yes", "-q"]).before(&empty);
    let peer = place.run("cp", &["-r", &site, &target]).before(&empty);
    compare("the same, against cp -r (not durable)", 3, None, side, peer);
}

/// Whether the time for each file stays the same.
fn scale() {
    let mut before: Option<(usize, f64, f64)> = None;
    for count in [1_000, 10_000, 100_000] {
        let place = Place::with_files(count);
        let apply = time(&place.trueup(&["apply", "--yes", "-q"]).before(&|| place.empty_target()), 1);
        let plan = time(&place.trueup(&["plan", "-q"]), 5);
        let (apply, plan) = (apply.fastest / count as f64 * 1e3, plan.fastest / count as f64 * 1e3);
        print!("{count:>7} files, µs for each: plan {plan:>6.1}, first apply {apply:>6.1}");
        if let Some((fewer, plan_before, apply_before)) = before {
            print!("   ({:.2} × and {:.2} × those of {fewer})", plan / plan_before, apply / apply_before);
        }
        println!();
        before = Some((count, plan, apply));
    }
}

/// The most memory that is held at once.
fn memory() {
    let place = Place::with_files(10_000);
    let line =
        |what: &str, mib: f64, reach: f64| println!("{what:<46} {mib:>12.1} MiB {:>24} {reach:>6.0}", "");
    line("peak memory: first apply of 10,000 files", peak(&place.trueup(&["apply", "--yes", "-q"])), 60.0);
    line("peak memory: plan of 10,000 files", peak(&place.trueup(&["plan", "-q"])), 60.0);
    let place = Place::with_files(1);
    place.declare_big_file(4 << 30);
    line("peak memory: first apply of a 4 GiB file", peak(&place.trueup(&["apply", "--yes", "-q"])), 64.0);
    line(
        "peak memory: plan --verify of a 4 GiB file",
        peak(&place.trueup(&["plan", "-q", "--verify"])),
        64.0,
    );
    fs::write(place.path("checkout/site/big"), "small now\n").unwrap();
    line("peak memory: plan that replaces a 4 GiB file", peak(&place.trueup(&["plan", "-q"])), 64.0);
}

impl Place {
    fn trueup(&self, args: &[&str]) -> Side<'_> {
        self.run(env!("CARGO_BIN_EXE_trueup"), args)
    }

    fn run(&self, program: &str, args: &[&str]) -> Side<'_> {
        Side::new(program, args, self.path("checkout"))
    }

    fn apply(&self) {
        assert_eq!(self.trueup(&["apply", "--yes", "-q"]).run(), Some(0), "the target could not be prepared");
    }
}
