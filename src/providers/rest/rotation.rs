//! Secrets that changed behind their names: what was sent is remembered by a keyed fingerprint, never by itself.

use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{
    address::Place,
    fingerprint::{self, Key},
    form::Form,
    json, secrets,
    session::Session,
};
use crate::{
    model::{address::Address, diff::Candidate, value::Value},
    providers::Query,
    yaml::emit::{Quotes, flow},
};

/// Marks the name of a secret that is another one now, in the form of the target's side.
const WAS: &str = "$was";

/// What stands beside [`WAS`] where the secret is not the one that was sent.
const ANOTHER: &str = "another value";

/// What stands there where nobody can tell: what was sent is remembered under another key.
const UNKNOWN: &str = "unknown";

/// Fingerprints of the secrets that were sent. Without a [`Key`] from outside, whoever reads them can guess.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prints {
    /// Random, made with the first print: the same secret has another one in the memory of another target.
    key: String,
    /// By object and pointer.
    of: BTreeMap<Address, BTreeMap<String, String>>,
}

impl Prints {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.of.is_empty()
    }

    /// Those of `owned` objects.
    pub fn kept(&self, owned: impl Fn(&Address) -> bool) -> Prints {
        let of = self.of.iter().filter(|(address, _)| owned(address));
        Prints {
            key: self.key.clone(),
            of: of.map(|(address, prints)| (address.clone(), prints.clone())).collect(),
        }
    }

    /// `theirs`, with what is new here since `before`. Prints under another key would say nothing there.
    pub fn beside(&self, before: &Prints, theirs: &Prints) -> Prints {
        let mut all = theirs.clone();
        if all.is_empty() {
            all.key.clone_from(&self.key);
        }
        if all.key == self.key {
            let new = self.of.iter().filter(|(address, prints)| before.of.get(address) != Some(prints));
            all.of.extend(new.map(|(address, prints)| (address.clone(), prints.clone())));
        }
        all
    }

    /// What is remembered of the secret at `pointer` of an object.
    fn get(&self, address: &Address, pointer: &str) -> Option<&String> {
        self.of.get(address)?.get(pointer)
    }

    /// Remembers what was sent for an object. Without randomness nothing is.
    fn set(&mut self, address: &Address, sent: &[(String, String)], key: Option<&Key>) {
        self.of.remove(address);
        if !sent.is_empty() && self.key.is_empty() {
            let mut random = [0; 32];
            if getrandom::fill(&mut random).is_err() {
                return;
            }
            self.key = STANDARD.encode(random);
        }
        let print = |(pointer, secret): &(String, String)| {
            Some((pointer.clone(), self.print(address, pointer, secret, key)?))
        };
        let prints: BTreeMap<String, String> = sent.iter().filter_map(print).collect();
        if !prints.is_empty() {
            self.of.insert(address.clone(), prints);
        }
    }

    /// The fingerprint of the secret at one place: the same secret has another one anywhere else.
    fn print(&self, address: &Address, pointer: &str, secret: &str, key: Option<&Key>) -> Option<String> {
        let mut salt = STANDARD.decode(&self.key).ok()?;
        salt.extend_from_slice(format!("{address}\n{pointer}").as_bytes());
        Some(fingerprint::print(secret, &salt, key))
    }
}

impl Session {
    /// Remembers the secrets of an object that was written.
    pub fn remember(&mut self, address: &Address, written: Option<&Value>) {
        let written = written.map(json::from_model).unwrap_or_default();
        let sent = secrets::names(&written)
            .into_iter()
            .filter_map(|(pointer, name)| Some((pointer, secrets::get(name, &self.setup.folder).ok()?)));
        let sent: Vec<(String, String)> = sent.collect();
        self.prints.set(address, &sent, self.key.as_ref());
    }

