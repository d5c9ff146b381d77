//! Addresses of objects: `kind/scope/name`, each part with its slashes encoded.

use crate::{
    model::address::Address,
    providers::rest::{
        client::json,
        compare::projection::Projection,
        definition::{Definition, Kind},
    },
};

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

    /// The same place by the names that its address has, however they are spelled here.
    pub fn canonical(self, definition: &Definition) -> Place {
        let Some(kind) = definition.kind(&self.kind) else { return self };
        let Place { kind: name, scope, keys } = self;
        let scope = match &kind.scope {
            Some(outer) => normal_scope(definition, outer, scope),
            None => scope,
        };
        Place { kind: name, scope, keys: Projection::of(kind).named(keys) }
    }

    /// Takes an address that a person wrote apart, however it spells names.
    pub fn meant(definition: &Definition, address: &Address) -> Option<Place> {
        Some(Place::parse(definition, address)?.canonical(definition))
    }

    /// Takes `address` apart; `None` if the definition knows no such kind.
    pub fn parse(definition: &Definition, address: &Address) -> Option<Place> {
        let mut parts = address.as_str().split('/');
        let kind = parts.next()?.to_owned();
        let rest: Vec<String> = parts.map(decode).collect();
        let known = definition.kind(&kind)?;
        let scope = definition.params(known).len();
        let names = scope + known.identity.keys.len();
        let most = names + usize::from(known.identity.discriminator.is_some());
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
            names.filter_map(|(key, name)| Some((key, kind.fields.get(key)?, name))).find_map(
                |(key, field, name)| {
                    let same =
                        |value| json::text(value).is_some_and(|value| kind.fold(key).same(&value, name));
                    let never = field.forbidden.iter().any(same);
                    never
                        .then(|| format!("`{name}` cannot be the name of a {}{}", place.kind, field.remark()))
                },
            )
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
    let Some(scope) = definition.scopes.get(scope) else { return names };
    let kind = scope.kind.as_ref().and_then(|kind| definition.kind(kind));
    let Some(kind) = kind.filter(|kind| kind.identity.keys.len() <= names.len()) else {
        return names.iter().map(|name| scope.case.addressed(name)).collect();
    };
    let own = names.split_off(names.len() - kind.identity.keys.len());
    let outer = kind.scope.as_ref().map_or(names.clone(), |scope| normal_scope(definition, scope, names));
    outer.into_iter().chain(Projection::of(kind).named(own)).collect()
}

/// A pattern of addresses in the form that addresses have; `None` if that is its own. Where it has a wildcard, only the
/// case of a component changes.
pub fn spelled(definition: &Definition, pattern: &str) -> Option<String> {
    let (name, rest) = pattern.split_once('/')?;
    let kind = definition.kind(name)?;
    let width = definition.params(kind).len();
    let parts: Vec<&str> = rest.split('/').collect();
    let is_wild = |part: &str| part.contains(['*', '?', '{', '}', '\\']);
    let most = parts.iter().position(|part| *part == "**").unwrap_or(parts.len());
    let count = most.min(width + kind.identity.keys.len());
    let filled = |fill: &dyn Fn(&str) -> String| {
        let mut all: Vec<String> = parts[..count].iter().map(|part| fill(part)).collect();
        all.resize(width + kind.identity.keys.len(), "x".to_owned());
        let keys = all.split_off(width);
        let Place { scope, keys, .. } =
            Place { kind: name.to_owned(), scope: all, keys }.canonical(definition);
        [scope, keys].concat()
    };
    let names = filled(&|part| if is_wild(part) { "x".to_owned() } else { decode(part) });
    let cases = filled(&|_| "aB".to_owned());
    let one = |(at, part): (usize, &&str)| match cases.get(at).map(|case| case.as_bytes()) {
        _ if at >= count => (*part).to_owned(),
        _ if !is_wild(part) => encoded(&names[at]),
        Some([b'a', b'b', ..]) => part.to_lowercase(),
        Some([b'A', ..]) => part.to_uppercase(),
        _ => (*part).to_owned(),
    };
    let parts: Vec<String> = parts.iter().enumerate().map(one).collect();
    let spelled = format!("{name}/{}", parts.join("/"));
    (spelled != pattern).then_some(spelled)
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
        for provider in ["gitea", "github"] {
            let definition = embedded::find(provider).unwrap();
            let names = vec!["Acme".to_owned(), "Web".to_owned()];
            assert_eq!(normal_scope(definition, "repo", names), ["acme", "web"], "{provider}");
        }
    }

    #[test]
    fn one_object_has_one_address_however_it_is_spelled() {
        let cases = [
            ("gitea", "repository/ACME/Api", "repository/acme/api"),
            ("gitea", "label/Acme/API/Bug", "label/acme/api/Bug"),
            ("gitea", "organisation_variable/Acme/colour", "organisation_variable/acme/COLOUR"),
            ("gitea", "team_member/Acme/Core/Al", "team_member/acme/core/al"),
            ("github", "label/Acme/API/Bug", "label/acme/api/bug"),
            ("powerdns", "rrset/Example.ORG/WWW.example.org/a", "rrset/example.org./www.example.org./A"),
            ("rabbitmq", "binding/V/A/B/k/%7B%22a%22:1%7D", "binding/V/A/B/k/%7B%22a%22:1%7D"),
        ];
        for (provider, spelled, address) in cases {
            let definition = embedded::find(provider).unwrap();
            let place = Place::meant(definition, &Address::new(spelled)).unwrap();
            let one = Place::parse(definition, &Address::new(address)).unwrap().address();
            assert_eq!(place.address(), one, "{spelled}");
        }
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
    fn a_pattern_is_read_in_every_spelling() {
        let gitea = embedded::find("gitea").unwrap();
        let cases = [
            ("repository/Acme/API", Some("repository/acme/api")),
            ("repository/Acme/Web*", Some("repository/acme/web*")),
            ("repository/Acme/API/Description", Some("repository/acme/api/Description")),
            ("label/Acme/**", Some("label/acme/**")),
            ("label/acme/web/Bug", None),
            ("organisation_variable/acme/colour", Some("organisation_variable/acme/COLOUR")),
            ("Label/Acme", None),
            ("**", None),
        ];
        for (pattern, expected) in cases {
            assert_eq!(spelled(gitea, pattern).as_deref(), expected, "{pattern}");
        }
        let powerdns = embedded::find("powerdns").unwrap();
        let (pattern, address) =
            ("rrset/Example.org/WWW.example.org/a", "rrset/example.org./www.example.org./A");
        assert_eq!(spelled(powerdns, pattern).as_deref(), Some(address));
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
