//! Reads the objects of one collection, by its list or one by one.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use serde_json::Value as Json;

use super::{
    address::{Collection, Place},
    definition::{Completeness, ErrorClass as Class, Kind, List},
    failure::Failure,
    form::Form,
    options::Setup,
    pages::{self, Listing},
    request,
    template::{self, Ingredients, Variables},
    transport::Getter,
};

/// What a read of one object answered.
#[derive(Clone, Debug)]
pub enum Found {
    /// All that the server has of it, in normal form.
    Here(Json),
    /// The server says that it is not there.
    Absent,
    /// What it lives in is not there, or not visible.
    NoParent,
    /// Nobody can tell.
    Unknown(Failure),
}

/// What was read of one collection.
#[derive(Debug, Default)]
pub struct Gathered {
    /// By the names of the object.
    pub found: BTreeMap<Vec<String>, Found>,
    /// Why the list does not show everything; `None` if it does.
    pub incomplete: Option<Failure>,
    /// Whether what the collection lives in is not there.
    pub no_parent: bool,
    /// Whether a list was read, and not single objects.
    pub listed: bool,
}

impl Gathered {
    /// What is known where not even the collection could be asked for.
    pub fn nothing(wanted: &BTreeSet<Vec<String>>, found: &Found) -> Self {
        let why = match found {
            Found::Unknown(failure) => failure.clone(),
            _ => Failure::new(Class::Absent, "what it lives in is not there"),
        };
        Gathered {
            found: wanted.iter().map(|keys| (keys.clone(), found.clone())).collect(),
            incomplete: Some(why),
            no_parent: matches!(found, Found::NoParent),
            listed: false,
        }
    }

    /// What became of the object called `keys`.
    pub fn get(&self, keys: &[String]) -> Found {
        self.found.get(keys).cloned().unwrap_or_else(|| match &self.incomplete {
            None => Found::Absent,
            Some(failure) => Found::Unknown(failure.clone()),
        })
    }
}

/// How much of a collection is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// The objects that are named.
    Named,
    /// Everything that is there.
    Whole,
}

/// What is asked for of each collection.
pub type Wanted = BTreeMap<Collection, (BTreeSet<Vec<String>>, Extent)>;

/// One collection that is to be read.
pub struct Gatherer<'a> {
    /// The target.
    pub setup: &'a Setup,
    /// The way to it.
    pub getter: &'a Getter,
    /// The kind of its objects.
    pub kind: &'a Kind,
    /// The collection.
    pub collection: &'a Collection,
    /// The names that its templates may use.
    pub variables: Variables,
}

