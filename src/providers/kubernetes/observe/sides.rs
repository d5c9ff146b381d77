//! The three sides of one object as people and the comparison should see them.

use std::sync::Arc;

use super::list_order;
use crate::{
    model::{
        change::ThreeWay,
        value::{Map, Value},
    },
    providers::kubernetes::{
        manifest::{derived, quantity::same_quantity},
        ownership::{
            fields::{Fields, ORDER},
            managed::same,
            owners::Owners,
        },
    },
};

/// What is known of one object; every value with its lists keyed, and without what only the server writes.
pub struct Evidence<'a> {
    /// What was declared when it was applied last.
    pub base: Option<&'a Value>,
    /// What is declared now.
    pub config: &'a Value,
    /// What the server has.
    pub live: Option<&'a Value>,
    /// What the server would have after the apply.
    pub preview: &'a Value,
    /// What trueup applied and nobody took over since.
    pub ours: &'a Fields,
    /// What others than trueup own.
    pub foreign: &'a Fields,
    /// What people own.
    pub human: &'a Fields,
    /// What programs own, trueup among them.
    pub programs: &'a Fields,
}

/// Puts the sides together. A base is what the target would hold had nobody
/// touched it since the last apply; the defaults of the server are then the
/// same on all sides, and only what somebody moved differs.
pub fn sides(evidence: &Evidence<'_>) -> ThreeWay<Value> {
    let Evidence { base, config, live, preview, ours, foreign, human, programs } = *evidence;
    let mut desired = match base {
        Some(_) => without_extras(preview, Some(config), human, Some(programs)),
        None => Some(preview.clone()),
    };
    let mut base = base.and_then(|base| {
        let four = Four { base: Some(base), config: Some(config), live, desired: desired.as_ref() };
        base_of(&four, &Held::of(ours, foreign))
    });
    let mut actual = live.cloned();
    list_order::settle([base.as_mut(), desired.as_mut(), actual.as_mut()]);
    ThreeWay { base, desired, actual }
}

/// The base of an object that is not declared any more.
pub fn base_of_leaving(base: &Value, live: &Value, owners: &Owners) -> Option<Value> {
    let untouched = without_extras(live, None, &owners.human, Some(&owners.programs));
    let four = Four { base: Some(base), config: None, live: Some(live), desired: untouched.as_ref() };
    let mut base = base_of(&four, &Held::of(&owners.ours, &owners.foreign))?;
    let mut actual = live.clone();
    list_order::settle([Some(&mut base), None, Some(&mut actual)]);
    Some(base)
}

/// What an apply leaves behind, without what people added and nobody declared.
fn without_extras(
    value: &Value,
    config: Option<&Value>,
    human: &Fields,
    programs: Option<&Fields>,
) -> Option<Value> {
    let Value::Map(map) = value else { return Some(value.clone()) };
    let mut kept = Map::with_capacity(map.len());
    for (key, value) in map.iter() {
        let below = match human.get(key) {
            None => Some(value.clone()),
            Some(human) => {
                let config = config.and_then(|config| config.get(key));
                let programs = programs.and_then(|programs| programs.get(key));
                match (config, programs) {
                    (None, None) => None,
                    _ => without_extras(value, config, human, programs),
                }
            }
        };
        if let Some(below) = below {
            kept.insert(key.clone(), below);
        }
    }
    let emptied = kept.keys().all(|key| &**key == ORDER) && !map.is_empty() && config.is_none();
    (!emptied).then_some(Value::from(kept))
}

#[derive(Clone, Copy)]
struct Four<'a> {
    base: Option<&'a Value>,
    config: Option<&'a Value>,
    live: Option<&'a Value>,
    desired: Option<&'a Value>,
}

impl<'a> Four<'a> {
    fn all(&self) -> [Option<&'a Value>; 4] {
        [self.base, self.config, self.live, self.desired]
    }

    fn at(&self, key: &str) -> Four<'a> {
        let [base, config, live, desired] = self.all().map(|value| value.and_then(|value| value.get(key)));
        Four { base, config, live, desired }
    }
}

/// Who owns what, from the place on that is looked at.
struct Held<'a> {
    ours: Option<&'a Fields>,
    foreign: Option<&'a Fields>,
}

impl<'a> Held<'a> {
    fn of(ours: &'a Fields, foreign: &'a Fields) -> Held<'a> {
        Held { ours: Some(ours), foreign: Some(foreign).filter(|foreign| !foreign.is_empty()) }
    }

    fn at(&self, key: &str) -> Held<'a> {
        let ours = self.ours.and_then(|ours| ours.get(key));
        // Whoever owns a value as a whole owns what is in it.
        let foreign = self.foreign.and_then(|foreign| match foreign.is_empty() {
            true => Some(foreign),
            false => foreign.get(key),
        });
        Held { ours, foreign }
    }
}

