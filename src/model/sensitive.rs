//! Declared places whose values no output may show, and texts that may quote them.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{
    change::ThreeWay,
    diff::Candidate,
    ignore::{Match, Subject},
    path::{self, Path},
    user_error::UserError,
    value::Value,
};

/// The places of one target that are declared sensitive.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sensitive(pub Vec<(Match, Vec<Path>)>);

/// What stands in the place of a sensitive value within a text.
const HIDDEN: &str = "(sensitive)";

/// The shortest text that is replaced within another; a message that holds a shorter one is not shown at all.
const SHORT: usize = 4;

impl Sensitive {
    /// The same places, with patterns of addresses as `spelled` writes them.
    ///
    /// # Errors
    /// A form that is no pattern.
    pub fn respelled(&self, spelled: &dyn Fn(&str) -> Option<String>) -> Result<Self, UserError> {
        let one = |(matches, paths): &(Match, Vec<Path>)| Ok((matches.respelled(spelled)?, paths.clone()));
        self.0.iter().map(one).collect::<Result<_, UserError>>().map(Sensitive)
    }

    /// Hides what is declared sensitive in an object that differs.
    pub fn hide(&self, subject: &Subject<'_>, candidate: &mut Candidate) {
        let paths: Vec<&Path> = self
            .0
            .iter()
            .filter(|(matches, _)| matches.is_about(subject))
            .flat_map(|(_, paths)| paths)
            .collect();
        let ThreeWay { base, desired, actual } = &mut candidate.sides;
        for side in [base, desired, actual].into_iter().flatten() {
            let places: Vec<_> = paths.iter().flat_map(|path| path.places(side)).collect();
            for place in places {
                if let Some(value) = path::get_mut(side, &place) {
                    cover(value);
                }
            }
        }
        redact(candidate);
    }
}

/// Takes what is sensitive out of what was said of an object.
fn redact(candidate: &mut Candidate) {
    let secrets = Secrets::of(&candidate.sides);
    let Candidate { notes, unknown, replace, claim, .. } = candidate;
    let said = unknown.as_mut().map(|(_, message)| message);
    for text in notes.iter_mut().chain(said).chain(replace).chain(claim) {
        *text = secrets.redact(text);
    }
}

/// Marks a value, or every value of a mapping.
fn cover(value: &mut Value) {
    match value {
        Value::Map(map) => std::sync::Arc::make_mut(map).iter_mut().for_each(|(_, value)| cover(value)),
        Value::Sensitive(_) | Value::Null => {}
        open => *open = Value::Sensitive(Box::new(std::mem::replace(open, Value::Null))),
    }
}

/// The sensitive texts of one object, in the forms in which a message may quote them.
#[derive(Debug, Default)]
pub struct Secrets(Vec<String>);

impl Secrets {
    /// Those of all sides.
    pub fn of(sides: &ThreeWay<Value>) -> Secrets {
        let mut found = Vec::new();
        for side in [&sides.base, &sides.desired, &sides.actual].into_iter().flatten() {
            gather(side, false, &mut found);
        }
        // What contains another one goes first.
        found.sort_unstable_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
        found.dedup();
        Secrets(found)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `text` without what is sensitive.
    pub fn redact(&self, text: &str) -> String {
        let mut told = text.to_owned();
        for secret in &self.0 {
            match secret.len() < SHORT {
                false => told = told.replace(secret, HIDDEN),
                true if quotes(text, secret) => return format!("{HIDDEN}: a message that may quote it"),
                true => {}
            }
        }
        told
    }
}

/// Whether a text has another one in it as a word.
fn quotes(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let outside =
            |character: Option<char>| character.is_none_or(|character| !character.is_alphanumeric());
        outside(text[..at].chars().next_back()) && outside(text[at + word.len()..].chars().next())
    })
}

