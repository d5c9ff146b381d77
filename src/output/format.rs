//! The forms that an answer can take, and what is asked of a view.

use std::{fmt, path::PathBuf, str::FromStr};

use super::{markdown, style::Paint};

/// A form that an answer can take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Format {
    /// Text for people; free to change.
    #[default]
    Human,
    /// A unified diff and nothing else.
    Diff,
    /// JSON, versioned and documented by a schema.
    Json,
    /// Markdown for a comment, within a budget of bytes.
    Markdown,
    /// The counts that GitLab shows on a merge request.
    GitlabTerraform,
    /// A plan that `apply --plan` takes.
    Plan,
}

impl Format {
    /// Every format with its word and what it is.
    pub const ALL: [(Format, &'static str, &'static str); 6] = [
        (Format::Human, "human", "text for people"),
        (Format::Diff, "diff", "a unified diff"),
        (Format::Json, "json", "JSON, described by `trueup schema`"),
        (Format::Markdown, "markdown", "Markdown for a comment, within `--max-bytes`"),
        (Format::GitlabTerraform, "gitlab-terraform", "the counts of GitLab's `terraform` report"),
        (Format::Plan, "plan", "a plan for `apply --plan`"),
    ];

    /// The word that names it.
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(format, ..)| *format == self).map_or("human", |(_, word, _)| word)
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        if let Some((format, ..)) = Self::ALL.iter().find(|(_, name, _)| *name == word) {
            return Ok(*format);
        }
        let words: Vec<_> = Self::ALL.iter().map(|(_, name, _)| format!("`{name}`")).collect();
        Err(format!("expected one of {}", words.join(", ")))
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A further copy of the answer: `--out FORMAT=FILE`; `-` is standard output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sink {
    /// In which format.
    pub format: Format,
    /// Where to.
    pub file: PathBuf,
}

impl Sink {
    /// Whether it is standard output.
    pub fn is_stdout(&self) -> bool {
        self.file.as_os_str() == "-"
    }
}

impl FromStr for Sink {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((format, file)) if !file.is_empty() => {
                Ok(Sink { format: format.parse()?, file: PathBuf::from(file) })
            }
            _ => Err("expected FORMAT=FILE, for example `json=plan.json`".to_owned()),
        }
    }
}

/// How much of a plan the human format shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// Only the counts.
    Counts,
    /// One line for each object, with its causes.
    Objects,
    /// And the unified diff.
    #[default]
    Diffs,
}

/// Whether foreign bytes are written as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bytes {
    /// As they are, so that a patch can be applied.
    Exact,
    /// With control characters made visible, for eyes.
    Visible,
}

/// How a view writes.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// With colours or without.
    pub paint: Paint,
    /// What happens to foreign bytes in a diff.
    pub bytes: Bytes,
    /// How much the human format shows.
    pub detail: Detail,
    /// The longest that Markdown may get, in bytes.
    pub max_bytes: usize,
}

impl Default for Look {
    fn default() -> Self {
        Look {
            paint: Paint::Plain,
            bytes: Bytes::Exact,
            detail: Detail::default(),
            max_bytes: markdown::GITHUB,
        }
    }
}
