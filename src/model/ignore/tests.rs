//! What rules hide, and that they hide nothing else.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::model::{
    change::Class,
    diff,
    testing::{self, value},
};

fn rule(paths: &[&str], when: When) -> Arc<Rule> {
    Arc::new(Rule {
        id: "r".into(),
        paths: paths.iter().map(|path| path.parse().unwrap()).collect(),
        when,
        ..rule_of_objects(Vec::new())
    })
}

fn nobody(_: &[Pattern]) -> Vec<Place> {
    Vec::new()
}

/// Settles `sides` with what Git said on its two sides.
fn settle_all(rule: &Arc<Rule>, sides: &mut ThreeWay<Value>) -> Vec<Ignored> {
    let (was, is) = (sides.base.clone(), sides.desired.clone());
    settle(std::slice::from_ref(rule), sides, &Git { was: was.as_ref(), is: is.as_ref() }, &nobody)
}

fn sides(base: &str, desired: &str, actual: &str) -> ThreeWay<Value> {
    let side = |text: &str| (!text.is_empty()).then(|| value(text));
    ThreeWay { base: side(base), desired: side(desired), actual: side(actual) }
}

/// The classes of what still differs, and the effects.
fn settled(rule: Arc<Rule>, mut sides: ThreeWay<Value>) -> (Vec<(String, Class)>, Vec<Effect>) {
    let ignored = settle_all(&rule, &mut sides);
    let fields = diff::fields(sides.as_ref());
    let fields = fields.into_iter().map(|field| (field.path, field.class)).collect();
    (fields, ignored.into_iter().map(|one| one.effect).collect())
}

