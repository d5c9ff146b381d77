//! What becomes of the fields of managers that trueup takes over from: what Git declares becomes ours alone, and the
//! rest is remembered as what was there before.

use std::{collections::BTreeMap, sync::Arc};

use globset::GlobSet;

use super::{
    fields::{self, Fields},
    managed::{self, Entry, applied},
};
use crate::{
    model::{
        path::escape,
        value::{Map, Value},
    },
    providers::kubernetes::client::{
        failure::Failure,
        json_patch,
        transport::{Answer, WriteClient},
    },
};

/// The manager under which Kubernetes itself keeps what was there before the first apply.
const BEFORE: &str = "before-first-apply";

/// How many fields of one manager a plan lists.
const LISTED: usize = 20;

/// Whose fields go with ours: those of the managers that the target takes over from, and those of people.
#[derive(Clone, Debug, Default)]
pub struct Predecessors {
    pub managers: GlobSet,
    pub human_field_managers: GlobSet,
}

impl Predecessors {
    /// Whether the fields of an entry are given up to us.
    pub fn has(&self, entry: &Entry<'_>) -> bool {
        !entry.is_by_us()
            && entry.subresource != "status"
            && (self.managers.is_match(entry.manager) || self.human_field_managers.is_match(entry.manager))
    }

    /// What is ours and not declared any more, and what only predecessors own besides us: it goes with our
    /// declaration.
    pub fn dropped(&self, live: &Value, config: &Value) -> Fields {
        let Some(ours) = applied(live).map(|entry| entry.fields()) else { return Fields::default() };
        let (mut theirs, mut held) = (Fields::default(), Fields::default());
        for entry in managed::entries(live).filter(|entry| !entry.is_ours()) {
            match self.has(&entry) {
                true => theirs.add(entry.fields()),
                false => held.add(entry.fields()),
            }
        }
        let mut dropped = ours.dropped(&theirs, Some(config));
        dropped.subtract(&held);
        dropped
    }

    /// What predecessors own of an object that is not ours yet and Git does not declare: a line for each manager.
    pub fn undeclared(&self, live: &Value, actual: &Value, config: &Value) -> Vec<String> {
        if applied(live).is_some() {
            return Vec::new();
        }
        let entries = managed::entries(live).filter(|entry| self.has(entry));
        entries.filter_map(|entry| undeclared(&entry, actual, config)).collect()
    }

    /// The `managedFields` that an object has to have before it is applied to; none if they may stay.
    fn entries(&self, live: &Value, config: &Value) -> Option<Value> {
        let Some(ours) = applied(live) else { return self.renamed(live) };
        let dropped = self.dropped(live, config);
        if dropped.is_empty() {
            return None;
        }
        let nothing = Value::from(Map::new());
        let ours = ours.raw().unwrap_or(&nothing);
        let entries = managed::raw(live).iter().zip(managed::entries(live));
        let entries = entries.filter_map(|(raw, entry)| match self.has(&entry) {
            false => Some(raw.clone()),
            true => {
                let left = without(entry.raw()?, Some(ours), Some(&dropped))?;
                Some(with(raw, "fieldsV1", left))
            }
        });
        Some(Value::List(entries.collect()))
    }

    /// The entries of predecessors as those of one manager that never counts as a person: what is there now was
    /// there before the first apply, whatever they write later.
    fn renamed(&self, live: &Value) -> Option<Value> {
        let (mut kept, mut before) = (Vec::new(), BTreeMap::<&str, Value>::new());
        let mut moves = false;
        for (raw, entry) in managed::raw(live).iter().zip(managed::entries(live)) {
            if !self.has(&entry) {
                kept.push(raw.clone());
                continue;
            }
            moves |= entry.manager != BEFORE;
            let merged = match before.remove(entry.api_version) {
                Some(earlier) => joined(&earlier, raw),
                None => renamed(raw),
            };
            before.insert(entry.api_version, merged);
        }
        moves.then(|| Value::List(kept.into_iter().chain(before.into_values()).collect()))
    }

    /// Takes over what an apply of `config` needs; answers the object as it is then. Nothing but the owners of
    /// fields changes, and only those of the version that was seen.
    pub async fn take_over(
        &self,
        writing: &WriteClient,
        path: &str,
        live: &Value,
        config: &Value,
    ) -> Option<Result<Answer, Failure>> {
        let config = managed::shape(live).keyed(config);
        let entries = self.entries(live, &config)?;
        Some(replace_entries(writing, path, live, entries).await)
    }
}

