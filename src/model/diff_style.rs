//! How objects look in a unified diff.

/// How the objects of a provider are shown in a unified diff.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiffStyle {
    /// As files, in git's extended format that `git apply` takes.
    File,
    /// As YAML documents.
    Document,
}
