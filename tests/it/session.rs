//! Sessions: the `steps` of a fixture, run one after another, and their transcript.
//!
//! A line of `steps` is a comment (`# …`), a command for the shell (`$ …`, run
//! in `$SANDBOX/checkout`), its continuation (`> …`) or empty. The transcript
//! repeats them, and below each command stand its standard output as it is,
//! its standard error behind `2> `, and its exit code. Below `trueup apply`
//! stands also what the target holds afterwards and what `plan` says then.

use std::{collections::BTreeMap, fmt::Write as _};

use clap::Parser as _;
use trueup::cli::{Cli, Command, args::ApplyArgs};

use crate::sandbox::{Ran, Sandbox};

/// One line of a session, continuations included.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// A comment or an empty line.
    Words(String),
    /// A command.
    Run(String),
}

/// Reads the steps of a session.
pub fn parse(text: &str) -> Result<Vec<Step>, String> {
    let mut steps = Vec::new();
    for (number, line) in text.lines().enumerate() {
        match (line.split_once(' '), steps.last_mut()) {
            (Some(("$", command)), _) => steps.push(Step::Run(command.to_owned())),
            (Some((">", more)), Some(Step::Run(command))) => *command += &format!("\n{more}"),
            _ if line.is_empty() || line.starts_with('#') => steps.push(Step::Words(line.to_owned())),
            _ => return Err(format!("line {}: `{line}` is neither `$ `, `> ` nor `#`", number + 1)),
        }
    }
    Ok(steps)
}

/// A session that was run.
pub struct Played {
    /// What was typed and what came of it.
    pub transcript: String,
    /// Each apply that said it applied everything where the next plan does not agree.
    pub untrue: Vec<String>,
}

/// Runs the steps in `sandbox`.
pub fn run(sandbox: &Sandbox, steps: &[Step]) -> Played {
    let mut transcript = String::new();
    let mut untrue = Vec::new();
    for step in steps {
        match step {
            Step::Words(line) => writeln!(transcript, "{line}").unwrap(),
            Step::Run(command) => {
                let ran = sandbox.sh(command);
                transcript += &render(command, &ran);
                if let Some(words) = command.strip_prefix("trueup apply") {
                    let left = after_apply(sandbox, words, &mut transcript);
                    if ran.exit == 0 && left == Left::Work {
                        untrue.push(format!("`{command}` ended with 0 and left something to do"));
                    }
                }
            }
        }
    }
    Played { transcript: Normal::new(sandbox).text(&transcript), untrue }
}

fn render(command: &str, ran: &Ran) -> String {
    let mut text = format!("$ {}\n", command.replace('\n', "\n> "));
    text += &visible(&ran.stdout);
    if !ran.stdout.is_empty() && !ran.stdout.ends_with('\n') {
        text += "\n(no newline at the end)\n";
    }
    visible(&ran.stderr).lines().for_each(|line| writeln!(text, "2> {line}").unwrap());
    if ran.exit != 0 || command.starts_with("trueup ") {
        writeln!(text, "exit {}", ran.exit).unwrap();
    }
    text
}

/// Makes control characters visible.
fn visible(text: &str) -> String {
    let escape = |char: char| match char {
        '\n' | '\t' => char.to_string(),
        _ if char.is_control() => char.escape_default().to_string(),
        _ => char.to_string(),
    };
    text.chars().map(escape).collect()
}

/// What an apply left for the next one.
#[derive(Debug, PartialEq, Eq)]
enum Left {
    /// Nothing, or what it was told to leave, or what is not ours to change.
    Nothing,
    Work,
}

/// Lists the target, and plans what the apply with `words` was about.
fn after_apply(sandbox: &Sandbox, words: &str, transcript: &mut String) -> Left {
    for place in ["target", "checkout/live"].into_iter().filter(|place| sandbox.path(place).is_dir()) {
        write!(transcript, "{place}/\n{}", sandbox.list(place)).unwrap();
    }
    let typed = ["trueup", "apply"].into_iter().chain(words.split_whitespace());
    let Ok(Cli { command: Command::Apply(apply), global }) = Cli::try_parse_from(typed) else {
        return Left::Nothing;
    };
    let mut plan = vec!["plan", "-o", "json", "-C", global.directory.to_str().unwrap()];
    plan.extend(apply.source.env.iter().flat_map(|env| ["-e", env]));
    plan.extend(apply.source.reference.iter().flat_map(|reference| ["--ref", reference]));
    plan.extend(apply.targets.iter().map(String::as_str));
    let ran = sandbox.trueup(&plan);
    writeln!(transcript, "and `trueup plan` says {}", ran.exit).unwrap();
    if leaves_something(&apply) || ran.exit == 0 || has_only_strangers(&ran.stdout) {
        Left::Nothing
    } else {
        Left::Work
    }
}

/// Whether a plan, as JSON, holds nothing but objects of others.
fn has_only_strangers(plan: &str) -> bool {
    let plan: serde_json::Value = serde_json::from_str(plan).unwrap_or_default();
    plan["changes"].as_array().is_some_and(|changes| changes.iter().all(|change| change["class"] == "extra"))
}

fn leaves_something(apply: &ApplyArgs) -> bool {
    apply.only_drift || apply.skip_unknown || !apply.keep.is_empty() || !apply.source.only.is_empty()
}

