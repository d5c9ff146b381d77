//! Secrets that changed behind their names: what was sent is remembered by a keyed fingerprint, never by itself.

use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{
    fingerprint::{self, Key},
    projection::Projection,
};
use crate::{
    model::{address::Address, diff::Candidate, value::Value},
    providers::{
        Query,
        rest::{
            client::{json, session::Session},
            declare::{address::Place, secrets},
        },
    },
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
pub struct SecretFingerprints {
    /// Random, made with the first print: the same secret has another one in the memory of another target.
    key: String,
    /// By object and pointer.
    of: BTreeMap<Address, BTreeMap<String, String>>,
    /// Of what the server made of a write at once, where that is something else, by object and pointer.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    made: BTreeMap<Address, BTreeMap<String, String>>,
}

impl SecretFingerprints {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.of.is_empty() && self.made.is_empty()
    }

    /// Those of `owned` objects.
    pub fn kept(&self, owned: impl Fn(&Address) -> bool) -> SecretFingerprints {
        let kept = |all: &BTreeMap<Address, BTreeMap<String, String>>| {
            let kept = all.iter().filter(|(address, _)| owned(address));
            kept.map(|(address, prints)| (address.clone(), prints.clone())).collect()
        };
        SecretFingerprints { key: self.key.clone(), of: kept(&self.of), made: kept(&self.made) }
    }

    /// `theirs`, with what is new here since `before`. Prints under another key would say nothing there.
    pub fn beside(&self, before: &SecretFingerprints, theirs: &SecretFingerprints) -> SecretFingerprints {
        let mut all = theirs.clone();
        if all.is_empty() {
            all.key.clone_from(&self.key);
        }
        if all.key == self.key {
            let new = self.of.iter().filter(|(address, prints)| before.of.get(address) != Some(prints));
            all.of.extend(new.map(|(address, prints)| (address.clone(), prints.clone())));
            let new = self.made.iter().filter(|(address, prints)| before.made.get(address) != Some(prints));
            all.made.extend(new.map(|(address, prints)| (address.clone(), prints.clone())));
        }
        all
    }

    /// What is remembered of the secret at `pointer` of an object.
    fn get(&self, address: &Address, pointer: &str) -> Option<&String> {
        self.of.get(address)?.get(pointer)
    }

    /// Remembers what was sent for an object, and what the server made of it. Without randomness nothing is.
    fn set(
        &mut self,
        address: &Address,
        sent: &[(String, String)],
        made: &[(String, String)],
        key: Option<&Key>,
    ) {
        self.of.remove(address);
        self.made.remove(address);
        if sent.is_empty() && made.is_empty() || !self.has_key() {
            return;
        }
        let of = self.all(address, sent, key);
        let made = self.all(address, made, key);
        self.of.extend((!of.is_empty()).then(|| (address.clone(), of)));
        self.made.extend((!made.is_empty()).then(|| (address.clone(), made)));
    }

    /// Remembers a secret that the server certainly has.
    fn confirm(&mut self, address: &Address, pointer: &str, secret: &str, key: Option<&Key>) {
        if !self.has_key() {
            return;
        }
        if let Some(print) = self.print(address, pointer, secret, key) {
            self.of.entry(address.clone()).or_default().insert(pointer.to_owned(), print);
        }
    }

    /// Whether there is a key, after an attempt to make one.
    fn has_key(&mut self) -> bool {
        let mut random = [0; 32];
        if self.key.is_empty() && getrandom::fill(&mut random).is_ok() {
            self.key = STANDARD.encode(random);
        }
        !self.key.is_empty()
    }

    fn all(
        &self,
        address: &Address,
        values: &[(String, String)],
        key: Option<&Key>,
    ) -> BTreeMap<String, String> {
        let print = |(pointer, value): &(String, String)| {
            Some((pointer.clone(), self.print(address, pointer, value, key)?))
        };
        values.iter().filter_map(print).collect()
    }

    /// The fingerprint of the secret at one place: the same secret has another one anywhere else.
    fn print(&self, address: &Address, pointer: &str, secret: &str, key: Option<&Key>) -> Option<String> {
        let mut salt = STANDARD.decode(&self.key).ok()?;
        salt.extend_from_slice(format!("{address}\n{pointer}").as_bytes());
        Some(fingerprint::print(secret, &salt, key))
    }
}

