//! What is declared to the server for a change.

use std::collections::BTreeSet;

use crate::model::{
    change::Change,
    path,
    value::{Map, Value},
};

/// What has to be declared for `after`: what Git declares, or where only drift is undone, what it declared before.
pub fn for_change(change: &Change, after: &Value, config: &Value, base: Option<&Value>) -> Value {
    // What is left as it is, is neither: the write sees to it.
    let mut after = after.clone();
    change.left.iter().for_each(|place| path::copy_at(&mut after, place, change.sides.desired.as_ref()));
    match (&change.sides.desired, base) {
        (Some(desired), Some(base)) if *desired != after => {
            undone(Some(base), Some(config), Some(&after), Some(desired)).unwrap_or_else(|| config.clone())
        }
        _ => config.clone(),
    }
}

fn undone(
    base: Option<&Value>,
    config: Option<&Value>,
    after: Option<&Value>,
    desired: Option<&Value>,
) -> Option<Value> {
    if after == desired {
        return config.cloned();
    }
    let (Some(Value::Map(base)), Some(Value::Map(config))) = (base, config) else { return base.cloned() };
    let keys: BTreeSet<_> = base.keys().chain(config.keys()).collect();
    let at = |value: Option<&'_ Value>, key: &str| value.and_then(|value| value.get(key)).cloned();
    let fields = keys.into_iter().filter_map(|key| {
        let (after, desired) = (at(after, key), at(desired, key));
        let below = undone(base.get(key), config.get(key), after.as_ref(), desired.as_ref())?;
        Some((key.clone(), below))
    });
    Some(Value::from(fields.collect::<Map>()))
}
