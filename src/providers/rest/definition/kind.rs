//! One kind of object of an API.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value as Json;

use super::{
    Condition, Rule,
    fields::{Access, Field},
    list::{List, Page, Read},
    release::Release,
    write::{Batch, Delete, FieldAction, Write},
};

/// One kind of object.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Kind {
    /// What it is, in one line.
    #[serde(default)]
    pub about: Option<String>,
    /// The scope that it lives in; the target itself without one.
    #[serde(default)]
    pub scope: Option<String>,
    /// Kinds that have to be there first.
    #[serde(default)]
    pub depends_on: Vec<String>,
    /// Objects that take it along when they are deleted, besides what it lives in.
    #[serde(default)]
    pub attached_to: Vec<Attachment>,
    /// What is lost when it is deleted.
    #[serde(default)]
    pub risk: Risk,
    /// What tells two of them apart.
    pub identity: Identity,
    /// Where the server's own id is, for `{id}`.
    #[serde(default)]
    pub id: Option<String>,
    /// How the server makes the id of a name, where a list may not show every object.
    #[serde(default)]
    pub id_from_name: Option<IdFromName>,
    /// How all of them are read.
    #[serde(default)]
    pub list: Option<List>,
    /// How one of them is read.
    #[serde(default)]
    pub read: Option<Read>,
    /// A field that stands beside the object in requests and in answers of one, and in no list.
    #[serde(default)]
    pub envelope: Option<Envelope>,
    /// How one is made.
    #[serde(default)]
    pub create: Option<Write>,
    /// How one is changed.
    #[serde(default)]
    pub update: Option<Write>,
    /// How one is removed.
    #[serde(default)]
    pub delete: Option<Delete>,
    /// Fields that have requests of their own.
    #[serde(default)]
    pub actions: Vec<FieldAction>,
    /// Requests that carry many objects at once.
    #[serde(default)]
    pub batch: Option<Batch>,
    /// How a write says which version it means.
    #[serde(default)]
    pub version: Option<Version>,
    /// How to wait for what takes its time.
    #[serde(default)]
    pub wait: Option<Wait>,
    /// Objects whose deletion needs a consent of its own, whatever the risk of the kind: their names within the
    /// scope as a pattern, in which `{name}` is the scope's.
    #[serde(default)]
    pub protect: Vec<String>,
    /// Where this holds for the object as the server has it, or as Git wants it, it is never written.
    #[serde(default)]
    pub protected_when: Option<Condition>,
    /// Values that depend on each other.
    #[serde(default)]
    pub validate: Vec<Rule>,
    /// Where the server says who changed it last.
    #[serde(default)]
    pub writer: Option<Writer>,
    /// What is deleted with it, counted before.
    #[serde(default)]
    pub cascades: Vec<Cascade>,
    /// Its fields, by pointer; `*` stands for any key or item, `{a,b}` for several.
    #[serde(default)]
    pub fields: BTreeMap<String, Field>,
    /// Whether fields that are not listed may be declared.
    #[serde(default)]
    pub additional_fields: bool,
    /// The first version of the product that has it.
    #[serde(default)]
    pub since: Option<Release>,
    /// The first version of the product that has it no more.
    #[serde(default)]
    pub until: Option<Release>,
}

impl Kind {
    /// Whether a scope has only one, which needs no name.
    pub fn is_single(&self) -> bool {
        self.identity.keys.is_empty()
    }

    /// Whether one can be deleted, by itself or among others.
    pub fn is_deletable(&self) -> bool {
        self.delete.is_some() || self.batch.is_some()
    }

    /// Whether one is read by its name, without an id that only the server knows.
    pub fn is_read_by_name(&self) -> bool {
        self.read.is_some() && (self.id.is_none() || self.id_from_name.is_some())
    }

    /// How the name at `key` is written.
    pub fn fold(&self, key: &str) -> NameCase {
        self.fields.get(key).and_then(|field| field.case).unwrap_or(self.identity.case)
    }

    /// The field that locks the object, with the value that does.
    pub fn lock(&self) -> Option<(&String, &Json)> {
        self.fields.iter().find_map(|(pointer, field)| Some((pointer, field.locks.as_ref()?)))
    }

    /// Whether `object` is locked.
    pub fn is_locked(&self, object: &Json) -> bool {
        self.lock().is_some_and(|(pointer, value)| object.pointer(pointer) == Some(value))
    }

    /// The fields that can be declared.
    pub fn declared_fields(&self) -> impl Iterator<Item = (&String, &Field)> {
        self.fields.iter().filter(|(_, field)| field.access != Access::ReadOnly)
    }
}

/// An object that takes another one along when it is deleted.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Attachment {
    /// Its kind, which lives in the same scope or in one that this is in.
    pub kind: String,
    /// The field that names it.
    pub by: String,
}

/// A field that stands beside the object, in requests and in answers of one: `{data: {...}, permissions: {...}}`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    /// The field. An object that declares it is read by itself, since lists do not show it.
    pub field: String,
    /// Where it stands there.
    pub at: String,
    /// Where this does not hold for an answer, the server hides the field from these credentials.
    #[serde(default)]
    pub shown_when: Option<Condition>,
    /// Whether an import reads it too, object by object.
    #[serde(default)]
    pub imported: bool,
}

