//! Files, against rsync, diff, cp and git.

use std::fs;

use crate::{
    measure::{compare, peak, print_peak_of, time},
    place::Place,
};

/// Commands that have next to nothing to do.
pub fn start() {
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
pub fn plans() {
    let place = Place::with_files(10_000);
    place.apply();
    let site = place.path("checkout/site/").display().to_string();
    let target = place.path("target/").display().to_string();
    let rsync = |options: &[&str]| place.run("rsync", &[options, &[&site, &target]].concat());
    let diff = || place.run("diff", &["-rq", "-x", ".trueup", &site, &target]);
    compare(
        "plan of 10,000 files, against rsync -rn --size-only",
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
pub fn first_apply() {
    let place = Place::with_files(10_000);
    let site = place.path("checkout/site/").display().to_string();
    let target = place.path("target/").display().to_string();
    let empty = || place.empty_target();
    let side = place.trueup(&["apply", "--yes", "-q"]).before(&empty);
    let peer = place.run("rsync", &["-r", "--fsync", &site, &target]).before(&empty);
    compare("first apply of 10,000, against rsync -r --fsync", 3, Some(1.0), side, peer);
    let side = place.trueup(&["apply", "--yes", "-q"]).before(&empty);
    let peer = place.run("cp", &["-r", &site, &target]).before(&empty);
    compare("the same, against cp -r (not durable)", 2, None, side, peer);
}

/// The most memory that is held at once.
pub fn memory() {
    let place = Place::with_files(10_000);
    print_peak_of("first apply of 10,000 files", peak(&place.trueup(&["apply", "--yes", "-q"])), 60.0);
    print_peak_of("plan of 10,000 files", peak(&place.trueup(&["plan", "-q"])), 60.0);
}

/// Whether the time for each file stays the same.
pub fn scale() {
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

/// The memory that a file of 4 GiB takes.
pub fn large() {
    let place = Place::with_files(1);
    place.declare_big_file(4 << 30);
    print_peak_of("first apply of a 4 GiB file", peak(&place.trueup(&["apply", "--yes", "-q"])), 64.0);
    print_peak_of("plan --verify of a 4 GiB file", peak(&place.trueup(&["plan", "-q", "--verify"])), 64.0);
    fs::write(place.path("checkout/site/big"), "small now\n").unwrap();
    print_peak_of("plan that replaces a 4 GiB file", peak(&place.trueup(&["plan", "-q"])), 64.0);
}
