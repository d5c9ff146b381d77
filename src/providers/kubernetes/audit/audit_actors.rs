//! Who was behind what moved: `managedFields` names programs and times, the audit log who used them.

use std::collections::BTreeMap;

use anyhow::Result;

use super::{
    field_writers,
    log::{self, Key, Reach, Write},
};
use crate::{
    model::{change::Change, object::Person, value::Value},
    providers::{
        Log,
        kubernetes::{
            client::{discovery::Known, transport::MANAGER},
            observe::cluster::Cluster,
            ownership::{
                managed::{Entry, applied},
                ownership_labels,
            },
        },
    },
};

/// How many people are named for one place.
const NAMED: usize = 5;

/// Names the people behind what moved in `changes`; `since` is the last apply.
pub fn attribute_from_audit(
    cluster: &Cluster,
    logs: &mut [Log],
    changes: &mut [Change],
    since: Option<&str>,
) -> Result<Vec<String>> {
    let keys: Vec<Option<Key>> =
        changes.iter().map(|change| key(cluster, change).filter(|_| change.drifted())).collect();
    let asked = changes.iter().zip(&keys);
    let wanted = asked.filter_map(|(change, key)| Some((key.clone()?, labels(cluster, change)))).collect();
    let told = log::read(logs, &wanted)?;
    for (change, key) in changes.iter_mut().zip(keys) {
        let writes = key.and_then(|key| told.writes.get(&key)).map_or(&[][..], Vec::as_slice);
        let live = cluster.seen.get(&change.address).and_then(|seen| seen.live.as_deref());
        change.persons = persons(change, live, writes, since);
    }
    let mut notes = told.notes;
    match (&told.begins, since) {
        (None, _) => notes.push("the audit log holds no event".to_owned()),
        (Some(begins), Some(since)) if second(begins) > second(since) => {
            notes.push(format!(
                "the audit log begins at {begins}, after the last apply: who wrote before is not in it"
            ));
        }
        _ => {}
    }
    Ok(notes)
}

fn key(cluster: &Cluster, change: &Change) -> Option<Key> {
    let name = &cluster.seen.get(&change.address)?.name;
    let Known::Yes(resource) = cluster.about.as_ref()?.discovery.find(&name.kind) else { return None };
    let namespace = name.namespace.clone().filter(|_| resource.namespaced).unwrap_or_default();
    Some((name.kind.group.clone(), resource.plural.clone(), namespace, name.name.clone()))
}

/// The labels that an object is known to have had: what it was given.
fn labels(cluster: &Cluster, change: &Change) -> BTreeMap<String, String> {
    let base = change.sides.base.as_ref();
    let given = match base.and_then(|base| base.get("metadata")?.get("labels")) {
        Some(Value::Map(labels)) => Some(labels.iter()),
        _ => None,
    };
    let given = given.into_iter().flatten();
    let given = given.filter_map(|(key, value)| Some((key.to_string(), value.as_str()?.to_owned())));
    given.chain([(ownership_labels::PART_OF.to_owned(), cluster.place.label().to_owned())]).collect()
}

/// The write that made an object go: of what was deleted before it was made again nothing is missing now, and who
/// deleted it by name found it there.
fn deletion<'a>(writes: impl Iterator<Item = &'a Write>) -> Option<&'a Write> {
    let mut found: Option<&Write> = None;
    for write in writes {
        let is_known = found.is_some_and(|found| found.reach == Reach::Named);
        match (write.verb == "delete" && write.subresource.is_empty(), write.reach) {
            (true, Reach::Selected) if is_known => {}
            (true, _) => found = Some(write),
            (false, _) if write.made => found = None,
            (false, _) => {}
        }
    }
    found
}

