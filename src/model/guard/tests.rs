use super::*;
use crate::model::{
    change::{Field, ThreeWay},
    object::Cause,
    testing,
    value::Value,
};

fn change(address: &str, action: Action, class: Class) -> Change {
    let value = Some(Value::Null);
    let desired = value.clone().filter(|_| action != Action::Delete);
    Change {
        unknown: (class == Class::Unknown).then(|| (Cause::NoPermission, "forbidden".to_owned())),
        ..testing::change(address, action, class, ThreeWay { base: value.clone(), desired, actual: value })
    }
}

fn plan(owned: usize, changes: Vec<Change>) -> Plan {
    Plan { owned, ..testing::plan(changes) }
}

/// The codes of what is refused, with everything in one collection of `owned` objects.
fn refused(plan: &Plan, limits: &Limits, consent: &Consent) -> Vec<Exit> {
    let collections = BTreeMap::from([("all".to_owned(), plan.owned)]);
    let context = Context { limits, collections, collection: |_| "all".to_owned(), declared: 1 };
    check(plan, consent, &context).into_iter().map(|refusal| refusal.exit).collect()
}

fn selector(pattern: &str) -> Selector {
    Selector::new(&[pattern]).unwrap()
}

fn deletes(count: usize) -> Vec<Change> {
    (0..count).map(|index| change(&format!("o{index}"), Action::Delete, Class::Pending)).collect()
}

#[test]
fn deletes_are_limited_by_count_and_by_share() {
    let limits = Limits { max_delete: 5, max_delete_percent: 20, ..Limits::default() };
    let check = |owned, count| refused(&plan(owned, deletes(count)), &limits, &Consent::default()).len();
    assert_eq!(check(100, 5), 0);
    assert_eq!(check(100, 6), 1, "more than the count allows");
    assert_eq!(check(10, 3), 1, "more than a fifth");
    assert_eq!(check(3, 1), 0, "one is always within the share");
}

#[test]
fn what_goes_along_counts() {
    let limits = Limits { max_delete: 5, max_delete_percent: 100, ..Limits::default() };
    let with = |cascade| plan(10, vec![Change { cascade, ..change("o", Action::Delete, Class::Pending) }]);
    assert!(refused(&with(4), &limits, &Consent::default()).is_empty());
    assert_eq!(refused(&with(5), &limits, &Consent::default()), [Exit::Refused]);
}

#[test]
fn a_replacement_counts_as_a_delete_and_needs_consent() {
    let limits = Limits { max_delete: 0, ..Limits::default() };
    let plan = plan(10, vec![change("o", Action::Replace, Class::Pending)]);
    assert_eq!(refused(&plan, &limits, &Consent::default()).len(), 2);
    let consent = Consent { replace: selector("o"), ..Consent::default() };
    assert_eq!(refused(&plan, &limits, &consent).len(), 1);
}

#[test]
fn a_collection_of_several_is_not_emptied_silently() {
    let limits = Limits { max_delete_percent: 100, ..Limits::default() };
    let plan = plan(2, deletes(2));
    assert_eq!(refused(&plan, &limits, &Consent::default()), [Exit::Refused]);
    let consent = Consent { emptied: selector("**"), ..Consent::default() };
    assert!(refused(&plan, &limits, &consent).is_empty());
}

#[test]
fn a_protected_object_needs_its_own_consent() {
    let limits = Limits { protect: selector("o*"), ..Limits::default() };
    let plan = plan(10, deletes(1));
    assert_eq!(refused(&plan, &limits, &Consent::default()), [Exit::Refused]);
    assert!(refused(&plan, &limits, &Consent { protected: selector("o0"), ..Consent::default() }).is_empty());
}

