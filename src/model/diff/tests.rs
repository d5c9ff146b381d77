use proptest::prelude::*;

use super::*;
use crate::{
    exit::Exit,
    model::{
        digest::Digest,
        guard::{self, Consent},
        object::{Cause, Object, Origin, State},
        plan::{Plan, answer},
        resolve::{merge_except, with_drift, without_drift},
        selector::Selector,
        testing::{self, plan},
    },
};

/// A value from a short notation: `k=v` pairs become a mapping of strings.
fn value(text: &str) -> Value {
    Value::map(text.split_whitespace().map(|pair| {
        let (key, value) = pair.split_once('=').unwrap();
        (key, Value::string(value))
    }))
}

fn origin() -> Origin {
    Origin::new("f", None)
}

fn declared(objects: &BTreeMap<Address, Value>) -> Desired {
    let object = |value: &Value| Object { value: Some(value.clone()), origin: origin() };
    Desired {
        objects: objects.iter().map(|(address, value)| (address.clone(), object(value))).collect(),
        ..Desired::default()
    }
}

fn observed(desired: &Desired, bases: &Bases, held: &BTreeMap<Address, Value>) -> Actual {
    let mut actual = Actual::default();
    for address in addresses(desired, bases).into_keys() {
        let state = held.get(address).map(|value| State::new(value.clone()));
        let observed = state.map_or(Observed::Absent, |state| Observed::Present(Box::new(state)));
        actual.objects.insert(address.clone(), observed);
    }
    actual
}

fn changes(desired: &Desired, bases: &Bases, actual: &Actual) -> Vec<Change> {
    let found = compare(desired, bases, actual);
    found.candidates.into_iter().filter_map(|candidate| change(candidate, desired, actual, bases)).collect()
}

/// What becomes of one object `o` with these three sides; `None` if nothing does.
fn one(base: Option<&str>, desired: Option<&str>, actual: Option<&str>) -> Option<(Action, Class)> {
    let address = Address::new("o");
    let tree = |side: Option<&str>| {
        side.map(|text| (address.clone(), value(text))).into_iter().collect::<BTreeMap<_, _>>()
    };
    let desired = declared(&tree(desired));
    let bases: Bases = tree(base).into_iter().map(|(address, value)| (address, Base::Known(value))).collect();
    let mut held = observed(&desired, &bases, &tree(actual));
    if let Some(text) = actual {
        let state = State::new(value(text));
        held.objects.insert(address, Observed::Present(Box::new(state)));
    }
    changes(&desired, &bases, &held).first().map(|change| (change.action, change.class))
}

#[test]
fn the_table_of_the_design_holds_for_whole_objects() {
    let (a, b, c) = (Some("k=1"), Some("k=2"), Some("k=3"));
    for (base, desired, actual, expected) in [
        (a, a, a, None),
        (a, b, b, None),    // converged
        (None, a, a, None), // identical and not ours: taken over silently
        (a, None, None, None),
        (None, None, None, None),
        (a, b, a, Some((Action::Update, Class::Pending))),
        (None, a, None, Some((Action::Create, Class::Pending))),
        (a, None, a, Some((Action::Delete, Class::Pending))),
        (a, a, b, Some((Action::Update, Class::Drift))),
        (a, a, None, Some((Action::Create, Class::Missing))),
        (a, b, c, Some((Action::Update, Class::Conflict))),
        (a, b, None, Some((Action::Create, Class::Conflict))),
        (a, None, b, Some((Action::Delete, Class::Conflict))),
        (None, a, b, Some((Action::Adopt, Class::Pending))),
        (None, None, a, Some((Action::Keep, Class::Extra))),
    ] {
        assert_eq!(
            one(base, desired, actual),
            expected,
            "base {base:?}, desired {desired:?}, actual {actual:?}"
        );
    }
}

#[test]
fn changes_of_different_fields_are_drift_and_pending_at_once() {
    let (base, desired, actual) = (value("a=1 b=1"), value("a=2 b=1"), value("a=1 b=2"));
    let found = fields(ThreeWay { base: Some(&base), desired: Some(&desired), actual: Some(&actual) });
    let found: Vec<_> = found.iter().map(|field| (field.path.as_str(), field.class)).collect();
    assert_eq!(found, [("/a", Class::Pending), ("/b", Class::Drift)]);
    assert_eq!(one(Some("a=1 b=1"), Some("a=2 b=1"), Some("a=1 b=2")), Some((Action::Update, Class::Drift)));
}

#[test]
fn the_order_of_keys_does_not_matter() {
    assert_eq!(value("a=1 b=2"), value("b=2 a=1"));
}

