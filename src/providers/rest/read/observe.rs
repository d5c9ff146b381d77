//! What is to be read of a target, and what of it each object is.

use std::collections::BTreeMap;

use anyhow::Result;
use itertools::{EitherOrBoth, Itertools as _};
use rayon::prelude::*;
use serde_json::Value as Json;

use super::collection_reader::{Extent, Found, Gathered, Part, Wanted};
use crate::{
    model::{
        address::Address,
        change::ThreeWay,
        event::Event,
        object::{Actual, Cause, Observed, State, Writer},
        selector::Selector,
        value::Value,
    },
    providers::{
        Query,
        rest::{
            client::{failure::Failure, json, session::Session},
            compare::projection::Projection,
            declare::{
                address::{Collection, Place},
                secrets,
            },
            definition::{ErrorClass as Class, Kind},
        },
    },
};

impl Session {
    /// What is to be read: the objects of the query, those they refer to and those they were renamed from.
    pub fn wanted(&self, query: &Query<'_>) -> (Wanted, Vec<Address>) {
        let mut wanted: Wanted = BTreeMap::new();
        let mut strangers = Vec::new();
        let mut add =
            |place: Place| _ = wanted.entry(place.collection()).or_default().names.insert(place.keys);
        let mut apart = Vec::new();
        for (address, sides) in &query.objects {
            let Some(place) = Place::parse(self.definition(), address) else {
                strangers.push((*address).clone());
                continue;
            };
            let referents = sides.desired.map(|desired| self.referents(desired)).unwrap_or_default();
            referents.iter().filter_map(|other| Place::parse(self.definition(), other)).for_each(&mut add);
            if let Some(keys) = sides.desired.and_then(|desired| self.previous(&place, desired)) {
                add(Place { keys, ..place.clone() });
            }
            if self.is_apart(&place, sides.desired.into_iter().chain(sides.base)) {
                apart.push(place.clone());
            }
            add(place);
        }
        for scope in query.exclusive {
            let collection = Collection::parse(&scope.collection);
            wanted.entry(collection).or_default().extent = Extent::Whole;
        }
        for place in apart {
            wanted.entry(place.collection()).or_default().apart.insert(place.keys);
        }
        (wanted, strangers)
    }

    fn writer(&self, kind: &Kind, raw: &Json) -> Option<Writer> {
        let spec = kind.writer.as_ref()?;
        let text = |pointer: &Option<String>| json::text(raw.pointer(pointer.as_ref()?)?);
        let millis = spec.at_ms.as_ref().and_then(|pointer| raw.pointer(pointer)?.as_i64());
        let at = millis
            .and_then(|at| Some(jiff::Timestamp::from_millisecond(at).ok()?.to_string()))
            .or(text(&spec.at));
        // What was the last change before the apply is not what moved since: the server does not count every change.
        let moment: Option<jiff::Timestamp> = at.as_ref()?.parse().ok();
        if moment.zip(self.applied_at).is_some_and(|(moment, applied)| moment < applied) {
            return None;
        }
        let who = text(&spec.who).unwrap_or_else(|| "somebody".to_owned());
        Some(Writer { who, at, precision: "time of the last change of the whole object".to_owned() })
    }

    /// Keeps what was found of what is wanted, once, by address; an object that was renamed by its new one.
    pub fn see(&mut self, query: &Query<'_>, wanted: &Wanted, gathered: &mut BTreeMap<Collection, Gathered>) {
        for (collection, answers) in gathered.iter_mut() {
            let Some(Part { names, .. }) = wanted.get(collection) else { continue };
            let joined = answers.found.iter_mut().merge_join_by(names, |(one, _), other| (*one).cmp(other));
            let here = joined.filter_map(EitherOrBoth::both).filter_map(|((keys, found), _)| match found {
                Found::Here(raw) => Some((collection.address_of(keys), std::mem::take(raw))),
                _ => None,
            });
            self.seen.append(&mut here.collect());
        }
        for (address, sides) in &query.objects {
            let old = sides.desired.and_then(|desired| self.old_place(address, desired, gathered));
            if let Some(raw) = old.and_then(|old| self.seen.get(&old.address())).cloned() {
                self.seen.insert((*address).clone(), raw);
            }
        }
    }

    /// Where an object still is that is declared under a new name and is not there.
    fn old_place(
        &self,
        address: &Address,
        desired: &Value,
        gathered: &BTreeMap<Collection, Gathered>,
    ) -> Option<Place> {
        let kind = self.kind_of(address)?;
        kind.identity.previously.as_ref()?;
        let place = Place::parse(self.definition(), address)?;
        let answers = gathered.get(&place.collection())?;
        let keys = self.previous(&place, desired)?;
        matches!(answers.get(&place.keys), Found::Absent).then_some(Place { keys, ..place })
    }

