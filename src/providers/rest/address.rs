//! Addresses of objects: `kind/scope/name`, each part with its slashes encoded.

use serde_json::Value as Json;

use super::{
    definition::{Definition, Kind},
    form::Form,
    json,
};
use crate::model::address::Address;

/// An address, taken apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Its kind.
    pub kind: String,
    /// What names the scope, from the outside in.
    pub scope: Vec<String>,
    /// What names it within the scope.
    pub keys: Vec<String>,
}

impl Place {
    /// The printed form.
    pub fn address(&self) -> Address {
        join(&self.kind, self.scope.iter().chain(&self.keys))
    }

    /// The collection that it belongs to.
    pub fn collection(&self) -> Collection {
        Collection { kind: self.kind.clone(), scope: self.scope.clone() }
    }

    /// Takes `address` apart; `None` if the definition knows no such kind.
    pub fn parse(definition: &Definition, address: &Address) -> Option<Place> {
        let mut parts = address.as_str().split('/');
        let kind = parts.next()?.to_owned();
        let rest: Vec<String> = parts.map(decode).collect();
        let known = definition.kind(&kind)?;
        let scope = definition.params(known).len();
        let names = scope + known.identity.keys.len();
        let most = names + usize::from(known.identity.also.is_some());
        (names..=most).contains(&rest.len()).then(|| Place {
            kind,
            keys: rest[scope..].to_vec(),
            scope: rest[..scope].to_vec(),
        })
    }
}

/// All objects of one kind in one scope.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Collection {
    /// The kind.
    pub kind: String,
    /// What names the scope.
    pub scope: Vec<String>,
}

impl Collection {
    /// The printed form.
    pub fn address(&self) -> Address {
        join(&self.kind, self.scope.iter())
    }

    /// The printed form of the object `keys` of it.
    pub fn address_of(&self, keys: &[String]) -> Address {
        join(&self.kind, self.scope.iter().chain(keys))
    }

    /// Takes the address of a collection apart.
    pub fn parse(address: &Address) -> Collection {
        let mut parts = address.as_str().split('/');
        let kind = parts.next().unwrap_or_default().to_owned();
        Collection { kind, scope: parts.map(decode).collect() }
    }

    /// The objects that it is in, from the inside out, as far as kinds make them.
    pub fn ancestors(&self, definition: &Definition) -> Vec<Address> {
        let parent = |collection: &Collection| {
            let place = collection.parent(definition, definition.kind(&collection.kind)?)?;
            Place::parse(definition, &place)
        };
        let mut found: Vec<Address> = Vec::new();
        let mut next = parent(self);
        while let Some(place) = next.filter(|_| found.len() < definition.kinds.len()) {
            found.push(place.address());
            next = parent(&place.collection());
        }
        found
    }

    /// Why one of the objects that it is in cannot be called so, if a definition says that.
    pub fn misnamed(&self, definition: &Definition) -> Option<String> {
        self.ancestors(definition).iter().find_map(|address| {
            let place = Place::parse(definition, address)?;
            let kind = definition.kind(&place.kind)?;
            let names = kind.identity.keys.iter().zip(&place.keys);
            names.filter_map(|(key, name)| Some((kind.fields.get(key)?, name))).find_map(|(field, name)| {
                let never = field.never.iter().any(|value| json::text(value).as_ref() == Some(name));
                never.then(|| format!("`{name}` cannot be the name of a {}{}", place.kind, field.remark()))
            })
        })
    }

    /// The address of the object that makes the scope, if a kind does.
    pub fn parent(&self, definition: &Definition, kind: &Kind) -> Option<Address> {
        let scope = definition.scopes.get(kind.scope.as_ref()?)?;
        Some(join(scope.kind.as_ref()?, self.scope.iter()))
    }
}

/// What names `scope`, as the kinds that make it write their names.
pub fn normal_scope(definition: &Definition, scope: &str, mut names: Vec<String>) -> Vec<String> {
    let kind = definition.scopes.get(scope).and_then(|scope| definition.kind(scope.kind.as_ref()?));
    let Some(kind) = kind.filter(|kind| kind.identity.keys.len() <= names.len()) else { return names };
    let own = names.split_off(names.len() - kind.identity.keys.len());
    let mut object = Json::Null;
    for (key, name) in kind.identity.keys.iter().zip(&own) {
        json::set(&mut object, key, Json::String(name.clone()));
    }
    let form = Form::of(kind);
    form.normalize(&mut object);
    let outer = kind.scope.as_ref().map_or(names.clone(), |scope| normal_scope(definition, scope, names));
    outer.into_iter().chain(form.identity(&object).unwrap_or(own)).collect()
}

fn join<'a>(kind: &str, parts: impl Iterator<Item = &'a String>) -> Address {
    let mut text = kind.to_owned();
    for part in parts {
        text.push('/');
        encode(part, &mut text);
    }
    Address::new(text)
}

/// `part` as it stands in an address.
pub fn encoded(part: &str) -> String {
    let mut text = String::new();
    encode(part, &mut text);
    text
}

/// Encodes what would be taken for something else in an address, or in a pattern of addresses, and nothing more.
fn encode(part: &str, text: &mut String) {
    let odd = |character: char| {
        matches!(character, '/' | '%' | '"' | '\\' | '*' | '?' | '{' | '}')
            || crate::model::address::steers_terminal(character)
    };
    for piece in part.split_inclusive(odd) {
        let last = piece.chars().next_back().filter(|character| odd(*character)).map_or(0, char::len_utf8);
        let (plain, odd) = piece.split_at(piece.len() - last);
        text.push_str(plain);
        odd.bytes().for_each(|byte| text.push_str(&format!("%{byte:02X}")));
    }
}

fn decode(part: &str) -> String {
    percent_encoding::percent_decode_str(part).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::rest::definition::embedded;

    #[test]
    fn a_scope_is_written_as_its_kind_writes_names() {
        let definition = embedded::all().find(|one| one.kind("rrset").is_some()).unwrap();
        assert_eq!(normal_scope(definition, "zone", vec!["Example.org".into()]), ["example.org."]);
        let definition = embedded::all().find(|one| one.kind("label").is_some()).unwrap();
        let names = vec!["acme".to_owned(), "web".to_owned()];
        assert_eq!(normal_scope(definition, "repo", names.clone()), names);
    }

    #[test]
    fn what_an_object_is_in_is_known_to_the_outermost() {
        let definition = embedded::all().find(|one| one.kind("team_member").is_some()).unwrap();
        let scope = vec!["acme".to_owned(), "core".to_owned()];
        let members = Collection { kind: "team_member".into(), scope };
        let ancestors = members.ancestors(definition);
        assert_eq!(ancestors, [Address::new("team/acme/core"), Address::new("organisation/acme")]);
    }

    #[test]
    fn an_address_survives_slashes_and_signs() {
        let place = Place {
            kind: "label".into(),
            scope: vec!["acme".into(), "web".into()],
            keys: vec!["a/b 50%\n*".into()],
        };
        assert_eq!(place.address().as_str(), "label/acme/web/a%2Fb 50%25%0A%2A");
        let definition = embedded::all().find(|one| one.kind("label").is_some()).unwrap();
        assert_eq!(Place::parse(definition, &place.address()), Some(place));
    }
}
