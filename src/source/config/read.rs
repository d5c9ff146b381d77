//! From the text of trueup.yaml to what it means.

use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;

use super::{
    Config, Environment, Guards, Ignore, Target,
    complaint::{all, locate, located, mistyped_provider, unknown_keys, unreadable},
    file::{self, EnvironmentFile, File, GuardsFile, TargetFile},
};
use crate::{
    model::{ignore::From, selector::Selector, suggest::TARGET_KEYS, user_error::UserError},
    source::yaml::{self, Node},
};

/// The version of the format that this build reads.
const VERSION: u32 = 1;

/// Reads the `content` of the file at `path`.
pub(super) fn read(path: &str, content: &[u8]) -> Result<Config, UserError> {
    let documents = yaml::load(content).map_err(|problem| unreadable(path, &problem))?;
    let root = match &documents[..] {
        [] => {
            return Err(
                located(path, (1, 1), "the file is empty").hint("`trueup init` writes one to start from")
            );
        }
        [root] => root.clone(),
        [_, second, ..] => {
            let at = (second.span.line, second.span.column);
            return Err(located(path, at, "a second document; one file holds one configuration"));
        }
    };
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
    let reader = Reader { path, folder: &folder, root: &root };
    reader.check_version()?;
    reader.check_keys()?;
    let text = yaml::text(content).map_err(|problem| unreadable(path, &problem))?;
    let file: File = reader.typed(serde_yaml::Deserializer::from_str(text), &[])?;
    let environments = reader.environments(file)?;
    Ok(Config { file: path.to_owned(), folder, environments, root })
}

/// What complaints need.
pub(super) struct Reader<'a> {
    path: &'a str,
    folder: &'a str,
    root: &'a Node,
}

