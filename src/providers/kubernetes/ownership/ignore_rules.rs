//! What rules leave to the cluster: an apply changes neither its value nor its owner.

use std::sync::Arc;

use super::{
    fields::Fields,
    managed::{self, applied},
    ownership_labels::with_ownership_labels,
    scaling::Scaled,
};
use crate::{
    model::{
        address::Address,
        change::ThreeWay,
        ignore::{self, Effect, Fact, Git, Ignored, Rule, Rules, Subject},
        path::{self, Pattern, Place},
        value::{Map, Value},
    },
    providers::kubernetes::{apply::write::About, manifest::names::Name},
};

/// The rules of a cluster, and what they have to know of it.
#[derive(Clone, Default)]
pub struct Ignoring {
    pub rules: Rules,
    pub scaled: Scaled,
}

/// What Git declares of one object, as it is sent, and what is left to others there.
#[derive(Clone, Copy)]
pub struct Declared<'a> {
    pub rules: &'a [Arc<Rule>],
    /// When it was applied last, if that is known.
    pub was: Option<&'a Value>,
    /// Now.
    pub is: Option<&'a Value>,
    /// Places that the command line leaves, whatever the rules say.
    pub left: &'a [Place],
}

impl Ignoring {
    /// The rules about one object.
    pub fn about(&self, address: &Address, name: &Name, declared: Option<&Value>) -> Vec<Arc<Rule>> {
        let facts: &[Fact] = if self.scaled.has(name) { &[Fact::Autoscaled] } else { &[] };
        let names = [
            name.kind.group.as_str(),
            &name.kind.kind,
            name.namespace.as_deref().unwrap_or_default(),
            &name.name,
        ];
        self.rules.about(&Subject { address, names: Some(names), declared, facts })
    }
}

impl Declared<'_> {
    /// What is to be sent: of what is left to others, what is ours already with its present value, and nothing
    /// else. Both keep the value and the owner.
    pub fn effective(&self, live: &Value) -> Option<Value> {
        let config = self.is?;
        let places = self.all_places(live);
        if places.is_empty() {
            return Some(config.clone());
        }
        let ours = applied(live).map(|entry| entry.fields()).unwrap_or_default();
        let kept = part(live, &ours).unwrap_or(Value::Null);
        let mut sent = config.clone();
        for place in places.iter().rev() {
            path::copy_at(&mut sent, place, Some(&kept));
        }
        for place in [&["apiVersion"][..], &["kind"], &["metadata", "name"], &["metadata", "namespace"]] {
            let place: Place = place.iter().map(|&step| step.into()).collect();
            path::copy_at(&mut sent, &place, Some(config));
        }
        Some(sent)
    }

    /// What became of the places of an object that is otherwise as declared, given what people added to it.
    pub fn effects(&self, live: &Value, by_hand: &Fields) -> Vec<Ignored> {
        let places = self.places(live);
        if places.is_empty() {
            return Vec::new();
        }
        let shape = managed::shape(live);
        let keyed = |value: Option<&Value>| value.map(|value| shape.keyed(value));
        let [live, was, is] = [Some(live), self.was, self.is].map(keyed);
        let effect = |(rule, place): (&Arc<Rule>, Place)| {
            let at = |side: &Option<Value>| side.as_ref().and_then(|side| path::get(side, &place)).cloned();
            let differs = match (at(&is), at(&was), at(&live)) {
                (Some(is), _, Some(live)) => !managed::same(&is, &live),
                (is, was, _) => is.is_some() || was.is_some(),
            };
            let effect = if differs || by_hand.at(&place).is_some() { Effect::Hidden } else { Effect::Same };
            Ignored { rule: rule.id.clone(), place, effect }
        };
        places.into_iter().map(effect).collect()
    }

    /// Leaves to the cluster what the rules name. The sides are those that an apply of everything but that was
    /// foreseen to have.
    pub fn settle(&self, sides: &mut ThreeWay<Value>, live: &Value) -> Vec<Ignored> {
        let places = self.places(live);
        let shape = managed::shape(live);
        let [was, is] = [self.was, self.is].map(|value| value.map(|value| shape.keyed(value)));
        if let (Some(is), Some(desired)) = (&is, &mut sides.desired) {
            // The server was not told what is declared there.
            let known = |place: &Place| {
                [Some(is), was.as_ref()].into_iter().flatten().any(|side| path::get(side, place).is_some())
            };
            for (_, place) in places.iter().filter(|(_, place)| known(place)) {
                path::copy_at(desired, place, Some(is));
            }
        }
        let git = Git { was: was.as_ref(), is: is.as_ref() };
        ignore::settle(self.rules, sides, &git, &|managers| owned(live, managers))
    }

    /// The places that are left to others, for this once as well.
    fn all_places(&self, live: &Value) -> Vec<Place> {
        let ruled = self.places(live).into_iter().map(|(_, place)| place);
        ruled.chain(self.left.iter().cloned()).collect()
    }

    /// The places that are left to others, what Git changes aside; by keys, so that they fit lists of either form.
    fn places(&self, live: &Value) -> Vec<(&Arc<Rule>, Place)> {
        let sides = || [self.was, self.is, Some(live)].into_iter().flatten();
        let named = |rule: &&Arc<Rule>| {
            !rule.managers.is_empty()
                || rule.paths.iter().any(|path| sides().any(|side| !path.places(side).is_empty()))
        };
        let rules: Vec<&Arc<Rule>> = self.rules.iter().filter(named).collect();
        if rules.is_empty() {
            return Vec::new();
        }
        let shape = managed::shape(live);
        let [was, is] = [self.was, self.is].map(|value| value.map(|value| shape.keyed(value)));
        let live_keyed = shape.keyed(live);
        let git = Git { was: was.as_ref(), is: is.as_ref() };
        let places = |rule: &'_ Arc<Rule>| {
            let sides = [was.as_ref(), is.as_ref(), Some(&live_keyed)].into_iter().flatten();
            let mut places = rule.places(sides, &|managers| owned(live, managers));
            places.retain(|place| !rule.passes(place, &git));
            places
        };
        rules.into_iter().flat_map(|rule| places(rule).into_iter().map(move |place| (rule, place))).collect()
    }
}

