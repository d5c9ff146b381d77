//! Reads the objects of one collection, by its list or one by one.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Url;
use serde_json::Value as Json;

use super::pages;
use crate::providers::rest::{
    client::{failure::Failure, request, transport::Getter},
    declare::address::Collection,
    definition::{ErrorClass as Class, Kind, Scope},
    options::TargetConfig,
    template::Variables,
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

/// What was seen of that in which a collection lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Around {
    /// It is there.
    Seen,
    /// It is not there, and the server is.
    Gone,
    /// The definition names nothing to ask for.
    Nothing,
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Extent {
    /// The objects that are named.
    #[default]
    Named,
    /// Everything that is there.
    Whole,
    /// The same, for an import: with what lists do not show.
    Import,
}

/// What is asked for of one collection.
#[derive(Clone, Debug, Default)]
pub struct Part {
    /// The objects that are named.
    pub names: BTreeSet<Vec<String>>,
    /// Those of them that declare what lists do not show.
    pub apart: BTreeSet<Vec<String>>,
    /// How much.
    pub extent: Extent,
}

impl Part {
    /// Everything that is there.
    pub fn whole() -> Self {
        Part { extent: Extent::Whole, ..Part::default() }
    }
}

/// What is asked for of each collection.
pub type Wanted = BTreeMap<Collection, Part>;

/// One collection that is to be read.
pub struct Gatherer<'a> {
    /// The target.
    pub setup: &'a TargetConfig,
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
    /// Reads the objects that are named, and all others too unless only those are asked for.
    pub fn gather(&self, part: &Part) -> Gathered {
        let the_only_one = || Part { names: BTreeSet::from([Vec::new()]), ..part.clone() };
        let the_only_one = self.kind.is_single().then(the_only_one);
        let part = the_only_one.as_ref().unwrap_or(part);
        let directly = self.kind.read.is_some() && self.kind.id.is_none();
        match &self.kind.list {
            Some(list) if part.extent != Extent::Named || !directly || part.names.len() > 1 => {
                self.listed(list, part)
            }
            _ => {
                let found = part.names.iter().map(|keys| (keys.clone(), self.checked(keys)));
                Gathered { found: found.collect(), ..Gathered::default() }
            }
        }
    }

    /// A list that is not there: its scope is not, or nobody can tell what it would hold.
    pub fn without_list(&self, failure: Failure) -> Found {
        match self.around() {
            Ok(Around::Gone) => Found::NoParent,
            Ok(Around::Seen | Around::Nothing) => Found::Unknown(failure),
            Err(failure) => Found::Unknown(failure),
        }
    }

    /// Reads one object; where it is not there, makes sure that its scope is.
    pub fn checked(&self, keys: &[String]) -> Found {
        match self.read(keys, None) {
            Found::Absent => match self.around().and_then(|around| self.or_list(around)) {
                Ok(Around::Seen | Around::Nothing) => Found::Absent,
                Ok(Around::Gone) => Found::NoParent,
                Err(failure) => Found::Unknown(failure),
            },
            other => other,
        }
    }

    /// Where nothing else tells whether the API is there, the list of the kind does.
    fn or_list(&self, around: Around) -> Result<Around, Failure> {
        let list = self.kind.list.as_ref().filter(|list| list.query_body.is_none() && !list.absent_is_empty);
        let (Around::Nothing, Some(list)) = (&around, list) else { return Ok(around) };
        self.getter.reach(&pages::first(self.setup, list, &self.variables)?)?;
        Ok(Around::Seen)
    }

    /// What is known of that in which the collection lives. A server that answers "not found" to everything is
    /// believed nothing: what is missing is missing only where something beside it was seen.
    pub fn around(&self) -> Result<Around, Failure> {
        let definition = &self.setup.definition;
        let scope = self.kind.scope.as_ref().and_then(|scope| definition.scopes.get(scope));
        if scope.is_some_and(|scope| scope.id.is_some()) {
            // Nothing was asked without it.
            return Ok(Around::Seen);
        }
        let Some(url) = scope.map_or(Ok(None), |scope| self.parent_url(scope))? else {
            return self.server();
        };
        match self.getter.reach(&url) {
            Ok(()) => Ok(Around::Seen),
            Err(failure) if matches!(failure.class, Class::Absent | Class::Hidden) => {
                self.server()?;
                Ok(Around::Gone)
            }
            Err(failure) => Err(failure),
        }
    }

    /// Whether the server answers where the definition knows that it has to.
    fn server(&self) -> Result<Around, Failure> {
        let Some(probe) = &self.setup.definition.probe else { return Ok(Around::Nothing) };
        let url = request::url(self.setup, &probe.get, &BTreeMap::new(), &self.setup.variables)?;
        match self.getter.reach(&url) {
            Ok(()) => Ok(Around::Seen),
            Err(failure) => Err(Failure {
                message: format!(
                    "it is not found, and neither is `{}`, which every such server has: {}",
                    probe.get, failure.message
                ),
                class: if failure.class == Class::Absent { Class::Other } else { failure.class },
                ..failure
            }),
        }
    }

    /// Where the object that a scope is can be read, if the definition says.
    fn parent_url(&self, scope: &Scope) -> Result<Option<Url>, Failure> {
        let definition = &self.setup.definition;
        let mut variables = self.variables.clone();
        let parent = scope.kind.as_ref().and_then(|kind| definition.kind(kind));
        let path = match (&scope.exists, parent) {
            (Some(path), _) => path,
            (None, Some(Kind { read: Some(read), id: None, identity, .. })) => {
                let names = identity.keys.iter().rev().filter_map(|key| key.rsplit('/').next());
                variables.extend(names.map(str::to_owned).zip(self.collection.scope.iter().rev().cloned()));
                &read.path
            }
            _ => return Ok(None),
        };
        request::url(self.setup, path, &BTreeMap::new(), &variables).map(Some)
    }
}