    /// `actual` with a mark at each secret that is another one now than the one that was sent.
    pub(super) fn marked(&self, address: &Address, actual: Value) -> Value {
        if !self.prints.of.contains_key(address) {
            return actual;
        }
        let mut marked = json::from_model(&actual);
        let plain = marked.clone();
        for (pointer, name) in secrets::names(&plain) {
            if let Some(was) = self.was(address, &pointer, name) {
                json::set(&mut marked, &format!("{pointer}/{WAS}"), Json::String(was.to_owned()));
            }
        }
        self.to_model(address, &marked).unwrap_or(actual)
    }

    /// What was sent, if that is not known to be what `name` names now.
    fn was(&self, address: &Address, pointer: &str, name: &Json) -> Option<&'static str> {
        let sent = self.prints.get(address, pointer)?;
        if !fingerprint::is_of(sent, self.key.as_ref()) {
            return Some(UNKNOWN);
        }
        let secret = secrets::get(name, &self.setup.folder).ok()?;
        (self.prints.print(address, pointer, &secret, self.key.as_ref())? != *sent).then_some(ANOTHER)
    }

    /// A secret that changed behind its name is a change of ours, not of the target.
    pub(super) fn rotate(&self, candidate: &mut Candidate) {
        let (Some(base), Some(actual)) = (&candidate.sides.base, &candidate.sides.actual) else { return };
        let actual = json::from_model(actual);
        let mut base = json::from_model(base);
        for pointer in self.prints.of.get(&candidate.address).into_iter().flat_map(BTreeMap::keys) {
            let Some(marked) = actual.pointer(pointer).filter(|name| name.get(WAS).is_some()) else {
                continue;
            };
            json::set(&mut base, pointer, marked.clone());
            candidate.notes.push(match marked[WAS] == UNKNOWN {
                true => format!("what was sent as `{pointer}` is remembered under another `fingerprint_key`"),
                false => format!("the secret that `{pointer}` names is not the one that was applied"),
            });
        }
        candidate.sides.base = self.to_model(&candidate.address, &base);
    }

    /// A remark where secrets are not there to be held against what was sent.
    pub(super) fn unseen(&self, query: &Query<'_>) -> Option<String> {
        let mut unseen = BTreeSet::new();
        for (address, object) in query.declared? {
            let (Some(value), true) = (&object.value, self.prints.of.contains_key(address)) else { continue };
            let declared = json::from_model(value);
            let names = secrets::names(&declared).into_iter().filter(|(pointer, name)| {
                self.prints.get(address, pointer).is_some() && secrets::get(name, &self.setup.folder).is_err()
            });
            unseen.extend(names.map(|(_, name)| flow(name, Quotes::AsNeeded)));
        }
        let names = unseen.into_iter().collect::<Vec<_>>().join(", ");
        (!names.is_empty())
            .then(|| format!("not to be read here, so a change of them would not be seen: {names}"))
    }

    fn to_model(&self, address: &Address, object: &Json) -> Option<Value> {
        let place = Place::parse(self.definition(), address)?;
        Some(Form::of(self.definition().kind(&place.kind)?).to_model(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_print_tells_secrets_apart_and_holds_none() {
        let (one, other) = (Address::new("user/a"), Address::new("user/b"));
        let mut prints = Prints::default();
        prints.set(&one, &[("/password".into(), "s3cret-canary".into())], None);
        prints.set(&other, &[], None);
        let sent = prints.get(&one, "/password").unwrap().clone();
        assert_eq!(prints.print(&one, "/password", "s3cret-canary", None), Some(sent.clone()));
        assert_ne!(prints.print(&one, "/password", "another", None), Some(sent.clone()));
        assert_ne!(prints.print(&other, "/password", "s3cret-canary", None), Some(sent));
        assert!(!serde_json::to_string(&prints).unwrap().contains("canary"));
        assert!(prints.kept(|address| *address == other).is_empty());
    }

    #[test]
    fn the_same_secret_has_another_print_elsewhere() {
        let (mut one, mut other) = (Prints::default(), Prints::default());
        let address = Address::new("user/a");
        for prints in [&mut one, &mut other] {
            prints.set(&address, &[("/p".into(), "same".into())], None);
        }
        assert_ne!(one.get(&address, "/p"), other.get(&address, "/p"));
    }
}