fn persons(change: &Change, live: Option<&Value>, writes: &[Write], since: Option<&str>) -> Vec<Person> {
    let others = |write: &&Write| write.manager != MANAGER;
    let Some(live) = live.filter(|_| change.sides.actual.is_some()) else {
        let writes = writes.iter().filter(|write| is_after(write, since));
        let deleted = deletion(writes).filter(others);
        return named(deleted.as_slice(), &[]);
    };
    let since = applied(live).and_then(|ours| ours.time).or(since);
    let mut groups: Vec<(Option<Entry<'_>>, Vec<String>)> = Vec::new();
    for (path, owner) in field_writers::owners(&change.sides, live) {
        let path = field_writers::pointer(&path);
        match groups.iter_mut().find(|(other, _)| *other == owner) {
            Some((_, paths)) => paths.push(path),
            None => groups.push((owner, vec![path])),
        }
    }
    let named = groups.into_iter().map(|(owner, paths)| {
        let fitting: Vec<&Write> = writes
            .iter()
            .filter(others)
            .filter(|write| write.verb != "delete" && is_after(write, since))
            .filter(|write| fits(write, owner.as_ref()))
            .collect();
        match owner.and_then(|owner| owner.time) {
            // Without the write that the cluster tells of, the log does not cover what happened.
            Some(time) if !fitting.iter().any(|write| is_at(write, time)) => Vec::new(),
            _ => named(&fitting, &paths),
        }
    });
    named.flatten().collect()
}

/// Whether a write may be one of an entry of `managedFields`; without an entry, of any.
fn fits(write: &Write, owner: Option<&Entry<'_>>) -> bool {
    match owner {
        None => write.subresource.is_empty(),
        Some(owner) => {
            write.manager == owner.manager
                && write.subresource == owner.subresource
                && owner.time.is_none_or(|time| second(&write.received) <= second(time))
        }
    }
}

/// One entry for each user, the last first.
fn named(writes: &[&Write], paths: &[String]) -> Vec<Person> {
    let mut found: Vec<Person> = Vec::new();
    for write in writes.iter().rev() {
        if !found.iter().any(|person| person.user == write.user && person.acted_as == write.acted_as) {
            found.push(Person {
                user: write.user.clone(),
                acted_as: write.acted_as.clone(),
                agent: write.agent.clone(),
                verb: format!("{} {}", write.verb, write.subresource).trim_end().to_owned(),
                at: write.received.clone(),
                paths: paths.to_vec(),
                others: 0,
            });
        }
    }
    let others = found.len().saturating_sub(1);
    found.iter_mut().for_each(|person| person.others = others);
    found.truncate(NAMED);
    found
}

/// An RFC 3339 time in UTC without its fraction.
fn second(time: &str) -> &str {
    time.get(..19).unwrap_or(time)
}

fn is_after(write: &Write, since: Option<&str>) -> bool {
    since.is_none_or(|since| second(&write.done) >= second(since))
}

/// Whether a write was under way when the cluster took note of it.
fn is_at(write: &Write, time: &str) -> bool {
    second(&write.received) <= second(time) && second(time) <= second(&write.done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{
            change::{Action, Class, ThreeWay},
            testing,
        },
        providers::kubernetes::client::json,
    };

    fn write(user: &str, manager: &str, at: &str) -> Write {
        let time = format!("2026-05-06T07:{at}");
        Write {
            verb: "patch".to_owned(),
            reach: Reach::Named,
            made: false,
            subresource: String::new(),
            manager: manager.to_owned(),
            user: user.to_owned(),
            acted_as: None,
            agent: format!("{manager}/1"),
            received: format!("{time}.100000Z"),
            done: format!("{time}.200000Z"),
        }
    }

    const LIVE: &str = r#"{"metadata":{"managedFields":[
        {"manager":"trueup","operation":"Apply","apiVersion":"v1","time":"2026-05-06T07:00:00Z","fieldsV1":{"f:data":{"f:size":{}}}},
        {"manager":"kubectl-edit","operation":"Update","apiVersion":"v1","time":"2026-05-06T07:10:00Z","fieldsV1":{"f:data":{"f:colour":{}}}}
    ]},"data":{"colour":"red","size":"1"}}"#;

    fn who(writes: &[Write]) -> Vec<(String, usize)> {
        let data = |colour: &str| Value::map([("data", Value::map([("colour", Value::string(colour))]))]);
        let sides =
            ThreeWay { base: Some(data("blue")), desired: Some(data("blue")), actual: Some(data("red")) };
        let change = testing::change("v1/ConfigMap/shop/settings", Action::Update, Class::Drift, sides);
        let live = json::read(LIVE.as_bytes()).unwrap();
        let found = persons(&change, Some(&live), writes, None);
        assert!(found.iter().all(|person| person.paths == ["/data/colour"]));
        found.into_iter().map(|person| (person.user, person.others)).collect()
    }

    #[test]
    fn the_user_of_the_program_is_named() {
        assert_eq!(who(&[write("jane", "kubectl-edit", "10:00")]), [("jane".to_owned(), 0)]);
    }

    #[test]
    fn several_users_of_one_program_are_all_named() {
        let writes = [write("jane", "kubectl-edit", "05:00"), write("joe", "kubectl-edit", "10:00")];
        assert_eq!(who(&writes), [("joe".to_owned(), 1), ("jane".to_owned(), 1)]);
    }

    #[test]
    fn nobody_is_named_without_evidence() {
        for other in [
            write("jane", "kubectl-patch", "10:00"),
            // Before the last apply.
            write("jane", "kubectl-edit", "59:59").map_hour("06"),
            // The write that the cluster tells of is not in the log.
            write("jane", "kubectl-edit", "05:00"),
            write("jane", "kubectl-edit", "11:00"),
        ] {
            assert_eq!(who(std::slice::from_ref(&other)), [], "{other:?}");
        }
    }

    #[test]
    fn who_deleted_it_is_who_found_it_there() {
        let delete = |user: &str, reach: Reach| Write {
            verb: "delete".to_owned(),
            reach,
            ..write(user, "kubectl", "10:00")
        };
        let made = Write { made: true, ..write("joe", "kubectl", "10:00") };
        let (jane, all) = (delete("jane", Reach::Named), delete("all", Reach::Selected));
        let who = |writes: &[&Write]| deletion(writes.iter().copied()).map(|write| write.user.clone());
        assert_eq!(who(&[&jane, &all]).as_deref(), Some("jane"));
        assert_eq!(who(&[&all, &jane]).as_deref(), Some("jane"));
        assert_eq!(who(&[&jane, &made, &all]).as_deref(), Some("all"));
        assert_eq!(who(&[&jane, &write("controller", "kcm", "10:00")]).as_deref(), Some("jane"));
        assert_eq!(who(&[&all, &made]), None);
    }

    impl Write {
        fn map_hour(mut self, hour: &str) -> Write {
            self.received.replace_range(11..13, hour);
            self.done.replace_range(11..13, hour);
            self
        }
    }
}
