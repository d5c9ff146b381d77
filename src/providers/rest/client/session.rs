//! A target, opened for reading.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
};

use anyhow::Result;
use rayon::prelude::*;
use serde_json::Value as Json;

use super::{json, probe::Server, request, transport::Getter};
use crate::{
    model::{address::Address, value::Value},
    providers::{
        evidence::Reasons,
        rest::{
            compare::{fingerprint::Key, projection::Projection, secret_fingerprints::SecretFingerprints},
            declare::{
                address::{Collection, Place},
                references, secrets,
            },
            definition::{Definition, Kind, NameCase},
            options::TargetConfig,
            read::collection_reader::{Found, Gathered, Gatherer, Part, Wanted},
            record::Store,
            template::Variables,
        },
    },
};

/// A target, opened for reading.
pub struct Session {
    /// What it is.
    pub setup: TargetConfig,
    /// The way to it.
    pub getter: Getter,
    /// Its memory.
    pub store: Store,
    /// All that the server has of each object that was observed.
    pub seen: BTreeMap<Address, Json>,
    /// The reasons of what is to be explained.
    pub reasons: Reasons,
    /// How many kinds were read.
    pub kinds: usize,
    /// What the server says it is, once it was asked.
    pub server: Option<Server>,
    /// What is remembered of the secrets that were sent.
    pub prints: SecretFingerprints,
    /// What they are made with, besides.
    pub key: Option<Key>,
    /// Objects that are as declared, with secrets that the server shows.
    pub confirmed: Vec<(Address, Value)>,
    /// Whether the target is held against what was applied, and not against Git.
    pub against_record: bool,
    /// Whether what it made of writes counts as drift.
    pub adopting: bool,
    /// When something was applied last.
    pub applied_at: Option<jiff::Timestamp>,
    /// The server's own ids of what others live in.
    ids: Mutex<BTreeMap<Address, String>>,
    pool: rayon::ThreadPool,
}

impl Session {
    /// Opens a target; nothing is asked yet.
    ///
    /// # Errors
    /// Options or credentials that make no sense.
    pub fn open(setup: TargetConfig) -> Result<Session> {
        let getter = Getter::open(&setup)?;
        Session::with(setup, getter)
    }

    /// Opens a target whose requests go through `getter`.
    ///
    /// # Errors
    /// As [`Session::open`].
    pub fn with(setup: TargetConfig, getter: Getter) -> Result<Session> {
        let readers =
            setup.options.concurrent_reads.unwrap_or(setup.definition.limits.concurrent_reads).clamp(1, 64);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(readers).build()?;
        let (store, key) = (Store::of(&setup), Key::find(&setup)?);
        Ok(Session {
            setup,
            getter,
            store,
            seen: BTreeMap::new(),
            reasons: Reasons::new(),
            kinds: 0,
            server: None,
            prints: SecretFingerprints::default(),
            confirmed: Vec::new(),
            against_record: false,
            adopting: false,
            key,
            applied_at: None,
            ids: Mutex::default(),
            pool,
        })
    }

    /// How its API works.
    pub fn definition(&self) -> &Definition {
        &self.setup.definition
    }

    /// Reads collections, several at a time.
    pub fn gather(&self, wanted: &Wanted) -> BTreeMap<Collection, Gathered> {
        let one = |(collection, part): (&Collection, &Part)| {
            let kind = self.definition().kind(&collection.kind)?;
            let gathered = match self.variables(kind, collection) {
                Ok(variables) => {
                    Gatherer { setup: &self.setup, getter: &self.getter, kind, collection, variables }
                        .gather(part)
                }
                Err(found) => Gathered::nothing(&part.names, &found),
            };
            Some((collection.clone(), gathered))
        };
        self.pool.install(|| wanted.par_iter().filter_map(one).collect())
    }

    /// How many requests may be under way at a time.
    pub fn readers(&self) -> usize {
        self.pool.current_num_threads()
    }

    /// Reads the object at `place`.
    pub fn read(&self, place: &Place) -> Found {
        let part = Part { names: BTreeSet::from([place.keys.clone()]), ..Part::default() };
        let wanted = Wanted::from([(place.collection(), part)]);
        let gathered = self.gather(&wanted).remove(&place.collection()).unwrap_or_default();
        gathered.get(&place.keys)
    }

