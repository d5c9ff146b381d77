//! Scalars that end on the line where they begin.

use std::borrow::Cow;

use super::lines::Lines;
use crate::yaml::Span;

/// Where a scalar stands, which decides where it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Context {
    /// On lines.
    Block,
    /// Between brackets.
    Flow,
}

/// A scalar of one line.
pub struct Word<'t> {
    pub text: Cow<'t, str>,
    pub plain: bool,
    pub span: Span,
}

impl Word<'_> {
    /// What stands for a scalar that is not there.
    pub fn empty(span: Span) -> Self {
        Word { text: Cow::Borrowed("~"), plain: true, span }
    }
}

impl<'t> Lines<'t> {
    /// Whether a scalar of one line may start here.
    pub fn is_word(&self) -> bool {
        match self.byte() {
            b'"' | b'\'' => true,
            b'-' => !matches!(self.peek(1), b' ' | b'\n' | b'\t' | b',' | b'[' | b']' | b'{' | b'}'),
            byte => !b" \t\n?:,[]{}#&*!|>%@`".contains(&byte),
        }
    }

    /// The scalar that starts here.
    pub fn word(&mut self, context: Context) -> Option<Word<'t>> {
        if !self.is_word() {
            return None;
        }
        match self.byte() {
            b'"' => self.quoted('"'),
            b'\'' => self.quoted('\''),
            _ => self.plain(context),
        }
    }

    /// Ends at a colon, at a comment or with the line, and between brackets at their signs.
    fn plain(&mut self, context: Context) -> Option<Word<'t>> {
        let line = self.rest_of_line();
        let bytes = line.as_bytes();
        let mut end = line.len();
        for (at, byte) in bytes.iter().enumerate() {
            let next = bytes.get(at + 1).copied().unwrap_or(b'\n');
            let ends = match byte {
                b':' => matches!(
                    (next, context),
                    (b' ' | b'\n', _) | (b',' | b'[' | b']' | b'{' | b'}', Context::Flow)
                ),
                b'#' => bytes[at - 1] == b' ',
                b',' | b'[' | b']' | b'{' | b'}' => context == Context::Flow,
                b'\t' => return None,
                _ => false,
            };
            if ends {
                end = at;
                break;
            }
        }
        let text = line[..end].trim_end_matches(' ');
        let span = self.span_of(0..text.len());
        // A comment needs the space before it.
        self.skip(if bytes.get(end) == Some(&b'#') { text.len() } else { end });
        Some(Word { text: Cow::Borrowed(text), plain: true, span })
    }

    fn quoted(&mut self, quote: char) -> Option<Word<'t>> {
        let line = self.rest_of_line();
        let (text, len) = match quote {
            '\'' => single(&line[1..])?,
            _ => double(&line[1..])?,
        };
        let span = self.span_of(0..len + 1);
        self.skip(len + 1);
        Some(Word { text, plain: false, span })
    }
}

/// The text up to the closing quote, and how long it is with that.
fn single(line: &str) -> Option<(Cow<'_, str>, usize)> {
    let mut end = line.find('\'')?;
    let mut text = Cow::Borrowed(line.get(..end)?);
    while let Some(rest) = line[end + 1..].strip_prefix('\'') {
        let more = rest.find('\'')?;
        let text = text.to_mut();
        text.push('\'');
        text.push_str(&rest[..more]);
        end += 2 + more;
    }
    (!text.contains('\t')).then_some((text, end + 1))
}

/// The same with double quotes, and the escapes that JSON has as well.
fn double(line: &str) -> Option<(Cow<'_, str>, usize)> {
    let mut end = line.find(['"', '\\', '\t'])?;
    let mut text = Cow::Borrowed(&line[..end]);
    while line.as_bytes()[end] != b'"' {
        let escaped = match line.as_bytes()[end..].get(..2)? {
            [b'\\', sign @ (b'"' | b'\\' | b'/')] => char::from(*sign),
            b"\\n" => '\n',
            b"\\t" => '\t',
            _ => return None,
        };
        let more = line[end + 2..].find(['"', '\\', '\t'])?;
        let text = text.to_mut();
        text.push(escaped);
        text.push_str(&line[end + 2..][..more]);
        end += 2 + more;
    }
    Some((text, end + 1))
}