#[test]
fn what_the_target_moved_is_left_to_it() {
    let moved = sides(r#"{"n": 3, "m": 1}"#, r#"{"n": 3, "m": 2}"#, r#"{"n": 7, "m": 1}"#);
    for when in [When::Live, When::Always] {
        let (fields, effects) = settled(rule(&["/n"], when), moved.clone());
        assert_eq!(fields, [("/m".to_owned(), Class::Pending)]);
        assert_eq!(effects, [Effect::Hidden]);
    }
}

#[test]
fn what_git_moved_passes_unless_it_is_always_left() {
    let both = sides(r#"{"n": 3}"#, r#"{"n": 4}"#, r#"{"n": 7}"#);
    let (fields, effects) = settled(rule(&["/n"], When::Live), both.clone());
    assert_eq!(fields, [("/n".to_owned(), Class::Pending)]);
    assert_eq!(effects, [Effect::Passed]);
    assert_eq!(settled(rule(&["/n"], When::Always), both), (Vec::new(), vec![Effect::Hidden]));
}

#[test]
fn what_is_to_be_made_or_deleted_is_not_kept_from_it() {
    let mut new = sides("", r#"{"n": 3}"#, "");
    assert!(settle_all(&rule(&["/n"], When::Always), &mut new).is_empty());
    assert_eq!(new.desired, Some(value(r#"{"n": 3}"#)));
    let mut leaving = sides(r#"{"n": 3}"#, "", r#"{"n": 7}"#);
    settle_all(&rule(&["/n"], When::Live), &mut leaving);
    assert_eq!(leaving.base, leaving.actual);
}

#[test]
fn what_is_taken_over_keeps_what_is_there() {
    let (fields, effects) = settled(rule(&["/n"], When::Live), sides("", r#"{"n": 3}"#, r#"{"n": 7}"#));
    assert_eq!((fields, effects), (Vec::new(), vec![Effect::Hidden]));
}

#[test]
fn only_what_its_managers_own_is_left_to_them() {
    let rule =
        Arc::new(Rule { managers: vec![Pattern::new("hpa*")], ..(*rule(&["/n"], When::Live)).clone() });
    let owned = |managers: &[Pattern]| {
        let all = [("hpa-1", "/n"), ("hpa-1", "/m"), ("kubectl", "/n")];
        let by = |(manager, _): &&(&str, &str)| managers.iter().any(|one| one.matches(manager));
        all.iter().filter(by).map(|(_, place)| vec![Arc::from(&place[1..])]).collect()
    };
    let mut both = sides(r#"{"n": 1, "m": 1}"#, r#"{"n": 1, "m": 1}"#, r#"{"n": 2, "m": 2}"#);
    settle(&[rule], &mut both, &Git::default(), &owned);
    let left: Vec<String> = diff::fields(both.as_ref()).into_iter().map(|field| field.path).collect();
    assert_eq!(left, ["/m"]);
}

#[test]
fn only_git_says_for_which_objects_a_rule_is() {
    let matches = Match {
        kind: vec![Pattern::new("Deploy*")],
        labels: vec![("app".to_owned(), Some("web".to_owned()))],
        declares: Some("/spec".parse().unwrap()),
        ..Match::default()
    };
    let address = Address::new("a");
    let is_about = |kind, declared: Option<&str>| {
        let declared = declared.map(value);
        let names = Some(["apps", kind, "shop", "web"]);
        matches.is_about(&Subject { address: &address, names, declared: declared.as_ref(), facts: &[] })
    };
    let declared = r#"{"metadata": {"labels": {"app": "web"}}, "spec": {}}"#;
    assert!(is_about("Deployment", Some(declared)));
    assert!(!is_about("Service", Some(declared)) && !is_about("Deployment", Some("{}")));
    assert!(!is_about("Deployment", None));
}

#[test]
fn an_object_says_in_git_what_is_left_to_others() {
    let text = r#"{"metadata": {"annotations": {"trueup.dev/ignore": "/spec/replicas, /data"}}}"#;
    let (address, declared) = (Address::new("a"), value(text));
    let about =
        |declared| Rules::default().about(&Subject { address: &address, names: None, declared, facts: &[] });
    assert_eq!(about(Some(&declared))[0].paths.len(), 2);
    assert!(about(None).is_empty());
}

#[test]
fn every_rule_is_counted_also_one_that_does_nothing() {
    let rules = Rules(vec![rule(&["/n"], When::Live)]);
    assert_eq!((rules.uses([])[0].objects, rules.uses([])[0].fields), (0, 0));
    let one = |effect| Ignored { rule: "r".into(), place: vec!["n".into()], effect };
    let objects = [vec![one(Effect::Hidden), one(Effect::Hidden)], vec![one(Effect::Same)]];
    let used = rules.uses(objects.iter().map(Vec::as_slice));
    assert_eq!((used[0].objects, used[0].fields), (2, 2));
}

#[test]
fn a_rule_is_overdue_after_its_last_day() {
    let rule = Rule { expires: Some("2027-01-31".to_owned()), ..rule_of_objects(Vec::new()) };
    assert!(!rule.is_expired("2027-01-31") && rule.is_expired("2027-02-01"));
}

/// Every leaf with its place; what is empty is none.
fn leaves(value: &Value) -> BTreeMap<Place, Value> {
    fn walk(value: &Value, at: &mut Place, found: &mut BTreeMap<Place, Value>) {
        match value {
            Value::Map(map) => map.iter().for_each(|(key, value)| {
                at.push(key.clone());
                walk(value, at, found);
                at.pop();
            }),
            leaf => _ = found.insert(at.clone(), leaf.clone()),
        }
    }
    let mut found = BTreeMap::new();
    walk(value, &mut Vec::new(), &mut found);
    found
}

fn any_object() -> impl Strategy<Value = Value> {
    let leaf = (0..3_u8).prop_map(|number| Value::Number(number.into()));
    let node = leaf.prop_recursive(3, 12, 3, |inner| {
        proptest::collection::btree_map("[abc]", inner, 0..3).prop_map(Value::map)
    });
    proptest::collection::btree_map("[abc]", node, 0..3).prop_map(Value::map)
}

fn any_path() -> impl Strategy<Value = String> {
    proptest::collection::vec("[abc*]", 1..3).prop_map(|steps| format!("/{}", steps.join("/")))
}

proptest! {
    #[test]
    fn an_ignored_place_never_changes_the_answer_and_everything_else_stays(
        objects in [any_object(), any_object(), any_object()], path in any_path(), live: bool
    ) {
        let [base, desired, actual] = objects.map(Some);
        let before = ThreeWay { base, desired, actual };
        let mut after = before.clone();
        let rule = rule(&[&path], if live { When::Live } else { When::Always });
        let ignored = settle_all(&rule, &mut after);
        let settled: Vec<&Place> =
            ignored.iter().filter(|one| one.effect != Effect::Passed).map(|one| &one.place).collect();
        let below = |place: &Place, all: &[&Place]| all.iter().any(|one| place.starts_with(one));
        let named: Vec<&Place> = ignored.iter().map(|one| &one.place).collect();
        for (before, after) in [
            (&before.base, &after.base), (&before.desired, &after.desired), (&before.actual, &after.actual),
        ] {
            let [mut before, mut after] = [before, after].map(|side| leaves(side.as_ref().unwrap()));
            // A leaf that makes room for a mapping on the way to a place is not there any more.
            before.retain(|place, _| !below(place, &named));
            after.retain(|place, _| !below(place, &named));
            prop_assert_eq!(before, after);
        }
        for field in diff::fields(after.as_ref()) {
            let place: Place = field.path.split('/').skip(1).map(Arc::from).collect();
            prop_assert!(!below(&place, &settled), "{} still differs", field.path);
        }
    }

    #[test]
    fn a_digest_does_not_depend_on_what_is_left_to_the_target(
        objects in [any_object(), any_object()], path in any_path(), other in any_object()
    ) {
        let [desired, actual] = objects;
        let rule = rule(&[&path], When::Always);
        // The target moves at the ignored places only.
        let mut moved = actual.clone();
        for place in rule.places([&actual], &nobody) {
            if path::get(&other, &place).is_some() {
                path::copy_at(&mut moved, &place, Some(&other));
            }
        }
        let digest = |actual: Value| {
            let mut sides = ThreeWay { base: None, desired: Some(desired.clone()), actual: Some(actual) };
            let ignored = settle_all(&rule, &mut sides);
            let mut change = testing::change(
                "a", crate::model::change::Action::Update, Class::Pending, sides
            );
            change.ignored = ignored;
            testing::plan(vec![change]).digest()
        };
        prop_assert_eq!(digest(actual), digest(moved));
    }
}
