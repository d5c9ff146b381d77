//! Why a change was not made, or not as it should be.

use serde_json::Value as Json;

use crate::{
    model::{
        change::Change,
        object::Origin,
        report::{FailureKind, Verdict},
    },
    providers::rest::{
        client::{failure::Failure, json},
        definition::{ErrorClass as Class, Kind},
    },
};

/// A change that was not made, or not as it should be.
#[derive(Clone, Debug)]
pub struct Trouble {
    /// How it ended.
    pub verdict: Verdict,
    /// What the exit code depends on.
    pub kind: FailureKind,
    /// What went wrong.
    pub message: String,
    /// What the server means, if it said so.
    pub class: Option<Class>,
    /// The fields that the server says are wrong, with what it says of each.
    pub fields: Vec<(String, String)>,
    /// Whether the object was deleted to be made anew, and was not made.
    pub gone: bool,
    /// The places in which the server made something else of a write, with what it has there.
    pub differs: Vec<(String, Json)>,
}

impl Trouble {
    /// A trouble that no answer speaks of.
    pub fn new(verdict: Verdict, message: impl Into<String>) -> Self {
        Trouble {
            verdict,
            kind: FailureKind::Other,
            message: message.into(),
            class: None,
            fields: Vec::new(),
            gone: false,
            differs: Vec::new(),
        }
    }

    /// A write that the server did not take, or did not answer.
    pub fn of(failure: Failure) -> Self {
        let verdict = match failure.class {
            Class::Conflict | Class::Exists => Verdict::Stale,
            _ if failure.sent => Verdict::Uncertain,
            _ => Verdict::Failed,
        };
        let kind = failure.report();
        let message = match way_out(failure.class) {
            Some(way_out) => format!("{}; {way_out}", failure.message),
            None => failure.message,
        };
        let class = Some(failure.class);
        Trouble { verdict, kind, message, class, fields: failure.fields, gone: false, differs: Vec::new() }
    }

    /// A look before the write that failed: nothing was sent.
    pub fn before(failure: &Failure) -> Self {
        let trouble = Trouble::of(failure.clone());
        let message = format!("reading it before the write: {}", trouble.message);
        Trouble { verdict: Verdict::Failed, message, ..trouble }
    }

    /// What became of an object that was deleted to be made anew, which failed.
    pub fn after_delete(self) -> Self {
        let message = format!("it was deleted, and could not be made anew: {}", self.message);
        Trouble { gone: true, message, ..self }
    }

    /// The same with a remark.
    pub fn with(mut self, remark: &str) -> Self {
        self.message = format!("{} ({remark})", self.message);
        self
    }

    /// The same, after the place of the declaration that it is about.
    pub fn about(self, change: &Change, kind: &Kind) -> Self {
        match (&change.origin, &change.after) {
            (Some(origin), Some(declared)) => {
                self.declared_in(origin, &json::from_model(declared), &kind.identity.keys)
            }
            _ => self,
        }
    }

    /// The same, after the place of the declaration that it is about: that of the fields which the server
    /// refuses, as far as it tells. `names` are the fields that name the object, which any error may mention.
    fn declared_in(mut self, origin: &Origin, declared: &Json, names: &[String]) -> Self {
        let mut places = Vec::new();
        for (name, said) in &self.fields {
            let Some(pointer) = find(declared, name) else { continue };
            let said = if said.is_empty() || self.message.contains(said) {
                String::new()
            } else {
                format!(" ({said})")
            };
            places.push(format!("`{}` `{pointer}`{said}", origin.at(&pointer)));
        }
        if places.is_empty() && self.class == Some(Class::Invalid) {
            let pointer = mentioned(declared, &self.message, names);
            places.extend(pointer.map(|pointer| format!("`{}` `{pointer}`", origin.at(&pointer))));
        }
        if places.is_empty() {
            places.push(format!("`{}`", origin.at("")));
        }
        self.message = format!("{}: {}", places.join(", "), self.message);
        self
    }
}