#[test]
fn what_a_field_grants_is_not_taken_away_without_consent() {
    let limits = Limits { access_fields: selector("o/*/acl/read"), ..Limits::default() };
    let object = |acl: &str, read: &[&str]| {
        let read = Value::List(read.iter().map(|name| Value::String((*name).into())).collect());
        Value::map([(acl, Value::map([("read", read)]))])
    };
    let refused = |acl: &str, (actual, after): (&[&str], &[&str]), consent: &Consent| {
        let (actual, after) = (object(acl, actual), object(acl, after));
        let sides = ThreeWay { base: None, desired: Some(after.clone()), actual: Some(actual) };
        let change =
            Change { after: Some(after), ..testing::change("o/x", Action::Update, Class::Pending, sides) };
        self::refused(&plan(10, vec![change]), &limits, consent)
    };
    let none = Consent::default();
    assert_eq!(refused("acl", (&["a", "b"], &["b", "c"]), &none), [Exit::Refused]);
    assert!(refused("acl", (&["a"], &["a", "b"]), &none).is_empty());
    assert!(refused("tags", (&["a"], &[]), &none).is_empty());
    assert!(
        refused("acl", (&["a"], &[]), &Consent { protected: selector("o/x"), ..Consent::default() })
            .is_empty()
    );
}

#[test]
fn what_is_to_be_left_and_is_nowhere_is_a_slip() {
    let consent = Consent {
        keep: Selector::new(&["shop/wbe", "shop/web/replicas", "old/*", "shop"]).unwrap(),
        ..Consent::default()
    };
    let [web, other] = ["shop/web", "other"].map(Address::new);
    let found = strangers(&consent, &[&web, &other].into());
    let found: Vec<_> = found.iter().map(|refusal| (&*refusal.message, &*refusal.hint)).collect();
    assert_eq!(found, [("`--keep shop/wbe` names no object", "did you mean `shop/web`?")]);
}

#[test]
fn single_fields_are_taken_until_none_is_left_in_conflict() {
    let mut change = change("o", Action::Update, Class::Conflict);
    let field = |path: &str, class| Field::new(path, class, ThreeWay::default());
    change.fields = vec![
        field("/a", Class::Conflict),
        field("/b/[name=x]", Class::Conflict),
        field("/c", Class::Pending),
    ];
    let plan = plan(10, vec![change.clone()]);
    let said = |taken: &[&str]| {
        let consent = Consent { overwrite: Selector::new(taken).unwrap(), ..Consent::default() };
        let limits = Limits::default();
        let context = Context {
            limits: &limits,
            collections: BTreeMap::new(),
            collection: |_| "all".to_owned(),
            declared: 1,
        };
        check(&plan, &consent, &context).into_iter().map(|refusal| refusal.message).collect::<String>()
    };
    assert!(said(&["o/a"]).contains("in the same place: /b/[name=x] is not settled"));
    assert_eq!(said(&["o/a", "o/b/[name=x]"]), "");
    assert_eq!(said(&["o/*", "o/b"]), "");
    assert!(!said(&["o/c"]).is_empty());
    // What is deleted is taken as a whole.
    let deleted = Change { action: Action::Delete, ..change };
    let consent = Consent { overwrite: selector("o/*"), ..Consent::default() };
    assert_eq!(
        refused(&super::Plan { changes: vec![deleted], ..plan }, &Limits::default(), &consent),
        [Exit::Conflict]
    );
}

#[test]
fn a_conflict_is_refused_until_one_side_is_chosen() {
    let plan = plan(10, vec![change("o", Action::Update, Class::Conflict)]);
    assert_eq!(refused(&plan, &Limits::default(), &Consent::default()), [Exit::Conflict]);
    for consent in [
        Consent { overwrite: selector("o"), ..Consent::default() },
        Consent { keep: selector("o"), ..Consent::default() },
    ] {
        assert!(refused(&plan, &Limits::default(), &consent).is_empty());
    }
}

#[test]
fn what_could_not_be_read_stops_the_apply_and_every_delete() {
    let mut changes = deletes(1);
    changes.push(change("u", Action::Keep, Class::Unknown));
    changes.push(change("r", Action::Replace, Class::Pending));
    let mut plan = plan(10, changes);
    assert!(refused(&plan, &Limits::default(), &Consent::default()).contains(&Exit::NoPermission));
    let consent = Consent { skip_unknown: true, ..Consent::default() };
    narrow(&mut plan, &consent);
    assert!(plan.is_empty());
    assert_eq!(refused(&plan, &Limits::default(), &consent), []);
}