impl Gatherer<'_> {
    /// Reads the objects called `wanted`, and with [`Extent::Whole`] all others too.
    pub fn gather(&self, wanted: &BTreeSet<Vec<String>>, extent: Extent) -> Gathered {
        let directly = self.kind.read.is_some() && self.kind.id.is_none();
        if self.kind.list.is_none() || (extent == Extent::Named && directly && wanted.len() <= 1) {
            let found = wanted.iter().map(|keys| (keys.clone(), self.checked(keys)));
            return Gathered { found: found.collect(), ..Gathered::default() };
        }
        self.listed(wanted, extent)
    }

    fn listed(&self, wanted: &BTreeSet<Vec<String>>, extent: Extent) -> Gathered {
        let Some(list) = &self.kind.list else { return Gathered::default() };
        let form = Form::of(self.kind);
        let mut gathered = Gathered { listed: true, ..Gathered::default() };
        let name = |item: &Json| {
            let mut object = self.mapped(list.map.as_ref(), item, item)?;
            form.normalize(&mut object);
            form.identity(&object)
        };
        let read = |list| pages::list(self.getter, self.setup, list, &self.variables, &name, wanted);
        let listing = match (read(list), &list.otherwise) {
            (Err(failure), Some(path)) if failure.class == Class::Absent => {
                read(&List { path: path.clone(), ..list.clone() })
            }
            (listing, _) => listing,
        };
        let listing = match listing {
            Ok(listing) => listing,
            Err(failure) if failure.class == Class::Absent && list.absent_is_empty => Listing::default(),
            Err(failure) => {
                let found = match failure.class {
                    Class::Absent | Class::Hidden => self.without_list(),
                    _ => Found::Unknown(failure.clone()),
                };
                return Gathered { incomplete: Some(failure), ..Gathered::nothing(wanted, &found) };
            }
        };
        let (mut twice, mut nameless) = (BTreeSet::new(), None);
        for item in listing.items {
            let kept = list.keep.as_ref().is_none_or(|keep| keep.holds(&item));
            let Some(mut object) = self.mapped(list.map.as_ref(), &item, &item) else { continue };
            form.decode(&mut object);
            form.normalize(&mut object);
            let Some(keys) = form.identity(&object) else {
                if kept {
                    nameless = Some("an item of the list has no name".to_owned());
                }
                continue;
            };
            // What the list leaves out and the server protects is there all the same for those who ask for it.
            let protected = || self.kind.protected_when.as_ref().is_some_and(|rule| rule.holds(&object));
            if !(kept || wanted.contains(&keys) && protected()) {
                continue;
            }
            if gathered.found.insert(keys.clone(), Found::Here(object)).is_some() {
                twice.insert(keys);
            }
        }
        for keys in twice {
            let message = format!("the server has more than one `{}`", keys.join("/"));
            gathered.found.insert(keys, Found::Unknown(Failure::new(Class::Other, message)));
        }
        let completeness = if listing.filtered { Completeness::Filtered } else { list.completeness };
        gathered.incomplete = self.incomplete(&listing.truncated.or(nameless), completeness);
        let by_name = self.kind.id.is_none() || self.kind.id_from_name.is_some();
        if gathered.incomplete.is_some() && self.kind.read.is_some() && by_name {
            let missing: Vec<_> = wanted.iter().filter(|keys| !gathered.found.contains_key(*keys)).collect();
            let read: Vec<_> =
                missing.into_par_iter().map(|keys| (keys.clone(), self.checked(keys))).collect();
            gathered.found.extend(read);
        }
        if list.detail {
            self.detail(&mut gathered, wanted, extent);
        }
        gathered
    }

    /// A list that is not there: its scope is not, or it is empty to a server that says so.
    fn without_list(&self) -> Found {
        match self.scope_exists() {
            Ok(true) => Found::Absent,
            Ok(false) => Found::NoParent,
            Err(failure) => Found::Unknown(failure),
        }
    }

    fn incomplete(&self, truncated: &Option<String>, completeness: Completeness) -> Option<Failure> {
        let why = match (truncated, completeness) {
            (Some(why), _) => why.clone(),
            (None, Completeness::Filtered) => "the list shows only what these credentials may see".to_owned(),
            (None, Completeness::Complete) => return None,
        };
        Some(Failure::new(Class::Other, why))
    }

    /// Reads each object by itself where the list is a summary.
    fn detail(&self, gathered: &mut Gathered, wanted: &BTreeSet<Vec<String>>, extent: Extent) {
        let needed: Vec<(Vec<String>, Json)> = gathered
            .found
            .iter()
            .filter(|(keys, _)| extent == Extent::Whole || wanted.contains(*keys))
            .filter_map(|(keys, found)| match found {
                Found::Here(item) => Some((keys.clone(), item.clone())),
                _ => None,
            })
            .collect();
        let read: Vec<_> = needed
            .into_par_iter()
            .map(|(keys, item)| (keys.clone(), self.read(&keys, Some(&item))))
            .collect();
        gathered.found.extend(read);
    }

    /// Reads one object; where it is not there, makes sure that its scope is.
    fn checked(&self, keys: &[String]) -> Found {
        match self.read(keys, None) {
            Found::Absent => self.without_list(),
            other => other,
        }
    }

    /// Reads one object. `item` is what the list says of it.
    pub fn read(&self, keys: &[String], item: Option<&Json>) -> Found {
        let Some(read) = &self.kind.read else {
            return Found::Unknown(Failure::new(Class::Other, "the definition cannot read a single one"));
        };
        let place = Place {
            kind: self.collection.kind.clone(),
            scope: self.collection.scope.clone(),
            keys: keys.to_vec(),
        };
        let variables = request::of_object(self.variables.clone(), self.kind, &place, item);
        let answer =
            request::url(self.setup, &read.path, &read.query, &variables).and_then(|url| match &read.raw {
                Some(_) => self.getter.text(&url),
                None => match &read.safe_post {
                    None => self.getter.get(&url),
                    Some(question) => self.getter.safe_post(&url, template::question(question, &variables)),
                },
            });
        let answer = match answer {
            Ok(answer) => answer,
            Err(failure) if failure.class == Class::Absent => return Found::Absent,
            // Making it carries the condition that it is not there, so nothing can be overwritten unseen.
            Err(failure) if failure.class == Class::Hidden && self.creates_carefully() => {
                return Found::Absent;
            }
            Err(failure) => return Found::Unknown(failure),
        };
        if read.absent_when.as_ref().is_some_and(|absent| absent.holds(&answer.body)) {
            return Found::Absent;
        }
        if let Some(pointer) = &read.raw {
            let mut object = Json::Null;
            super::json::set(&mut object, pointer, answer.body);
            return Found::Here(self.completed(object, keys));
        }
        let shaped = |body: &&Json| body.is_object() || read.map.is_some();
        let object = answer.body.pointer(&read.body).filter(shaped);
        let object = object.and_then(|object| self.mapped(read.map.as_ref(), object, item.unwrap_or(object)));
        match object {
            Some(object) => self.named(self.completed(object, keys), keys),
            None => Found::Unknown(Failure::new(Class::Other, "the answer does not hold the object")),
        }
    }

    /// An object that was asked for by an id that is only derived from its name.
    fn named(&self, object: Json, keys: &[String]) -> Found {
        match Form::of(self.kind).identity(&object).filter(|_| self.kind.id_from_name.is_some()) {
            Some(other) if other != keys => {
                let message = format!("the server has `{}` under the id of that name", other.join("/"));
                Found::Unknown(Failure::new(Class::Other, message))
            }
            _ => Found::Here(object),
        }
    }

    /// An answer in normal form, with its names: some servers leave out what the path already says.
    fn completed(&self, mut object: Json, keys: &[String]) -> Json {
        for (pointer, key) in self.kind.identity.keys.iter().zip(keys) {
            if object.pointer(pointer).is_none_or(Json::is_null) {
                super::json::set(&mut object, pointer, Json::String(key.clone()));
            }
        }
        let form = Form::of(self.kind);
        form.decode(&mut object);
        form.normalize(&mut object);
        object
    }

    fn creates_carefully(&self) -> bool {
        self.kind.version.as_ref().is_some_and(|version| version.absent.is_some())
    }

    fn mapped(&self, map: Option<&Json>, object: &Json, item: &Json) -> Option<Json> {
        match map {
            None => Some(object.clone()),
            Some(map) => {
                let map = from_item(map, item);
                template::body(&map, &Ingredients { object, actual: None, variables: &self.variables })
            }
        }
    }

    /// Whether what the collection lives in is there.
    fn scope_exists(&self) -> Result<bool, Failure> {
        let definition = &self.setup.definition;
        let Some(scope) = self.kind.scope.as_ref().and_then(|scope| definition.scopes.get(scope)) else {
            return Ok(true);
        };
        if scope.id.is_some() {
            // Nothing was asked without it.
            return Ok(true);
        }
        let mut variables = self.variables.clone();
        let parent = scope.kind.as_ref().and_then(|kind| definition.kind(kind));
        let path = match (&scope.exists, parent) {
            (Some(path), _) => path,
            (None, Some(Kind { read: Some(read), id: None, identity, .. })) => {
                let names = identity.keys.iter().rev().filter_map(|key| key.rsplit('/').next());
                variables.extend(names.map(str::to_owned).zip(self.collection.scope.iter().rev().cloned()));
                &read.path
            }
            _ => return Ok(true),
        };
        let url = request::url(self.setup, path, &BTreeMap::new(), &variables)?;
        match self.getter.get(&url) {
            Ok(_) => Ok(true),
            Err(failure) if matches!(failure.class, Class::Absent | Class::Hidden) => Ok(false),
            Err(failure) => Err(failure),
        }
    }
}

/// Fills the `item:` pointers of a map.
fn from_item(map: &Json, item: &Json) -> Json {
    match map {
        Json::Object(fields) => {
            match fields.get("$").and_then(Json::as_str).and_then(|text| text.strip_prefix("item:")) {
                Some(pointer) => item.pointer(pointer).cloned().unwrap_or(Json::Null),
                None => Json::Object(
                    fields.iter().map(|(key, value)| (key.clone(), from_item(value, item))).collect(),
                ),
            }
        }
        other => other.clone(),
    }
}
