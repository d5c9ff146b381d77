//! Past applies for people.

use std::io::{self, Write};

use crate::{
    exit::Exit,
    model::{
        plan::TargetName,
        record::{HistoryEntry, Who},
        report::Verdict,
    },
    output::{
        Detail, Log, Logs, Look, Missing, phrases,
        style::{Paint, Role},
        visible::visible,
    },
};

/// Writes past applies, or the commits that were never applied.
///
/// # Errors
/// `out` refused.
pub fn logs(logs: &Logs<'_>, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    logs.targets.iter().try_for_each(|log| match &log.missing {
        Some(missing) => self::missing(&log.target, missing, look, out),
        None => applies(log, look, out),
    })
}

fn name(target: &TargetName) -> String {
    format!("target {} ({})", visible(&target.name), visible(&target.id))
}

fn applies(log: &Log, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    if log.applies.is_empty() {
        return writeln!(out, "{}: nothing was ever applied", name(&log.target));
    }
    writeln!(out, "{}", look.paint.apply(Role::Heading, &name(&log.target)))?;
    for past in &log.applies {
        writeln!(out, "{}", line(past, look.paint))?;
        if look.detail == Detail::Diffs {
            objects(past, out)?;
        }
    }
    Ok(())
}

/// One apply: when, how it ended, what, why, who, how much, and what was overridden.
fn line(past: &HistoryEntry, paint: Paint) -> String {
    let (word, role) = match past.result {
        _ if past.finished.is_none() => ("did not end", Role::Error),
        Exit::InSync => ("applied", Role::Good),
        other => (other.word(), Role::Warning),
    };
    let mut parts = vec![minute(&past.started), paint.apply(role, word).into_owned()];
    parts.extend(past.environment.as_deref().map(|environment| visible(environment).into_owned()));
    parts.push(phrases::revision(&past.revision));
    parts.extend(past.why.first().map(|commit| format!("\"{}\"", phrases::subject(commit))));
    match past.why.len() {
        0 | 1 => {}
        commits => parts.push(format!("and {}", phrases::count(commits - 1, "more commit"))),
    }
    parts.push(who(&past.who));
    let sum = &past.summary;
    let changed = sum.update + sum.replace + sum.adopt;
    parts.push(format!("· +{} ~{changed} -{}", sum.create, sum.delete));
    parts.extend((sum.found > 0).then(|| format!("· found {}", sum.found)));
    parts.extend((sum.release > 0).then(|| format!("· released {}", sum.release)));
    if !past.flags.is_empty() {
        parts.push(format!("· {}", visible(&past.flags.join(" "))));
    }
    parts.join(" ")
}

pub(super) fn who(who: &Who) -> String {
    let job = who.job.as_ref().map(|job| format!(" {}", visible(job))).unwrap_or_default();
    format!("by {} via {}{job}", visible(&who.actor), visible(&who.source))
}

/// `2026-11-22 14:10Z` of an RFC 3339 time in UTC; anything else as it is.
pub(super) fn minute(time: &str) -> String {
    match (time.get(..10), time.get(10..11), time.get(11..16)) {
        (Some(day), Some("T"), Some(minute)) => visible(&format!("{day} {minute}Z")).into_owned(),
        _ => visible(time).into_owned(),
    }
}

/// Writes what happened to each object.
fn objects(past: &HistoryEntry, out: &mut dyn Write) -> io::Result<()> {
    for object in &past.objects {
        let (verdict, name) = (object.verdict.words(), visible(object.address.as_str()));
        write!(out, "    {verdict:13}  {:7}  {name}", object.action)?;
        match object.error.as_ref().filter(|_| object.verdict != Verdict::Done) {
            Some(error) => writeln!(out, "   {}", visible(error))?,
            None => writeln!(out)?,
        }
    }
    if past.objects_omitted > 0 {
        writeln!(out, "    and {}", phrases::count(past.objects_omitted, "more object"))?;
    }
    Ok(())
}

fn missing(target: &TargetName, missing: &Missing, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    let (name, branch) = (name(target), phrases::revision(&missing.revision));
    let since = match &missing.base {
        Some(base) => format!("since {}", phrases::revision(base)),
        None => "and nothing recorded as applied".to_owned(),
    };
    if missing.commits.is_empty() {
        return writeln!(out, "{name}: every commit of {branch} is applied");
    }
    let count = phrases::count(missing.commits.len(), "commit");
    let heading = format!("{name}: {count} of {branch} not applied, {since}");
    writeln!(out, "{}", look.paint.apply(Role::Heading, &heading))?;
    for commit in &missing.commits {
        let day = visible(commit.date.get(..10).unwrap_or(&commit.date)).into_owned();
        let author = visible(&commit.author);
        writeln!(out, "  {} {day} {author}: {}", commit.id.short(), phrases::subject(commit))?;
    }
    Ok(())
}
