//! The place where the reader is.

use std::ops::Range;

use crate::yaml::{Span, number};

/// A text, and a place in it.
#[derive(Clone, Copy)]
pub(super) struct Lines<'t> {
    source: &'t str,
    at: usize,
    /// Where the line starts.
    start: usize,
    /// The number of the line, counted from 1.
    line: usize,
}

impl<'t> Lines<'t> {
    pub(super) fn new(source: &'t str) -> Self {
        Lines { source, at: 0, start: 0, line: 1 }
    }

    /// Where the reader is, in bytes.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// The byte that is `ahead`; the end of the text ends a line.
    pub(super) fn peek(&self, ahead: usize) -> u8 {
        self.source.as_bytes().get(self.at + ahead).copied().unwrap_or(b'\n')
    }

    pub(super) fn byte(&self) -> u8 {
        self.peek(0)
    }

    pub(super) fn skip(&mut self, count: usize) {
        self.at += count;
    }

    pub(super) fn skip_spaces(&mut self) {
        while self.byte() == b' ' {
            self.at += 1;
        }
    }

    /// What is left of the text.
    pub(super) fn rest(&self) -> &'t str {
        self.source.get(self.at..).unwrap_or_default()
    }

    /// The spaces that start what is left of the line.
    pub(super) fn spaces(&self) -> usize {
        self.rest().bytes().take_while(|byte| *byte == b' ').count()
    }

    /// What is left of the line.
    pub(super) fn rest_of_line(&self) -> &'t str {
        let rest = self.rest();
        rest.find('\n').map_or(rest, |end| &rest[..end])
    }

    /// Goes to the start of the next line; there may be none.
    pub(super) fn next_line(&mut self) {
        self.at += self.rest_of_line().len();
        if !self.is_over() {
            (self.at, self.start, self.line) = (self.at + 1, self.at + 1, self.line + 1);
        }
    }

    /// Goes on to what is neither space nor comment.
    pub(super) fn settle(&mut self) {
        loop {
            self.skip_spaces();
            if self.is_over() || !self.is_line_over() {
                return;
            }
            self.next_line();
        }
    }

    /// Whether nothing but a comment follows on this line, spaces skipped.
    pub(super) fn is_line_over(&self) -> bool {
        matches!(self.byte(), b'\n' | b'#')
    }

    /// Makes sure that nothing but a comment follows on this line.
    pub(super) fn end_line(&mut self) -> Option<()> {
        let before = self.at;
        self.skip_spaces();
        let apart = self.at > before || self.byte() == b'\n';
        (apart && self.is_line_over()).then_some(())
    }

    /// Whether the text is at its end.
    pub(super) fn is_over(&self) -> bool {
        self.at >= self.source.len()
    }

    /// Whether a document starts or ends here.
    pub(super) fn is_marker(&self) -> bool {
        self.position() == 0
            && (self.rest().starts_with("---") || self.rest().starts_with("..."))
            && matches!(self.peek(3), b' ' | b'\n' | b'\t')
    }

    /// Whether an item of a list starts here.
    pub(super) fn is_dash(&self) -> bool {
        self.byte() == b'-' && matches!(self.peek(1), b' ' | b'\n')
    }

    /// How far the reader is from the start of the line.
    pub(super) fn position(&self) -> usize {
        self.at - self.start
    }

    /// The column of what stands here; `None` at the end of a document.
    pub(super) fn column(&self) -> Option<usize> {
        (!self.is_over() && !self.is_marker()).then(|| self.position())
    }

    /// The place where the reader is.
    pub(super) fn span(&self) -> Span {
        self.span_of(0..0)
    }

    /// The place of some bytes, counted from here.
    pub(super) fn span_of(&self, bytes: Range<usize>) -> Span {
        let column = number(self.position() + bytes.start + 1);
        Span { line: number(self.line), column, bytes: self.at + bytes.start..self.at + bytes.end }
    }
}
