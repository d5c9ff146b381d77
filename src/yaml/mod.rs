//! YAML with positions: every node knows the line and column where it stands.
//!
//! One loop over one parser reads every YAML file; see [`Build`]. [`load`] makes
//! nodes of it that are not interpreted: a scalar is its text, its tag and whether
//! it was written plainly, which is what the scalar rules of any reader start from.

use std::{fmt, ops::Range};

mod build;
pub mod edit;
pub mod emit;
mod fast_path;
mod node;
#[cfg(test)]
pub(crate) mod tests;

pub use build::{Build, Head, Scalar, documents};
pub use node::{Content, Node, load};

/// Line and column, both counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Place {
    /// Line.
    pub line: u32,
    /// Column, in characters.
    pub column: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// Where something stands in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// Line, counted from 1.
    pub line: u32,
    /// Column in characters, counted from 1.
    pub column: u32,
    /// The bytes of it.
    pub bytes: Range<usize>,
}

impl Span {
    /// Where it starts.
    pub fn place(&self) -> Place {
        Place { line: self.line, column: self.column }
    }
}

/// What is wrong with a file, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Line, counted from 1.
    pub line: u32,
    /// Column, counted from 1.
    pub column: u32,
    /// What is wrong, lower case.
    pub message: String,
}

impl Problem {
    /// A problem at one place.
    pub fn new(Place { line, column }: Place, message: impl Into<String>) -> Problem {
        Problem { line, column, message: message.into() }
    }

    /// Where it is.
    pub fn place(&self) -> Place {
        Place { line: self.line, column: self.column }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place(), self.message)
    }
}

impl std::error::Error for Problem {}

/// The text of a file, without a byte order mark.
///
/// # Errors
/// It is not UTF-8.
pub fn text(content: &[u8]) -> Result<&str, Problem> {
    if content.starts_with(b"\xff\xfe") || content.starts_with(b"\xfe\xff") {
        return Err(Problem::new(Place { line: 1, column: 1 }, "this is UTF-16; save it as UTF-8"));
    }
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    std::str::from_utf8(content).map_err(|error| {
        let before = String::from_utf8_lossy(&content[..error.valid_up_to()]);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Problem::new(Place { line: number(line), column: number(column) }, "this is not UTF-8")
    })
}

fn number(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