fn gather(value: &Value, hidden: bool, found: &mut Vec<String>) {
    match value {
        Value::Sensitive(inner) => gather(inner, true, found),
        // Where a secret is to be found is none, and what is wrong with that place has to be said.
        Value::Map(map) if hidden && map.len() == 1 && map.keys().all(|key| names_secrets(key)) => {}
        Value::Map(map) => map.values().for_each(|value| gather(value, hidden, found)),
        Value::List(items) => items.iter().for_each(|item| gather(item, hidden, found)),
        Value::String(text) if hidden => forms(text, found),
        Value::Number(number) if hidden => forms(&number.to_string(), found),
        Value::Blob(blob) if hidden => blob.text().into_iter().for_each(|text| forms(text, found)),
        _ => {}
    }
}

/// Whether a mapping of this one key names a secret instead of holding it.
pub fn names_secrets(key: &str) -> bool {
    matches!(key, "$env" | "$file")
}

/// A text as it is, line by line, escaped, and in and out of base64.
fn forms(text: &str, found: &mut Vec<String>) {
    let decoded = STANDARD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    for text in [Some(text.to_owned()), decoded].into_iter().flatten().filter(|text| !text.trim().is_empty())
    {
        found.push(STANDARD.encode(&text));
        found.push(STANDARD.encode(STANDARD.encode(&text)));
        let quoted = serde_json::Value::from(text.as_str()).to_string();
        found.push(quoted.trim_matches('"').to_owned());
        found.extend(text.lines().map(str::trim).filter(|line| line.len() >= SHORT).map(str::to_owned));
        found.push(text.trim_end_matches('\n').to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{address::Address, change::Field, diff, testing::value};

    fn hidden(paths: &[&str], desired: &str, actual: &str, note: &str) -> Candidate {
        let sides = ThreeWay { base: None, desired: Some(value(desired)), actual: Some(value(actual)) };
        let mut candidate =
            Candidate { notes: vec![note.to_owned()], ..Candidate::new(Address::new("a"), sides) };
        let paths = paths.iter().map(|path| path.parse().unwrap()).collect();
        let address = Address::new("a");
        let subject = Subject { address: &address, names: None, declared: None, facts: &[] };
        Sensitive(vec![(Match::default(), paths)]).hide(&subject, &mut candidate);
        candidate
    }

    #[test]
    fn what_is_declared_sensitive_is_hidden_on_every_side_and_still_compared() {
        let found = hidden(
            &["/spec/*"],
            r#"{"spec": {"a": "new", "b": {"c": "same"}}, "d": 1}"#,
            r#"{"spec": {"a": "old", "b": {"c": "same"}}, "d": 2}"#,
            "",
        );
        let fields = diff::fields(found.sides.as_ref());
        let paths: Vec<&str> = fields.iter().map(|Field { path, .. }| path.as_str()).collect();
        assert_eq!(paths, ["/d", "/spec/a"]);
        assert!(matches!(fields[1].sides.desired, Some(Value::Sensitive(_))));
    }

    #[test]
    fn what_quotes_a_sensitive_value_is_said_without_it() {
        let encoded = STANDARD.encode("canary\"1");
        for note in ["invalid value: \"canary\\\"1\": bad", "got canary\"1", &format!("data {encoded}")] {
            let found = hidden(&["/p"], r#"{"p": "canary\"1"}"#, "{}", note);
            assert!(
                !found.notes[0].contains("canary") && !found.notes[0].contains(&encoded),
                "{:?}",
                found.notes
            );
            assert!(found.notes[0].contains(HIDDEN));
        }
    }

    #[test]
    fn where_a_secret_is_to_be_found_is_said() {
        for name in ["AL", "A_LONG_NAME"] {
            let named = Value::Sensitive(Box::new(value(&format!(r#"{{"$env": "{name}"}}"#))));
            let secrets = Secrets::of(&ThreeWay { base: None, desired: Some(named), actual: None });
            let message = format!("the environment variable `{name}` is not set");
            assert_eq!(secrets.redact(&message), message);
        }
    }

    #[test]
    fn what_may_quote_a_short_value_is_not_said() {
        let found = hidden(&["/p"], r#"{"p": 42}"#, "{}", "Invalid value: 42: too small");
        assert_eq!(found.notes, ["(sensitive): a message that may quote it"]);
        let found = hidden(&["/p"], r#"{"p": 42}"#, "{}", "HTTP 422");
        assert_eq!(found.notes, ["HTTP 422"]);
    }
}
