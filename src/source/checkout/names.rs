//! Names of commits: HEAD, revisions, branches and tags.

use anyhow::Result;
use gix::bstr::ByteSlice;

use super::{
    Checkout, digest,
    faults::{cause, missing, no_revision, trouble, unborn},
    object_id,
};
use crate::{
    exit::Exit,
    model::{digest::Digest, fault::Fault, revision::Commit},
    source::history::walk,
};

impl Checkout {
    /// The commit of HEAD; `None` on an unborn branch.
    ///
    /// # Errors
    /// HEAD cannot be read.
    pub fn head(&self) -> Result<Option<Digest>> {
        let repo = self.repo();
        let mut head = repo.head().map_err(|error| trouble(&repo, "reading `HEAD`", error))?;
        let id = head.try_peel_to_id().map_err(|error| trouble(&repo, "reading `HEAD`", error))?;
        Ok(id.map(|id| digest(&id)))
    }

    /// The commit of HEAD.
    ///
    /// # Errors
    /// There is none yet (66), or it cannot be read.
    pub fn head_commit(&self) -> Result<Digest> {
        Ok(self.head()?.ok_or_else(|| unborn(&self.place()))?)
    }

    /// The branch that is checked out; `None` if HEAD is detached.
    ///
    /// # Errors
    /// HEAD cannot be read.
    pub fn branch(&self) -> Result<Option<String>> {
        let repo = self.repo();
        let name = repo.head_name().map_err(|error| trouble(&repo, "reading `HEAD`", error))?;
        Ok(name.map(|name| name.shorten().to_string()))
    }

    /// The commit that `rev` names, tags followed.
    ///
    /// # Errors
    /// A [`Fault`] with exit 66 if it names none, or more than one.
    pub fn resolve(&self, rev: &str) -> Result<Digest> {
        let repo = self.repo();
        if matches!(rev, "HEAD" | "@") {
            return self.head_commit();
        }
        let id =
            repo.rev_parse_single(rev).map_err(|error| no_revision(&repo, rev, &self.place(), &error))?;
        let object = id.object().map_err(|error| trouble(&repo, &format!("reading `{rev}`"), error))?;
        let kind = object.kind;
        let commit = object.peel_to_kind(gix::object::Kind::Commit).map_err(|_| {
            Fault::new(Exit::NoInput, format!("`{rev}` is a {kind}, not a commit"))
                .hint("name a branch, a tag or a commit")
        })?;
        Ok(digest(&commit.id))
    }

    /// The two commits of `A..B`; a missing side is HEAD.
    ///
    /// # Errors
    /// As [`Checkout::resolve`]; exit 64 if `range` is no range.
    pub fn range(&self, range: &str) -> Result<(Digest, Digest)> {
        let sides = range.split_once("..").filter(|(_, b)| !b.starts_with('.'));
        let (a, b) = sides.ok_or_else(|| {
            Fault::new(Exit::Usage, format!("`{range}` is not a range of revisions"))
                .hint("write `A..B`, for example `main..HEAD`")
        })?;
        let side = |rev: &str| self.resolve(if rev.is_empty() { "HEAD" } else { rev });
        Ok((side(a)?, side(b)?))
    }

    /// Whether `commit` is here.
    pub fn has(&self, commit: &Digest) -> bool {
        self.repo().find_commit(object_id(commit)).is_ok()
    }

    /// Author, date and message of `commit`; the pull request as far as its own message tells.
    ///
    /// # Errors
    /// It is not here.
    pub fn commit(&self, commit: &Digest) -> Result<Commit> {
        let repo = self.repo();
        super::super::history::describe(&repo, &object_id(commit))
    }

    /// Whether `ancestor` is reachable from `descendant` and is another commit.
    ///
    /// # Errors
    /// History is not all here, so nobody can tell (66).
    pub fn is_ancestor(&self, ancestor: &Digest, descendant: &Digest) -> Result<bool> {
        Ok(ancestor != descendant && self.reaches(&[object_id(descendant)], ancestor)?)
    }

    /// Whether `commit` is on `reference`: its tip, or reachable from it. A
    /// short name stands for the branch, the same branch of every remote, and the tag.
    ///
    /// # Errors
    /// There is no such reference (66), or history is not all here (66).
    pub fn is_on(&self, commit: &Digest, reference: &str) -> Result<bool> {
        self.reaches(&self.tips(reference)?, commit)
    }

    /// The branches, remote branches and tags that `commit` is on, sorted, short names.
    ///
    /// # Errors
    /// References cannot be read.
    pub fn refs_with(&self, commit: &Digest) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for (name, tip) in self.all_refs()? {
            if self.reaches(&[tip], commit)? {
                names.push(name.shorten().to_string());
            }
        }
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// The commits that `reference` may mean.
    fn tips(&self, reference: &str) -> Result<Vec<gix::ObjectId>> {
        let full = reference.starts_with("refs/");
        let tips: Vec<_> = (self.all_refs()?.into_iter())
            .filter(|(name, _)| match full {
                true => name.as_bstr() == reference,
                false => means(name.as_bstr(), reference),
            })
            .map(|(_, tip)| tip)
            .collect();
        if tips.is_empty() {
            let place = self.place();
            return Err(Fault::new(
                Exit::NoInput,
                format!("no branch or tag `{reference}` in `{}`", place.display()),
            )
            .hint(format!("`git fetch origin {reference}` brings it; in CI, check out with `fetch-depth: 0`"))
            .into());
        }
        Ok(tips)
    }

    fn all_refs(&self) -> Result<Vec<(gix::refs::FullName, gix::ObjectId)>> {
        let repo = self.repo();
        let plain =
            |error: gix::Error| Fault::new(Exit::Error, format!("reading references: {}", cause(&error)));
        let platform = repo.references().map_err(plain)?;
        let mut found = Vec::new();
        for reference in platform.all().map_err(plain)? {
            let Ok(mut reference) = reference else { continue };
            let name = reference.name().to_owned();
            let known = [&b"refs/heads/"[..], b"refs/remotes/", b"refs/tags/"];
            if !known.iter().any(|kind| name.as_bstr().starts_with(kind)) {
                continue;
            }
            if let Ok(commit) = reference.peel_to_kind(gix::object::Kind::Commit) {
                found.push((name, commit.id));
            }
        }
        Ok(found)
    }

    fn reaches(&self, tips: &[gix::ObjectId], commit: &Digest) -> Result<bool> {
        let wanted = object_id(commit);
        if tips.contains(&wanted) {
            return Ok(true);
        }
        let repo = self.repo();
        let answer = walk::reaches(&repo, tips, &wanted)?;
        answer.ok_or_else(|| {
            missing(&repo, &format!("nobody can tell where commit `{}` is", commit.short())).into()
        })
    }
}

/// Whether a person who says `short` may mean the reference `full`.
fn means(full: &gix::bstr::BStr, short: &str) -> bool {
    let rest = |kind: &str| full.strip_prefix(kind.as_bytes());
    let remote = || rest("refs/remotes/").and_then(|name| name.split_once_str("/"));
    rest("refs/heads/") == Some(short.as_bytes())
        || rest("refs/tags/") == Some(short.as_bytes())
        || rest("refs/remotes/") == Some(short.as_bytes())
        || remote().is_some_and(|(_, branch)| branch == short.as_bytes())
}
