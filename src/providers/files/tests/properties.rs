//! What holds for every tree.

use proptest::{collection, prelude::*, sample};

use super::{
    engine::{Apply, assert_settled, converge},
    *,
};

/// Paths that get in each other's way.
const PATHS: [&str; 9] = ["a", "a/b", "a/b/c", "a/b/d", "a/e", "f", "f/g", "h/i/j", "k"];

/// What may stand at a path.
fn entry() -> impl Strategy<Value = (EntryKind, String)> {
    let kind = sample::select(vec![EntryKind::File, EntryKind::Executable, EntryKind::Link]);
    (kind, sample::select(vec!["", "x", "y", "long enough to differ in size"])).prop_map(|(kind, content)| {
        // A link has to lead somewhere.
        let content = if content.is_empty() && kind == EntryKind::Link { "nowhere" } else { content };
        (kind, content.to_owned())
    })
}

/// A tree without a path that is both file and directory.
fn checkout() -> impl Strategy<Value = Checkout> {
    let manifest = sample::select(vec![
        "",
        "directories: {a: {mode: '0711'}, m: {ensure: true}}",
        "directories: {.: {exclusive: true}}\nfiles: {'*': {mode: '0640'}}",
        "files: {k: {sensitive: true}}",
    ]);
    (collection::btree_map(sample::select(PATHS.to_vec()), entry(), 0..7), manifest).prop_map(
        |(files, manifest)| {
            let is_directory = |path: &str| files.keys().any(|other| other.starts_with(&format!("{path}/")));
            let fine = files.iter().filter(|(path, _)| !is_directory(path));
            fine.fold(Checkout::default().rules("", manifest), |checkout, (path, (kind, content))| {
                checkout.with(path, *kind, content)
            })
        },
    )
}

fn names(place: &Place) -> Vec<String> {
    tree_of(&place.root()).into_keys().filter(|path| !path.starts_with(".trueup")).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_tree_follows_every_other_and_leaves_nothing(checkouts in collection::vec(checkout(), 1..4)) {
        let place = Place::new();
        for checkout in &checkouts {
            converge(&place, checkout);
        }
        converge(&place, &Checkout::default());
        prop_assert_eq!(names(&place), Vec::<String>::new());
    }

    #[test]
    fn a_stop_or_a_kill_anywhere_is_made_good_by_the_next_apply(
        (one, other) in (checkout(), checkout()),
        (stop_after, kill) in (0..6_usize, any::<bool>()),
    ) {
        let place = Place::new();
        converge(&place, &one);
        Apply { stop_after, kill, id: "interrupted", ..Apply::new(&place) }.run(&other);
        prop_assert!(names(&place).iter().all(|name| !name.contains(".trueup-")));
        converge(&place, &other);
        assert_settled(&place, &other);
    }
}