impl Session {
    /// Remembers the secrets of an object that was written, and in which places the server made something else of it.
    pub fn remember(&mut self, address: &Address, written: Option<&Value>, differs: &[(String, Json)]) {
        let written = written.map(json::from_model).unwrap_or_default();
        let sent = secrets::names(&written)
            .into_iter()
            .filter_map(|(pointer, name)| Some((pointer, secrets::get(name, &self.setup.folder).ok()?)));
        let sent: Vec<(String, String)> = sent.collect();
        let made = differs.iter().map(|(pointer, now)| (pointer.clone(), text(now)));
        self.prints.set(address, &sent, &made.collect::<Vec<_>>(), self.key.as_ref());
    }

    /// Remembers the secrets that the server shows, and that are what is declared although this run wrote none of them.
    pub fn confirm(&mut self, is_ours: impl Fn(&Address) -> bool) {
        for (address, value) in std::mem::take(&mut self.confirmed) {
            let Some(kind) = self.kind_of(&address).filter(|_| is_ours(&address)).cloned() else { continue };
            let declared = json::from_model(&value);
            for (pointer, name) in secrets::names(&declared) {
                let Ok(secret) = secrets::get(name, &self.setup.folder) else { continue };
                let shown = Projection::of(&kind)
                    .field(&json::steps(&pointer))
                    .is_none_or(|field| field.access.is_answered());
                let known = self.prints.get(&address, &pointer);
                if shown && known.is_none_or(|sent| !self.is_sent(&address, &pointer, &secret, sent)) {
                    self.prints.confirm(&address, &pointer, &secret, self.key.as_ref());
                }
            }
        }
    }

    /// `actual` with a mark at each secret that is another one now than the one that was sent, and that the server does
    /// not show.
    pub fn marked(&self, address: &Address, actual: Value) -> Value {
        let Some(kind) = self.kind_of(address).filter(|_| self.prints.of.contains_key(address)) else {
            return actual;
        };
        let form = Projection::of(kind);
        let mut marked = json::from_model(&actual);
        let plain = marked.clone();
        for (pointer, name) in secrets::names(&plain) {
            let shown = form.field(&json::steps(&pointer)).is_none_or(|field| field.access.is_answered());
            if let Some(was) = self.was(address, &pointer, name).filter(|_| !shown) {
                json::set(&mut marked, &format!("{pointer}/{WAS}"), Json::String(was.to_owned()));
            }
        }
        form.to_model(&marked)
    }

