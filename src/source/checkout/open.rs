//! Finding and opening a repository, as git would.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use gix::{discover::upwards, open::Options, sec::trust::Mapping};

use super::faults::cause;
use crate::{exit::Exit, model::user_error::UserError};

/// How many times one object may be replaced; git allows five.
const DEEPEST: usize = 5;

/// Opens the repository that `dir` is in.
pub(crate) fn open(dir: &Path) -> Result<gix::ThreadSafeRepository, UserError> {
    let options = || {
        // What `core.safecrlf` refuses is for `git add` to refuse; reading never does.
        Options::default().bail_if_untrusted(true).config_overrides(["core.safecrlf=false"])
    };
    let trust = Mapping { full: options(), reduced: options() };
    let search = upwards::Options { match_ceiling_dir_or_error: false, ..Default::default() };
    // Of a relative path with `..` to a bare repository, the search makes a path to something else.
    let start = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
    let repo = gix::ThreadSafeRepository::discover_with_environment_overrides_opts(&start, search, trust)
        .map_err(|error| refusal(dir, &error))?;
    check_bare(&repo.to_thread_local(), dir)?;
    check_storage(&repo.to_thread_local())?;
    check_replacements(&repo.to_thread_local())?;
    Ok(repo)
}

/// The same repository without the filter programs that its configuration names: files of the
/// work tree are then compared as they lie there.
pub(crate) fn without_programs(
    repo: &gix::ThreadSafeRepository,
) -> Result<gix::ThreadSafeRepository, UserError> {
    let mut repo = repo.to_thread_local();
    let mut config = repo.config_snapshot_mut();
    let filters: Vec<_> = config
        .sections_by_name("filter")
        .into_iter()
        .flatten()
        .filter_map(|section| section.header().subsection_name().map(ToOwned::to_owned))
        .collect();
    for name in filters {
        config.remove_section("filter", Some(name.as_ref()));
    }
    config
        .commit()
        .map_err(|error| UserError::new(Exit::Error, format!("leaving filter programs out: {error}")))?;
    Ok(repo.into_sync())
}

/// The folder `dir` relative to `root`; `None` if it is not in there.
pub(crate) fn prefix(root: &Path, dir: &Path) -> Option<PathBuf> {
    let root = root.canonicalize().ok()?;
    let dir = dir.canonicalize().ok()?;
    dir.strip_prefix(root).map(Path::to_owned).ok()
}

fn refusal(dir: &Path, error: &gix::Error) -> UserError {
    let place = dir.display();
    if !dir.is_dir() {
        return UserError::new(Exit::NoInput, format!("no folder `{place}`"))
            .hint("`-C DIR` names a git checkout");
    }
    if error.is_permission_denied() && error.downcast_any_ref::<std::io::Error>().is_none() {
        return UserError::new(
            Exit::NoPermission,
            format!("the repository at `{place}` belongs to somebody else"),
        )
        .hint("if you trust it: `git config --global --add safe.directory PATH`");
    }
    if error.is_not_found() {
        return UserError::new(Exit::NoInput, format!("`{place}` is not in a git repository"))
            .hint("run it in a checkout, or name one with `-C DIR`; `git init` starts one");
    }
    UserError::new(Exit::Error, format!("opening the repository at `{place}`: {}", cause(error)))
}

/// Refuses objects that `git replace` replaces in a circle, which nothing could ever read.
fn check_replacements(repo: &gix::Repository) -> Result<(), UserError> {
    let replaced: HashMap<_, _> = repo.objects.store_ref().replacements().collect();
    for start in replaced.keys() {
        let (mut at, mut steps) = (start, 0);
        while let Some(next) = replaced.get(at) {
            (at, steps) = (next, steps + 1);
            if steps > DEEPEST {
                let message = format!(
                    "`git replace` replaces object `{start}` in a circle, or more than {DEEPEST} times"
                );
                return Err(UserError::new(Exit::Error, message)
                    .hint("`git replace -l` lists them, `git replace -d` takes one away"));
            }
        }
    }
    Ok(())
}

/// Refuses a bare repository that was found by search where `safe.bareRepository` is `explicit`, as git does. What
/// the repository says of itself does not count.
fn check_bare(repo: &gix::Repository, dir: &Path) -> Result<(), UserError> {
    use gix::config::Source;
    let ours = |section: &gix::config::file::Metadata| {
        !matches!(section.source, Source::Local | Source::Worktree) && section.trust == gix::sec::Trust::Full
    };
    let config = repo.config_snapshot();
    let wanted = config.plumbing().string_filter("safe.bareRepository", ours);
    let is_explicit = wanted.is_some_and(|value| value.eq_ignore_ascii_case(b"explicit"));
    let named = std::env::var_os("GIT_DIR").is_some_and(|value| !value.is_empty());
    let is_plain = |path: &Path| path.components().any(|part| part.as_os_str() == ".git");
    if !is_explicit || named || is_plain(repo.git_dir()) || repo.git_dir().join("gitdir").is_file() {
        return Ok(());
    }
    let message =
        format!("`{}` is a bare repository, and `safe.bareRepository` is `explicit`", dir.display());
    Err(UserError::new(Exit::NoPermission, message).hint("if you trust it, set GIT_DIR to it"))
}

fn check_storage(repo: &gix::Repository) -> Result<(), UserError> {
    let storage = repo.config_snapshot().string("extensions.refStorage");
    match storage {
        Some(name) if !name.eq_ignore_ascii_case(b"files") => {
            Err(UserError::new(Exit::Error, format!("refs in the format `{name}` cannot be read"))
                .hint("`git refs migrate --ref-format=files` converts them"))
        }
        _ => Ok(()),
    }
}