#[test]
fn keys_are_escaped_in_paths_as_json_pointers_are() {
    let sides = ThreeWay { base: None, desired: Some(&value("a/b~c=1")), actual: Some(&value("x=1")) }
        .map(Value::clone);
    let paths: Vec<_> = fields(sides.as_ref()).into_iter().map(|field| field.path).collect();
    assert_eq!(paths, ["/a~1b~0c", "/x"]);
}

#[test]
fn what_was_not_answered_for_is_unknown_and_never_absent() {
    let desired = declared(&BTreeMap::from([(Address::new("o"), value("k=1"))]));
    let found = changes(&desired, &Bases::new(), &Actual::default());
    assert_eq!((found[0].action, found[0].class), (Action::Keep, Class::Unknown));
    assert_eq!(answer(&found), Exit::Error);
}

#[test]
fn a_base_that_was_lost_is_unknown_unless_both_sides_agree() {
    let desired = declared(&BTreeMap::from([(Address::new("o"), value("k=1"))]));
    let bases = Bases::from([(Address::new("o"), Base::Lost("gone".to_owned()))]);
    let held = |text| observed(&desired, &bases, &BTreeMap::from([(Address::new("o"), value(text))]));
    assert!(changes(&desired, &bases, &held("k=1")).is_empty());
    assert_eq!(changes(&desired, &bases, &held("k=2"))[0].class, Class::Unknown);
}

fn blob(text: &str) -> Value {
    let mut raw = [0; 20];
    raw.iter_mut().zip(text.bytes()).for_each(|(byte, letter)| *byte = letter);
    raw[19] = text.len() as u8;
    let id = Digest::from_bytes(&raw).unwrap();
    Blob { id, size: None, bytes: Some(text.as_bytes().into()) }.into()
}

#[test]
fn the_fields_of_a_text_are_its_hunks() {
    let [base, desired, actual] =
        ["a\nb\nc\nd\n", "A\nb\nc\nd\n", "a\nb\nc\nx\ny\n"].map(|text| Value::map([("content", blob(text))]));
    let found = fields(ThreeWay { base: Some(&base), desired: Some(&desired), actual: Some(&actual) });
    let found: Vec<_> = found.iter().map(|field| (field.path.as_str(), field.class)).collect();
    assert_eq!(found, [("/content:1", Class::Pending), ("/content:4-5", Class::Drift)]);
}

#[test]
fn drift_is_taken_into_git_without_losing_what_is_pending() {
    let [base, desired, actual] =
        ["a\nb\nc\n", "A\nb\nc\n", "a\nb\nC\n"].map(|text| Value::map([("content", blob(text))]));
    let sides = ThreeWay { base: Some(&base), desired: Some(&desired), actual: Some(&actual) };
    let merged = with_drift(sides).unwrap().unwrap();
    assert_eq!(merged.get("content").unwrap().as_blob().unwrap().text(), Some("A\nb\nC\n"));
    assert_eq!(without_drift(sides, &|_| false), Some(Some(base.clone())));
}

#[test]
fn what_is_left_keeps_the_value_of_the_target_and_the_rest_is_as_declared() {
    let [base, desired, actual] = ["a\nb\nc\n", "A\nb\nD\n", "x\nb\nC\n"].map(blob);
    let whole =
        |text: &Value, mode: &str| Value::map([("content", text.clone()), ("mode", Value::string(mode))]);
    let [base, desired, actual] = [whole(&base, "1"), whole(&desired, "2"), whole(&actual, "3")];
    let sides = ThreeWay { base: Some(&base), desired: Some(&desired), actual: Some(&actual) };
    let leaving = |left: &[&str]| {
        let found = merge_except(sides, &|path| left.contains(&path)).unwrap();
        let text = found.get("content").unwrap().as_blob().unwrap().text().unwrap().to_owned();
        (text, found.get("mode").unwrap().as_str().unwrap().to_owned())
    };
    assert_eq!(leaving(&[]), ("A\nb\nD\n".to_owned(), "2".to_owned()));
    assert_eq!(leaving(&["/mode"]), ("A\nb\nD\n".to_owned(), "3".to_owned()));
    assert_eq!(leaving(&["/content:1"]), ("x\nb\nD\n".to_owned(), "2".to_owned()));
    assert_eq!(leaving(&["/content", "/mode"]), ("x\nb\nC\n".to_owned(), "3".to_owned()));
    let undone = without_drift(sides, &|path| path == "/mode").unwrap().unwrap();
    assert_eq!(undone.get("mode"), actual.get("mode"));
    assert_eq!(undone.get("content"), base.get("content"));
}

#[test]
fn a_conflict_is_not_taken_into_git() {
    let [base, desired, actual] = ["a\n", "A\n", "x\n"].map(blob);
    assert_eq!(
        with_drift(ThreeWay { base: Some(&base), desired: Some(&desired), actual: Some(&actual) }),
        None
    );
}