/// A declared object on its way to the cluster.
pub struct Manifest<'a> {
    pub declared: Declared<'a>,
    pub about: About<'a>,
    pub set: &'a str,
}

impl Manifest<'_> {
    /// What is sent to an object that is what `live` says, or to make one.
    pub fn body(&self, live: Option<&Value>) -> Value {
        let sent = live.and_then(|live| self.declared.effective(live));
        let sent = sent.as_ref().or(self.declared.is);
        sent.map_or(Value::Null, |sent| with_ownership_labels(sent, self.set, &self.about.name.identity()))
    }

    /// An object of the server without what is left to others.
    pub fn rest(&self, live: &Value) -> Value {
        let mut rest = live.clone();
        for place in self.declared.all_places(live).iter().rev() {
            path::copy_at(&mut rest, place, None);
        }
        rest
    }
}

/// The places that some managers own.
fn owned(live: &Value, managers: &[Pattern]) -> Vec<Place> {
    let mut places = Vec::new();
    for entry in managed::entries(live).filter(|entry| !entry.is_by_us()) {
        if managers.iter().any(|pattern| pattern.matches(entry.manager)) {
            let mut add =
                |path: &[String]| places.push(path.iter().map(|step| step.as_str().into()).collect());
            entry.fields().each(&mut Vec::new(), &mut add);
        }
    }
    places
}

/// The part of a value of the server that a set of fields names, lists as they are.
fn part(value: &Value, fields: &Fields) -> Option<Value> {
    if fields.is_empty() {
        return Some(value.clone());
    }
    match value {
        Value::Map(map) => {
            let own = |(key, value): (&Arc<str>, &Value)| Some((key.clone(), part(value, fields.get(key)?)?));
            Some(Value::from(map.iter().filter_map(own).collect::<Map>()))
        }
        Value::List(items) => {
            let own = |item: &Value| part(item, fields.get(&fields.names(item)?)?);
            Some(Value::List(items.iter().filter_map(own).collect()))
        }
        other => Some(other.clone()),
    }
}
