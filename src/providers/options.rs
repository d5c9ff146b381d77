//! The provider's own keys of a target in trueup.yaml.

use std::{fmt, str::FromStr, time::Duration};

use serde::de::{self, DeserializeOwned, Deserializer, Visitor};
use serde_path_to_error::{Error, Segment};

use super::{BadOption, Target};
use crate::model::suggest::{TARGET_KEYS, nearest};

/// Reads the provider's own keys of `target`.
///
/// # Errors
/// The first key that is unknown, missing or of a wrong type, by its path.
pub fn parse<T: DeserializeOwned>(target: &Target) -> Result<T, BadOption> {
    let keys = serde_yaml::Value::from(target.options.clone());
    serde_path_to_error::deserialize(keys).map_err(|error| bad_option(&error))
}

/// A complaint about the key `key`.
pub fn refused(key: &str, message: impl Into<String>) -> BadOption {
    BadOption { path: vec![key.to_owned()], message: message.into() }
}

fn bad_option(error: &Error<serde_yaml::Error>) -> BadOption {
    let key = |segment: &Segment| match segment {
        Segment::Map { key } => Some(key.clone()),
        Segment::Seq { index } => Some(index.to_string()),
        Segment::Enum { .. } | Segment::Unknown => None,
    };
    let mut path: Vec<String> = error.path().iter().filter_map(key).collect();
    let said = error.inner().to_string();
    let words: Vec<&str> = said.split('`').skip(1).step_by(2).collect();
    let message = match (said.starts_with("unknown field"), words.as_slice()) {
        (true, [unknown, known @ ..]) => {
            // The path of an unknown key may end above it.
            if path.last().is_none_or(|last| last != unknown) {
                path.push((*unknown).to_owned());
            }
            let shared = if path.len() == 1 { TARGET_KEYS } else { &[] };
            let known = [shared, known].concat();
            match nearest(unknown, known.iter().copied()) {
                Some(near) => format!("unknown key `{unknown}`, did you mean `{near}`?"),
                None => format!("unknown key `{unknown}`, valid keys are {}", known.join(", ")),
            }
        }
        _ => said.replace("missing field", "missing key"),
    };
    BadOption { path, message }
}

/// A duration as people write it: seconds, or a text like `90s`, `5m`, `1h30m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period(pub Duration);

impl FromStr for Period {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(seconds) = text.parse() {
            return Ok(Period(Duration::from_secs(seconds)));
        }
        let read = text.parse::<jiff::SignedDuration>().ok().and_then(|period| period.try_into().ok());
        read.map(Period).ok_or_else(|| format!("`{text}` is no duration; `90s`, `5m` and `1h30m` are"))
    }
}

impl<'de> serde::Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = Period;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of seconds or a text like `5m`")
            }

            fn visit_u64<E: de::Error>(self, seconds: u64) -> Result<Period, E> {
                Ok(Period(Duration::from_secs(seconds)))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Period, E> {
                text.parse().map_err(E::custom)
            }
        }
        from.deserialize_any(Reader)
    }
}

impl schemars::JsonSchema for Period {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Period".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": ["integer", "string"], "minimum": 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_seconds_or_words() {
        let read = |text: &str| text.parse::<Period>().map(|period| period.0.as_secs());
        assert_eq!(
            [read("90"), read("90s"), read("5m"), read("1h30m"), read("0")],
            [Ok(90), Ok(90), Ok(300), Ok(5400), Ok(0)]
        );
        for wrong in ["", "soon", "-5m", "5 m x"] {
            assert!(read(wrong).unwrap_err().contains("no duration"), "{wrong}");
        }
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Keys {
        #[expect(dead_code, reason = "read by serde only")]
        root: String,
        #[expect(dead_code, reason = "read by serde only")]
        backup: Option<bool>,
    }

    fn complaint(options: &str) -> (Vec<String>, String) {
        let target = Target {
            name: "t".into(),
            provider: "p".into(),
            path: String::new(),
            base_dir: "/".into(),
            options: serde_yaml::from_str(options).unwrap(),
            programs: Default::default(),
            definition: None,
            siblings: Vec::new(),
        };
        let bad = parse::<Keys>(&target).unwrap_err();
        (bad.path, bad.message)
    }

    #[test]
    fn a_wrong_key_is_named_with_what_was_meant() {
        for (options, path, message) in [
            ("{}", vec![], "missing key `root`"),
            ("{rot: x}", vec!["rot"], "unknown key `rot`, did you mean `root`?"),
            ("{root: x, pth: y}", vec!["pth"], "unknown key `pth`, did you mean `path`?"),
            (
                "{root: x, colour: y}",
                vec!["colour"],
                "unknown key `colour`, valid keys are provider, path, guards, ignore, ignore-builtin, sensitive, root, backup",
            ),
            (
                "{root: x, backup: maybe}",
                vec!["backup"],
                "invalid type: string \"maybe\", expected a boolean",
            ),
        ] {
            assert_eq!(
                complaint(options),
                (path.iter().map(ToString::to_string).collect(), message.to_owned())
            );
        }
    }
}
