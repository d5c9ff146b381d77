//! What goes wrong when a repository is read, in a person's words.

use std::path::Path;

use gix::bstr::ByteSlice;

use crate::{exit::Exit, model::user_error::UserError};

/// What `error` says, for the end of a sentence: its most telling part, on one line.
pub(crate) fn cause(error: &gix::Error) -> String {
    let text = error.probable_cause().to_string();
    let text = text.lines().next().unwrap_or_default().trim_end_matches('.');
    let mut letters = text.chars();
    match (letters.next(), letters.next()) {
        (Some(first), Some(second)) if first.is_uppercase() && second.is_lowercase() => {
            first.to_lowercase().chain(text.chars().skip(1)).collect()
        }
        _ => text.to_owned(),
    }
}

/// An error of the library while `doing` something: an object that is not
/// here names the kind of clone that left it out, the rest is exit 1.
pub(crate) fn trouble(repo: &gix::Repository, doing: &str, error: gix::Error) -> UserError {
    if error.is_not_found() {
        return missing(repo, &format!("{doing}: {}", cause(&error)));
    }
    let fault = UserError::new(Exit::Error, format!("{doing}: {}", cause(&error)));
    match error.is_corrupted() {
        true => fault.hint("`git fsck` shows what is damaged"),
        false => fault,
    }
}

/// An object that history or a tree names is not here.
pub(crate) fn missing(repo: &gix::Repository, message: &str) -> UserError {
    if is_partial(repo) {
        return UserError::new(Exit::NoInput, format!("{message}; this is a partial clone"))
            .hint("`git fetch --refetch --no-filter` brings every object");
    }
    if repo.is_shallow().unwrap_or(false) {
        return UserError::new(Exit::NoInput, format!("{message}; this is a shallow clone"))
            .hint("`git fetch --unshallow` brings the rest; in CI, check out with `fetch-depth: 0`");
    }
    UserError::new(Exit::Error, message).hint("`git fsck` shows what is damaged")
}

/// Whether a remote promised objects that were not fetched.
pub(crate) fn is_partial(repo: &gix::Repository) -> bool {
    let config = repo.config_snapshot();
    config.string("extensions.partialClone").is_some()
        || repo.remote_names().iter().any(|remote| {
            config.boolean(format!("remote.{}.promisor", remote.to_str_lossy()).as_str()) == Some(true)
        })
}

/// `rev` does not name a commit.
pub(crate) fn no_revision(repo: &gix::Repository, rev: &str, place: &Path, error: &gix::Error) -> UserError {
    let place = place.display();
    let why = cause(error);
    if why.contains("ambiguous") {
        return UserError::new(Exit::NoInput, format!("revision `{rev}` in `{place}` is ambiguous"))
            .hint("write more digits of the id, or a full name such as `refs/heads/main`");
    }
    let fault = UserError::new(Exit::NoInput, format!("no revision `{rev}` in `{place}`"));
    match repo.is_shallow().unwrap_or(false) {
        true => fault.hint(
            "this is a shallow clone: `git fetch --unshallow` brings the rest; in CI, check out with `fetch-depth: 0`",
        ),
        false => fault.hint("`git fetch` brings new revisions, `git branch --all` and `git tag` list what is here"),
    }
}

/// Something needs files on disk, and there are none.
pub(crate) fn bare(place: &Path) -> UserError {
    UserError::new(Exit::NoInput, format!("`{}` is a bare repository, it has no work tree", place.display()))
        .hint("name a revision: `--ref HEAD`")
}

/// HEAD points to a branch without commits.
pub(crate) fn unborn(place: &Path) -> UserError {
    UserError::new(Exit::NoInput, format!("`{}` has no commit yet", place.display()))
        .hint("`git commit` makes the first one; `plan` and `diff` without `--ref` read the work tree")
}