    /// What was sent, if that is not known to be what `name` names now.
    fn was(&self, address: &Address, pointer: &str, name: &Json) -> Option<&'static str> {
        let sent = self.prints.get(address, pointer)?;
        if !fingerprint::is_of(sent, self.key.as_ref()) {
            return Some(UNKNOWN);
        }
        let secret = secrets::get(name, &self.setup.folder).ok()?;
        (!self.is_sent(address, pointer, &secret, sent)).then_some(ANOTHER)
    }

    /// Whether `sent` is the fingerprint of `value` at that place.
    fn is_sent(&self, address: &Address, pointer: &str, value: &str, sent: &str) -> bool {
        let key = self.key.as_ref();
        fingerprint::is_of(sent, key)
            && self.prints.print(address, pointer, value, key).is_some_and(|print| print == sent)
    }

    /// What is ours and not the target's: a secret that changed behind its name, and what the server made of a write
    /// at once. Both are pending, as long as the target has what it had after the apply.
    pub fn rotate(&self, candidate: &mut Candidate) {
        let (Some(base), Some(actual)) = (&candidate.sides.base, &candidate.sides.actual) else { return };
        let actual = json::from_model(actual);
        let mut base = json::from_model(base);
        let mut ours = self.rotated(&candidate.address, &mut base, &actual, &mut candidate.notes);
        if !self.adopting {
            ours.extend(self.made(&candidate.address, &actual, &mut candidate.notes));
        }
        let mut desired = candidate.sides.desired.as_ref().map(json::from_model);
        for pointer in ours {
            take(&mut base, &actual, &pointer);
            // Held against what was applied, it has not moved.
            if let Some(desired) = desired.as_mut().filter(|_| self.against_record) {
                take(desired, &actual, &pointer);
            }
        }
        candidate.sides.base = self.to_model(&candidate.address, &base);
        if self.against_record {
            candidate.sides.desired = desired.and_then(|desired| self.to_model(&candidate.address, &desired));
        }
    }

    /// The places of secrets that are other ones now than those that were sent, and that the server still has. Where it
    /// has another one again, both moved.
    fn rotated(
        &self,
        address: &Address,
        base: &mut Json,
        actual: &Json,
        notes: &mut Vec<String>,
    ) -> Vec<String> {
        let mut rotated = Vec::new();
        for (pointer, sent) in self.prints.of.get(address).into_iter().flatten() {
            let note = || format!("the secret that `{pointer}` names is not the one that was applied");
            match actual.pointer(pointer) {
                Some(marked) if marked.get(WAS).is_some() => {
                    notes.push(match marked[WAS] == UNKNOWN {
                        true => format!(
                            "what was sent as `{pointer}` is remembered under another `fingerprint_key`"
                        ),
                        false => note(),
                    });
                    rotated.push(pointer.clone());
                }
                Some(Json::String(shown)) if self.is_sent(address, pointer, shown, sent) => {
                    notes.push(note());
                    rotated.push(pointer.clone());
                }
                Some(Json::String(_)) => {
                    let named = base.pointer(pointer).filter(|name| secrets::is_name(name));
                    if let Some(was) = named.and_then(|name| self.was(address, pointer, name)) {
                        json::set(base, &format!("{pointer}/{WAS}"), Json::String(was.to_owned()));
                    }
                }
                _ => {}
            }
        }
        rotated
    }

    /// The places in which the server still has what it made of the last write.
    fn made(&self, address: &Address, actual: &Json, notes: &mut Vec<String>) -> Vec<String> {
        let prints = self.prints.made.get(address).into_iter().flatten();
        let has = |pointer: &str| text(actual.pointer(pointer).unwrap_or(&Json::Null));
        let same = prints.filter(|(pointer, print)| self.is_sent(address, pointer, &has(pointer), print));
        let same: Vec<String> = same.map(|(pointer, _)| pointer.clone()).collect();
        let note = |pointer: &String| {
            format!(
                "the server made something else of `{pointer}` when it was applied; `drift --adopt` takes that into Git"
            )
        };
        notes.extend(same.iter().map(note));
        same
    }

    /// A remark where secrets are not there to be held against what was sent.
    pub fn unseen(&self, query: &Query<'_>) -> Option<String> {
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
        Some(Projection::of(self.definition().kind(&place.kind)?).to_model(object))
    }
}

/// Leaves out of what is to be written what stands for a secret that was applied and is not known any more.
pub fn leave_out(object: &mut Json) {
    match object {
        Json::Object(map) => {
            map.retain(|_, value| value.get(WAS).is_none());
            map.values_mut().for_each(leave_out);
        }
        Json::Array(items) => items.iter_mut().for_each(leave_out),
        _ => {}
    }
}

/// Takes what `from` has at `pointer` over, also that it has nothing there.
fn take(into: &mut Json, from: &Json, pointer: &str) {
    match from.pointer(pointer) {
        Some(value) => json::set(into, pointer, value.clone()),
        None => _ = json::remove(into, pointer),
    }
}

/// A value as the text that its fingerprint is made of.
fn text(value: &Json) -> String {
    value.as_str().map_or_else(|| json::sorted(value).to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_print_tells_secrets_apart_and_holds_none() {
        let (one, other) = (Address::new("user/a"), Address::new("user/b"));
        let mut prints = SecretFingerprints::default();
        prints.set(&one, &[("/password".into(), "s3cret-canary".into())], &[], None);
        prints.set(&other, &[], &[], None);
        let sent = prints.get(&one, "/password").unwrap().clone();
        assert_eq!(prints.print(&one, "/password", "s3cret-canary", None), Some(sent.clone()));
        assert_ne!(prints.print(&one, "/password", "another", None), Some(sent.clone()));
        assert_ne!(prints.print(&other, "/password", "s3cret-canary", None), Some(sent));
        assert!(!serde_json::to_string(&prints).unwrap().contains("canary"));
        assert!(prints.kept(|address| *address == other).is_empty());
    }

    #[test]
    fn the_same_secret_has_another_print_elsewhere() {
        let (mut one, mut other) = (SecretFingerprints::default(), SecretFingerprints::default());
        let address = Address::new("user/a");
        for prints in [&mut one, &mut other] {
            prints.set(&address, &[("/p".into(), "same".into())], &[], None);
        }
        assert_ne!(one.get(&address, "/p"), other.get(&address, "/p"));
    }
}
