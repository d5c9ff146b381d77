//! What a server deletes along with an object: what lives in it, and what is attached to it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::collection_reader::{Found, Gathered, Part};
use crate::{
    model::{
        address::Address,
        attached::Attached,
        change::{Action, Change},
    },
    providers::rest::{
        client::{json, session::Session},
        declare::address::{Collection, Place},
        definition::{Completeness, Kind},
    },
};

impl Session {
    /// What goes along with each object that `changes` delete or replace.
    pub fn attached(&self, changes: &[Change], in_sync: &[Address]) -> Vec<Attached> {
        let removed = changes.iter().filter(|change| change.action.removes());
        let removed: Vec<(&Change, Place)> = removed
            .filter_map(|change| Some((change, Place::parse(self.definition(), &change.address)?)))
            .collect();
        if removed.is_empty() {
            return Vec::new();
        }
        let collections: BTreeSet<Collection> =
            removed.iter().flat_map(|(change, place)| self.collections_of(change.action, place)).collect();
        let wanted = collections.into_iter().map(|collection| (collection, Part::whole())).collect();
        let gathered = self.gather(&wanted);
        let known: Vec<Address> =
            changes.iter().map(|change| &change.address).chain(in_sync).cloned().collect();
        removed.iter().map(|(change, place)| self.attached_to(change, place, &known, &gathered)).collect()
    }

    fn attached_to(
        &self,
        change: &Change,
        place: &Place,
        known: &[Address],
        gathered: &BTreeMap<Collection, Gathered>,
    ) -> Attached {
        let lives_in_it = |address: &Address| {
            Place::parse(self.definition(), address).is_some_and(|inner| {
                inner.collection().ancestors(self.definition()).contains(&change.address)
            })
        };
        let is_attached = |address: &Address| {
            self.seen.get(address).is_some_and(|raw| self.holders(address, raw).contains(&change.address))
        };
        let mut objects: BTreeSet<Address> =
            known.iter().filter(|address| lives_in_it(address) || is_attached(address)).cloned().collect();
        let mut unlisted = Vec::new();
        for collection in self.collections_of(change.action, place) {
            let Some(answers) = gathered.get(&collection) else { continue };
            let inside = collection.scope.len() > place.scope.len();
            for (keys, found) in &answers.found {
                let address = collection.address_of(keys);
                let Found::Here(raw) = found else { continue };
                if inside || self.holders(&address, raw).contains(&change.address) {
                    objects.insert(address);
                }
            }
            let filtered = self.definition().kind(&collection.kind).and_then(|kind| kind.list.as_ref());
            let filtered = filtered.is_some_and(|list| list.completeness == Completeness::Filtered);
            let why = answers.incomplete.as_ref().filter(|_| !filtered);
            unlisted.extend(why.map(|why| format!("{}: {}", collection.kind, why.message)));
        }
        Attached { of: change.address.clone(), objects, unlisted }
    }

    /// The collections that hold what goes along with the object at `place`. What lives in something that is deleted
    /// for good is counted by the definition itself.
    fn collections_of(&self, action: Action, place: &Place) -> Vec<Collection> {
        let definition = self.definition();
        let own_scope = definition.kind(&place.kind).and_then(|kind| kind.scope.as_ref());
        let inside = |kind: &Kind| {
            let scope = kind.scope.as_ref().and_then(|scope| definition.scopes.get(scope));
            action == Action::Replace && scope.is_some_and(|scope| scope.kind.as_ref() == Some(&place.kind))
        };
        let beside = |kind: &Kind| {
            kind.scope.as_ref() == own_scope && kind.attached_to.iter().any(|to| to.kind == place.kind)
        };
        let one = |(name, kind): (&String, &Kind)| {
            let scope = match (inside(kind), beside(kind)) {
                (true, _) => [&place.scope[..], &place.keys].concat(),
                (_, true) => place.scope.clone(),
                _ => return None,
            };
            kind.list.is_some().then(|| Collection { kind: name.clone(), scope })
        };
        definition.kinds.iter().filter_map(one).collect()
    }

    /// The objects that `object`, which is at `address`, is attached to.
    pub fn holders(&self, address: &Address, object: &Json) -> Vec<Address> {
        let definition = self.definition();
        let Some(place) = Place::parse(definition, address) else { return Vec::new() };
        let attached = definition.kind(&place.kind).map_or(&[][..], |kind| &kind.attached_to);
        let holder = |to: &crate::providers::rest::definition::kind::Attachment| {
            let kind = definition.kind(&to.kind)?;
            let scope = place.scope.get(..definition.params(kind).len())?.to_vec();
            let keys = vec![json::text(object.pointer(&to.by)?)?];
            Some(Place { kind: to.kind.clone(), scope, keys }.canonical(definition).address())
        };
        attached.iter().filter_map(holder).collect()
    }
}
