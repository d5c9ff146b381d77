//! The manifest of a directory: what git's file modes cannot say.

use std::{collections::HashSet, fmt, marker::PhantomData, sync::Arc};

use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};
use schemars::JsonSchema;
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, Visitor},
};

use crate::{exit::Exit, model::user_error::UserError, yaml};

/// What `.trueup-files.yaml` says of the directory it lies in, and of what is below.
///
/// A pattern without a slash means that name at any depth; one with a slash
/// starts at the manifest's directory. `*` and `?` do not match a slash, `**`
/// does. Of several rules that match, the last one wins, key by key; a
/// manifest further down comes after those above it. The manifest itself is
/// not deployed.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct Manifest {
    /// Rules for files, by pattern.
    #[schemars(with = "std::collections::BTreeMap<String, FileRule>")]
    pub files: Rules<FileRule>,
    /// Rules for directories, by pattern; `.` is the manifest's own directory.
    #[schemars(with = "std::collections::BTreeMap<String, DirectoryRule>")]
    pub directories: Rules<DirectoryRule>,
    /// Patterns of files in exclusive directories that are nobody's business.
    pub ignore: Vec<Pattern>,
}

/// What is declared of files beyond their content.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct FileRule {
    /// The exact permissions, as quoted octal digits. Without it only the executable bit counts, as in git.
    #[schemars(with = "Option<String>")]
    pub mode: Option<Mode>,
    /// The owner, by name or number.
    #[schemars(with = "Option<String>")]
    pub owner: Option<Name>,
    /// The group, by name or number.
    #[schemars(with = "Option<String>")]
    pub group: Option<Name>,
    /// Never show the content anywhere.
    pub sensitive: Option<bool>,
    /// This very path must not exist; no patterns.
    pub absent: bool,
}

/// What is declared of directories. A directory that no rule speaks of is made
/// when a file needs it, and goes when trueup made it and it is empty.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct DirectoryRule {
    /// The exact permissions, as quoted octal digits.
    #[schemars(with = "Option<String>")]
    pub mode: Option<Mode>,
    /// The owner, by name or number.
    #[schemars(with = "Option<String>")]
    pub owner: Option<Name>,
    /// The group, by name or number.
    #[schemars(with = "Option<String>")]
    pub group: Option<Name>,
    /// This very directory must exist, even if it is empty; no patterns.
    pub ensure: bool,
    /// Nothing may be in it, or below it, but what is declared or ignored.
    pub exclusive: Option<bool>,
}

/// Rules in the order of the file.
#[derive(Debug)]
pub(super) struct Rules<T> {
    /// Each with its pattern.
    pub list: Vec<(Pattern, T)>,
    /// All patterns at once: a tree of many files is held against many rules.
    all: GlobSet,
}

/// A pattern of paths below the manifest's directory.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    /// The path it names, if it is no pattern: relative, `.` for the directory itself.
    pub literal: Option<String>,
    /// The glob over paths relative to the manifest's directory.
    pub glob: String,
    compiled: Glob,
}

/// Permissions, at most `7777`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mode(pub u32);

/// Name or number of a user or group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name(pub Arc<str>);

impl Manifest {
    /// The largest one, in bytes.
    pub(super) const LARGEST: usize = 16 * 1024 * 1024;

    /// Reads a manifest; `file` is its path in the checkout.
    ///
    /// # Errors
    /// With file, line and column.
    pub(super) fn parse(text: &[u8], file: &str) -> Result<Manifest, UserError> {
        // The reader with limits goes first: the other one takes minutes for what is nested deeply.
        yaml::load(text).map_err(|problem| {
            let (line, column) = (problem.line, problem.column);
            UserError::new(Exit::BadDesired, format!("{file}:{line}:{column}: {}", problem.message))
        })?;
        let manifest: Option<Manifest> =
            serde_yaml::from_slice(text).map_err(|error| located(&error, file))?;
        let manifest = manifest.unwrap_or_default();
        manifest.check().map_err(|message| UserError::new(Exit::BadDesired, format!("{file}: {message}")))?;
        Ok(manifest)
    }

    fn check(&self) -> Result<(), String> {
        let loose = |pattern: &Pattern, key: &str| match pattern.literal {
            None => Err(format!("`{key}` needs a path, `{}` is a pattern", pattern.glob)),
            Some(_) => Ok(()),
        };
        for (pattern, rule) in &self.files.list {
            if rule.absent {
                loose(pattern, "absent")?;
                if rule.mode.is_some() || rule.owner.is_some() || rule.group.is_some() {
                    return Err(format!("`{}` is absent and can have no owner or mode", pattern.glob));
                }
            }
        }
        self.directories
            .list
            .iter()
            .filter(|(_, rule)| rule.ensure)
            .try_for_each(|(pattern, _)| loose(pattern, "ensure"))
    }
}

