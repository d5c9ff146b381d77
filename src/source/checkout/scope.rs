//! The part of a checkout that a run looks at.

use bstr::{BStr, BString, ByteSlice};

/// Paths relative to the root, none below another; empty for everything.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope(Vec<BString>);

impl Scope {
    pub(super) fn new(paths: &[&str]) -> Self {
        let mut kept: Vec<BString> = Vec::new();
        let mut paths: Vec<&str> = paths.iter().map(|path| path.trim_matches('/')).collect();
        paths.sort_unstable();
        if paths.first() == Some(&"") {
            return Scope::default();
        }
        for path in paths {
            if !kept.iter().any(|above| below(above.as_bstr(), path.as_bytes().as_bstr())) {
                kept.push(path.into());
            }
        }
        Scope(kept)
    }

    /// The paths; a single empty one for everything.
    pub(super) fn paths(&self) -> Vec<&BStr> {
        match self.0.is_empty() {
            true => vec![BStr::new("")],
            false => self.0.iter().map(|path| path.as_bstr()).collect(),
        }
    }

    pub(super) fn contains(&self, path: &BStr) -> bool {
        self.paths().iter().any(|above| below(above, path))
    }

    /// The same as pathspecs of git.
    pub(super) fn pathspecs(&self) -> Vec<BString> {
        self.0.iter().map(|path| format!(":(top,literal){path}").into()).collect()
    }
}

/// Whether `path` is `above`, or lies below it.
pub(super) fn below(above: &BStr, path: &BStr) -> bool {
    above.is_empty()
        || path.strip_prefix(above.as_bytes()).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}
