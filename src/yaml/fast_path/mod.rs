//! The YAML that nearly every file is written in, read in one pass.
//!
//! Blocks of mappings and lists, texts of several lines, and scalars and brackets that end on
//! the line where they begin; ASCII, without anchors, tags and directives. Whatever is anything
//! else, or wrong, is not taken: the parser that knows all of YAML reads that file from its start.

use super::{
    Build, Head, Scalar, Span,
    build::{Body, Reading},
};
use {
    lines::Lines,
    scalars::{Context, Word},
};

mod flow;
mod lines;
mod scalars;
mod text;

/// How long a key may be; the parser has a limit as well.
const KEY: usize = 1000;

/// The documents of a file, with what made them; `None` if not everything in it is everyday.
pub fn documents<B: Build>(text: &str) -> Option<(Vec<B::Node>, B)> {
    let known = |byte: &u8| matches!(byte, b' '..=b'~' | b'\n' | b'\t');
    if !text.as_bytes().iter().all(known) {
        return None;
    }
    let mut reader = Reader { lines: Lines::new(text), reading: Reading::new() };
    reader.documents()?;
    Some(reader.reading.end())
}

/// A file on its way. Whoever reads a value leaves the reader behind it; whoever reads a block,
/// at what stands below.
struct Reader<'t, B: Build> {
    lines: Lines<'t>,
    reading: Reading<B>,
}

impl<'t, B: Build> Reader<'t, B> {
    fn documents(&mut self) -> Option<()> {
        self.lines.settle();
        while !self.lines.is_over() {
            let begins = if self.lines.is_marker() { Some(self.marker()?) } else { None };
            match (self.lines.column(), begins) {
                (Some(0), _) => self.block(0)?,
                (None, Some(empty)) => self.scalar(Word::empty(empty))?,
                _ => return None,
            }
            if self.lines.column().is_some() {
                return None;
            }
        }
        Some(())
    }

    /// The line that starts a document.
    fn marker(&mut self) -> Option<Span> {
        if self.lines.byte() != b'-' {
            return None;
        }
        self.lines.skip(3);
        let behind = self.lines.span();
        self.end_value()?;
        Some(behind)
    }

    /// A list or a mapping that starts here.
    fn block(&mut self, column: usize) -> Option<()> {
        if self.lines.is_dash() {
            return self.list(column, self.lines.span());
        }
        let key = self.lines.word(Context::Block)?;
        self.mapping(column, key)
    }

    fn list(&mut self, column: usize, start: Span) -> Option<()> {
        self.open(start, false, Body::List)?;
        while self.lines.column() == Some(column) && self.lines.is_dash() {
            self.lines.skip(1);
            self.item(column)?;
        }
        self.close()
    }

    fn item(&mut self, column: usize) -> Option<()> {
        self.lines.skip_spaces();
        if self.lines.is_line_over() {
            self.lines.skip(self.lines.rest_of_line().len());
            let empty = self.lines.span();
            self.lines.settle();
            return match self.lines.column() {
                Some(inner) if inner > column => self.block(inner),
                _ => self.scalar(Word::empty(empty)),
            };
        }
        let inner = self.lines.position();
        if self.lines.is_dash() {
            return self.list(inner, self.lines.span());
        }
        if self.lines.is_word() {
            let word = self.lines.word(Context::Block)?;
            if self.lines.byte() == b':' {
                return self.mapping(inner, word);
            }
            self.scalar(word)?;
            return self.end_value();
        }
        self.value(column)
    }

    /// A mapping whose first key was just read.
    fn mapping(&mut self, column: usize, first: Word<'t>) -> Option<()> {
        self.open(first.span.clone(), false, Body::mapping())?;
        self.entry(column, first)?;
        while self.lines.column() == Some(column) {
            let key = self.lines.word(Context::Block)?;
            self.entry(column, key)?;
        }
        self.close()
    }

    fn entry(&mut self, column: usize, key: Word<'t>) -> Option<()> {
        let is_key = self.lines.byte() == b':' && matches!(self.lines.peek(1), b' ' | b'\n');
        if !is_key || key.span.bytes.len() > KEY {
            return None;
        }
        self.scalar(key)?;
        let empty = self.lines.span();
        self.lines.skip(1);
        self.lines.skip_spaces();
        if !self.lines.is_line_over() {
            return self.value(column);
        }
        self.lines.settle();
        match self.lines.column() {
            Some(inner) if inner > column => self.block(inner),
            Some(inner) if inner == column && self.lines.is_dash() => self.list(inner, self.behind_dash()?),
            _ => self.scalar(Word::empty(empty)),
        }
    }

    /// Where a list starts whose dashes stand right below its key: for the parser, behind the first of them.
    fn behind_dash(&self) -> Option<Span> {
        let mut lines = self.lines;
        lines.skip(1);
        lines.skip_spaces();
        (!lines.is_line_over()).then(|| lines.span())
    }

    /// A value on the line of its key or dash, in a block at `column`.
    fn value(&mut self, column: usize) -> Option<()> {
        match self.lines.byte() {
            b'|' | b'>' => {
                let (text, span) = self.lines.text(column)?;
                let scalar = Scalar { text: text.into(), plain: false, block: true, tag: None, span };
                self.reading.scalar(scalar, 0).ok()?;
                self.lines.settle();
                return Some(());
            }
            b'[' | b'{' => self.flow()?,
            _ => {
                let word = self.lines.word(Context::Block)?;
                self.scalar(word)?;
            }
        }
        self.end_value()
    }

    fn end_value(&mut self) -> Option<()> {
        self.lines.end_line()?;
        self.lines.settle();
        Some(())
    }

    fn scalar(&mut self, Word { text, plain, span }: Word<'_>) -> Option<()> {
        self.reading.scalar(Scalar { text, plain, block: false, tag: None, span }, 0).ok()
    }

    /// Opens a list or a mapping that starts where `span` does.
    fn open(&mut self, Span { line, column, bytes }: Span, flow: bool, body: Body<B>) -> Option<()> {
        let span = Span { line, column, bytes: bytes.start..bytes.start };
        self.reading.open(0, Head { span, tag: None, flow }, body).ok()
    }

    /// Closes what was opened last; it ends here.
    fn close(&mut self) -> Option<()> {
        self.reading.close(self.lines.at()).ok()
    }
}

#[cfg(test)]
mod tests;
