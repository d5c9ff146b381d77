//! Which rules of which manifests hold for a path.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    manifest::{DirectoryRule, FileRule, Manifest, Mode},
    names,
};

/// The manifests of one tree, by the directory they lie in.
#[derive(Debug, Default)]
pub(super) struct Rulebook {
    manifests: BTreeMap<Vec<u8>, (Manifest, Arc<str>)>,
}

/// What the rules say of one file or directory together.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Traits {
    /// The exact permissions.
    pub mode: Option<Mode>,
    /// The owner.
    pub owner: Option<Arc<str>>,
    /// The group.
    pub group: Option<Arc<str>>,
    /// The content must not be shown.
    pub sensitive: bool,
    /// The directory must exist.
    pub ensure: bool,
    /// The directory is, or is not, exclusive.
    pub exclusive: Option<bool>,
    /// The manifest whose rule was the last to say something.
    pub manifest: Option<Arc<str>>,
}

impl Rulebook {
    /// Adds the manifest of `directory`; `file` is its path in the checkout.
    pub(super) fn add(&mut self, directory: &[u8], manifest: Manifest, file: Arc<str>) {
        self.manifests.insert(directory.to_vec(), (manifest, file));
    }

    /// Each manifest with its directory and its path in the checkout, from the top down.
    pub(super) fn manifests(&self) -> impl Iterator<Item = (&[u8], &Manifest, &Arc<str>)> {
        self.manifests.iter().map(|(directory, (manifest, file))| (directory.as_slice(), manifest, file))
    }

    /// What holds for the file at `path`.
    pub(super) fn file(&self, path: &[u8]) -> Traits {
        let mut traits = Traits::default();
        self.visit(names::split(path).0, path, |manifest, file, below| {
            for (_, rule) in manifest.files.matching(below) {
                traits.take_file(rule, file);
            }
        });
        traits
    }

    /// What holds for the directory at `path`, empty for the root.
    pub(super) fn directory(&self, path: &[u8]) -> Traits {
        let mut traits = Traits::default();
        self.visit(path, path, |manifest, file, below| {
            for (pattern, rule) in manifest.directories.matching(below) {
                let meant = pattern.literal.as_ref().is_some_and(|literal| is_path(literal, below));
                traits.take_directory(rule, file, meant);
            }
        });
        traits
    }

    /// Calls `each` with the manifests from the root down to `directory`, and
    /// with `path` as each of them sees it.
    fn visit(&self, directory: &[u8], path: &[u8], mut each: impl FnMut(&Manifest, &Arc<str>, &[u8])) {
        if self.manifests.is_empty() {
            return;
        }
        let slashes = directory.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
        let mut ends: Vec<usize> = std::iter::once(0).chain(slashes).chain([directory.len()]).collect();
        ends.dedup();
        for end in ends {
            if let Some((manifest, file)) = self.manifests.get(&directory[..end]) {
                let below = path[end..].strip_prefix(b"/").unwrap_or(&path[end..]);
                each(manifest, file, below);
            }
        }
    }
}

/// Whether the literal of a pattern is this very path.
fn is_path(literal: &str, below: &[u8]) -> bool {
    literal.as_bytes() == below || (literal == "." && below.is_empty())
}

impl Traits {
    /// Whether a directory is to be looked after, not just made on demand.
    pub(super) fn declares_directory(&self) -> bool {
        self.ensure || self.mode.is_some() || self.owner.is_some() || self.group.is_some()
    }

    fn take_file(&mut self, rule: &FileRule, file: &Arc<str>) {
        self.mode = rule.mode.or(self.mode);
        self.owner = rule.owner.as_ref().map(|name| name.0.clone()).or(self.owner.take());
        self.group = rule.group.as_ref().map(|name| name.0.clone()).or(self.group.take());
        self.sensitive = rule.sensitive.unwrap_or(self.sensitive);
        self.manifest = Some(file.clone());
    }

    fn take_directory(&mut self, rule: &DirectoryRule, file: &Arc<str>, meant: bool) {
        self.mode = rule.mode.or(self.mode);
        self.owner = rule.owner.as_ref().map(|name| name.0.clone()).or(self.owner.take());
        self.group = rule.group.as_ref().map(|name| name.0.clone()).or(self.group.take());
        self.ensure |= rule.ensure && meant;
        self.exclusive = rule.exclusive.or(self.exclusive);
        self.manifest = Some(file.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book(manifests: &[(&str, &str)]) -> Rulebook {
        let mut book = Rulebook::default();
        for (directory, text) in manifests {
            let manifest = Manifest::parse(text.as_bytes(), "m").unwrap();
            book.add(directory.as_bytes(), manifest, format!("{directory}/m").into());
        }
        book
    }

    #[test]
    fn the_last_and_nearest_rule_wins_key_by_key() {
        let book = book(&[
            ("", "files: {'*': {mode: '0644', owner: root}, '*.key': {mode: '0600', sensitive: true}}"),
            ("a/b", "files: {'x.key': {mode: '0640'}}"),
            ("a/bc", "files: {'*': {mode: '0000'}}"),
        ]);
        let traits = book.file(b"a/b/x.key");
        assert_eq!((traits.mode, traits.owner.as_deref()), (Some(Mode(0o640)), Some("root")));
        assert!(traits.sensitive);
        assert_eq!(book.file(b"a/x.key").mode, Some(Mode(0o600)));
        assert_eq!(book.file(b"a/x").mode, Some(Mode(0o644)));
    }

    #[test]
    fn a_point_means_the_directory_of_the_manifest_and_no_other() {
        let book = book(&[
            ("", "directories: {.: {mode: '0711'}, '*': {group: web}}"),
            ("a", "directories: {.: {ensure: true}, deep: {ensure: true}}"),
        ]);
        assert_eq!(book.directory(b"").mode, Some(Mode(0o711)));
        assert_eq!(book.directory(b"").group, None);
        assert!(book.directory(b"a").ensure && book.directory(b"a").mode.is_none());
        assert_eq!(book.directory(b"a/deep").group.as_deref(), Some("web"));
        assert!(book.directory(b"a/deep").ensure && !book.directory(b"a/x/deep").ensure);
    }
}