fn object() -> impl Strategy<Value = Value> {
    proptest::collection::vec(("[ab]", "[12]"), 1..3).prop_map(|pairs| {
        Value::map(pairs.iter().map(|(key, text)| (key.as_str(), Value::string(text.as_str()))))
    })
}

fn tree() -> impl Strategy<Value = BTreeMap<Address, Value>> {
    proptest::collection::btree_map("[opqr]".prop_map(Address::new), object(), 0..4)
}

/// Does what a provider does with a plan.
fn carry_out(plan: &Plan, held: &mut BTreeMap<Address, Value>, bases: &mut Bases) {
    for change in plan.changes.iter().filter(|change| change.action != Action::Keep) {
        match &change.after {
            Some(after) => {
                held.insert(change.address.clone(), after.clone());
                bases.insert(change.address.clone(), Base::Known(after.clone()));
            }
            None => {
                held.remove(&change.address);
                bases.remove(&change.address);
            }
        }
    }
}

proptest! {
    #[test]
    fn applying_the_plan_makes_actual_desired_and_the_next_plan_empty(
        (base, desired, mut held) in (tree(), tree(), tree())
    ) {
        let mut bases: Bases = base.into_iter().map(|(address, value)| (address, Base::Known(value))).collect();
        let wanted = declared(&desired);
        let found = changes(&wanted, &bases, &observed(&wanted, &bases, &held));
        carry_out(&plan(found), &mut held, &mut bases);
        for (address, value) in &desired {
            prop_assert_eq!(held.get(address), Some(value));
        }
        prop_assert!(changes(&wanted, &bases, &observed(&wanted, &bases, &held)).is_empty());
    }

    #[test]
    fn undoing_drift_leaves_what_is_pending_and_no_drift(
        (base, desired, mut held) in (tree(), tree(), tree())
    ) {
        let mut bases: Bases = base.into_iter().map(|(address, value)| (address, Base::Known(value))).collect();
        let wanted = declared(&desired);
        let consent = Consent { only_drift: true, overwrite: Selector::default(), ..Consent::default() };
        let mut plan = plan(changes(&wanted, &bases, &observed(&wanted, &bases, &held)));
        plan.changes.retain(|change| change.class != Class::Conflict);
        let skipped: BTreeSet<Address> = held.keys().cloned().collect();
        guard::narrow(&mut plan, &consent);
        let before = bases.clone();
        carry_out(&plan, &mut held, &mut bases);
        let conflicting: BTreeSet<_> = changes(&wanted, &before, &observed(&wanted, &before, &held))
            .into_iter().filter(|change| change.class == Class::Conflict).map(|change| change.address).collect();
        for change in changes(&wanted, &before, &observed(&wanted, &before, &held)) {
            prop_assert!(conflicting.contains(&change.address) || !change.drifted(), "{:?} of {:?}", change, skipped);
        }
    }

    #[test]
    fn the_classes_partition_the_fields((base, desired, actual) in (object(), object(), object())) {
        let sides = ThreeWay { base: Some(&base), desired: Some(&desired), actual: Some(&actual) };
        let found: BTreeSet<String> = fields(sides).into_iter().map(|field| field.path).collect();
        for key in ["a", "b"] {
            let same = desired.get(key) == actual.get(key);
            prop_assert_eq!(found.contains(&format!("/{key}")), !same);
        }
        prop_assert!(found.len() <= 2);
    }

    #[test]
    fn swapping_git_and_target_swaps_drift_and_pending((base, desired, actual) in (object(), object(), object())) {
        let classes = |desired, actual| {
            let sides = ThreeWay { base: Some(&base), desired: Some(desired), actual: Some(actual) };
            let found = fields(sides);
            (
                found.iter().filter(|field| field.class == Class::Pending).count(),
                found.iter().filter(|field| field.class.drifted() && field.class != Class::Conflict).count(),
                found.iter().filter(|field| field.class == Class::Conflict).count(),
            )
        };
        let (pending, drift, conflict) = classes(&desired, &actual);
        prop_assert_eq!(classes(&actual, &desired), (drift, pending, conflict));
    }
}

#[test]
fn a_wrong_declaration_is_the_answer_whatever_else_differs() {
    let found = |class, unknown: Option<Cause>| Change {
        unknown: unknown.map(|cause| (cause, "why".to_owned())),
        ..testing::change("o", Action::Keep, class, ThreeWay { base: None, desired: None, actual: None })
    };
    let mut all = vec![found(Class::Pending, None), found(Class::Unknown, Some(Cause::Unavailable))];
    assert_eq!(answer(&all), Exit::Pending);
    all.push(found(Class::Unknown, Some(Cause::Invalid)));
    all.push(found(Class::Unknown, Some(Cause::Unavailable)));
    assert_eq!(answer(&all), Exit::BadDesired);
}
