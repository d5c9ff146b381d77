//! The manifest of a directory: what git's file modes cannot say.

use std::{fmt, marker::PhantomData, sync::Arc};

use globset::{GlobBuilder, GlobMatcher};
use schemars::JsonSchema;
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, Visitor},
};

use crate::{exit::Exit, model::fault::Fault};

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
pub(super) struct Rules<T>(pub Vec<(Pattern, T)>);

/// A pattern of paths below the manifest's directory.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    /// The path it names, if it is no pattern: relative, `.` for the directory itself.
    pub literal: Option<String>,
    /// The glob over paths relative to the manifest's directory.
    pub glob: String,
    matcher: GlobMatcher,
}

/// Permissions, at most `7777`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mode(pub u32);

/// Name or number of a user or group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name(pub Arc<str>);

impl Manifest {
    /// Reads a manifest; `file` is its path in the checkout.
    ///
    /// # Errors
    /// With file, line and column.
    pub(super) fn parse(text: &[u8], file: &str) -> Result<Manifest, Fault> {
        let manifest: Option<Manifest> =
            serde_yaml::from_slice(text).map_err(|error| located(&error, file))?;
        let manifest = manifest.unwrap_or_default();
        manifest.check().map_err(|message| Fault::new(Exit::BadDesired, format!("{file}: {message}")))?;
        Ok(manifest)
    }

    fn check(&self) -> Result<(), String> {
        let loose = |pattern: &Pattern, key: &str| match pattern.literal {
            None => Err(format!("`{key}` needs a path, `{}` is a pattern", pattern.glob)),
            Some(_) => Ok(()),
        };
        for (pattern, rule) in &self.files.0 {
            if rule.absent {
                loose(pattern, "absent")?;
                if rule.mode.is_some() || rule.owner.is_some() || rule.group.is_some() {
                    return Err(format!("`{}` is absent and can have no owner or mode", pattern.glob));
                }
            }
        }
        self.directories
            .0
            .iter()
            .filter(|(_, rule)| rule.ensure)
            .try_for_each(|(pattern, _)| loose(pattern, "ensure"))
    }
}

fn located(error: &serde_yaml::Error, file: &str) -> Fault {
    let message = error.to_string();
    let Some(place) = error.location() else {
        return Fault::new(Exit::BadDesired, format!("{file}: {message}"));
    };
    let (line, column) = (place.line(), place.column());
    let bare = message.replace(&format!(" at line {line} column {column}"), "");
    Fault::new(Exit::BadDesired, format!("{file}:{line}:{column}: {bare}"))
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
        let matcher = GlobBuilder::new(&glob)
            .literal_separator(true)
            .backslash_escape(true)
            .build()
            .map_err(|error| error.to_string())?
            .compile_matcher();
        Ok(Pattern { literal: is_literal.then(|| path.to_owned()), glob, matcher })
    }

    /// Whether it means `path`, relative to the manifest's directory.
    pub(super) fn matches(&self, path: &[u8]) -> bool {
        use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _};
        match path {
            b"" => self.literal.as_deref() == Some("."),
            _ => self.matcher.is_match(OsStr::from_bytes(path)),
        }
    }
}

impl<T> Default for Rules<T> {
    fn default() -> Self {
        Rules(Vec::new())
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
                while let Some(pattern) = map.next_key::<Pattern>()? {
                    if rules.iter().any(|(known, _)| known.glob == pattern.glob) {
                        return Err(A::Error::custom(format!("`{}` is there twice", pattern.glob)));
                    }
                    rules.push((pattern, map.next_value()?));
                }
                Ok(Rules(rules))
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

    fn complaint(text: &str) -> String {
        Manifest::parse(text.as_bytes(), "site/.trueup-files.yaml").unwrap_err().message
    }

    #[test]
    fn rules_keep_their_order() {
        let text = "files:\n  '*': {mode: '0640', owner: root, group: 33}\n  bin/*: {mode: '755'}\n  key: {sensitive: true}\n";
        let manifest = Manifest::parse(text.as_bytes(), "m").unwrap();
        let globs: Vec<&str> = manifest.files.0.iter().map(|(pattern, _)| pattern.glob.as_str()).collect();
        assert_eq!(globs, ["**/*", "bin/*", "**/key"]);
        assert_eq!(manifest.files.0[0].1.mode, Some(Mode(0o640)));
        assert_eq!(manifest.files.0[0].1.group, Some(Name("33".into())));
        assert_eq!(manifest.files.0[1].1.mode.unwrap().to_string(), "0755");
    }

    #[test]
    fn an_empty_manifest_declares_nothing() {
        for text in ["", "# only words\n", "{}"] {
            assert!(Manifest::parse(text.as_bytes(), "m").unwrap().files.0.is_empty(), "{text:?}");
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
            ("files:\n  a: {}\n  a: {}\n", "`**/a` is there twice"),
            ("files:\n  '[': {}\n", "2:3"),
            ("files:\n  ../a: {}\n", "`../a` is no pattern of paths below this directory"),
            ("files:\n  '*.o': {absent: true}\n", "`absent` needs a path"),
            ("files:\n  a: {absent: true, mode: '0600'}\n", "can have no owner or mode"),
            ("directories:\n  '*': {ensure: true}\n", "`ensure` needs a path"),
            ("files: {\n", "site/.trueup-files.yaml:2:1"),
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
            assert_eq!(Pattern::new(pattern).unwrap().matches(path.as_bytes()), wanted, "{pattern} {path}");
        }
        assert!(Pattern::new("*.x").unwrap().matches(b"\xff\n.x"));
    }
}
