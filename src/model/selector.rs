//! Addresses chosen by pattern, as `--only`, `--overwrite` and `protect` name them.

use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};

use super::{address::Address, user_error::UserError};
use crate::exit::Exit;

/// A set of address patterns, the one dialect of every option and key that names addresses: `*` within one component, `**` across them, a
/// pattern without a wildcard also stands for everything below it. Brackets
/// stand for themselves, as in the names of list items.
#[derive(Clone, Debug, Default)]
pub struct Selector {
    patterns: Vec<String>,
    globs: GlobSet,
}

impl PartialEq for Selector {
    fn eq(&self, other: &Self) -> bool {
        self.patterns == other.patterns
    }
}

impl Eq for Selector {}

impl Selector {
    /// Reads the patterns.
    ///
    /// # Errors
    /// A pattern that is no glob, with exit 64.
    pub fn new<S: AsRef<str>>(patterns: &[S]) -> Result<Self, UserError> {
        let mut builder = GlobSetBuilder::new();
        for pattern in patterns {
            let pattern = pattern.as_ref().trim_end_matches('/');
            builder.add(glob(pattern)?);
            builder.add(glob(&format!("{pattern}/**"))?);
        }
        let globs = builder.build().map_err(|error| UserError::new(Exit::Usage, error.to_string()))?;
        Ok(Selector { patterns: patterns.iter().map(|pattern| pattern.as_ref().to_owned()).collect(), globs })
    }

    /// The same patterns as `spelled` writes them, where it knows another form.
    ///
    /// # Errors
    /// As [`Selector::new`].
    pub fn respelled(&self, spelled: &dyn Fn(&str) -> Option<String>) -> Result<Self, UserError> {
        let forms: Vec<Option<String>> = self.patterns.iter().map(|pattern| spelled(pattern)).collect();
        if forms.iter().all(Option::is_none) {
            return Ok(self.clone());
        }
        let patterns = self.patterns.iter().zip(forms);
        let patterns: Vec<String> =
            patterns.map(|(pattern, form)| form.unwrap_or_else(|| pattern.clone())).collect();
        Selector::new(&patterns)
    }

    /// Whether it was given no pattern at all.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Whether a pattern matches.
    pub fn matches(&self, address: &Address) -> bool {
        self.globs.is_match(address.as_str())
    }

    /// Whether a pattern matches `address` itself, and not only something that it lies below.
    pub fn names(&self, address: &Address) -> bool {
        self.globs.matches(address.as_str()).iter().any(|index| index % 2 == 0)
    }

    /// Whether a pattern matches a field of an object, or the object as a whole.
    pub fn matches_field(&self, address: &Address, path: &str) -> bool {
        self.globs.is_match(format!("{address}{path}"))
    }

    /// The patterns that match none of `addresses`, as typed.
    pub fn unmatched<'a>(&self, addresses: impl Iterator<Item = &'a Address>) -> Vec<&str> {
        let mut hit = vec![false; self.patterns.len()];
        for address in addresses {
            for index in self.globs.matches(address.as_str()) {
                hit[index / 2] = true;
            }
        }
        self.patterns.iter().zip(hit).filter(|(_, hit)| !hit).map(|(pattern, _)| pattern.as_str()).collect()
    }
}

/// What to type for `address` and nothing else: as a pattern that means only itself, as one word of a shell.
pub fn typed(address: &Address) -> String {
    let mut pattern = String::new();
    for char in address.as_str().chars() {
        if matches!(char, '*' | '?' | '{' | '}' | '\\') {
            pattern.push('\\');
        }
        pattern.push(char);
    }
    let plain = |char: char| char.is_alphanumeric() || "%+,-./:=@_".contains(char);
    match pattern.chars().all(plain) {
        true => pattern,
        false => format!("'{}'", pattern.replace('\'', r"'\''")),
    }
}

fn glob(pattern: &str) -> Result<Glob, UserError> {
    let escape = |char| match char {
        '[' | ']' => format!("[{char}]"),
        other => String::from(other),
    };
    GlobBuilder::new(&pattern.chars().map(escape).collect::<String>())
        .literal_separator(true)
        .build()
        .map_err(|error| UserError::new(Exit::Usage, format!("`{pattern}` is no pattern: {}", error.kind())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, address: &str) -> bool {
        Selector::new(&[pattern]).unwrap().matches(&Address::new(address))
    }

    #[test]
    fn a_name_stands_for_itself_and_what_is_below() {
        assert!(matches("etc", "etc/motd") && matches("etc/", "etc/motd") && matches("etc", "etc"));
        assert!(!matches("etc", "etcetera") && !matches("etc", "usr/etc"));
    }

    #[test]
    fn a_star_stays_within_one_component() {
        assert!(matches("conf.d/*.conf", "conf.d/a.conf") && !matches("conf.d/*.conf", "conf.d/x/a.conf"));
        assert!(matches("**/*.conf", "conf.d/x/a.conf"));
    }

    #[test]
    fn a_field_is_named_below_its_object() {
        let selector = Selector::new(&["a/b/containers/[name=web]/image", "c"]).unwrap();
        let takes = |address: &str, path: &str| selector.matches_field(&Address::new(address), path);
        assert!(takes("a/b", "/containers/[name=web]/image") && takes("c", "/x/y"));
        assert!(!takes("a/b", "/containers/[name=w]/image") && !takes("a/b", "") && !takes("cc", "/x"));
    }

    #[test]
    fn what_is_to_be_typed_for_an_address_means_that_one_alone() {
        for name in
            ["rule/web/release%2F*", "rule/web/a?{b,c}[x]", "rule/it's", "rule/a b", "rule/plain", r"a\b"]
        {
            let typed = typed(&Address::new(name));
            let word = typed.trim_matches('\'').replace(r"'\''", "'");
            assert!(matches(&word, name), "{typed}");
            assert!(
                !["rule/web/release%2Fx", "rule/web/axb[x]"].iter().any(|other| matches(&word, other)),
                "{typed}"
            );
        }
        assert_eq!(typed(&Address::new("rule/ü/b")), "rule/ü/b");
        assert_eq!(typed(&Address::new("rule/*")), r"'rule/\*'");
    }

    #[test]
    fn patterns_without_a_match_are_reported() {
        let selector = Selector::new(&["a", "b*"]).unwrap();
        assert_eq!(selector.unmatched([Address::new("a")].iter()), ["b*"]);
    }
}
