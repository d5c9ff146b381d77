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
    model::{digest::Digest, revision::Commit, user_error::UserError},
    source::history::walk,
};

/// A branch as trueup.yaml names it.
#[derive(Clone, Copy, Debug)]
pub struct Branch<'a> {
    /// Its name, or its full name from `refs/` on.
    pub name: &'a str,
    /// Of which remote it is.
    pub remote: Option<&'a str>,
}

/// The name of a branch without what every branch begins with.
pub fn short(full: &str) -> &str {
    let known = ["refs/heads/", "refs/remotes/"];
    known.iter().find_map(|start| full.strip_prefix(start)).unwrap_or(full)
}

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
    /// A [`UserError`] with exit 66 if it names none, or more than one.
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
            UserError::new(Exit::NoInput, format!("`{rev}` is a {kind}, not a commit"))
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
            UserError::new(Exit::Usage, format!("`{range}` is not a range of revisions"))
                .hint("write `A..B`, for example `main..HEAD`")
        })?;
        let side = |rev: &str| self.resolve(if rev.is_empty() { "HEAD" } else { rev });
        Ok((side(a)?, side(b)?))
    }

    /// Whether `commit` is here.
    pub fn has(&self, commit: &Digest) -> bool {
        self.repo().find_commit(object_id(commit)).is_ok()
    }

    /// How many commits are reachable from HEAD and here.
    pub fn depth(&self) -> usize {
        let repo = self.repo();
        let walk = repo.head_id().ok().and_then(|head| head.ancestors().all().ok());
        walk.map_or(0, |walk| walk.filter(|step| step.is_ok()).count())
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

    /// Whether `commit` is on `branch`: its tip, or reachable from it.
    ///
    /// # Errors
    /// As [`Checkout::tip`], or history is not all here (66).
    pub fn is_on(&self, commit: &Digest, branch: Branch<'_>) -> Result<bool> {
        let (_, tip) = self.tip(branch)?;
        self.reaches(&[object_id(&tip)], commit)
    }

    /// The full name of `branch`, and the commit that it points to. A short name stands for one branch: that of the
    /// remote, or the local one in a repository without remotes. A tag of that name is another thing.
    ///
    /// # Errors
    /// There is no such branch (66), or nobody can tell of which remote (78).
    pub fn tip(&self, branch: Branch<'_>) -> Result<(String, Digest)> {
        let name = self.full_name(branch)?;
        let found = self.all_refs()?.into_iter().find(|(full, _)| full.as_bstr() == name.as_str());
        let Some((_, tip)) = found else { return Err(self.no_branch(branch, &name).into()) };
        Ok((name, digest(&tip)))
    }

    fn full_name(&self, Branch { name, remote }: Branch<'_>) -> Result<String> {
        if name.starts_with("refs/") {
            return Ok(name.to_owned());
        }
        let remotes: Vec<String> =
            self.repo().remote_names().iter().map(|name| name.to_str_lossy().into_owned()).collect();
        let remote = match (remote, &remotes[..]) {
            (Some(remote), _) => remote,
            (None, []) => return Ok(format!("refs/heads/{name}")),
            (None, [only]) => only,
            (None, several) if several.iter().any(|name| name == "origin") => "origin",
            (None, several) => {
                let message =
                    format!("there are several remotes, {}, and none is `origin`", several.join(", "));
                return Err(UserError::new(Exit::BadConfig, message)
                    .hint("say whose branch `ref` is: `remote: NAME` beside it in trueup.yaml")
                    .into());
            }
        };
        let branch = name.strip_prefix(&format!("{remote}/")).unwrap_or(name);
        Ok(format!("refs/remotes/{remote}/{branch}"))
    }

    fn no_branch(&self, Branch { name, .. }: Branch<'_>, full: &str) -> UserError {
        let place = self.place();
        let fault = UserError::new(
            Exit::NoInput,
            format!("no branch `{name}` in `{}`: there is no `{full}`", place.display()),
        );
        let is_tag = self.repo().find_reference(&format!("refs/tags/{name}")).is_ok();
        match (is_tag, full.strip_prefix("refs/remotes/").and_then(|rest| rest.split_once('/'))) {
            (true, _) => fault.hint(format!("`{name}` is a tag; `ref: refs/tags/{name}` names that")),
            (false, Some((remote, branch))) => fault.hint(format!(
                "`git fetch {remote} {branch}:{full}` brings it; in CI, check out with `fetch-depth: 0`"
            )),
            (false, None) => fault.hint("`git branch --all` lists what is here"),
        }
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

    fn all_refs(&self) -> Result<Vec<(gix::refs::FullName, gix::ObjectId)>> {
        let repo = self.repo();
        let plain =
            |error: gix::Error| UserError::new(Exit::Error, format!("reading references: {}", cause(&error)));
        let platform = repo.references().map_err(plain)?;
        let mut found = Vec::new();
        for reference in platform.all().map_err(plain)? {
            let mut reference = reference.map_err(plain)?;
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
