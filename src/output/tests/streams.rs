//! The terminal: levels, questions, and readers that go away.

use std::io::{self, Write};

use super::samples::*;
use crate::output::{
    Detail, Format, Outputs, Problem,
    terminal::{ColorChoice, Consent, Kind, Level, Question, Streams, Terminal},
};

/// Refuses with one kind of error.
struct Refusing(io::ErrorKind);

impl Write for Refusing {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(self.0.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn streams(out: impl Write + Send + 'static, err: &Sink, answer: &'static str, kind: Kind) -> Streams {
    Streams {
        out: Box::new(out),
        out_kind: kind,
        err: Box::new(err.clone()),
        err_kind: kind,
        input: Box::new(answer.as_bytes()),
        input_kind: kind,
    }
}

fn plain(streams: Streams, level: Level) -> Terminal {
    Terminal::on(streams, ColorChoice::Never, level, |_| None)
}

#[test]
fn levels_decide_what_is_said_and_errors_always_are() {
    let problem = Problem {
        message: "plan deletes 12 objects\n::error::x".to_owned(),
        causes: vec!["the guard allows 5".to_owned()],
        hint: Some("`--allow-deletes 12`".to_owned()),
    };
    let said = |level| {
        let err = Sink::default();
        let mut terminal = plain(streams(io::sink(), &err, "", Kind::Other), level);
        terminal.status("reading");
        terminal.detail("12 files");
        terminal.warning("clock went\x1b back");
        terminal.problem(&problem);
        err.text()
    };
    let error = "error: plan deletes 12 objects\n  | \\::error::x\ncaused by: the guard allows 5\n\
                 hint: `--allow-deletes 12`\n";
    assert_eq!(said(Level::Quiet), error);
    assert_eq!(said(Level::Normal), format!("reading\nwarning: clock went\\x1b back\n{error}"));
    assert_eq!(said(Level::Verbose), format!("reading\n12 files\nwarning: clock went\\x1b back\n{error}"));
}

#[test]
fn only_the_expected_word_is_consent() {
    let ask = |answer, question| {
        let (out, err) = (Sink::default(), Sink::default());
        let mut terminal = plain(streams(out.clone(), &err, answer, Kind::Terminal), Level::Normal);
        terminal.out().write_all(b"the plan\n").unwrap();
        let consent = terminal.confirm(question).unwrap();
        assert_eq!(out.text(), "the plan\n", "the plan is out before the question");
        (consent, err.text())
    };
    let apply = Question::Apply { target: "site" };
    assert_eq!(ask("yes\n", apply), (Consent::Given, "apply this to site? only `yes` will do: ".to_owned()));
    for other in ["y\n", "Yes\n", "yes please\n", "\n", "", " yes\n"] {
        assert_eq!(ask(other, apply).0, Consent::Declined, "{other:?}");
    }
    let delete = Question::Delete { target: "site", count: 2 };
    let words = "this deletes 2 objects; type the name of the target, `site`, to go on: ";
    assert_eq!(ask("site\r\n", delete), (Consent::Given, words.to_owned()));
    assert_eq!(ask("yes\n", delete).0, Consent::Declined);
}

#[test]
fn nobody_is_asked_without_a_terminal() {
    let err = Sink::default();
    let mut terminal = plain(streams(io::sink(), &err, "yes\n", Kind::Other), Level::Normal);
    assert_eq!(terminal.confirm(Question::Apply { target: "site" }).unwrap(), Consent::NobodyThere);
    assert_eq!(err.text(), "");
}

fn show(terminal: &mut Terminal, format: Format) -> anyhow::Result<()> {
    let changes = (0..2000).map(|at| change(&format!("file-{at}"), None, Some(file(b"x\n")))).collect();
    let sheets = [sheet("site", changes)];
    Outputs { format, detail: Detail::Diffs, ..Outputs::default() }.show(&plans(&sheets), terminal)?;
    Ok(terminal.finish()?)
}

#[test]
fn a_reader_that_goes_away_changes_nothing_and_a_full_disk_is_an_error() {
    let err = Sink::default();
    let mut gone = plain(streams(Refusing(io::ErrorKind::BrokenPipe), &err, "", Kind::Other), Level::Normal);
    show(&mut gone, Format::Json).unwrap();
    let mut full = plain(streams(Refusing(io::ErrorKind::StorageFull), &err, "", Kind::Other), Level::Normal);
    assert!(show(&mut full, Format::Json).is_err());
}

#[test]
fn a_diff_is_exact_in_a_pipe_and_visible_on_a_screen() {
    let written = |kind, color| {
        let (out, err) = (Sink::default(), Sink::default());
        let mut terminal = Terminal::on(streams(out.clone(), &err, "", kind), color, Level::Normal, |_| None);
        let sheets = [sheet("site", vec![change("f", None, Some(file(b"\x1b[0m\n")))])];
        Outputs { format: Format::Diff, ..Outputs::default() }.show(&plans(&sheets), &mut terminal).unwrap();
        terminal.finish().unwrap();
        out.text()
    };
    assert!(written(Kind::Other, ColorChoice::Auto).ends_with("\n+\x1b[0m\n"));
    assert!(written(Kind::Terminal, ColorChoice::Never).ends_with("\n+\\x1b[0m\n"));
    assert!(written(Kind::Other, ColorChoice::Always).ends_with("\n\x1b[32m+\\x1b[0m\x1b[0m\n"));
}

#[test]
fn copies_are_written_beside_the_answer() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plan.json");
    let outputs = Outputs {
        copies: vec![format!("json={}", file.display()).parse().unwrap()],
        detail: Detail::Counts,
        ..Outputs::default()
    };
    let (out, err) = (Sink::default(), Sink::default());
    let mut terminal = plain(streams(out.clone(), &err, "", Kind::Other), Level::Normal);
    let sheets = [sheet("site", vec![change("f", None, Some(super::samples::file(b"x")))])];
    outputs.show(&plans(&sheets), &mut terminal).unwrap();
    terminal.finish().unwrap();
    assert!(out.text().starts_with("Plan site: 1 create"), "{}", out.text());
    let json: serde_json::Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    assert_eq!(json["schema"], "trueup.plan/v1");
}

#[test]
fn formats_are_checked_before_anything_is_done() {
    use crate::output::{Logs, Plans, Sink as Copy, check};
    for (format, word, _) in Format::ALL {
        assert_eq!(word.parse::<Format>(), Ok(format));
    }
    assert!("yaml".parse::<Format>().unwrap_err().contains("`human`, `diff`, `json`"));
    assert!("json".parse::<Copy>().is_err() && "json=".parse::<Copy>().is_err());
    let outputs = Outputs { copies: vec!["markdown=x=y.md".parse().unwrap()], ..Outputs::default() };
    assert_eq!(outputs.copies[0].file.to_str(), Some("x=y.md"));
    assert_eq!(check::<Plans<'_>>(&outputs), Ok(()));
    assert_eq!(
        check::<Logs<'_>>(&outputs),
        Err("there is no `markdown` of this; the formats are `human`, `json`".to_owned())
    );
}
