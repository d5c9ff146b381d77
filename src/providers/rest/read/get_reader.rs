//! One object of a collection, read by itself.

use reqwest::Url;
use serde_json::Value as Json;

use super::{
    collection_reader::{Found, Gatherer},
    envelope,
};
use crate::providers::rest::{
    client::{failure::Failure, json, request, transport::Answer},
    compare::projection::Projection,
    declare::address::{Collection, Place},
    definition::{ErrorClass as Class, list::Read},
    template::{Ingredients, Template, Variables},
};

impl Gatherer<'_> {
    /// Reads one object. `item` is what the list says of it.
    pub fn read(&self, keys: &[String], item: Option<&Json>) -> Found {
        let Some(read) = &self.kind.read else {
            return Found::Unknown(Failure::new(Class::Other, "the definition cannot read a single one"));
        };
        let variables = self.names(keys, item);
        let url = request::url(self.setup, &read.path, &read.query, &variables);
        let answer = url.and_then(|url| match (&read.raw, &read.query_body) {
            (Some(_), _) => self.getter.text(&url),
            (None, None) => self.getter.get(&url),
            (None, Some(question)) => self.getter.safe_post(&url, question.question(&variables)),
        });
        let filled = |answer: Answer| if read.raw.is_some() { Ok(answer) } else { answer.filled() };
        let answer = match answer.and_then(filled) {
            Ok(answer) => answer,
            Err(failure) if failure.class == Class::Absent => return Found::Absent,
            // Making it carries the condition that it is not there, so nothing can be overwritten unseen.
            Err(failure) if failure.class == Class::Hidden && self.creates_carefully() => {
                return Found::Absent;
            }
            Err(failure) => return Found::Unknown(failure),
        };
        self.answered(read, answer.body, keys, item)
    }

    /// The names that templates of one object may use.
    fn names(&self, keys: &[String], item: Option<&Json>) -> Variables {
        let Collection { kind, scope } = self.collection.clone();
        let place = Place { kind, scope, keys: keys.to_vec() };
        request::of_object(self.variables.clone(), self.kind, &place, item)
    }

    /// Where one object is read.
    pub fn url(&self, read: &Read, keys: &[String]) -> Result<Url, Failure> {
        request::url(self.setup, &read.path, &read.query, &self.names(keys, None))
    }

    /// The object in an answer to a read.
    fn answered(&self, read: &Read, body: Json, keys: &[String], item: Option<&Json>) -> Found {
        if read.absent_when.as_ref().is_some_and(|absent| absent.holds(&body)) {
            return Found::Absent;
        }
        if let Some(pointer) = &read.raw {
            let mut object = Json::Null;
            json::set(&mut object, pointer, body);
            return Found::Here(self.completed(object, keys));
        }
        let shaped = |body: &&Json| body.is_object() || read.map.is_some();
        let object = body.pointer(&read.body).filter(shaped);
        let object = object.and_then(|object| self.mapped(read.map.as_ref(), object, item.or(Some(object))));
        match object {
            Some(mut object) => {
                envelope::join(self.kind, &mut object, &body);
                self.named(self.completed(object, keys), keys)
            }
            None => Found::Unknown(Failure::new(Class::Other, "the answer does not hold the object")),
        }
    }

    /// An object that was asked for by an id that is only derived from its name.
    fn named(&self, object: Json, keys: &[String]) -> Found {
        match Projection::of(self.kind).identity(&object).filter(|_| self.kind.id_from_name.is_some()) {
            Some(other) if other != keys => {
                let message = format!("the server has `{}` under the id of that name", other.join("/"));
                Found::Unknown(Failure::new(Class::Other, message))
            }
            _ => Found::Here(object),
        }
    }

    /// An answer in normal form, with its names: some servers leave out what the path already says.
    fn completed(&self, mut object: Json, keys: &[String]) -> Json {
        let form = Projection::of(self.kind);
        form.decode(&mut object);
        for (pointer, key) in self.kind.identity.keys.iter().zip(keys) {
            if object.pointer(pointer).is_none_or(Json::is_null) {
                json::set(&mut object, pointer, Json::String(key.clone()));
            }
        }
        form.normalize(&mut object);
        object
    }

    fn creates_carefully(&self) -> bool {
        self.kind.version.as_ref().is_some_and(|version| version.absent.is_some())
    }

    /// The declared form of an answer, or of an item of a list.
    pub fn mapped(&self, map: Option<&Template>, object: &Json, item: Option<&Json>) -> Option<Json> {
        match map {
            None => Some(object.clone()),
            Some(map) => map.fill(&Ingredients { item, ..Ingredients::of(object, &self.variables) }),
        }
    }
}