fn base_of(four: &Four<'_>, held: &Held<'_>) -> Option<Value> {
    let maps = four.all().into_iter().flatten().all(|value| matches!(value, Value::Map(_)));
    let is_whole = maps && four.live.is_some() && four.desired.is_some();
    if let (Some(base), Some(config)) = (four.base, four.config)
        && same(base, config)
        && !is_whole
    {
        // Declared the same then and now: what the server would make of it is what it made of it.
        return four.desired.cloned();
    }
    let mut keys: Vec<&Arc<str>> = four.all().into_iter().flatten().flat_map(keys).collect();
    // Where all are empty, there is nothing to go into: they are one value.
    if maps && !keys.is_empty() && (four.live.is_some() || four.desired.is_some()) {
        keys.sort_unstable();
        keys.dedup();
        let mut whole = Map::with_capacity(keys.len());
        for key in keys {
            let four = four.at(key);
            let below = match &**key {
                ORDER if four.base.is_some() && four.base == four.config => four.desired.cloned(),
                ORDER => four.live.cloned(),
                _ => base_of(&four, &held.at(key)),
            };
            if let Some(below) = below {
                whole.insert(key.clone(), below);
            }
        }
        let nothing = whole.is_empty() && four.base.is_none();
        return (!nothing).then_some(Value::from(whole));
    }
    match (four.base, four.config, four.live) {
        (Some(base), _, Some(live)) if same(base, live) || same_quantity(base, live) => Some(live.clone()),
        // The server may have left it out, as it does with a zero.
        (Some(_), _, live) if is_untouched(held.ours) => live.cloned(),
        (Some(base), ..) => Some(base.clone()),
        (None, Some(_), Some(live)) if held.foreign.is_none() => Some(live.clone()),
        (None, Some(_), _) => None,
        // What nobody declared and nobody else owns is a default of the server, which goes with what it is in.
        (None, None, live) if held.foreign.is_none() => live.cloned(),
        (None, None, live) => four.desired.and(live).cloned(),
    }
}

fn keys(value: &Value) -> impl Iterator<Item = &Arc<str>> {
    let map = match value {
        Value::Map(map) => Some(&**map),
        _ => None,
    };
    map.into_iter().flat_map(|map| map.keys())
}

/// What a server would make of `config`, told without asking it: declared fields win, what was declared the same
/// in `base` stays what the server made of it, and what we own and do not declare any more goes unless somebody
/// else owns it too.
pub fn predict(live: &Value, config: &Value, base: Option<&Value>, owners: &Owners) -> Value {
    let mut kept = live.clone();
    prune(&mut kept, Some(config), &owners.ours, Some(&owners.foreign));
    overlay(&mut kept, config, base, Some(&owners.ours));
    kept
}

/// What an apply would make of `live` if it took out at once what is in the way of what is declared: additions by
/// hand, what others have in an item that is dropped, and what nobody owns beside values that change.
pub fn predict_exchange(live: &Value, config: &Value, base: Option<&Value>, owners: &Owners) -> Value {
    let mut kept = predict(live, config, base, owners);
    let sides = Exchange { live, config, base };
    exchange(&mut kept, &sides, &owners.ours, Some(&owners.foreign));
    without_extras(&kept, Some(config), &owners.human, Some(&owners.programs)).unwrap_or(kept)
}

/// One place of an object whose fields are exchanged.
struct Exchange<'a> {
    live: &'a Value,
    config: &'a Value,
    base: Option<&'a Value>,
}

impl<'a> Exchange<'a> {
    fn at(&self, key: &str) -> Option<Exchange<'a>> {
        let base = self.base.and_then(|base| base.get(key));
        Some(Exchange { live: self.live.get(key)?, config: self.config.get(key)?, base })
    }

    /// Whether a value comes or changes here.
    fn moves(&self) -> bool {
        let Value::Map(config) = self.config else { return false };
        config.iter().any(|(key, value)| match self.live.get(key) {
            Some(Value::Map(_)) => false,
            Some(there) => !same(there, value),
            None => true,
        })
    }
}