    fn observed(
        &self,
        address: &Address,
        sides: &ThreeWay<&Value>,
        gathered: &BTreeMap<Collection, Gathered>,
        query: &Query<'_>,
        forms: &BTreeMap<&str, Projection<'_>>,
    ) -> Observed {
        let unknown =
            |failure: Failure| Observed::Unknown { cause: failure.cause(), message: failure.message };
        let place = Place::parse(self.definition(), address);
        let known = place
            .as_ref()
            .and_then(|place| Some((place, forms.get(&*place.kind)?, gathered.get(&place.collection())?)));
        let Some((place, form, answers)) = known else {
            return unknown(Failure::new(Class::Other, "it was not read"));
        };
        let old = sides.desired.and_then(|desired| self.old_place(address, desired, gathered));
        let raw = match (answers.get(&old.as_ref().unwrap_or(place).keys), self.seen.get(address)) {
            (Found::Here(_), Some(raw)) => raw,
            (Found::Here(_), None) => return unknown(Failure::new(Class::Other, "it was not read")),
            (Found::Absent, _) => return Observed::Absent,
            (Found::Unknown(failure), _) => return unknown(failure),
            (Found::NoParent, _) => return self.without_parent(place, form.kind, query),
        };
        if stays(form.kind, address, sides, query) {
            return Observed::Absent;
        }
        if let Some(failure) = self.hidden(place, sides.desired.into_iter().chain(sides.base), raw) {
            return unknown(failure);
        }
        let value = match sides.desired.filter(|desired| form.is_same(raw, desired)) {
            Some(desired) => desired.clone(),
            None => self.there(form, raw, sides),
        };
        let value = if query.declared.is_some() { self.marked(address, value) } else { value };
        Observed::Present(Box::new(State { writer: self.writer(form.kind, raw), ..State::new(value) }))
    }

    /// What the server has of what is declared of an object, or was.
    fn there(&self, form: &Projection<'_>, raw: &Json, sides: &ThreeWay<&Value>) -> Value {
        let desired = sides.desired.map(json::from_model);
        let base = sides.base.map(json::from_model);
        let shape = desired.or_else(|| base.clone()).unwrap_or_else(|| form.export(raw));
        self.projected(form, raw, &shape, base.as_ref())
    }

    /// Whether something that an object lives in is to be deleted.
    fn goes_along(&self, address: &Address, query: &Query<'_>) -> bool {
        let goes = |outer: &Address| query.objects.get(outer).is_some_and(|sides| sides.desired.is_none());
        let place = Place::parse(self.definition(), address);
        place.is_some_and(|place| place.collection().ancestors(self.definition()).iter().any(goes))
    }

    /// What kind of object an address names.
    pub fn kind_of(&self, address: &Address) -> Option<&Kind> {
        self.definition().kind(address.as_str().split('/').next()?)
    }

    fn is_made_in_steps(&self, address: &Address) -> bool {
        self.kind_of(address).is_some_and(|kind| {
            !kind.actions.is_empty() || kind.create.as_ref().is_some_and(|create| create.update_after_create)
        })
    }

    /// An object whose scope is not there is absent if the scope is ours to make, and unknown otherwise.
    fn without_parent(&self, place: &Place, kind: &Kind, query: &Query<'_>) -> Observed {
        let parent = place.collection().parent(&self.setup.definition, kind);
        match parent {
            Some(parent) if query.objects.contains_key(&parent) => Observed::Absent,
            parent => {
                let name = parent.map_or_else(|| place.scope.join("/"), |parent| parent.to_string());
                let message = format!(
                    "`{name}`, which it belongs to, is not there or not visible to these credentials"
                );
                Observed::Unknown { cause: Cause::Other, message }
            }
        }
    }