fn located(error: &serde_yaml::Error, file: &str) -> UserError {
    let message = error.to_string();
    let Some(place) = error.location() else {
        return UserError::new(Exit::BadDesired, format!("{file}: {message}"));
    };
    let (line, column) = (place.line(), place.column());
    let bare = message.replace(&format!(" at line {line} column {column}"), "");
    UserError::new(Exit::BadDesired, format!("{file}:{line}:{column}: {bare}"))
}

impl Pattern {
    fn new(text: &str) -> Result<Pattern, String> {
        let path = text.strip_prefix('/').unwrap_or(text);
        let is_literal = !text.contains(['*', '?', '[', '{', '\\']);
        if path.is_empty()
            || path.ends_with('/')
            || path.split('/').any(|part| part == ".." || part.is_empty())
        {
            return Err(format!("`{text}` is no pattern of paths below this directory"));
        }
        let anchored = text.contains('/') || path == ".";
        let glob = if anchored { path.to_owned() } else { format!("**/{path}") };
        let compiled = GlobBuilder::new(&glob)
            .literal_separator(true)
            .backslash_escape(true)
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Pattern { literal: is_literal.then(|| path.to_owned()), glob, compiled })
    }
}

impl<T> Rules<T> {
    fn new(list: Vec<(Pattern, T)>) -> Result<Self, globset::Error> {
        let mut all = GlobSetBuilder::new();
        list.iter().for_each(|(pattern, _)| _ = all.add(pattern.compiled.clone()));
        Ok(Rules { list, all: all.build()? })
    }

    /// The rules that mean `path`, relative to the manifest's directory, in the order of the file.
    pub(super) fn matching(&self, path: &[u8]) -> Vec<&(Pattern, T)> {
        use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _};
        match path {
            b"" => self.list.iter().filter(|(pattern, _)| pattern.literal.as_deref() == Some(".")).collect(),
            _ => {
                self.all.matches(OsStr::from_bytes(path)).into_iter().map(|index| &self.list[index]).collect()
            }
        }
    }
}

impl<T> Default for Rules<T> {
    fn default() -> Self {
        Rules { list: Vec::new(), all: GlobSet::empty() }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Rules<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for InOrder<T> {
            type Value = Rules<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("rules by pattern")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut rules: Vec<(Pattern, T)> = Vec::new();
                let mut known = HashSet::new();
                while let Some(pattern) = map.next_key::<Pattern>()? {
                    if !known.insert(pattern.glob.clone()) {
                        return Err(A::Error::custom(format!("`{}` is there twice", pattern.glob)));
                    }
                    rules.push((pattern, map.next_value()?));
                }
                Rules::new(rules).map_err(A::Error::custom)
            }
        }
        deserializer.deserialize_map(InOrder(PhantomData))
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Pattern::new(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl JsonSchema for Pattern {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Pattern".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        String::json_schema(generator)
    }
}

impl<'de> Deserialize<'de> for Mode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const WANTED: &str = "octal digits in quotes, for example \"0640\"";
        // A bare 640 would be decimal to one YAML reader and octal to another.
        let serde_yaml::Value::String(text) = serde_yaml::Value::deserialize(deserializer)? else {
            return Err(D::Error::custom(format!("a mode is {WANTED}")));
        };
        Mode::parse(&text).ok_or_else(|| D::Error::custom(format!("`{text}` is no mode; a mode is {WANTED}")))
    }
}

