//! Who owns which field: `metadata.managedFields`.

use super::fields::{Fields, List};
use crate::{
    model::value::Value,
    providers::kubernetes::{
        client::{json, transport::MANAGER},
        manifest::{defaulting, names::Kind},
    },
};

/// One entry of `managedFields`.
#[derive(Clone, Copy, PartialEq)]
pub struct Entry<'a> {
    /// The program.
    pub manager: &'a str,
    /// `Apply` or `Update`.
    pub operation: &'a str,
    /// For example `scale`; mostly empty.
    pub subresource: &'a str,
    /// When it last changed any of its fields.
    pub time: Option<&'a str>,
    /// In which version it named them.
    pub api_version: &'a str,
    /// What it owns.
    fields: Option<&'a Value>,
}

/// Everything that anybody owns: it tells which lists have keys.
pub fn shape(object: &Value) -> Fields {
    let mut shape = Fields::default();
    entries(object).for_each(|entry| shape.add(entry.fields()));
    shape
}

/// All entries of an object, as the server says them.
pub fn raw(object: &Value) -> &[Value] {
    match object.get("metadata").and_then(|metadata| metadata.get("managedFields")) {
        Some(Value::List(list)) => list.as_slice(),
        _ => &[],
    }
}

/// All entries of an object of the server.
pub fn entries(object: &Value) -> impl Iterator<Item = Entry<'_>> {
    raw(object).iter().map(|entry| {
        let text = |key: &str| entry.get(key).and_then(Value::as_str);
        Entry {
            manager: text("manager").unwrap_or_default(),
            operation: text("operation").unwrap_or_default(),
            subresource: text("subresource").unwrap_or_default(),
            time: text("time"),
            api_version: text("apiVersion").unwrap_or_default(),
            fields: entry.get("fieldsV1"),
        }
    })
}

impl<'a> Entry<'a> {
    /// Whether it is what trueup applied.
    pub fn is_ours(&self) -> bool {
        self.manager == MANAGER && self.operation == "Apply" && self.subresource.is_empty()
    }

    /// Whether trueup wrote it, applied or not.
    pub fn is_by_us(&self) -> bool {
        self.manager == MANAGER
    }

    /// The program, and what it wrote by if that is not the object itself.
    pub fn who(&self) -> String {
        match self.subresource {
            "" => self.manager.to_owned(),
            subresource => format!("{} ({subresource})", self.manager),
        }
    }

    /// What it owns, as the server says it.
    pub fn raw(&self) -> Option<&'a Value> {
        self.fields
    }

    /// What it owns, as a tree.
    pub fn fields(&self) -> Fields {
        self.fields.map(Fields::read).unwrap_or_default()
    }
}

/// The one entry of what trueup applied.
pub fn applied(object: &Value) -> Option<Entry<'_>> {
    let mut ours = entries(object).filter(Entry::is_ours);
    match (ours.next(), ours.next()) {
        (Some(entry), None) => Some(entry),
        _ => None,
    }
}

/// Why an apply may change something; paths as in a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MayDiffer {
    /// Where.
    pub path: String,
    /// Why.
    pub why: &'static str,
}

/// What the fields that are ours stem from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// An apply of just this.
    This,
    /// An apply of something else, or of nobody knows what.
    Another,
}

impl From {
    /// As far as it is known what was applied last.
    pub fn of(was: Option<&Value>, config: &Value) -> From {
        match was.is_some_and(|was| same(was, config)) {
            true => From::This,
            false => From::Another,
        }
    }
}

/// Two values that are not the same.
const ANOTHER: &str = "another value";

/// A value that is declared, and that the server lacks.
const LACKING: &str = "not there";

impl MayDiffer {
    /// Whether it is about values, and not about who owns them.
    fn is_of_values(&self) -> bool {
        matches!(self.why, ANOTHER | LACKING)
    }
}

