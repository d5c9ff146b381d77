//! The hunks of a unified diff over two byte strings.

use std::{
    io::{self, Write},
    time::Duration,
};

use similar::{Algorithm, DiffOp, TextDiff, TextDiffConfig};

use super::{Bytes, style::Paint, style::Role, visible::visible_line};

/// How long one file may take before a longer diff than necessary will do.
const PATIENCE: Duration = Duration::from_millis(300);

/// How many unchanged lines surround a change in a patch.
pub const CONTEXT: usize = 3;

/// Two contents to compare.
#[derive(Clone, Copy)]
pub struct Contents<'a> {
    /// What is there.
    pub before: &'a [u8],
    /// What comes instead.
    pub after: &'a [u8],
}

impl Contents<'_> {
    /// Whether a person can read both: UTF-8 without NUL.
    pub fn are_text(&self) -> bool {
        let text = |bytes: &[u8]| !bytes.contains(&0) && std::str::from_utf8(bytes).is_ok();
        text(self.before) && text(self.after)
    }
}

/// Writes lines of a diff to a stream.
pub struct Pen<'a> {
    /// The stream.
    pub out: &'a mut dyn Write,
    /// Its colours; none with [`Bytes::Exact`].
    pub paint: Paint,
    /// What happens to foreign bytes.
    pub bytes: Bytes,
    /// How many unchanged lines surround a change.
    pub context: usize,
}

impl Pen<'_> {
    /// Writes a line of text.
    pub fn line(&mut self, role: Role, text: &str) -> io::Result<()> {
        match self.bytes {
            Bytes::Exact => writeln!(self.out, "{text}"),
            Bytes::Visible => {
                writeln!(self.out, "{}", self.paint.apply(role, &visible_line(text.as_bytes())))
            }
        }
    }

    /// Writes the hunks that lead from one content to the other.
    pub fn hunks(&mut self, contents: Contents<'_>) -> io::Result<()> {
        // Only a line feed ends a line here, as for git and patch; the crate would end one at a lone CR too.
        let before: Vec<&[u8]> = contents.before.split_inclusive(|byte| *byte == b'\n').collect();
        let after: Vec<&[u8]> = contents.after.split_inclusive(|byte| *byte == b'\n').collect();
        let diff = configuration().diff_slices(&before, &after);
        diff.grouped_ops(self.context).iter().try_for_each(|group| self.hunk(group, &before, &after))
    }

    fn hunk(&mut self, group: &[DiffOp], before: &[&[u8]], after: &[&[u8]]) -> io::Result<()> {
        let (Some(first), Some(last)) = (group.first(), group.last()) else { return Ok(()) };
        let old = range(first.old_range().start, last.old_range().end);
        let new = range(first.new_range().start, last.new_range().end);
        self.line(Role::Hunk, &format!("@@ -{old} +{new} @@"))?;
        for op in group {
            if let DiffOp::Equal { .. } = op {
                before[op.old_range()].iter().try_for_each(|line| self.content(' ', line))?;
                continue;
            }
            before[op.old_range()].iter().try_for_each(|line| self.content('-', line))?;
            after[op.new_range()].iter().try_for_each(|line| self.content('+', line))?;
        }
        Ok(())
    }

    fn content(&mut self, sign: char, line: &[u8]) -> io::Result<()> {
        let (text, ended) = line.strip_suffix(b"\n").map_or((line, false), |text| (text, true));
        match self.bytes {
            Bytes::Exact => {
                self.out.write_all(&[sign as u8])?;
                self.out.write_all(text)?;
                self.out.write_all(b"\n")?;
            }
            Bytes::Visible => self.line(role(sign), &eyes(sign, text))?,
        }
        if ended { Ok(()) } else { self.line(Role::Aside, "\\ No newline at end of file") }
    }
}

fn configuration() -> TextDiffConfig {
    let mut configuration = TextDiff::configure();
    configuration.algorithm(Algorithm::Myers).timeout(PATIENCE);
    configuration
}

/// A range of lines as unified diffs write it.
fn range(start: usize, end: usize) -> String {
    match end - start {
        0 => format!("{start},0"),
        1 => format!("{}", start + 1),
        count => format!("{},{count}", start + 1),
    }
}

fn role(sign: char) -> Role {
    match sign {
        '+' => Role::Added,
        '-' => Role::Removed,
        _ => Role::Plain,
    }
}

/// A line for eyes. A CI runner skips blanks before it looks for `::`, so an
/// unchanged line is the one place where such a command could begin a line.
fn eyes(sign: char, text: &[u8]) -> String {
    let text = visible_line(text);
    match sign == ' ' && text.trim_start().starts_with("::") {
        true => format!("{sign}{}", text.replacen("::", "\\x3a:", 1)),
        false => format!("{sign}{text}"),
    }
}
