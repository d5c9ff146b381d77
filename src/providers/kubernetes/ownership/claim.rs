//! Fields that become ours right before an apply which does not declare them: the apply then takes them out in one step
//! with what comes in their place, which the server would refuse in two.

use super::{
    fields::{Fields, ORDER},
    managed,
    takeover::{self, union, with, without},
};
use crate::{
    model::value::{Map, Value},
    providers::kubernetes::client::{
        failure::Failure,
        transport::{Answer, WriteClient},
    },
};

/// Top-level fields that no apply takes out.
pub const KEPT: [&str; 4] = ["apiVersion", "kind", "metadata", "status"];

/// Makes ours alone what `live` has otherwise than `after`, whose lists are keyed, and `config` does not declare; none
/// if there is nothing. Nothing but the owners of fields changes, and only if the object still is in the version of
/// `live`.
pub async fn claim(
    writing: &WriteClient,
    path: &str,
    live: &Value,
    after: &Value,
    config: &Value,
) -> Option<Result<Answer, Failure>> {
    let entries = entries(live, after, config)?;
    Some(takeover::replace_entries(writing, path, live, entries).await)
}

fn entries(live: &Value, after: &Value, config: &Value) -> Option<Value> {
    let going = going(live, after, config)?;
    let entries = managed::raw(live).iter().zip(managed::entries(live));
    let entries = entries.filter_map(|(raw, entry)| {
        let fields = entry.raw()?;
        let fields = match entry.is_ours() {
            true => union(fields, &going),
            false if entry.subresource == "status" => fields.clone(),
            false => without(fields, Some(&going), None)?,
        };
        Some(with(raw, "fieldsV1", fields))
    });
    Some(Value::List(entries.collect()))
}

/// What `after` has otherwise, in the form of `fieldsV1`.
fn going(live: &Value, after: &Value, config: &Value) -> Option<Value> {
    let shape = managed::shape(live);
    let config = shape.keyed(config);
    let Value::Map(map) = live else { return None };
    let below = map.iter().filter(|(key, _)| !KEPT.contains(&&***key)).filter_map(|(key, value)| {
        let fields = missing(value, after.get(key), config.get(key), &shape.below(key))?;
        Some((format!("f:{key}").into(), fields))
    });
    some(below.collect())
}

fn some(fields: Map) -> Option<Value> {
    (!fields.is_empty()).then(|| Value::from(fields))
}

fn missing(value: &Value, after: Option<&Value>, config: Option<&Value>, shape: &Fields) -> Option<Value> {
    let Some(after) = after else { return Some(whole(value, shape)) };
    let declared = |key: &str| config.and_then(|config| config.get(key));
    match value {
        Value::Map(map) => {
            let below = map.iter().filter_map(|(key, value)| {
                let fields = missing(value, after.get(key), declared(key), &shape.below(key))?;
                Some((format!("f:{key}").into(), fields))
            });
            some(below.collect())
        }
        Value::List(items) if shape.is_list() => {
            let below = items.iter().filter_map(|item| {
                let label = shape.names(item)?;
                let fields = match after.get(&label) {
                    None => whole_item(item, shape),
                    after => missing(item, after, declared(&label), &shape.below(ORDER))?,
                };
                Some((shape.key_of(item)?.into(), fields))
            });
            some(below.collect())
        }
        _ => (config.is_none() && !managed::same(value, after)).then(|| whole(value, shape)),
    }
}

/// All fields of a value.
fn whole(value: &Value, shape: &Fields) -> Value {
    match value {
        Value::Map(map) => {
            let below =
                map.iter().map(|(key, value)| (format!("f:{key}").into(), whole(value, &shape.below(key))));
            Value::from(below.collect::<Map>())
        }
        Value::List(items) if shape.is_list() => {
            let below =
                items.iter().filter_map(|item| Some((shape.key_of(item)?.into(), whole_item(item, shape))));
            Value::from(below.collect::<Map>())
        }
        _ => Value::from(Map::new()),
    }
}

/// All fields of an item of a list, and the item itself.
fn whole_item(item: &Value, shape: &Fields) -> Value {
    let itself = Value::map([(".", Value::from(Map::new()))]);
    union(&itself, &whole(item, &shape.below(ORDER)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::value;

    #[test]
    fn what_goes_becomes_ours_alone() {
        let live = value(
            r#"{
            "spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}},
                     "ports": [{"port": 53, "protocol": "UDP", "name": "d"}]},
            "metadata": {"managedFields": [
                {"manager": "trueup", "operation": "Apply", "fieldsV1": {"f:spec": {"f:strategy": {"f:type": {}}}}},
                {"manager": "kubectl-edit", "operation": "Update", "fieldsV1": {"f:spec": {"f:ports": {
                    "k:{\"port\":53,\"protocol\":\"UDP\"}": {".": {}, "f:name": {}, "f:port": {}, "f:protocol": {}}}}}}]}}"#,
        );
        let after = value(r#"{"spec": {"strategy": {"type": "Recreate"}, "ports": {}}}"#);
        let expected = value(
            r#"[{"manager": "trueup", "operation": "Apply", "fieldsV1": {"f:spec": {
                "f:strategy": {"f:type": {}, "f:rollingUpdate": {"f:maxSurge": {}}},
                "f:ports": {"k:{\"port\":53,\"protocol\":\"UDP\"}":
                    {".": {}, "f:name": {}, "f:port": {}, "f:protocol": {}}}}}}]"#,
        );
        let config = value(r#"{"spec": {"strategy": {"type": "Recreate"}}}"#);
        assert_eq!(entries(&live, &after, &config), Some(expected));
    }

    #[test]
    fn where_nothing_goes_nothing_is_claimed() {
        let live = value(r#"{"spec": {"a": 1}, "status": {"b": 2}, "metadata": {"labels": {"c": "d"}}}"#);
        let config = value(r#"{"spec": {"a": 2}}"#);
        assert_eq!(entries(&live, &config, &config), None);
    }
}