/// Whether applying `config` leaves `live` exactly as it is, told from the
/// fields that we own there, without a schema. An error costs a dry run; `Ok` is proof.
///
/// Along the fields F that we own: F is the field set of `config`, so nothing
/// is pruned or claimed; each declared value and the order of declared items
/// are those of `live`, so the merge is `live`; so nothing changes, and nothing conflicts. Where they are not, they
/// may be what the server is known to make of them.
pub fn unchanged(config: &Value, live: &Value, api_version: &str, from: From) -> Result<(), MayDiffer> {
    let walked = walk(config, live, api_version, from);
    let kind = config.get("kind").and_then(Value::as_str).unwrap_or_default();
    match walked {
        Err(found) if found.is_of_values() => {
            match defaulting::settled(config, live, &Kind::new(api_version, kind)) {
                Some((config, live)) => walk(&config, &live, api_version, from),
                None => Err(found),
            }
        }
        walked => walked,
    }
}

fn walk(config: &Value, live: &Value, api_version: &str, from: From) -> Result<(), MayDiffer> {
    let differs = |why| MayDiffer { path: String::new(), why };
    let ours = applied(live).ok_or(differs("trueup never applied it, or not alone under its name"))?;
    if ours.api_version != api_version {
        return Err(differs("it was applied in another API version"));
    }
    let fields = ours.fields.ok_or(differs("the server does not say which fields are ours"))?;
    Walk { core: !api_version.contains('.') || api_version.contains(".k8s.io/"), from }
        .map(config, live, fields, Level::Object)
        .map_err(|mut found| {
            found.path = found.path.split('\u{0}').rev().filter(|step| !step.is_empty()).fold(
                String::new(),
                |mut path, step| {
                    path.push('/');
                    path.push_str(step);
                    path
                },
            );
            found
        })
}

/// Where a mapping is, for the fields that nobody owns.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Object,
    Metadata,
    Below,
}

impl Level {
    /// Fields that are in an object and never in a field set.
    fn unowned(self) -> &'static [&'static str] {
        match self {
            Level::Object => &["apiVersion", "kind"],
            Level::Metadata => &["name", "namespace"],
            Level::Below => &[],
        }
    }
}

struct Walk {
    /// A kind of Kubernetes itself, where a port without protocol is a TCP port.
    core: bool,
    from: From,
}

fn at(step: &str, found: MayDiffer) -> MayDiffer {
    // Steps are put in order once the walk is over.
    MayDiffer { path: format!("{}\u{0}{step}", found.path), ..found }
}

fn here(why: &'static str) -> MayDiffer {
    MayDiffer { path: String::new(), why }
}

impl Walk {
    fn value(&self, config: &Value, live: &Value, fields: &Value) -> Result<(), MayDiffer> {
        let Value::Map(children) = fields else { return Err(here("the server's record of fields is odd")) };
        let first = children.keys().find(|key| &***key != ".");
        match first.map(|key| key.get(..2)) {
            None if same(config, live) => match (config, self.from) {
                // One that was applied empty looks the same, and then nothing in it is ours.
                (Value::Map(map), From::Another) if !map.is_empty() => {
                    Err(here("owned as a whole, or when it was empty"))
                }
                _ => Ok(()),
            },
            None => Err(here(ANOTHER)),
            Some(Some("f:")) => self.map(config, live, fields, Level::Below),
            Some(Some("k:" | "v:")) => self.list(config, live, fields),
            Some(_) => Err(here("items that are owned by position")),
        }
    }

