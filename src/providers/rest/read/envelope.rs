//! A field that stands beside its object in requests and in answers of one, and in no list.

use serde_json::Value as Json;

use crate::{
    model::value::Value,
    providers::rest::{
        client::{failure::Failure, json, session::Session},
        declare::address::Place,
        definition::{ErrorClass as Class, Field, Kind, Write},
    },
};

/// Puts the field of an answer into the object that the answer holds; a field of that name which is the object's
/// own is another one.
pub fn join(kind: &Kind, object: &mut Json, answer: &Json) {
    let Some(beside) = &kind.envelope else { return };
    json::remove(object, &beside.field);
    let shown = beside.shown_when.as_ref().is_none_or(|shown| shown.holds(answer));
    if let Some(value) = answer.pointer(&beside.at).filter(|_| shown) {
        json::set(object, &beside.field, value.clone());
    }
}

/// The content of a request: the object where it is wanted, and the field beside it.
pub fn split(kind: &Kind, write: &Write, mut object: Json) -> Json {
    let mut content = Json::Null;
    let beside = kind.envelope.as_ref();
    let beside = beside.and_then(|beside| Some((&beside.at, json::remove(&mut object, &beside.field)?)));
    let alone = beside.is_some() && object.as_object().is_some_and(serde_json::Map::is_empty);
    if !alone {
        json::set(&mut content, &write.body_pointer, object);
    }
    if let Some((at, value)) = beside {
        json::set(&mut content, at, value);
    }
    content
}

impl Session {
    /// Whether one of `sides` declares what lists do not show of the object.
    pub fn is_apart<'a>(&self, place: &Place, mut sides: impl Iterator<Item = &'a Value>) -> bool {
        let beside = self.definition().kind(&place.kind).and_then(|kind| kind.envelope.as_ref());
        beside.is_some_and(|beside| sides.any(|side| side.get(&beside.field[1..]).is_some()))
    }

    /// Why nothing can be said of an object, if what one of `sides` declares is not shown.
    pub fn hidden<'a>(
        &self,
        place: &Place,
        sides: impl Iterator<Item = &'a Value>,
        raw: &Json,
    ) -> Option<Failure> {
        let kind = self.definition().kind(&place.kind)?;
        let field = &kind.envelope.as_ref()?.field;
        let unseen = raw.pointer(field).is_none() && self.is_apart(place, sides);
        let about = kind.fields.get(field).map(Field::remark).unwrap_or_default();
        unseen.then(|| {
            Failure::new(
                Class::Forbidden,
                format!("the server does not show its `{field}` to these credentials{about}"),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn kind() -> Kind {
        serde_json::from_value(json!({
            "identity": {"keys": ["/id"]}, "read": {"path": "/x/{id}"},
            "envelope": {"field": "/acl", "at": "/permissions", "shown_when": "/permissions/write"},
        }))
        .unwrap()
    }

    #[test]
    fn an_answer_shows_it_only_to_those_who_may_see_it() {
        let joined = |answer: Json| {
            let mut object = json!({"id": "a", "acl": "its own"});
            join(&kind(), &mut object, &answer);
            object
        };
        assert_eq!(joined(json!({"permissions": {"write": ["me"]}}))["acl"], json!({"write": ["me"]}));
        assert_eq!(joined(json!({"permissions": {}})), json!({"id": "a"}));
    }

    #[test]
    fn a_request_has_it_beside_the_object_or_alone() {
        let write: Write =
            serde_json::from_value(json!({"method": "PATCH", "path": "/x", "body_pointer": "/data"}))
                .unwrap();
        let split = |object| split(&kind(), &write, object);
        assert_eq!(split(json!({"a": 1, "acl": {}})), json!({"data": {"a": 1}, "permissions": {}}));
        assert_eq!(split(json!({"acl": {}})), json!({"permissions": {}}));
        assert_eq!(split(json!({"a": 1})), json!({"data": {"a": 1}}));
    }
}
