//! Times and peak memory of other processes.

use std::{
    env,
    path::PathBuf,
    process::{Command, Stdio},
    time::Instant,
};

use nix::sys::resource::{UsageWho, getrusage};

/// A command to be measured, and what has to be done before each run.
pub struct Side<'a> {
    program: String,
    args: Vec<String>,
    folder: PathBuf,
    before: &'a dyn Fn(),
}

/// Times of several runs, in milliseconds.
pub struct Times {
    /// The shortest.
    pub fastest: f64,
    /// The one in the middle.
    pub median: f64,
}

impl<'a> Side<'a> {
    /// `program` with `args`, run in `folder`.
    pub fn new(program: &str, args: &[&str], folder: PathBuf) -> Self {
        let args = args.iter().map(|argument| (*argument).to_owned()).collect();
        Side { program: program.to_owned(), args, folder, before: &|| {} }
    }

    /// Has something done before each run.
    pub fn before(self, before: &'a dyn Fn()) -> Self {
        Side { before, ..self }
    }

    /// Runs it once and answers with its exit code.
    pub fn run(&self) -> Option<i32> {
        let mut command = Command::new(&self.program);
        command.args(&self.args).current_dir(&self.folder).stdin(Stdio::null()).stdout(Stdio::null());
        let output = command.stderr(Stdio::piped()).output();
        let output = output.unwrap_or_else(|error| panic!("{}: {error}", self.program));
        if !matches!(output.status.code(), Some(0 | 2)) {
            eprintln!("{}", String::from_utf8_lossy(&output.stderr));
        }
        output.status.code()
    }

    fn time(&self) -> f64 {
        (self.before)();
        let start = Instant::now();
        let exit = self.run();
        let elapsed = start.elapsed().as_secs_f64() * 1e3;
        assert_eq!(exit, Some(0), "{} {:?}", self.program, self.args);
        elapsed
    }
}

impl Times {
    fn of(mut runs: Vec<f64>) -> Times {
        runs.sort_by(f64::total_cmp);
        Times { fastest: runs[0], median: runs[runs.len() / 2] }
    }
}

/// Runs one side `count` times.
pub fn time(side: &Side<'_>, count: usize) -> Times {
    Times::of((0..count).map(|_| side.time()).collect())
}

const WIDTH: usize = 58;

/// Says what the columns are.
pub fn print_header() {
    let what = "measure (fastest / median, ms)";
    println!("{what:<WIDTH$} {:>16} {:>17} {:>7} {:>7}", "trueup", "peer", "ratio", "reach");
}

/// Runs both sides in turn, after one round that does not count, and prints how they compare.
pub fn compare(what: &str, count: usize, reach: Option<f64>, side: Side<'_>, peer: Side<'_>) {
    side.time();
    peer.time();
    let (sides, peers) = (0..count).map(|_| (side.time(), peer.time())).unzip();
    let (side, peer) = (Times::of(sides), Times::of(peers));
    let show = |times: &Times| format!("{:.1} / {:.1}", times.fastest, times.median);
    println!(
        "{what:<WIDTH$} {:>16} {:>17} {:>7.3} {:>7}",
        show(&side),
        show(&peer),
        side.fastest / peer.fastest,
        reach.map(|reach| reach.to_string()).unwrap_or_default()
    );
}

/// Prints a number and the most that it should be.
pub fn print_count(what: &str, count: usize, reach: usize) {
    println!("{what:<WIDTH$} {count:>16} {:>25} {reach:>7}", "");
}

/// Prints how much memory something took and the most that it should.
pub fn print_peak_of(what: &str, mib: f64, reach: f64) {
    let what = format!("peak memory: {what}");
    println!("{what:<WIDTH$} {mib:>12.1} MiB {:>25} {reach:>7.0}", "");
}

/// The most memory that one run holds at once, in MiB.
pub fn peak(side: &Side<'_>) -> f64 {
    // The kernel tells it of all children of a process together, so each run gets a parent of its own.
    let mut command = Command::new(env::current_exe().unwrap());
    command.arg("--peak").arg(&side.program).args(&side.args).current_dir(&side.folder);
    let output = command.stderr(Stdio::inherit()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.trim().parse::<f64>().unwrap_or_else(|error| panic!("{error}: `{text}`")) / 1024.0
}

/// Runs `command` as the only child of this process and prints its peak in KiB.
pub fn print_peak(command: &[String]) {
    let (program, args) = command.split_first().unwrap();
    let ran = Command::new(program).args(args).stdout(Stdio::null()).status().unwrap();
    assert!(ran.code().is_some_and(|code| code <= 5), "{command:?}: {ran}");
    println!("{}", getrusage(UsageWho::RUSAGE_CHILDREN).unwrap().max_rss());
}