    fn map(&self, config: &Value, live: &Value, fields: &Value, level: Level) -> Result<(), MayDiffer> {
        let (Value::Map(config), Value::Map(live), Value::Map(fields)) = (config, live, fields) else {
            return Err(here("another kind of value"));
        };
        // Both are in the order of their keys.
        let mut fields = fields.iter().filter(|(key, _)| &***key != ".").peekable();
        let mut more = false;
        for (key, value) in config.iter().filter(|(key, _)| !level.unowned().contains(&&***key)) {
            while fields
                .next_if(|(field, _)| field.strip_prefix("f:").is_none_or(|field| *field < **key))
                .is_some()
            {
                more = true;
            }
            let owned = fields.next_if(|(field, _)| field.strip_prefix("f:") == Some(&**key));
            let Some((_, owned)) = owned else { return Err(at(key, here("not owned by us"))) };
            let Some(there) = live.get(key) else { return Err(at(key, here(LACKING))) };
            let below = match level {
                Level::Object if &**key == "metadata" => self.map(value, there, owned, Level::Metadata),
                _ => self.value(value, there, owned),
            };
            below.map_err(|found| at(key, found))?;
        }
        match more || fields.next().is_some() {
            false => Ok(()),
            true => Err(here("owned by us and not declared any more")),
        }
    }

    fn list(&self, config: &Value, live: &Value, fields: &Value) -> Result<(), MayDiffer> {
        let (Value::List(config), Value::List(live), Value::Map(fields)) = (config, live, fields) else {
            return Err(here("another kind of value"));
        };
        let items: Vec<(Key, &Value)> = fields
            .iter()
            .filter(|(key, _)| &***key != ".")
            .map(|(key, below)| Key::read(key).map(|key| (key, below)))
            .collect::<Option<_>>()
            .ok_or(here("items that are owned by position"))?;
        if items.len() != config.len() {
            return Err(here("another number of items is ours"));
        }
        let mut after = 0;
        for item in config {
            let mut owned = items.iter().filter(|(key, _)| key.matches(item, self.core));
            let (Some((key, below)), None) = (owned.next(), owned.next()) else {
                return Err(here("an item is not ours"));
            };
            let mut there = live.iter().enumerate().filter(|(_, there)| key.matches(there, false));
            let (Some((position, there)), None) = (there.next(), there.next()) else {
                return Err(at(&key.label(), here("not there, or twice")));
            };
            if position < after {
                return Err(at(&key.label(), here("in another place of the list")));
            }
            after = position + 1;
            if let Key::Fields(_) = key {
                self.value(item, there, below).map_err(|found| at(&key.label(), found))?;
            }
        }
        Ok(())
    }
}

/// What an item of a list is known by.
enum Key {
    /// The values of its key fields.
    Fields(Vec<(String, Value)>),
    /// Its own value.
    Itself(Value),
}

impl Key {
    fn read(text: &str) -> Option<Key> {
        let (sort, body) = text.split_at_checked(2)?;
        let value = json::read(body.as_bytes()).ok()?;
        match (sort, value) {
            ("k:", Value::Map(map)) => {
                Some(Key::Fields(map.iter().map(|(key, value)| (key.to_string(), value.clone())).collect()))
            }
            ("v:", value) => Some(Key::Itself(value)),
            _ => None,
        }
    }

    fn matches(&self, item: &Value, default_protocol: bool) -> bool {
        match self {
            Key::Itself(value) => same(value, item),
            Key::Fields(pairs) => pairs.iter().all(|(key, wanted)| match item.get(key) {
                Some(value) => same(value, wanted),
                None => default_protocol && key == "protocol" && wanted.as_str() == Some("TCP"),
            }),
        }
    }

    fn label(&self) -> String {
        match self {
            Key::Itself(value) => List::label_of(value),
            Key::Fields(pairs) => List::label(pairs.iter().map(|(key, value)| (key.as_str(), value))),
        }
    }
}

/// Equality that does not mind whether a value is marked as sensitive.
pub fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Sensitive(one), other) | (other, Value::Sensitive(one)) => same(one, other),
        (Value::Map(one), Value::Map(other)) if std::sync::Arc::ptr_eq(one, other) => true,
        (Value::Map(one), Value::Map(other)) => {
            one.len() == other.len()
                && one.iter().zip(other.iter()).all(|((key, value), (other_key, other_value))| {
                    key == other_key && same(value, other_value)
                })
        }
        (Value::List(one), Value::List(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (one, other) => one == other,
    }
}