#[test]
fn a_foreign_object_is_adopted_on_consent_only() {
    let plan = plan(0, vec![change("o", Action::Adopt, Class::Pending)]);
    assert_eq!(refused(&plan, &Limits::default(), &Consent::default()), [Exit::Refused]);
    assert!(
        refused(&plan, &Limits::default(), &Consent { adopt: selector("o"), ..Consent::default() })
            .is_empty()
    );
    let consent = Consent { overwrite: selector("**"), ..Consent::default() };
    assert_eq!(refused(&plan, &Limits::default(), &consent), [Exit::Refused]);
}

#[test]
fn an_empty_declaration_is_refused_where_something_is_ours() {
    let plan = plan(3, Vec::new());
    let limits = Limits::default();
    let context =
        Context { limits: &limits, collections: BTreeMap::new(), collection: |_| String::new(), declared: 0 };
    assert_eq!(check(&plan, &Consent::default(), &context).len(), 1);
    assert!(check(&plan, &Consent { empty: true, ..Consent::default() }, &context).is_empty());
}

#[test]
fn every_refusal_names_the_way_out() {
    let limits = Limits { max_delete: 0, protect: selector("**"), ..Limits::default() };
    let mut changes = deletes(2);
    changes.push(change("c", Action::Update, Class::Conflict));
    changes.push(change("u", Action::Keep, Class::Unknown));
    changes.push(change("r", Action::Replace, Class::Pending));
    changes.push(change("a", Action::Adopt, Class::Pending));
    let plan = plan(2, changes);
    let collections = BTreeMap::from([("all".to_owned(), 2)]);
    let context = Context { limits: &limits, collections, collection: |_| "all".to_owned(), declared: 0 };
    let found = check(&plan, &Consent::default(), &context);
    assert!(found.len() >= 7);
    assert!(found.iter().all(|refusal| refusal.hint.contains("--")), "{found:?}");
}

#[test]
fn only_drift_leaves_what_is_merely_pending() {
    let mut plan = plan(
        2,
        vec![
            change("p", Action::Update, Class::Pending),
            change("d", Action::Update, Class::Drift),
            change("m", Action::Create, Class::Missing),
        ],
    );
    narrow(&mut plan, &Consent { only_drift: true, ..Consent::default() });
    let actions: Vec<Action> = plan.changes.iter().map(|change| change.action).collect();
    assert_eq!(actions, [Action::Keep, Action::Update, Action::Create]);
}

#[test]
fn adopting_an_extra_object_deletes_it_and_nothing_else_does() {
    let extra = || plan(2, vec![change("x", Action::Keep, Class::Extra)]);
    let mut left = extra();
    narrow(&mut left, &Consent { overwrite: selector("**"), ..Consent::default() });
    assert_eq!(left.changes[0].action, Action::Keep);
    let mut taken = extra();
    narrow(&mut taken, &Consent { adopt: selector("x"), ..Consent::default() });
    assert_eq!((taken.changes[0].action, taken.changes[0].after.is_none()), (Action::Delete, true));
}

#[test]
fn what_stands_in_the_way_of_many_is_said_once() {
    let unread = |address: &str, why: &str| Change {
        unknown: Some((Cause::NoPermission, why.to_owned())),
        ..change(address, Action::Keep, Class::Unknown)
    };
    let stranger = |address| change(address, Action::Adopt, Class::Pending);
    let changes = vec![
        unread("a", "forbidden"),
        stranger("b"),
        unread("c", "gone"),
        stranger("d"),
        unread("e", "forbidden"),
    ];
    let limits = Limits::default();
    let context =
        Context { limits: &limits, collections: BTreeMap::new(), collection: |_| String::new(), declared: 5 };
    let messages: Vec<String> = check(&plan(5, changes), &Consent::default(), &context)
        .into_iter()
        .map(|refusal| refusal.message)
        .collect();
    assert_eq!(
        messages,
        [
            "`a` and 1 more could not be read: forbidden",
            "`b` and 1 more are there already and were not written by trueup",
            "`c` could not be read: gone"
        ]
    );
}

