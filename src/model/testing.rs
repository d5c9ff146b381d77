//! Plans and changes with nothing special about them, for tests.

use super::{
    address::Address,
    change::{Action, Change, Class, ThreeWay},
    plan::{Plan, TargetName},
    revision::Revision,
    value::Value,
};

/// A plan of `changes` for a target that holds nothing else.
pub fn plan(changes: Vec<Change>) -> Plan {
    Plan {
        target: TargetName { name: "t".into(), environment: None, provider: "p".into(), id: "t".into() },
        revision: Revision::of(None, "HEAD"),
        base: None,
        applied_at: None,
        attempted: None,
        changes,
        unchanged: 0,
        found: 0,
        owned: 0,
        external: Default::default(),
        ignored: Vec::new(),
        complete: true,
        notes: Vec::new(),
        explanations: Vec::new(),
        cost: None,
        definition: None,
        failure: None,
    }
}

/// A change of an object that is ours, which leaves it as desired.
pub fn change(address: &str, action: Action, class: Class, sides: ThreeWay<Value>) -> Change {
    Change { owned: true, ..Change::new(Address::new(address), action, class, sides) }
}

/// A value, given as JSON.
pub fn value(json: &str) -> Value {
    fn of(json: serde_json::Value) -> Value {
        match json {
            serde_json::Value::Null => Value::Null,
            serde_json::Value::Bool(flag) => Value::Bool(flag),
            serde_json::Value::Number(number) => Value::Number(number),
            serde_json::Value::String(text) => Value::string(text),
            serde_json::Value::Array(items) => Value::List(items.into_iter().map(of).collect()),
            serde_json::Value::Object(map) => {
                Value::map(map.into_iter().map(|(key, value)| (key, of(value))))
            }
        }
    }
    of(serde_json::from_str(json).expect("the test gives JSON"))
}
