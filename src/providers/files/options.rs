//! The keys of a files target in trueup.yaml.

use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, Result};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    exit::Exit,
    model::{address::quote, user_error::UserError},
    providers::{
        BadOption, Target,
        options::{self, refused},
    },
};

/// Keys of a target with `provider: files`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Options {
    /// The directory that the files go to, relative to the folder of trueup.yaml.
    #[schemars(with = "String")]
    pub root: PathBuf,
    /// The directory that holds what the target remembers of past applies,
    /// relative to the folder of trueup.yaml. `.trueup` below `root` if not given.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub state: Option<PathBuf>,
    /// Refuse a target whose memory has another id: a guard against a file
    /// system that is not mounted, and against a copy.
    #[serde(default)]
    pub expect_id: Option<String>,
    /// Keep content that is replaced or deleted, below `trash/<id of the apply>` of the state directory.
    #[serde(default)]
    pub backup: bool,
}

/// The options of one target with its paths made absolute.
#[derive(Clone, Debug)]
pub(super) struct Places {
    /// The directory of the files.
    pub root: PathBuf,
    /// The directory of the memory.
    pub state: PathBuf,
    /// The id that the memory must have.
    pub expect_id: Option<String>,
    /// Whether replaced and deleted content is kept.
    pub backup: bool,
}

/// Checks the options without touching the target.
pub(super) fn check(target: &Target) -> Result<(), BadOption> {
    parse(target).map(|_| ())
}

/// The root, links resolved.
pub(super) fn folder(target: &Target) -> Result<Option<PathBuf>, BadOption> {
    let root = target.path(&parse(target)?.root);
    let root = std::path::absolute(&root).map_err(|error| refused("root", format!("`root`: {error}")))?;
    Ok(Some(real(&root)))
}

fn parse(target: &Target) -> Result<Options, BadOption> {
    let options: Options = options::parse(target)?;
    let empty = |path: &Path| path.as_os_str().is_empty();
    if empty(&options.root) {
        return Err(refused("root", "`root` is empty; write `.` for the folder of trueup.yaml"));
    }
    if options.state.as_deref().is_some_and(empty) {
        return Err(refused("state", "`state` is empty; leave it out for `.trueup` below the root"));
    }
    if options.expect_id.as_ref().is_some_and(String::is_empty) {
        return Err(refused("expect-id", "`expect-id` is empty; leave it out to accept any target"));
    }
    Ok(options)
}

impl Places {
    /// Finds the places of `target`.
    pub(super) fn of(target: &Target) -> Result<Places> {
        let options = parse(target).map_err(|bad| UserError::new(Exit::BadConfig, bad.message))?;
        let place = |path: &Path| {
            let path = target.path(path);
            std::path::absolute(&path).with_context(|| format!("finding `{}`", path.display()))
        };
        let root = place(&options.root)?;
        let state = match &options.state {
            Some(state) => place(state)?,
            None => root.join(super::names::STATE),
        };
        Ok(Places { root, state, expect_id: options.expect_id, backup: options.backup })
    }

    /// The path of the state directory below the root, if it is there, going by names alone.
    pub(super) fn state_below_root(&self) -> Option<Vec<u8>> {
        use std::os::unix::ffi::OsStrExt as _;
        let state = lexical(&self.state);
        let below = state.strip_prefix(lexical(&self.root)).ok()?;
        Some(below.as_os_str().as_bytes().to_vec())
    }

    /// The root as people and records name it.
    pub(super) fn shown_root(&self) -> String {
        use std::os::unix::ffi::OsStrExt as _;
        quote(real(&self.root).as_os_str().as_bytes()).into_owned()
    }
}

/// Removes `.` and `..` from an absolute path without asking the file system.
fn lexical(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}

/// The path with links resolved as far as it exists.
pub(super) fn real(path: &Path) -> PathBuf {
    if let Ok(real) = path.canonicalize() {
        return real;
    }
    let plain = lexical(path);
    match (plain.parent().and_then(|parent| parent.canonicalize().ok()), plain.file_name()) {
        (Some(parent), Some(name)) => parent.join(name),
        _ => plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) fn target(options: &str) -> Target {
        Target {
            name: "site".into(),
            provider: "files".into(),
            path: "site".into(),
            base_dir: "/repo".into(),
            options: serde_yaml::from_str(options).unwrap(),
            programs: Default::default(),
            definition: None,
            siblings: Vec::new(),
        }
    }

    #[test]
    fn paths_start_at_the_folder_of_the_configuration() {
        let places = Places::of(&target("{root: ../www}")).unwrap();
        assert_eq!(places.root, Path::new("/www"));
        assert_eq!(places.state, Path::new("/www/.trueup"));
        assert_eq!(places.state_below_root().unwrap(), b".trueup");
        let places = Places::of(&target("{root: /www, state: ../www/x/../memory}")).unwrap();
        assert_eq!(places.state_below_root().unwrap(), b"memory");
        let places = Places::of(&target("{root: /www, state: /var/lib/trueup}")).unwrap();
        assert_eq!(places.state_below_root(), None);
    }

    #[test]
    fn an_empty_path_is_refused() {
        let bad = check(&target("{root: ''}")).unwrap_err();
        assert_eq!((bad.path, bad.message.contains("`root` is empty")), (vec!["root".to_owned()], true));
    }
}
