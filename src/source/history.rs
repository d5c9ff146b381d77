//! Which commits brought a change.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use bstr::BString;

use super::checkout::Checkout;
use crate::model::{digest::Digest, revision::Commit};

/// Why an answer from history may lack commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The clone is shallow; older commits are not here.
    Shallow,
    /// More commits than are looked at.
    TooLong,
    /// The base commit is not here.
    NoBase,
}

/// The commits that explain changes.
#[derive(Clone, Debug, Default)]
pub struct Causes {
    /// For each path with at least one commit, newest first.
    pub by_path: BTreeMap<BString, Vec<Commit>>,
    /// Why something may be missing.
    pub cut: Option<Cut>,
}

/// A list of commits, newest first.
#[derive(Clone, Debug, Default)]
pub struct Log {
    /// As many as were asked for.
    pub commits: Vec<Commit>,
    /// How many there are.
    pub total: usize,
    /// Why something may be missing.
    pub cut: Option<Cut>,
}

/// Finds the commits in `base..desired` that touched each of `paths` (relative to the root), newest
/// first. A commit touches a path if its entry there differs from every parent's.
/// Without a base: the newest commit that touched each path.
///
/// # Errors
/// A commit or tree is not here.
pub fn causes(
    _checkout: &Checkout,
    _base: Option<Digest>,
    _desired: Digest,
    _paths: &BTreeSet<BString>,
) -> Result<Causes> {
    unimplemented!()
}

/// Lists the commits in `base..desired` that touched something at or below `path`; an empty path means all commits.
///
/// # Errors
/// As [`causes`].
pub fn commits(
    _checkout: &Checkout,
    _base: Option<Digest>,
    _desired: Digest,
    _path: &str,
    _limit: usize,
) -> Result<Log> {
    unimplemented!()
}

/// Lists the commits reachable from `tip` that touched something at or below
/// `path` and are not reachable from any of `applied`.
///
/// # Errors
/// As [`causes`].
pub fn unapplied(
    _checkout: &Checkout,
    _tip: Digest,
    _applied: &[Digest],
    _path: &str,
    _limit: usize,
) -> Result<Log> {
    unimplemented!()
}