/// Replaces what differs from run to run by names.
struct Normal {
    fixed: Vec<(String, &'static str)>,
    numbers: BTreeMap<&'static str, Vec<String>>,
}

impl Normal {
    fn new(sandbox: &Sandbox) -> Normal {
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let fixed = vec![
            (sandbox.root().to_str().unwrap().to_owned(), "$SANDBOX"),
            (format!("\"host\": \"{host}\""), "\"host\": \"$HOST\""),
            (format!(" on `{host}`"), " on `$HOST`"),
        ];
        Normal { fixed, numbers: BTreeMap::new() }
    }

    fn text(mut self, text: &str) -> String {
        let mut text = text.to_owned();
        for (value, name) in &self.fixed {
            text = text.replace(value, name);
        }
        let is_part = |char: char| char.is_ascii_alphanumeric() || "-:+.".contains(char);
        let mut normal = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while let Some(start) = rest.find(is_part) {
            normal += &rest[..start];
            let word = &rest[start..];
            let end = word.find(|char| !is_part(char)).unwrap_or(word.len());
            normal += &self.word(&word[..end]);
            rest = &word[end..];
        }
        normal += rest;
        let places = [("(pid ", ")", "$PID"), (" since $TIME, ", " ago", "$AGE"), ("(uid ", ")", "$UID")];
        let normal =
            places.into_iter().fold(normal, |text, (start, end, name)| between(&text, start, end, name));
        without_duration(&between(&normal, "owner ", " (uid $UID)", "$OWNER"))
    }

    /// Equal values get equal names, so that a reader still sees what is the same.
    fn word(&mut self, word: &str) -> String {
        let Some((kind, value, rest)) = changing(word) else { return word.to_owned() };
        let known = self.numbers.entry(kind).or_default();
        let number = known.iter().position(|known| known == value).unwrap_or_else(|| {
            known.push(value.to_owned());
            known.len() - 1
        });
        match kind {
            "TIME" | "DATE" | "CLOCK" => format!("${kind}{rest}"),
            _ => format!("${kind}{}{rest}", number + 1),
        }
    }
}

/// Names the time at the end of the line that `-v` ends with.
fn without_duration(text: &str) -> String {
    let line = |line: &str| match line.strip_suffix(" s").and_then(|line| line.rsplit_once(", ")) {
        Some((before, seconds)) if line.starts_with("2> ") && seconds.parse::<f64>().is_ok() => {
            format!("{before}, $SECONDS s\n")
        }
        _ => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

/// Puts `name` in the place of what stands between `start` and `end`.
fn between(text: &str, start: &str, end: &str, name: &str) -> String {
    let mut parts = text.split(start);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| match part.split_once(end) {
        Some((value, rest)) if !value.contains('\n') => text + start + name + end + rest,
        _ => text + start + part,
    })
}

/// What kind of changing value a word starts with: the kind, the value and what follows it.
fn changing(word: &str) -> Option<(&'static str, &str, &str)> {
    let shape: String = word.chars().map(|char| if char.is_ascii_digit() { '9' } else { char }).collect();
    let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let cut = |kind, length| Some((kind, &word[..length], &word[length..]));
    // Times of 2001 are those of the commits, which do not change.
    if shape.starts_with("9999-99-99T99:99:99Z") && !word.starts_with("2001-") {
        return cut("TIME", 20);
    }
    if shape == "9999-99-99" && !word.starts_with("2001-") {
        return cut("DATE", 10);
    }
    if shape == "99:99Z" {
        return cut("CLOCK", 6);
    }
    if shape.starts_with("99999999T999999Z-") && word.get(17..25).is_some_and(is_hex) {
        return cut("APPLY", 25);
    }
    if word.len() == 36 && is_hex(&word.replace('-', "")) {
        return cut("UUID", 36);
    }
    if word.len() == 32 && is_hex(word) {
        return cut("ID", 32);
    }
    if word.starts_with("sha256:") && word.get(7..71).is_some_and(is_hex) {
        return cut("DIGEST", 71);
    }
    None
}

#[test]
fn steps_are_read_line_by_line() {
    let steps = parse("# first\n$ one\n> two\n\n$ three\n").unwrap();
    let words = |text: &str| Step::Words(text.to_owned());
    let run = |text: &str| Step::Run(text.to_owned());
    assert_eq!(steps, [words("# first"), run("one\ntwo"), words(""), run("three")]);
    assert_eq!(parse("trueup plan\n").unwrap_err(), "line 1: `trueup plan` is neither `$ `, `> ` nor `#`");
}

#[test]
fn what_changes_from_run_to_run_is_named() {
    let digests = ["a", "b"].map(|digit| format!("sha256:{}", digit.repeat(64)));
    let [first, second] = &digests;
    let normal = Normal { fixed: vec![("/tmp/x".to_owned(), "$SANDBOX")], numbers: BTreeMap::new() };
    let text = format!(
        "{first} {second} ({first})\nat 2026-05-06T07:08:09Z, not 2001-02-03T04:05:06Z, in /tmp/x/target;\n\
         20260506T070809Z-00c0ffee.tmp 1.2.3 {} (pid 12) since 2026-05-06T07:08:09Z, 3 s ago \
         by owner root (uid 0) at 2026-05-06 07:08Z\n",
        "0f".repeat(16)
    );
    let wanted = "$DIGEST1 $DIGEST2 ($DIGEST1)\nat $TIME, not 2001-02-03T04:05:06Z, in $SANDBOX/target;\n\
         $APPLY1.tmp 1.2.3 $ID1 (pid $PID) since $TIME, $AGE ago by owner $OWNER (uid $UID) at $DATE $CLOCK\n";
    assert_eq!(normal.text(&text), wanted);
}