/// Gives an object other owners of its fields, if it still is in the version of `live`.
pub async fn replace_entries(
    writing: &WriteClient,
    path: &str,
    live: &Value,
    entries: Value,
) -> Result<Answer, Failure> {
    writing
        .patch(path, &json_patch::guarded(live, [json_patch::set("/metadata/managedFields", entries)]))
        .await
}

fn undeclared(entry: &Entry<'_>, actual: &Value, config: &Value) -> Option<String> {
    let mut paths = Vec::new();
    entry.fields().each(&mut Vec::new(), &mut |path| {
        let at = |value| path.iter().try_fold(value, |at: &Value, step| at.get(step));
        if at(actual).is_some() && at(config).is_none() {
            let steps = path.iter().map(|step| format!("/{}", escape(step)));
            paths.push(format!("`{}`", steps.collect::<String>()));
        }
    });
    let more = paths.len().saturating_sub(LISTED);
    paths.truncate(LISTED);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    let list = paths.join(", ");
    (!paths.is_empty()).then(|| format!("not declared, and stays as {} left it: {list}{more}", entry.who()))
}

/// An entry with another value of one key.
pub(super) fn with(raw: &Value, key: &str, value: Value) -> Value {
    let Value::Map(map) = raw else { return raw.clone() };
    let mut map = (**map).clone();
    map.insert(key.into(), value);
    Value::from(map)
}

fn renamed(raw: &Value) -> Value {
    let Value::Map(map) = raw else { return raw.clone() };
    let mut map = (**map).clone();
    map.remove("subresource");
    map.insert("manager".into(), Value::string(BEFORE));
    map.insert("operation".into(), Value::string("Update"));
    Value::from(map)
}

/// Two entries as one, of the later time.
fn joined(one: &Value, other: &Value) -> Value {
    let nothing = Value::from(Map::new());
    let fields = |entry: &Value| entry.get("fieldsV1").cloned().unwrap_or_else(|| nothing.clone());
    let mut whole = with(one, "fieldsV1", union(&fields(one), &fields(other)));
    let time = |entry: &Value| entry.get("time").and_then(Value::as_str).map(str::to_owned);
    if let Some(time) = time(one).max(time(other)) {
        whole = with(&whole, "time", Value::string(time));
    }
    whole
}

/// All fields of two sets.
pub(super) fn union(one: &Value, other: &Value) -> Value {
    let (Value::Map(one), Value::Map(other)) = (one, other) else { return one.clone() };
    let mut all = (**one).clone();
    for (key, below) in other.iter() {
        let joined = all.get(key).map_or_else(|| below.clone(), |mine| union(mine, below));
        all.insert(key.clone(), joined);
    }
    Value::from(all)
}