/// An object in which `/a`, `/b` and `/c/d` differ, the first in conflict.
fn of_three_fields() -> Change {
    let value = |text: &str| Some(testing::value(text));
    let sides = ThreeWay {
        base: value(r#"{"a": 1, "b": 1, "c": {"d": 1, "e": 1}}"#),
        desired: value(r#"{"a": 2, "b": 2, "c": {"d": 2, "e": 1}}"#),
        actual: value(r#"{"a": 3, "b": 1, "c": {"d": 1, "e": 1}}"#),
    };
    let fields = crate::model::diff::fields(sides.as_ref());
    Change { fields, ..testing::change("o", Action::Update, Class::Conflict, sides) }
}

fn keeping(patterns: &[&str], take: &str) -> (Change, Vec<Exit>) {
    let consent =
        Consent { keep: Selector::new(patterns).unwrap(), overwrite: selector(take), ..Consent::default() };
    let mut plan = plan(10, vec![of_three_fields()]);
    narrow(&mut plan, &consent);
    let refused = refused(&plan, &Limits::default(), &consent);
    (plan.changes.remove(0), refused)
}

#[test]
fn a_single_field_is_left_and_the_rest_is_written() {
    let (change, refused) = keeping(&["o/a"], "none");
    assert_eq!((change.action, refused), (Action::Update, Vec::new()));
    assert_eq!(change.after, Some(testing::value(r#"{"a": 3, "b": 2, "c": {"d": 2, "e": 1}}"#)));
    assert_eq!(change.notes, ["left as it is by `--keep`: /a"]);
    let (change, refused) = keeping(&["o/c"], "o");
    assert_eq!((change.action, refused), (Action::Update, Vec::new()));
    assert_eq!(change.after, Some(testing::value(r#"{"a": 2, "b": 2, "c": {"d": 1, "e": 1}}"#)));
}

#[test]
fn an_object_of_which_every_field_is_left_is_not_written() {
    let (change, refused) = keeping(&["o/a", "o/b", "o/c/d"], "none");
    assert_eq!((change.action, change.after == change.sides.actual), (Action::Keep, true));
    assert!(refused.is_empty());
}

#[test]
fn a_conflict_stays_open_where_another_field_is_left() {
    assert_eq!(keeping(&["o/b"], "none").1, [Exit::Conflict]);
}

#[test]
fn a_field_that_is_to_be_left_and_does_not_differ_is_refused() {
    assert_eq!(keeping(&["o/bb"], "o").1, [Exit::Usage]);
    assert_eq!(keeping(&["o/b", "other"], "o").1, []);
}

#[test]
fn undoing_drift_leaves_single_fields_too() {
    let consent = Consent { only_drift: true, keep: selector("o/a"), ..Consent::default() };
    let mut change = of_three_fields();
    change.class = Class::Drift;
    for field in &mut change.fields {
        field.class = Class::Drift;
    }
    let mut plan = plan(10, vec![change]);
    narrow(&mut plan, &consent);
    assert_eq!(plan.changes[0].after.as_ref().and_then(|after| after.get("a")), Some(&testing::value("3")));
}

/// One case for each refusal: its name, the plan, the limits, and whether something is declared.
fn every_refusal() -> Vec<(&'static str, Plan, Limits, usize)> {
    let protect = Limits { protect: selector("o?"), ..Limits::default() };
    let access_fields = Limits { access_fields: selector("o/acl"), ..Limits::default() };
    let list = |names: &[&str]| {
        let names = names.iter().map(|name| Value::String((*name).into())).collect();
        Value::map([("acl", Value::List(names))])
    };
    let (actual, after) = (list(&["a", "b"]), list(&["a"]));
    let sides = ThreeWay { base: Some(actual.clone()), desired: Some(after.clone()), actual: Some(actual) };
    let access = Change { after: Some(after), ..testing::change("o", Action::Update, Class::Pending, sides) };
    let cascading = Change { cascade: 2, ..change("o", Action::Replace, Class::Pending) };
    let one = |change| plan(100, vec![change]);
    vec![
        ("conflict", one(change("o", Action::Update, Class::Conflict)), Limits::default(), 1),
        ("protected", one(change("o1", Action::Delete, Class::Pending)), protect, 1),
        ("along", one(cascading), Limits::default(), 1),
        ("access", one(access), access_fields, 1),
        ("replace", one(change("o", Action::Replace, Class::Pending)), Limits::default(), 1),
        ("stranger", one(change("o*", Action::Adopt, Class::Pending)), Limits::default(), 1),
        ("unread", one(change("o", Action::Keep, Class::Unknown)), Limits::default(), 1),
        ("count", plan(1000, deletes(30)), Limits::default(), 1),
        ("share", plan(7, deletes(6)), Limits::default(), 1),
        ("share of less than there is", plan(1, deletes(3)), Limits::default(), 1),
        ("emptied", plan(2, deletes(2)), Limits { max_delete_percent: 100, ..Limits::default() }, 1),
        ("nothing declared", plan(9, Vec::new()), Limits::default(), 0),
    ]
}

/// What the option says that a hint names first.
fn follow(hint: &str, consent: &Consent, limits: &Limits) -> (Consent, Limits) {
    let (mut consent, mut limits) = (consent.clone(), limits.clone());
    let option = hint.split('`').find(|part| part.starts_with("--")).unwrap();
    let (name, value) = option.split_once(' ').unwrap_or((option, ""));
    let value = value.trim_matches('\'');
    match name {
        "--overwrite" => consent.overwrite = selector(value),
        "--adopt" => consent.adopt = selector(value),
        "--allow-replace" => consent.replace = selector(value),
        "--allow-protected" => consent.protected = selector(value),
        "--allow-emptied" => consent.emptied = selector(value),
        "--allow-empty" => consent.empty = true,
        "--skip-unknown" => consent.skip_unknown = true,
        "--skip-invalid" => consent.skip_invalid = true,
        "--max-delete" => limits.max_delete = value.parse().unwrap(),
        "--max-delete-percent" => limits.max_delete_percent = value.parse().unwrap(),
        other => panic!("no such option: {other}"),
    }
    (consent, limits)
}

fn all_refused(plan: &Plan, limits: &Limits, declared: usize, consent: &Consent) -> Vec<Refusal> {
    let collections = BTreeMap::from([("all".to_owned(), plan.owned)]);
    let context = Context { limits, collections, collection: |_| "all".to_owned(), declared };
    let mut plan = plan.clone();
    narrow(&mut plan, consent);
    check(&plan, consent, &context)
}

#[test]
fn the_hint_of_a_refusal_lifts_that_refusal_and_nothing_else() {
    for (name, plan, limits, declared) in every_refusal() {
        let before = all_refused(&plan, &limits, declared, &Consent::default());
        assert!(!before.is_empty(), "{name}: nothing is refused");
        for refusal in &before {
            let (consent, lifted) = follow(&refusal.hint, &Consent::default(), &limits);
            let after = all_refused(&plan, &lifted, declared, &consent);
            let rest: Vec<_> = before.iter().filter(|other| *other != refusal).cloned().collect();
            assert_eq!(after, rest, "{name}: {}", refusal.hint);
        }
    }
}

#[test]
fn what_stands_in_the_way_of_one_object_is_said_all_at_once() {
    let limits = Limits { protect: selector("o"), ..Limits::default() };
    let plan = plan(100, vec![change("o", Action::Replace, Class::Conflict)]);
    let found = all_refused(&plan, &limits, 1, &Consent::default());
    assert_eq!(found.len(), 3, "{found:?}");
}

#[test]
fn consent_for_one_field_is_not_consent_for_the_next() {
    let limits = Limits { access_fields: selector("o/*"), ..Limits::default() };
    let object = |a: bool| Value::map(["a", "b"].map(|key| (key, Value::Bool(a))));
    let sides = ThreeWay { base: None, desired: Some(object(false)), actual: Some(object(true)) };
    let lost =
        Change { after: Some(object(false)), ..testing::change("o", Action::Update, Class::Pending, sides) };
    let consent = Consent { protected: selector("o/a"), ..Consent::default() };
    let found = all_refused(&plan(10, vec![lost]), &limits, 1, &consent);
    assert!(found.len() == 1 && found[0].message.contains("`/b`"), "{found:?}");
}