impl Reader<'_> {
    /// Another version may have other keys, so it is looked at first.
    fn check_version(&self) -> Result<(), UserError> {
        let Some((_, version)) = self.root.entry("version") else { return Ok(()) };
        match version.text().and_then(|text| text.parse::<u32>().ok()) {
            Some(other) if other != VERSION => Err(self
                .complain(
                    &["version"],
                    &format!("version {other} is not known, this build reads version {VERSION}"),
                )
                .hint("install a build that knows it, or write `version: 1`")),
            _ => Ok(()),
        }
    }

    fn check_keys(&self) -> Result<(), UserError> {
        let mut found = Vec::new();
        let inner = |node: &Node, key: &str| node.entry(key).map(|(_, value)| value.clone());
        let mut scopes = vec![self.root.clone()];
        unknown_keys(self.root, file::TOP, &mut found);
        for (_, environment) in inner(self.root, "environments").iter().flat_map(Node::entries) {
            unknown_keys(environment, file::ENVIRONMENT, &mut found);
            scopes.push(environment.clone());
        }
        let targets: Vec<Node> = scopes.iter().filter_map(|scope| inner(scope, "targets")).collect();
        for (_, target) in targets.iter().flat_map(Node::entries) {
            mistyped_provider(target, &mut found);
            scopes.push(target.clone());
        }
        for guards in scopes.iter().filter_map(|scope| inner(scope, "guards")) {
            unknown_keys(&guards, file::GUARDS, &mut found);
        }
        for rules in scopes.iter().filter_map(|scope| inner(scope, "ignore")) {
            for rule in rules.items() {
                unknown_keys(rule, file::IGNORE, &mut found);
                inner(rule, "match")
                    .iter()
                    .for_each(|found_in| unknown_keys(found_in, file::MATCH, &mut found));
            }
        }
        all(self.path, found).map_or(Ok(()), Err)
    }

    fn environments(&self, file: File) -> Result<Vec<Environment>, UserError> {
        let (has_guards, has_ignore) = (file.guards.is_some(), !file.ignore.is_empty());
        let has_builtin = !file.ignore_builtin.is_empty();
        let environments = match (file.environments, file.targets) {
            (Some(_), Some(_)) => {
                let message = "`targets` beside `environments`: every target belongs to an environment";
                return Err(self
                    .complain(&["targets"], message)
                    .hint("move them into one of the environments"));
            }
            (None, None) => {
                return Err(self.complain(&[], "missing key `targets` or `environments`"));
            }
            (None, Some(targets)) => {
                let environment = EnvironmentFile {
                    reference: None,
                    remote: None,
                    targets,
                    guards: file.guards,
                    ignore: file.ignore,
                    ignore_builtin: file.ignore_builtin,
                };
                return Ok(vec![self.environment(None, environment, &[])?]);
            }
            (Some(environments), None) => environments,
        };
        let beside = [("guards", has_guards), ("ignore", has_ignore), ("ignore-builtin", has_builtin)];
        if let Some((key, _)) = beside.into_iter().find(|(_, there)| *there) {
            let message = format!("`{key}` beside `environments`: it belongs to an environment or a target");
            return Err(self.complain(&[key], &message).hint("move it into the environments"));
        }
        if environments.is_empty() {
            return Err(self.complain(&["environments"], "there is no environment"));
        }
        let environment = |(name, file): (String, EnvironmentFile)| {
            let keys = ["environments", &name];
            self.check_name("environment", &name, &keys)?;
            self.environment(Some(name.clone()), file, &keys)
        };
        let mut environments: Vec<_> = environments.into_iter().map(environment).collect::<Result<_, _>>()?;
        environments.sort_by_key(|environment| environment.targets.iter().map(|target| target.at).min());
        Ok(environments)
    }

    fn environment(
        &self,
        name: Option<String>,
        file: EnvironmentFile,
        keys: &[&str],
    ) -> Result<Environment, UserError> {
        let EnvironmentFile { reference, remote, targets, guards, ignore, ignore_builtin } = file;
        if targets.is_empty() {
            return Err(self.complain(&join(keys, &["targets"]), "there is no target"));
        }
        if reference.as_deref().is_some_and(|reference| reference.trim().is_empty()) {
            return Err(self.complain(&join(keys, &["ref"]), "`ref` is empty").hint("name a branch"));
        }
        if remote.is_some() && reference.is_none() {
            let message = "`remote` has no effect without `ref`, the branch of that remote";
            return Err(self.complain(&join(keys, &["remote"]), message));
        }
        let guards = self.guards(&Guards::default(), guards, keys)?;
        let ignore = self.ignore(&Ignore::default(), ignore, ignore_builtin, From::Environment, keys)?;
        let target = |(name, target)| self.target(name, target, &guards, &ignore, keys);
        let mut targets: Vec<_> = targets.into_iter().map(target).collect::<Result<_, _>>()?;
        targets.sort_by_key(|target| target.at);
        Ok(Environment { name, reference, remote, targets })
    }

    fn target(
        &self,
        name: String,
        written: serde_yaml::Mapping,
        outer: &Guards,
        ignore: &Ignore,
        keys: &[&str],
    ) -> Result<Target, UserError> {
        let keys = join(keys, &["targets", &name]);
        self.check_name("target", &name, &keys)?;
        let shared = |key: &serde_yaml::Value| key.as_str().is_some_and(|key| TARGET_KEYS.contains(&key));
        let (shared, options): (serde_yaml::Mapping, serde_yaml::Mapping) =
            written.into_iter().partition(|(key, _)| shared(key));
        if let Some(key) = options.keys().find(|key| !key.is_string()) {
            let key = serde_yaml::to_string(key).unwrap_or_default();
            return Err(self.complain(&keys, &format!("key `{}` is not a word", key.trim())));
        }
        let file: TargetFile = self.typed(serde_yaml::Value::Mapping(shared), &keys)?;
        let guards = self.guards(outer, file.guards, &keys)?;
        let ignore = self.ignore(ignore, file.ignore, file.ignore_builtin, From::Target, &keys)?;
        let path = self.target_path(file.path.as_deref().unwrap_or_default(), &keys)?;
        let at = locate(self.root, &keys).unwrap_or((1, 1));
        let sensitive = self.sensitive(file.sensitive, &keys)?;
        Ok(Target { provider: file.provider, path, options, guards, ignore, sensitive, at, name })
    }

    /// The path of a target relative to the root of the checkout.
    fn target_path(&self, path: &str, keys: &[&str]) -> Result<String, UserError> {
        let refuse = |why: &str| {
            let message = format!("`path` {why}, it names a folder at or below the one of {}", super::FILE);
            Err(self.complain(&join(keys, &["path"]), &message))
        };
        if path.starts_with('/') {
            return refuse("is absolute");
        }
        let names: Vec<&str> = path.split('/').filter(|name| !matches!(*name, "" | ".")).collect();
        if names.contains(&"..") {
            return refuse("leads up");
        }
        if names.iter().any(|name| name.eq_ignore_ascii_case(".git")) {
            return refuse("leads into `.git`, which declares nothing");
        }
        let folder = self.folder.split('/').filter(|name| !name.is_empty());
        Ok(folder.chain(names).collect::<Vec<_>>().join("/"))
    }

    fn guards(
        &self,
        outer: &Guards,
        written: Option<GuardsFile>,
        keys: &[&str],
    ) -> Result<Guards, UserError> {
        let written = written.unwrap_or_default();
        let keys = join(keys, &["guards"]);
        if written.max_delete_percent.is_some_and(|percent| percent > 100) {
            return Err(
                self.complain(&join(&keys, &["max-delete-percent"]), "a share is at most 100 percent")
            );
        }
        for (key, globs) in [("protect", &written.protect), ("keep", &written.keep)] {
            for (number, glob) in globs.iter().flatten().enumerate() {
                if let Err(fault) = Selector::new(&[glob]) {
                    return Err(self.complain(&join(&keys, &[key, &number.to_string()]), &fault.message));
                }
            }
        }
        let both = |outer: &[String], more: Option<Vec<String>>| [outer, &more.unwrap_or_default()].concat();
        Ok(Guards {
            max_delete: written.max_delete.unwrap_or(outer.max_delete),
            max_delete_percent: written.max_delete_percent.unwrap_or(outer.max_delete_percent),
            protect: both(&outer.protect, written.protect),
            keep: both(&outer.keep, written.keep),
        })
    }

    /// Names stand in records, reports and commands, so they are plain words.
    pub(super) fn check_name(&self, what: &str, name: &str, keys: &[&str]) -> Result<(), UserError> {
        let plain = |letter: char| letter.is_alphanumeric() || matches!(letter, '.' | '_' | '-');
        match name.chars().all(plain) && name.starts_with(char::is_alphanumeric) {
            true => Ok(()),
            false => Err(self.complain(
                keys,
                &format!("`{name}` is no name for {what}s: letters, digits, `.`, `_` and `-`, a letter or digit first"),
            )),
        }
    }

    fn typed<'de, T: DeserializeOwned>(
        &self,
        from: impl serde::Deserializer<'de, Error = serde_yaml::Error>,
        keys: &[&str],
    ) -> Result<T, UserError> {
        serde_path_to_error::deserialize(from).map_err(|error| {
            let inner: Vec<String> = error.path().iter().filter_map(segment).collect();
            let inner: Vec<&str> = inner.iter().map(String::as_str).collect();
            let keys = join(keys, &inner);
            let (message, place) = plain(error.inner());
            match place {
                Some(place) if inner.is_empty() && !message.starts_with("missing") => {
                    located(self.path, place, &message)
                }
                _ => self.complain(&keys, &message),
            }
        })
    }

    pub(super) fn complain(&self, keys: &[&str], message: &str) -> UserError {
        let at = (0..=keys.len()).rev().find_map(|len| locate(self.root, &keys[..len]));
        located(self.path, at.unwrap_or((1, 1)), message)
    }
}