impl Mode {
    /// Reads three or four octal digits.
    pub(super) fn parse(text: &str) -> Option<Mode> {
        let plain = matches!(text.len(), 3 | 4) && text.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
        plain.then(|| u32::from_str_radix(text, 8).ok().map(Mode)).flatten()
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = match serde_yaml::Value::deserialize(deserializer)? {
            serde_yaml::Value::String(name) => name,
            serde_yaml::Value::Number(number) => number.to_string(),
            _ => return Err(D::Error::custom("an owner or group is a name or a number")),
        };
        let plain =
            |character: char| !character.is_whitespace() && !character.is_control() && character != ':';
        if name.is_empty() || name.starts_with('-') || !name.chars().all(plain) {
            return Err(D::Error::custom(format!("`{name}` is no name of a user or group")));
        }
        Ok(Name(name.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, path: &[u8]) -> bool {
        !Rules::new(vec![(Pattern::new(pattern).unwrap(), ())]).unwrap().matching(path).is_empty()
    }

    #[test]
    fn what_is_nested_deeply_is_refused_at_once() {
        let begun = std::time::Instant::now();
        let deep = format!("files: {}{}\n", "[".repeat(100_000), "]".repeat(100_000));
        assert!(complaint(&deep).contains("nested more than"));
        assert!(complaint(&"- ".repeat(100_000)).contains("nested more than"));
        assert!(begun.elapsed().as_secs() < 5);
    }

    #[test]
    fn many_rules_cost_little() {
        let begun = std::time::Instant::now();
        let rule = |number| format!("  dir{number}/file{number}: {{sensitive: true}}\n");
        let text = "files:\n".to_owned() + &(0..5_000).map(rule).collect::<String>();
        let manifest = Manifest::parse(text.as_bytes(), "m").unwrap();
        for number in 0..5_000 {
            let path = format!("dir{number}/file{number}");
            assert_eq!(manifest.files.matching(path.as_bytes()).len(), 1);
        }
        assert!(begun.elapsed().as_secs() < 10, "{:?}", begun.elapsed());
    }

    fn complaint(text: &str) -> String {
        Manifest::parse(text.as_bytes(), "site/.trueup-files.yaml").unwrap_err().message
    }

    #[test]
    fn rules_keep_their_order() {
        let text = "files:\n  '*': {mode: '0640', owner: root, group: 33}\n  bin/*: {mode: '755'}\n  key: {sensitive: true}\n";
        let manifest = Manifest::parse(text.as_bytes(), "m").unwrap();
        let globs: Vec<&str> = manifest.files.list.iter().map(|(pattern, _)| pattern.glob.as_str()).collect();
        assert_eq!(globs, ["**/*", "bin/*", "**/key"]);
        assert_eq!(manifest.files.list[0].1.mode, Some(Mode(0o640)));
        assert_eq!(manifest.files.list[0].1.group, Some(Name("33".into())));
        assert_eq!(manifest.files.list[1].1.mode.unwrap().to_string(), "0755");
    }

    #[test]
    fn an_empty_manifest_declares_nothing() {
        for text in ["", "# only words\n", "{}"] {
            assert!(Manifest::parse(text.as_bytes(), "m").unwrap().files.list.is_empty(), "{text:?}");
        }
    }

    #[test]
    fn complaints_say_where() {
        let cases = [
            ("file: {}\n", "site/.trueup-files.yaml:1:1: unknown field `file`, expected one of `files`"),
            ("files:\n  a: {mod: '0640'}\n", "site/.trueup-files.yaml:2:7: files.a: unknown field `mod`"),
            ("files:\n  a: {mode: 640}\n", "2:6: files.a: a mode is octal digits in quotes"),
            ("files:\n  a: {mode: '0888'}\n", "`0888` is no mode"),
            ("files:\n  a: {owner: 'x y'}\n", "`x y` is no name"),
            ("files:\n  a: {}\n  a: {}\n", "is there twice"),
            ("files:\n  '[': {}\n", "2:3"),
            ("files:\n  ../a: {}\n", "`../a` is no pattern of paths below this directory"),
            ("files:\n  '*.o': {absent: true}\n", "`absent` needs a path"),
            ("files:\n  a: {absent: true, mode: '0600'}\n", "can have no owner or mode"),
            ("directories:\n  '*': {ensure: true}\n", "`ensure` needs a path"),
            ("files: {\n", "site/.trueup-files.yaml:1:8: unclosed bracket"),
        ];
        for (text, wanted) in cases {
            let found = complaint(text);
            assert!(found.contains(wanted), "{text}: {found}");
        }
    }

    #[test]
    fn patterns_match_as_in_gitignore() {
        let cases: [(&str, &str, bool); 12] = [
            ("*.sh", "run.sh", true),
            ("*.sh", "deep/er/run.sh", true),
            ("bin/*", "bin/x", true),
            ("bin/*", "bin/x/y", false),
            ("bin/*", "usr/bin/x", false),
            ("bin/**", "bin/x/y", true),
            ("/x", "x", true),
            ("/x", "a/x", false),
            ("x", "a/x", true),
            (".", "", true),
            ("*", "", false),
            ("*", ".hidden", true),
        ];
        for (pattern, path, wanted) in cases {
            assert_eq!(matches(pattern, path.as_bytes()), wanted, "{pattern} {path}");
        }
        assert!(matches("*.x", b"\xff\n.x"));
    }
}
