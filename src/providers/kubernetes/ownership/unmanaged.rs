//! What others than trueup put into objects: by hand, or as programs.

use globset::GlobSet;

use super::{
    fields::Fields,
    managed::{self, Entry, applied},
};
use crate::model::{ignore::Ignored, value::Value};

/// Field managers that only make objects: what they wrote in the second of our first apply was there before it.
const MAKERS: [&str; 4] = ["kubectl-client-side-apply", "kubectl-create", "kubectl-expose", "kubectl-run"];

/// Whether a person wrote an entry after trueup applied the object. What was there before was taken over with it.
/// An entry without a time (that of `kubectl scale`) may be of any.
pub fn is_by_hand(entry: &Entry<'_>, live: &Value, human_field_managers: &GlobSet) -> bool {
    if entry.is_by_us() || entry.subresource == "status" || !human_field_managers.is_match(entry.manager) {
        return false;
    }
    match (entry.time, applied(live).and_then(|ours| ours.time)) {
        (Some(time), Some(ours)) => time > ours || time == ours && !MAKERS.contains(&entry.manager),
        _ => true,
    }
}

/// The fields that people added to an object and nobody declared.
pub fn by_hand(live: &Value, human_field_managers: &GlobSet) -> Fields {
    let mut added = Fields::default();
    let ours = applied(live).and_then(|entry| entry.raw());
    // Mostly nobody added anything, which can be told without a tree of every field.
    let adds = |entry: &Entry<'_>| entry.raw().is_some_and(|fields| more(fields, ours, false) > 0);
    if !managed::entries(live).any(|entry| adds(&entry) && is_by_hand(&entry, live, human_field_managers)) {
        return added;
    }
    let mut others = Fields::default();
    for entry in managed::entries(live) {
        match is_by_hand(&entry, live, human_field_managers) {
            true => added.add(entry.fields()),
            false => others.add(entry.fields()),
        }
    }
    added.subtract(&others);
    added
}

/// Whether people added anything that no rule leaves to them.
pub fn has_more(added: &Fields, ignored: &[Ignored]) -> bool {
    let mut more = false;
    added.each(&mut Vec::new(), &mut |path| {
        let left = |one: &Ignored| {
            one.place.len() <= path.len() && one.place.iter().zip(path).all(|(step, own)| **step == **own)
        };
        more |= !ignored.iter().any(left);
    });
    more
}

/// The programs that own fields which are not declared, each with how many; what they report as status aside.
pub fn external<'a>(live: &'a Value, human_field_managers: &GlobSet) -> Vec<(&'a str, usize)> {
    let ours = applied(live).and_then(|entry| entry.raw());
    let programs = managed::entries(live)
        .filter(|entry| !entry.is_by_us() && !is_by_hand(entry, live, human_field_managers));
    programs
        .map(|entry| (entry.manager, entry.raw().map_or(0, |fields| more(fields, ours, true))))
        .filter(|(_, fields)| *fields > 0)
        .collect()
}

/// How many leaves `fields` has that `ours` has not.
fn more(fields: &Value, ours: Option<&Value>, top: bool) -> usize {
    let Value::Map(map) = fields else { return 0 };
    let counted = map.iter().filter(|(key, _)| &***key != "." && !(top && &***key == "f:status"));
    counted
        .map(|(key, below)| {
            let own = ours.and_then(|ours| ours.get(key));
            let is_leaf = !matches!(below, Value::Map(map) if map.keys().any(|key| &**key != "."));
            match is_leaf {
                true => usize::from(own.is_none()),
                false => more(below, own, false),
            }
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::value;

    fn human_field_managers() -> GlobSet {
        crate::providers::kubernetes::options::globs(&["kubectl*".to_owned()]).unwrap()
    }

    /// An object with the fields of several managers: name, operation, time, fields.
    fn object(entries: &[(&str, &str, &str, &str)]) -> Value {
        let entry = |(manager, operation, time, fields): &(&str, &str, &str, &str)| {
            format!(
                r#"{{"manager": "{manager}", "operation": "{operation}", "time": "{time}", "fieldsV1": {fields}}}"#
            )
        };
        let entries: Vec<String> = entries.iter().map(entry).collect();
        value(&format!(r#"{{"metadata": {{"managedFields": [{}]}}}}"#, entries.join(",")))
    }

    fn added(entries: &[(&str, &str, &str, &str)]) -> Vec<String> {
        let mut found = Vec::new();
        by_hand(&object(entries), &human_field_managers())
            .each(&mut Vec::new(), &mut |path| found.push(path.join("/")));
        found
    }

    const OURS: (&str, &str, &str, &str) =
        ("trueup", "Apply", "2026-01-02T00:00:00Z", r#"{"f:data": {"f:a": {}}}"#);

    #[test]
    fn what_people_added_after_an_apply_is_by_hand() {
        let edit = |time| ("kubectl-edit", "Update", time, r#"{"f:data": {"f:a": {}, "f:b": {}}}"#);
        assert_eq!(added(&[OURS, edit("2026-01-03T00:00:00Z")]), ["data/b"]);
        assert_eq!(added(&[OURS, edit("2026-01-02T00:00:00Z")]), ["data/b"]);
        assert!(added(&[OURS, edit("2026-01-01T00:00:00Z")]).is_empty());
        let made = ("kubectl-create", "Update", "2026-01-02T00:00:00Z", r#"{"f:data": {"f:b": {}}}"#);
        assert!(added(&[OURS, made]).is_empty());
    }

    #[test]
    fn what_programs_added_is_counted_apart() {
        let operator =
            ("operator", "Update", "2026-01-03T00:00:00Z", r#"{"f:data": {"f:a": {}, "f:b": {}}}"#);
        let status = ("kubelet", "Update", "2026-01-03T00:00:00Z", r#"{"f:status": {"f:phase": {}}}"#);
        let object = object(&[OURS, operator, status]);
        assert!(by_hand(&object, &human_field_managers()).is_empty());
        assert_eq!(external(&object, &human_field_managers()), [("operator", 1)]);
    }

    #[test]
    fn what_a_rule_leaves_to_people_is_no_more() {
        let object =
            object(&[OURS, ("kubectl-edit", "Update", "2026-01-03T00:00:00Z", r#"{"f:data": {"f:b": {}}}"#)]);
        let added = by_hand(&object, &human_field_managers());
        assert!(has_more(&added, &[]));
        let place = vec!["data".into()];
        let one = Ignored { rule: "r".into(), place, effect: crate::model::ignore::Effect::Same };
        assert!(!has_more(&added, &[one]));
    }
}