/// What a person can do about it, where that is not plain.
fn way_out(class: Class) -> Option<&'static str> {
    match class {
        Class::Conflict => Some("it changed meanwhile; plan again"),
        Class::Exists => Some(
            "there is one already; plan again, and `--adopt` it if it is meant. If the plan does not show it, the \
             server keeps it out of its lists, as some do with what was deleted",
        ),
        Class::Forbidden => Some("the credentials must be allowed to; see `credentials:` of the target"),
        Class::Hidden => Some("it is not there, or these credentials may not see it"),
        Class::Protected => Some("the server protects it; lift that there first"),
        Class::RateLimited => Some("run it again later"),
        Class::Unavailable => Some("run it again; what was done is not done twice"),
        Class::Absent | Class::Invalid | Class::Other => None,
    }
}

/// The declared field that a server calls `name`: in other letters, with dots, or without underscores.
fn find(declared: &Json, name: &str) -> Option<String> {
    let plain = |text: &str| -> String {
        text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
    };
    let wanted = plain(name);
    pointers(declared).into_iter().map(|(pointer, _)| pointer).find(|pointer| plain(pointer) == wanted)
}

/// The declared field whose name, or else whose value, stands in what the server says.
fn mentioned(declared: &Json, said: &str, names: &[String]) -> Option<String> {
    let holds = |word: &str| {
        let edge = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric() && c != '_');
        let around = |at: usize| (said[..at].chars().next_back(), said[at + word.len()..].chars().next());
        word.len() > 2
            && said
                .match_indices(word)
                .map(|(at, _)| around(at))
                .any(|(before, after)| edge(before) && edge(after))
    };
    let all = pointers(declared);
    let others = || all.iter().filter(|(pointer, _)| !names.contains(pointer));
    let name = |pointer: &str| {
        pointer.rsplit('/').next().is_some_and(|name| name.parse::<usize>().is_err() && holds(name))
    };
    let by_name = others().find(|(pointer, _)| name(pointer));
    let by_value = || others().find(|(_, value)| value.as_str().is_some_and(holds));
    by_name.or_else(by_value).map(|(pointer, _)| pointer.clone())
}

/// Every value below `tree` that is not the whole, by pointer.
fn pointers(tree: &Json) -> Vec<(String, &Json)> {
    let mut found = Vec::new();
    collect(tree, String::new(), &mut found);
    found
}

fn collect<'a>(tree: &'a Json, at: String, found: &mut Vec<(String, &'a Json)>) {
    if !at.is_empty() {
        found.push((at.clone(), tree));
    }
    match tree {
        Json::Object(map) => map.iter().for_each(|(key, value)| collect(value, json::join(&at, key), found)),
        Json::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(index, item)| collect(item, json::join(&at, &index.to_string()), found));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;

    fn refused(message: &str, fields: &[(&str, &str)]) -> String {
        let mut origin = Origin::new("x.yaml", Some(3));
        origin.fields = Arc::new([("/color".into(), 4), ("/config/url".into(), 7)].into());
        let declared = json!({"name": "bug", "color": "nope", "config": {"url": "u"}, "records": ["192.0.2.1", "bad-value"]});
        let failure = Failure {
            fields: fields.iter().map(|(name, said)| ((*name).to_owned(), (*said).to_owned())).collect(),
            ..Failure::new(Class::Invalid, message)
        };
        Trouble::of(failure).declared_in(&origin, &declared, &["/name".to_owned()]).message
    }

    #[test]
    fn a_field_error_names_the_line_of_the_field() {
        assert_eq!(refused("422", &[("Color", "Required")]), "`x.yaml:4` `/color` (Required): 422");
        assert_eq!(refused("422", &[("config.URL", "")]), "`x.yaml:7` `/config/url`: 422");
        assert_eq!(refused("422", &[("unheard", "of")]), "`x.yaml:3`: 422");
    }

    #[test]
    fn an_error_in_words_names_the_field_or_the_value_that_it_speaks_of() {
        assert_eq!(refused("the color is odd", &[]), "`x.yaml:4` `/color`: the color is odd");
        assert_eq!(
            refused("bug: parsing 'bad-value'", &[]),
            "`x.yaml:3` `/records/1`: bug: parsing 'bad-value'"
        );
        assert_eq!(refused("colorful bug", &[]), "`x.yaml:3`: colorful bug");
    }
}