pub(super) fn join<'a>(keys: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [keys, more].concat()
}

fn segment(segment: &Segment) -> Option<String> {
    match segment {
        Segment::Map { key } => Some(key.clone()),
        Segment::Seq { index } => Some(index.to_string()),
        Segment::Enum { .. } | Segment::Unknown => None,
    }
}

/// The message of the reader without the place and the path that it repeats, and the place.
fn plain(error: &serde_yaml::Error) -> (String, Option<(u32, u32)>) {
    let place = error.location().map(|place| (number(place.line()), number(place.column())));
    let mut text = error.to_string();
    if let Some(end) = text.rfind(" at line ") {
        text.truncate(end);
    }
    let start = ["invalid ", "missing field", "duplicate ", "unknown "]
        .iter()
        .filter_map(|word| text.find(word))
        .min();
    let text = text.split_off(start.unwrap_or_default());
    let mut text = text.replace("missing field `", "missing key `");
    for (word, meant) in WORDS {
        if let Some(start) = text.strip_suffix(word) {
            text = format!("{start}{meant}");
        }
    }
    (text, place)
}

/// What the reader expects, in plain words.
const WORDS: &[(&str, &str)] = &[
    ("expected usize", "expected a whole number, 0 or more"),
    ("expected u32", "expected a whole number, 0 or more"),
    ("expected u8", "expected a whole number, 0 or more"),
    ("expected a map", "expected a mapping"),
    ("expected a YAML mapping", "expected a mapping"),
];

fn number(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
