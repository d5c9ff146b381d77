//! Texts of several lines.

use super::lines::Lines;
use crate::yaml::Span;

/// What becomes of the line ends behind the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tail {
    One,
    None,
    All,
}

/// A text on its way.
struct Text {
    folded: bool,
    text: String,
    /// Empty lines since the last one that was not.
    breaks: usize,
    /// Whether the last line that was not empty starts with a space, once there is one.
    last: Option<bool>,
}

impl Text {
    fn line(&mut self, line: &str) {
        let spaced = line.starts_with([' ', '\t']);
        let breaks = std::mem::take(&mut self.breaks);
        match self.last.replace(spaced) {
            Some(false) if self.folded && !spaced && breaks == 0 => self.text.push(' '),
            Some(false) if self.folded && !spaced => self.end_lines(breaks),
            Some(_) => self.end_lines(breaks + 1),
            None => self.end_lines(breaks),
        }
        self.text.push_str(line);
    }

    fn end_lines(&mut self, count: usize) {
        self.text.extend(std::iter::repeat_n('\n', count));
    }

    fn end(mut self, tail: Tail) -> String {
        match tail {
            Tail::One => self.end_lines(1),
            Tail::None => {}
            Tail::All => self.end_lines(1 + self.breaks),
        }
        self.text
    }
}

impl<'t> Lines<'t> {
    /// The text behind the `|` or `>` that stands here, in a block at `column`. Leaves the reader behind it.
    pub(super) fn text(&mut self, column: usize) -> Option<(String, Span)> {
        let mut text = Text { folded: self.byte() == b'>', text: String::new(), breaks: 0, last: None };
        self.skip(1);
        let tail = self.tail();
        self.end_line()?;
        self.next_line();
        let mut widest = 0;
        while !self.is_over() && self.spaces() == self.rest_of_line().len() {
            widest = widest.max(self.spaces());
            text.breaks += 1;
            self.next_line();
        }
        let indent = self.spaces();
        if indent <= column || indent < widest || matches!(self.peek(indent), b'\t' | b'\n') {
            return None;
        }
        let mut span = self.span_of(indent..indent);
        while let Some(line) = self.line_of(indent) {
            match line.is_empty() {
                true => text.breaks += 1,
                false => text.line(line),
            }
            // What ends without the end of a line is read in its own way.
            if self.rest_of_line().len() == self.rest().len() {
                return None;
            }
            self.next_line();
        }
        span.bytes.end = self.at() + self.spaces();
        Some((text.end(tail), span))
    }

    fn tail(&mut self) -> Tail {
        let tail = match self.byte() {
            b'-' => Tail::None,
            b'+' => Tail::All,
            _ => return Tail::One,
        };
        self.skip(1);
        tail
    }

    /// This line without its indentation; `None` if it is not indented as far, and not empty.
    fn line_of(&self, indent: usize) -> Option<&'t str> {
        let line = self.rest_of_line();
        let spaces = line.bytes().take(indent).take_while(|byte| *byte == b' ').count();
        match spaces == line.len() {
            true if self.is_over() => None,
            true => Some(""),
            false => line.get(indent..).filter(|_| spaces == indent),
        }
    }
}