/// What is lost with an object, or with what is taken out of a field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// Nothing that Git cannot bring back.
    #[default]
    Low,
    /// Data that is nowhere else: deleting needs a consent of its own.
    DataLoss,
    /// Somebody's access: deleting needs a consent of its own.
    Access,
}

/// What tells two objects of a kind apart within their scope.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// Pointers to the fields, in the order of the address. None where a scope has only one, such as its settings.
    pub keys: Vec<String>,
    /// Pointer to a field that tells apart what those do not: its value is the end of the address, and left out
    /// where it is the default.
    #[serde(default)]
    pub discriminator: Option<String>,
    /// How they are written, and whether their case counts.
    #[serde(default)]
    pub case: NameCase,
    /// The field that holds the name before a rename.
    #[serde(default)]
    pub previously: Option<String>,
    /// The field that carries a new name, where it is not the name itself.
    #[serde(default)]
    pub rename: Option<String>,
}

/// How a server makes an id of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IdFromName {
    /// In small letters, each run of anything but letters and digits as one `-`. Names of other letters than
    /// those of ASCII have none that could be told.
    Slug,
}

impl IdFromName {
    /// The id of what is called `name`, if it can be told.
    pub fn of(self, name: &str) -> Option<String> {
        let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
        let slug = words.collect::<Vec<_>>().join("-").to_ascii_lowercase();
        (name.is_ascii() && !slug.is_empty()).then_some(slug)
    }
}

/// How names are written, and whether their case counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NameCase {
    /// As they are: case counts.
    #[default]
    None,
    /// In small letters, whatever is declared.
    Lower,
    /// In capital letters, whatever is declared.
    Upper,
    /// As they are declared where the object is made; two names that differ in case only are one name.
    Insensitive,
}

impl NameCase {
    /// `name` as the server writes it.
    pub fn written(self, name: &str) -> String {
        match self {
            NameCase::None | NameCase::Insensitive => name.to_owned(),
            NameCase::Lower => name.to_lowercase(),
            NameCase::Upper => name.to_uppercase(),
        }
    }

    /// `name` as it stands in an address, where one object has one name.
    pub fn addressed(self, name: &str) -> String {
        match self {
            NameCase::Insensitive => name.to_lowercase(),
            other => other.written(name),
        }
    }

    /// Whether two names mean the same object.
    pub fn same(self, one: &str, other: &str) -> bool {
        one == other || self.addressed(one) == self.addressed(other)
    }
}

/// How a write says which version it means.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Version {
    /// Where the object has its version.
    pub from: String,
    /// The header that carries it, for example `If-Match`.
    #[serde(default)]
    pub header: Option<String>,
    /// The query parameter that carries it.
    #[serde(default)]
    pub query: Option<String>,
    /// The form that it is sent in, in which `{version}` is the version.
    #[serde(default)]
    pub format: Option<String>,
    /// The header, with its value, of a request that must not find the object: `If-None-Match: *`.
    #[serde(default)]
    pub absent: Option<(String, String)>,
}

impl Version {
    /// The form that `version` is sent in.
    pub fn sent(&self, version: &str) -> String {
        self.format.as_deref().unwrap_or("{version}").replace("{version}", version)
    }
}

/// How to wait for what takes its time. What is deleted is waited for until it is gone.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Wait {
    /// What is made or changed is done where this holds for the object; at once without.
    #[serde(default)]
    pub until: Option<Condition>,
    /// Seconds until it has failed.
    pub timeout_s: u64,
}

/// Where the server says who changed an object last.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Writer {
    /// Who.
    #[serde(default)]
    pub who: Option<String>,
    /// When: RFC 3339.
    #[serde(default)]
    pub at: Option<String>,
    /// When: milliseconds since 1970.
    #[serde(default)]
    pub at_ms: Option<String>,
}

/// What is deleted with an object.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cascade {
    /// What it is, in words.
    pub what: String,
    /// The path whose answer holds them.
    pub path: String,
    /// Where they are: a list, or a number.
    #[serde(default)]
    pub count: String,
    /// Whether each of them counts towards the guards as an object that is deleted.
    #[serde(default = "yes")]
    pub counts: bool,
    /// The header with their number, where the answer is only the first page of them.
    #[serde(default)]
    pub total_header: Option<String>,
    /// How further pages of them are asked for, where nothing tells their number.
    #[serde(default)]
    pub page: Page,
}

fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_differ_in_case_only_have_one_address_where_case_does_not_count() {
        assert_eq!(
            (NameCase::Insensitive.written("Acme"), NameCase::Insensitive.addressed("Acme")),
            ("Acme".into(), "acme".into())
        );
        assert!(NameCase::Insensitive.same("Acme", "aCME") && !NameCase::None.same("Acme", "acme"));
    }

    #[test]
    fn the_id_of_a_name_is_told_or_not_guessed() {
        let slug = |name| IdFromName::Slug.of(name);
        assert_eq!(slug("My  Team, 2nd").as_deref(), Some("my-team-2nd"));
        assert_eq!((slug("Müller"), slug("--")), (None, None));
    }
}
