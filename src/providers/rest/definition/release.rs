//! Versions of products, and bounds of them.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de::Error as _};

/// A version such as `4.7.3`: numbers between dots. What follows them, such as `+dev-7`, does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    text: String,
    parts: Vec<u64>,
}

impl Release {
    /// Reads a version; `None` if it does not start with a number.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.trim().trim_start_matches('v');
        let end = digits.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(digits.len());
        let parts = digits[..end].trim_end_matches('.').split('.').map(str::parse);
        let parts = parts.collect::<Result<Vec<u64>, _>>().ok()?;
        Some(Release { text: text.trim().to_owned(), parts })
    }

    /// Whether it is `other` or a later one.
    pub fn reaches(&self, other: &Release) -> bool {
        let longest = self.parts.len().max(other.parts.len());
        let parts = |release: &Release| -> Vec<u64> {
            (0..longest).map(|at| release.parts.get(at).copied().unwrap_or(0)).collect()
        };
        parts(self) >= parts(other)
    }

    /// Whether it is `other` or one of its patches.
    fn is_one_of(&self, other: &Release) -> bool {
        self.parts.starts_with(&other.parts)
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Versions such as `1.26`, which is that one with its patches, or `>=1.24 <1.27`.
#[derive(Clone, Debug, PartialEq)]
pub struct Releases {
    text: String,
    bounds: Vec<(Bound, Release)>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Bound {
    Is,
    From,
    Before,
}

impl Releases {
    fn parse(text: &str) -> Result<Self, String> {
        let bound = |word: &str| {
            let (bound, version) = match (word.strip_prefix(">="), word.strip_prefix('<')) {
                (Some(version), _) => (Bound::From, version),
                (_, Some(version)) => (Bound::Before, version),
                _ => (Bound::Is, word),
            };
            let wrong = || format!("`{text}` names no versions; say `1.26` or `>=1.24 <1.27`");
            Release::parse(version).map(|version| (bound, version)).ok_or_else(wrong)
        };
        let bounds = text.split_whitespace().map(bound).collect::<Result<_, _>>()?;
        Ok(Releases { text: text.to_owned(), bounds })
    }

    /// Whether `version` is one of them.
    pub fn hold(&self, release: &Release) -> bool {
        self.bounds.iter().all(|(bound, other)| match bound {
            Bound::Is => release.is_one_of(other),
            Bound::From => release.reaches(other),
            Bound::Before => !release.reaches(other),
        })
    }
}

impl fmt::Display for Releases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Release {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Release::parse(&text)
            .ok_or_else(|| D::Error::custom(format!("`{text}` is no version; say `1.26` or `4.7.3`")))
    }
}

impl<'de> Deserialize<'de> for Releases {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Releases::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl JsonSchema for Release {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Release".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^v?[0-9]", "description": "A version such as 1.26 or 4.7.3, between quotes"})
    }
}

impl JsonSchema for Releases {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Releases".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "description": "1.26 for that version and its patches, or bounds such as >=1.24 <1.27"})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release(text: &str) -> Release {
        Release::parse(text).unwrap()
    }

    #[test]
    fn versions_compare_by_number() {
        let reaches = |one: &str, other: &str| release(one).reaches(&release(other));
        assert!(reaches("1.26.0", "1.9") && !reaches("4.7.3", "4.9.12"));
        assert!(reaches("v2.0+dev", "2.0") && reaches("2", "2.0.0"));
        assert_eq!(Release::parse("unknown"), None);
    }

    #[test]
    fn bounds_hold_for_what_is_between_them() {
        let holds = |bounds: &str, text: &str| Releases::parse(bounds).unwrap().hold(&release(text));
        assert!(holds("1.26", "1.26.4") && !holds("1.26", "1.2") && !holds("1.26", "1.27"));
        assert!(holds(">=1.24 <1.27", "1.24.0") && !holds(">=1.24 <1.27", "1.27.0"));
        assert!(Releases::parse("newest").is_err());
    }
}