    /// Adds what each object of the query is.
    pub fn look(
        &mut self,
        query: &Query<'_>,
        gathered: &BTreeMap<Collection, Gathered>,
        actual: &mut Actual,
    ) {
        let objects: Vec<_> = query.objects.iter().collect();
        let kinds = self.definition().kinds.iter();
        let forms = kinds.map(|(name, kind)| (name.as_str(), Projection::of(kind))).collect();
        let look = |(address, sides): &(&&Address, &ThreeWay<&Value>)| {
            self.observed(address, sides, gathered, query, &forms)
        };
        let observed: Vec<Observed> = objects.par_iter().map(look).collect();
        let confirmed = objects.iter().zip(&observed).filter_map(|((address, sides), observed)| {
            let desired = sides.desired.filter(|desired| secrets::are_named_in(desired))?;
            let same = matches!(observed, Observed::Present(state) if state.value == *desired);
            same.then(|| ((**address).clone(), desired.clone()))
        });
        self.confirmed = confirmed.collect();
        let addresses = || objects.iter().map(|(address, _)| (**address).clone());
        actual.in_steps.extend(addresses().filter(|address| self.is_made_in_steps(address)));
        query.observer.on(Event::Step(objects.len()));
        actual.objects.append(&mut addresses().zip(observed).collect());
        actual.renamed = renamed(self, query);
        for old in actual.renamed.values() {
            actual.objects.insert(old.clone(), Observed::Absent);
        }
        let left = query.objects.iter().filter(|(address, sides)| {
            self.kind_of(address).is_some_and(|kind| stays(kind, address, sides, query))
                && self.seen.contains_key(**address)
                && !self.goes_along(address, query)
        });
        actual.notes.extend(left.map(|(address, _)| {
            format!("`{address}` stays as it is, and is not ours any more: this API cannot delete one")
        }));
    }

    /// Adds what collections hold besides what was asked for.
    pub fn strangers(
        &mut self,
        query: &Query<'_>,
        wanted: &Wanted,
        gathered: &BTreeMap<Collection, Gathered>,
        actual: &mut Actual,
    ) -> Result<()> {
        for scope in query.exclusive {
            let collection = Collection::parse(&scope.collection);
            let definition = self.setup.definition.clone();
            let (Some(kind), Some(answers)) = (definition.kind(&collection.kind), gathered.get(&collection))
            else {
                continue;
            };
            let parent = collection.parent(&definition, kind);
            let to_be_made = parent.is_some_and(|parent| query.objects.contains_key(&parent));
            if let Some(failure) = answers.incomplete.as_ref().filter(|_| !(answers.no_parent && to_be_made))
            {
                actual.incomplete.push((scope.collection.clone(), failure.cause(), failure.message.clone()));
            }
            let ignore = Selector::new(&scope.ignore)?;
            for (keys, found) in &answers.found {
                let address = collection.address_of(keys);
                let Found::Here(raw) = found else { continue };
                let renamed = actual.renamed.values().any(|old| *old == address);
                if renamed || query.objects.contains_key(&address) || ignore.matches(&address) {
                    continue;
                }
                // What was wanted was taken out of the answers.
                let was_wanted = wanted.get(&collection).is_some_and(|part| part.names.contains(keys));
                let raw = self.seen.get(&address).filter(|_| was_wanted).unwrap_or(raw).clone();
                let form = Projection::of(kind);
                let mut notes = Vec::new();
                if kind.protected_when.as_ref().is_some_and(|protected| protected.holds(&raw)) {
                    notes.push("the server protects it".to_owned());
                }
                let state = State {
                    writer: self.writer(kind, &raw),
                    notes,
                    ..State::new(form.to_model(&form.export(&raw)))
                };
                self.seen.insert(address.clone(), raw);
                actual.objects.insert(address, Observed::Present(Box::new(state)));
            }
        }
        Ok(())
    }
}

/// Whether an object that Git does not declare any more stays as it is, since the API cannot delete one.
fn stays(kind: &Kind, address: &Address, sides: &ThreeWay<&Value>, query: &Query<'_>) -> bool {
    let dropped = || query.declared.is_some_and(|declared| !declared.contains_key(address));
    !kind.is_deletable() && sides.desired.is_none() && dropped()
}

/// Objects that are there under their old names only, which nothing else declares.
fn renamed(session: &Session, query: &Query<'_>) -> BTreeMap<Address, Address> {
    let old = |(address, sides): (&&Address, &ThreeWay<&Value>)| {
        let kind = session.kind_of(address).filter(|kind| kind.identity.previously.is_some())?;
        let place = Place::parse(session.definition(), address)?;
        let keys = session.previous(&place, sides.desired?)?;
        let raw = session.seen.get(*address)?;
        let same = Projection::of(kind).identity(raw).as_ref() == Some(&keys);
        let old = Place { keys, ..place }.address();
        let declared = query.objects.get(&old).is_some_and(|sides| sides.desired.is_some());
        (same && !declared).then(|| ((*address).clone(), old))
    };
    query.objects.iter().filter_map(old).collect()
}