fn exchange(kept: &mut Value, sides: &Exchange<'_>, ours: &Fields, foreign: Option<&Fields>) {
    let (Value::Map(map), Value::Map(config)) = (kept, sides.config) else { return };
    let is_free =
        |key: &str| ours.get(key).is_none() && foreign.and_then(|foreign| foreign.get(key)).is_none();
    let moves = sides.moves();
    let stale: Vec<&str> = derived::stale(sides.base, sides.config).collect();
    let map = Arc::make_mut(map);
    map.retain(|key, _| {
        let goes = match ours.is_list() {
            true => ours.get(key).is_some(),
            false => is_free(key) && (moves || stale.contains(&&**key)),
        };
        config.contains_key(key) || &**key == ORDER || !goes
    });
    let nothing = Fields::default();
    for (key, value) in map.iter_mut() {
        if let Some(below) = sides.at(key) {
            let foreign = foreign.and_then(|foreign| foreign.get(key));
            exchange(value, &below, ours.get(key).unwrap_or(&nothing), foreign);
        }
    }
}

fn prune(live: &mut Value, config: Option<&Value>, ours: &Fields, foreign: Option<&Fields>) {
    let Value::Map(map) = live else { return };
    let map = Arc::make_mut(map);
    let owned: Vec<Arc<str>> = map.keys().filter(|key| ours.get(key).is_some()).cloned().collect();
    for key in owned {
        let Some(ours) = ours.get(&key) else { continue };
        let config = config.and_then(|config| config.get(&key));
        let foreign = foreign.and_then(|foreign| foreign.get(&key));
        match (config, foreign) {
            (None, None) => _ = map.remove(&key),
            _ => {
                if let Some(value) = map.get_mut(&key) {
                    prune(value, config, ours, foreign);
                }
            }
        }
    }
}

fn overlay(live: &mut Value, config: &Value, base: Option<&Value>, ours: Option<&Fields>) {
    match (live, config) {
        (Value::Map(live), Value::Map(config)) => {
            let live = Arc::make_mut(live);
            for (key, value) in config.iter() {
                let base = base.and_then(|base| base.get(key));
                match live.get_mut(key) {
                    Some(_) if &**key == ORDER => {}
                    Some(there) => overlay(there, value, base, ours.and_then(|ours| ours.get(key))),
                    None => _ = live.insert(key.clone(), value.clone()),
                }
            }
        }
        (_, config) if is_untouched(ours) && base.is_some_and(|base| same(base, config)) => {}
        (live, config) => *live = config.clone(),
    }
}

/// Whether a value is what the server made of what trueup applied: whoever else had changed it would own it.
fn is_untouched(ours: Option<&Fields>) -> bool {
    ours.is_some_and(Fields::is_empty)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_default_of_the_server_is_nobodys_change() {
        let object = |mode: &str, default: bool| {
            let mut fields = vec![("mode", Value::string(mode))];
            fields.extend(default.then(|| ("context", Value::from(Map::new()))));
            Value::map(fields)
        };
        let none = Fields::default();
        let sides = sides(&Evidence {
            base: Some(&object("a", false)),
            config: &object("b", false),
            live: Some(&object("b", true)),
            preview: &object("b", true),
            ours: &none,
            foreign: &none,
            human: &none,
            programs: &none,
        });
        assert_eq!(sides.base, Some(object("a", true)));
    }

    #[test]
    fn what_the_server_adds_to_a_whole_value_is_nobodys_change() {
        let claims = |size: &str, default: bool| {
            let mut claim = vec![("size", Value::string(size))];
            claim.extend(default.then(|| ("mode", Value::string("Filesystem"))));
            Value::map([("claims", Value::List(vec![Value::map(claim)]))])
        };
        let (base, live, owners) = (claims("1", false), claims("1", true), owning("claims"));
        let sides = |preview: &Value| {
            sides(&Evidence {
                base: Some(&base),
                config: &claims("2", false),
                live: Some(&live),
                preview,
                ours: &owners.ours,
                foreign: &owners.foreign,
                human: &owners.human,
                programs: &owners.programs,
            })
        };
        assert_eq!(sides(&claims("2", true)).base.as_ref(), Some(&live), "the target did not move");
        assert_eq!(base_of_leaving(&base, &live, &owners).as_ref(), Some(&live), "nor for one that goes");
        assert_eq!(predict(&live, &base, Some(&base), &owners), live, "declared the same, nothing changes");
        assert_eq!(predict(&live, &claims("2", false), Some(&base), &owners), claims("2", false));
    }

    /// Trueup owns `field` as a whole, and nobody else owns anything.
    fn owning(field: &str) -> Owners {
        let fields = Value::map([(format!("f:{field}"), Value::from(Map::new()))]);
        let entry = Value::map([
            ("manager", Value::string("trueup")),
            ("operation", Value::string("Apply")),
            ("fieldsV1", fields),
        ]);
        let entries = Value::map([("managedFields", Value::List(vec![entry]))]);
        let applied = Value::map([("metadata", entries)]);
        Owners::of(&applied, &applied, &globset::GlobSet::empty())
    }
}