    /// The names that templates of a collection may use. A path that wants the id of what the
    /// collection lives in needs that to be there.
    ///
    /// # Errors
    /// What became of the attempt to read it.
    pub fn variables(&self, kind: &Kind, collection: &Collection) -> Result<Variables, Found> {
        let mut variables = request::of_collection(&self.setup, kind, collection);
        let scope = kind.scope.as_ref().and_then(|scope| self.definition().scopes.get(scope));
        if let Some(name) = scope.and_then(|scope| scope.id.as_ref()) {
            variables.insert(name.clone(), self.parent_id(kind, collection)?);
        }
        Ok(variables)
    }

    fn parent_id(&self, kind: &Kind, collection: &Collection) -> Result<String, Found> {
        let parent = collection.parent(self.definition(), kind).ok_or(Found::NoParent)?;
        if let Some(id) = self.ids().get(&parent) {
            return Ok(id.clone());
        }
        let place = Place::parse(self.definition(), &parent).ok_or(Found::NoParent)?;
        let raw = match self.read(&place) {
            Found::Here(raw) => raw,
            Found::Absent => return Err(Found::NoParent),
            other => return Err(other),
        };
        let pointer = self.definition().kind(&place.kind).and_then(|kind| kind.id.as_ref());
        let id = pointer.and_then(|pointer| json::text(raw.pointer(pointer)?)).ok_or(Found::NoParent)?;
        self.ids().insert(parent, id.clone());
        Ok(id)
    }

    /// Forgets what is known of an object that was written.
    pub fn forget(&mut self, address: &Address) {
        self.seen.remove(address);
        self.ids().remove(address);
    }

    fn ids(&self) -> std::sync::MutexGuard<'_, BTreeMap<Address, String>> {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The value that a `$ref` stands for; `None` if the server has to make it first.
    pub fn resolve(&self, reference: &Json) -> Option<Json> {
        let address = Address::new(reference.get("$ref")?.as_str()?);
        let meant = Place::meant(self.definition(), &address);
        let seen = self.seen.get(&meant.as_ref().map_or_else(|| address.clone(), Place::address));
        if let Some(pointer) = reference.get("field").and_then(Json::as_str) {
            return seen?.pointer(pointer).cloned();
        }
        let kind = self.definition().kind(&meant?.kind)?;
        let spelled = || Place::parse(self.definition(), &address)?.keys.pop().map(Json::String);
        // Where case does not count, the name is the one that the server has.
        match (kind.identity.keys.last(), seen) {
            (Some(key), Some(raw)) if kind.fold(key) == NameCase::Insensitive => raw.pointer(key).cloned(),
            _ => spelled(),
        }
    }

    /// The objects that `value` refers to.
    pub fn referents(&self, value: &Value) -> Vec<Address> {
        let meant = |address: Address| match Place::meant(self.definition(), &address) {
            Some(place) => place.address(),
            None => address,
        };
        references::all_of(value).into_iter().map(meant).collect()
    }

    /// What the server has of what `shape` declares, in the declared form.
    pub fn projected(&self, form: &Projection<'_>, raw: &Json, shape: &Json, known: Option<&Json>) -> Value {
        if !references::names_values(shape) {
            return form.to_model(&form.project(raw, shape, known));
        }
        let mut resolved = shape.clone();
        references::replace(&mut resolved, &|reference| self.resolve(reference));
        secrets::fill_known(&mut resolved, &self.setup.folder);
        let mut part = form.project(raw, &resolved, known);
        // A value that is the one a name stands for is the name.
        references::restore(&mut part, &resolved, shape);
        form.normalize(&mut part);
        form.to_model(&part)
    }

    /// The names that an object had before it was renamed.
    pub fn previous(&self, place: &Place, desired: &Value) -> Option<Vec<String>> {
        let kind = self.definition().kind(&place.kind)?;
        let pointer = kind.identity.previously.as_ref()?;
        let desired = json::from_model(desired);
        let name = desired.pointer(pointer)?.as_str()?;
        let mut keys = place.keys.clone();
        *keys.last_mut()? = name.to_owned();
        Some(Projection::of(kind).named(keys))
    }
}