/// The fields of a set that `ours` lacks and that are not in what is `dropped` as a whole; none if there are none.
pub(super) fn without(fields: &Value, ours: Option<&Value>, dropped: Option<&Fields>) -> Option<Value> {
    let Value::Map(map) = fields else { return None };
    if map.is_empty() {
        return ours.is_none().then(|| fields.clone());
    }
    let mut left = Map::new();
    for (key, below) in map.iter() {
        if &**key == "." {
            // Whoever has something in it keeps it.
            if ours.is_none() {
                left.insert(key.clone(), below.clone());
            }
            continue;
        }
        let gone = dropped.and_then(|dropped| dropped.get(&fields::label(key)?));
        if gone.is_some_and(Fields::is_empty) {
            continue;
        }
        let ours: Option<&Value> = ours.and_then(|ours| ours.get(key));
        if let Some(below) = without(below, ours, gone) {
            left.insert(Arc::clone(key), below);
        }
    }
    (!left.is_empty()).then(|| Value::from(left))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::value;

    fn predecessors() -> Predecessors {
        let globs = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
            crate::providers::kubernetes::options::globs(&names).unwrap()
        };
        Predecessors { managers: globs(&["helm", BEFORE]), human_field_managers: globs(&["kubectl*"]) }
    }

    /// An object with the fields of several managers: name, operation, subresource, fields.
    fn object(entries: &[(&str, &str, &str, &str)]) -> Value {
        let entry = |(manager, operation, subresource, fields): &(&str, &str, &str, &str)| {
            format!(
                r#"{{"manager": "{manager}", "operation": "{operation}", "subresource": "{subresource}",
                    "apiVersion": "v1", "fieldsV1": {fields}}}"#
            )
        };
        let entries: Vec<String> = entries.iter().map(entry).collect();
        value(&format!(r#"{{"metadata": {{"managedFields": [{}]}}}}"#, entries.join(",")))
    }

    fn owned(entries: &Value) -> Vec<(String, String)> {
        let Value::List(entries) = entries else { panic!("{entries:?}") };
        let fields = |entry: &Value| {
            let mut found = Vec::new();
            Fields::read(entry.get("fieldsV1").unwrap())
                .each(&mut Vec::new(), &mut |path| found.push(path.join("/")));
            found.join(" ")
        };
        let manager = |entry: &Value| entry.get("manager").and_then(Value::as_str).unwrap().to_owned();
        entries.iter().map(|entry| (manager(entry), fields(entry))).collect()
    }

    const OURS: (&str, &str, &str, &str) = ("trueup", "Apply", "", r#"{"f:data": {"f:a": {}, "f:b": {}}}"#);

    #[test]
    fn what_is_dropped_is_ours_alone_and_the_rest_is_not() {
        let helm = ("helm", "Update", "", r#"{"f:data": {".": {}, "f:a": {}, "f:b": {}, "f:c": {}}}"#);
        let live = object(&[OURS, helm]);
        let config = value(r#"{"data": {"a": "1"}}"#);
        let entries = predecessors().entries(&live, &config).unwrap();
        let expected = [("trueup", "data/a data/b"), ("helm", "data/c")];
        assert_eq!(owned(&entries), expected.map(|(one, other)| (one.to_owned(), other.to_owned())));
        let whole = value(r#"{"data": {"a": "1", "b": "2"}}"#);
        assert_eq!(predecessors().entries(&live, &whole), None, "nothing is dropped");
    }

    #[test]
    fn what_a_program_owns_too_is_not_dropped() {
        let helm = ("helm", "Update", "", r#"{"f:data": {"f:a": {}, "f:b": {}}}"#);
        let operator = ("operator", "Apply", "", r#"{"f:data": {"f:b": {}}}"#);
        let live = object(&[OURS, helm, operator]);
        assert_eq!(predecessors().entries(&live, &value(r#"{"data": {"a": "1"}}"#)), None);
    }

    #[test]
    fn an_item_that_is_dropped_goes_with_all_that_predecessors_have_in_it() {
        let ours = ("trueup", "Apply", "", r#"{"f:list": {"k:{\"name\":\"x\"}": {".": {}, "f:name": {}}}}"#);
        let theirs = (
            "kubectl-edit",
            "Update",
            "",
            r#"{"f:list": {"k:{\"name\":\"x\"}": {".": {}, "f:name": {}, "f:tty": {}}}}"#,
        );
        let live = object(&[ours, theirs]);
        let entries = predecessors().entries(&live, &value(r#"{"list": {}}"#)).unwrap();
        assert_eq!(owned(&entries).len(), 1, "{entries:?}");
    }

    #[test]
    fn what_is_there_at_takeover_is_nobodys_later() {
        let scale = ("kubectl", "Update", "scale", r#"{"f:spec": {"f:replicas": {}}}"#);
        let helm = ("helm", "Apply", "", r#"{"f:spec": {"f:paused": {}}}"#);
        let status = ("kubectl", "Update", "status", r#"{"f:status": {"f:phase": {}}}"#);
        let operator = ("operator", "Update", "", r#"{"f:spec": {"f:other": {}}}"#);
        let live = object(&[scale, helm, status, operator]);
        let entries = predecessors().entries(&live, &value("{}")).unwrap();
        let expected =
            [("kubectl", "status/phase"), ("operator", "spec/other"), (BEFORE, "spec/paused spec/replicas")];
        assert_eq!(owned(&entries), expected.map(|(one, other)| (one.to_owned(), other.to_owned())));
        let settled = with(&live, "metadata", Value::map([("managedFields", entries)]));
        assert_eq!(predecessors().entries(&settled, &value("{}")), None, "twice is once");
    }
}
