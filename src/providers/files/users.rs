//! Users and groups by name, and who wrote a file as far as it tells.

use std::{collections::HashMap, sync::Mutex};

use super::fingerprint::Identity;
use crate::model::object::Writer;

/// Looks names up in the system's database, each once.
#[derive(Debug, Default)]
pub struct People {
    users: Mutex<HashMap<u32, Option<String>>>,
    groups: Mutex<HashMap<u32, Option<String>>>,
    user_ids: Mutex<HashMap<String, Option<u32>>>,
    group_ids: Mutex<HashMap<String, Option<u32>>>,
}

impl People {
    /// The number of the user called `name`, or written as a number.
    pub fn user_id(&self, name: &str) -> Option<u32> {
        name.parse().ok().or_else(|| {
            remember(&self.user_ids, name.to_owned(), || uzers::get_user_by_name(name).map(|user| user.uid()))
        })
    }

    /// The number of the group called `name`, or written as a number.
    pub fn group_id(&self, name: &str) -> Option<u32> {
        name.parse().ok().or_else(|| {
            remember(&self.group_ids, name.to_owned(), || {
                uzers::get_group_by_name(name).map(|group| group.gid())
            })
        })
    }

    /// The name of a user, or its number.
    pub fn user(&self, uid: u32) -> String {
        self.known_user(uid).unwrap_or_else(|| uid.to_string())
    }

    /// The name of a group, or its number.
    pub fn group(&self, gid: u32) -> String {
        let find = || uzers::get_group_by_gid(gid).map(|group| group.name().to_string_lossy().into_owned());
        remember(&self.groups, gid, find).unwrap_or_else(|| gid.to_string())
    }

    fn known_user(&self, uid: u32) -> Option<String> {
        let find = || uzers::get_user_by_uid(uid).map(|user| user.name().to_string_lossy().into_owned());
        remember(&self.users, uid, find)
    }

    /// Who wrote the file with this identity.
    pub fn writer(&self, identity: &Identity) -> Writer {
        let who = match self.known_user(identity.uid) {
            Some(name) => format!("owner {name} (uid {})", identity.uid),
            None => format!("owner uid {}", identity.uid),
        };
        Writer {
            who,
            at: rfc3339(identity.print.modified),
            precision: "file owner and time of last modification; not necessarily who changed it".to_owned(),
        }
    }
}

fn remember<K: std::hash::Hash + Eq, V: Clone>(
    known: &Mutex<HashMap<K, Option<V>>>,
    key: K,
    find: impl FnOnce() -> Option<V>,
) -> Option<V> {
    // A panic while the map is locked leaves it whole: it is only ever inserted into.
    let mut known = known.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    known.entry(key).or_insert_with(find).clone()
}

/// A time in UTC, to the second.
pub fn rfc3339(nanos: i64) -> Option<String> {
    jiff::Timestamp::from_second(nanos.div_euclid(1_000_000_000)).ok().map(|time| time.to_string())
}

/// The present time in UTC, to the second.
pub fn now() -> String {
    rfc3339(super::fingerprint::nanos(std::time::SystemTime::now())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_utc_to_the_second() {
        assert_eq!(rfc3339(1_700_000_000_999_999_999).as_deref(), Some("2023-11-14T22:13:20Z"));
        assert_eq!(rfc3339(-1).as_deref(), Some("1969-12-31T23:59:59Z"));
    }

    #[test]
    fn names_and_numbers_mean_the_same_user() {
        let people = People::default();
        assert_eq!(people.user_id("root"), Some(0));
        assert_eq!(people.user_id("0"), Some(0));
        assert_eq!(people.user_id("no-such-user-here"), None);
        assert_eq!(people.user(0), "root");
        assert_eq!(people.user(4_000_000_001), "4000000001");
    }
}
