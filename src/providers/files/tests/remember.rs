//! What a target remembers, and what that saves or hides.

use super::{
    engine::{Apply, assert_settled, converge, told},
    *,
};
use crate::{exit::Exit, providers::Writer as _};

fn memory_text(place: &Place) -> String {
    fs::read_to_string(place.path(".trueup/memory")).unwrap()
}

fn hashed(place: &Place, checkout: &Checkout, verify: bool) -> usize {
    let desired = place.declare(checkout);
    let mut site = place.site();
    look(&mut site, &desired, verify);
    site.hashed
}

#[test]
fn what_was_applied_is_not_read_again() {
    let place = Place::new();
    let checkout = Checkout::of(&[("a", "1"), ("b", "2")]).program("c", "3").link("l", "a");
    converge(&place, &checkout);
    assert_eq!(hashed(&place, &checkout, false), 0);
    assert_eq!(hashed(&place, &checkout, true), 3);
    // An edit of the same length, with the time of modification put back.
    let before = fs::metadata(place.path("a")).unwrap().modified().unwrap();
    place.write("a", "9");
    fs::File::options().write(true).open(place.path("a")).unwrap().set_modified(before).unwrap();
    assert_eq!(hashed(&place, &checkout, false), 1);
    let desired = place.declare(&checkout);
    assert_eq!(words(&look(&mut place.site(), &desired, false), &desired)[0].1, "differs");
}

#[test]
fn many_threads_look_at_many_files() {
    let place = Place::new();
    let checkout = (0..1500).fold(Checkout::default(), |checkout, number| {
        checkout.file(format!("d{}/f{number}", number % 7), number.to_string())
    });
    converge(&place, &checkout);
    assert_eq!(hashed(&place, &checkout, false), 0);
    assert_eq!(hashed(&place, &checkout, true), 1500);
    assert_settled(&place, &checkout);
}

#[test]
fn identical_files_are_adopted_without_a_write() {
    let place = Place::with(&[("a", "1")]);
    let checkout = Checkout::of(&[("a", "1")]);
    std::thread::sleep(super::super::fingerprint::TICK * 2);
    assert!(Apply::new(&place).run(&checkout).is_empty());
    assert_eq!(hashed(&place, &checkout, false), 0);
    assert_eq!(place.site().memory().unwrap().owned.len(), 1);
}

#[test]
fn a_file_that_is_too_fresh_is_read_again() {
    let place = Place::with(&[]);
    let checkout = Checkout::of(&[("a", "1")]);
    let desired = place.declare(&checkout);
    // Written within a tick before the look: a second write within the same
    // tick would leave no trace.
    for attempt in 0..20 {
        place.write("a", "1");
        let mut site = place.site();
        site.keeps = true;
        look(&mut site, &desired, false);
        if !site.seen[&Address::new("a")].settled {
            return;
        }
        assert!(attempt < 19, "the machine is too slow for this test");
    }
}

#[test]
fn a_clock_that_went_back_makes_everything_be_read() {
    let place = Place::new();
    let checkout = Checkout::of(&[("a", "1")]);
    converge(&place, &checkout);
    let mut site = place.site();
    let mut stored = site.stored().unwrap().unwrap().clone();
    stored.written += 3_600_000_000_000;
    super::super::storage::store(&stored, &place.path(".trueup")).unwrap();
    assert_eq!(hashed(&place, &checkout, false), 1);
}

#[test]
fn the_base_is_what_was_applied_and_not_what_is_there() {
    let place = Place::new();
    let checkout = Checkout::of(&[("a", "1"), ("b", "1")]);
    converge(&place, &checkout);
    place.write("a", "by hand");
    // An apply that does not get to it, since somebody edits it once more.
    let edit = || place.write("a", "again");
    let next = Checkout::of(&[("a", "2"), ("b", "1")]);
    let outcomes = Apply { meanwhile: &edit, id: "run-2", ..Apply::new(&place) }.run(&next);
    assert!(told(&outcomes)[0].contains("stale"));
    let owned = place.site().memory().unwrap().owned;
    let base = owned[&Address::new("a")].base.as_ref().unwrap().get("content").unwrap().as_blob().unwrap().id;
    assert_eq!(base, id(b"1"));
}

#[test]
fn secrets_are_in_no_file_of_the_memory() {
    let place = Place::new();
    let checkout =
        Checkout::of(&[("key", "hunter2"), ("plain", "1")]).rules("", "files: {key: {sensitive: true}}");
    converge(&place, &checkout);
    let text = memory_text(&place);
    let sha = id(b"hunter2").to_string();
    assert!(
        !text.contains("hunter2") && !text.contains(&sha) && text.contains(&id(b"1").to_string()),
        "{text}"
    );
    assert!(text.contains("own\tkey\t"));
    let owned = place.site().memory().unwrap().owned;
    let secret = &owned[&Address::new("key")];
    assert!(secret.base.is_none() && secret.commit.is_some());
    assert_eq!(hashed(&place, &checkout, false), 1);
    // What becomes secret later is forgotten as well.
    let more =
        Checkout::of(&[("key", "hunter2"), ("plain", "1")]).rules("", "files: {'*': {sensitive: true}}");
    converge(&place, &more);
    assert!(!memory_text(&place).contains(&id(b"1").to_string()));
}

#[test]
fn a_memory_that_is_damaged_or_foreign_stops_everything() {
    let (place, other) = (Place::new(), Place::new());
    let checkout = Checkout::of(&[("a", "1")]);
    converge(&place, &checkout);
    converge(&other, &checkout);
    let good = memory_text(&place);
    let cases = [
        (good.replace("own\ta", "own\tb"), "is damaged: its checksum is wrong"),
        (good[..good.len() - 7].to_owned(), "is damaged: it should hold"),
        (memory_text(&other), "is the memory of another directory"),
    ];
    for (text, wanted) in cases {
        fs::write(place.path(".trueup/memory"), text).unwrap();
        let fault = fault(place.site().memory().unwrap_err());
        assert!(fault.exit == Exit::Error && fault.message.contains(wanted), "{}", fault.message);
        let mut writer = super::super::writer::WritableSite::open(&place.target()).unwrap();
        writer.lock(&super::engine::who(), std::time::Duration::ZERO).unwrap();
        assert!(writer.memory().is_err());
        assert!(writer.save(&crate::model::record::Record::new("x"), &BTreeMap::new()).is_err());
    }
    assert_eq!(fs::read_to_string(place.path("a")).unwrap(), "1");
}

#[test]
fn what_an_interrupted_apply_left_is_cleaned_and_nothing_else() {
    let place = Place::new();
    converge(&place, &Checkout::of(&[("a", "1"), ("d/x", "1")]));
    let checkout = Checkout::of(&[("a", "2"), ("d/x", "1"), ("new/b", "1")]);
    let kill = Apply { kill: true, id: "killed", stop_after: 0, ..Apply::new(&place) };
    kill.run(&checkout);
    let left = [".a.trueup-killed", ".c.trueup-killed", ".a.trueup-other"];
    left.iter().for_each(|name| place.write(name, "half"));
    let attempting = place.site().memory().unwrap().record.unwrap().attempting.unwrap();
    assert_eq!(attempting.id, "killed");
    Apply { id: "run-3", ..Apply::new(&place) }.run(&checkout);
    let there: Vec<bool> = left.iter().map(|name| place.path(name).exists()).collect();
    assert_eq!(there, [false, true, true]);
    assert_settled(&place, &checkout);
}

#[test]
fn a_directory_made_by_an_apply_that_was_killed_is_still_ours() {
    let place = Place::new();
    let checkout = Checkout::of(&[("new/deep/b", "1")]);
    Apply { kill: true, ..Apply::new(&place) }.run(&checkout);
    converge(&place, &checkout);
    converge(&place, &Checkout::default());
    assert!(!place.path("new").exists());
}

#[test]
fn an_expected_id_guards_against_another_target() {
    let place = Place::new();
    let checkout = Checkout::of(&[("a", "1")]);
    converge(&place, &checkout);
    let id = place.site().stored().unwrap().unwrap().id.clone();
    let open = |options: &str| FilesTarget::open(&place.target_with(options)).unwrap().memory();
    assert!(open(&format!("{{root: www, expect-id: {id}}}")).is_ok());
    assert_eq!(fault(open("{root: www, expect-id: other}").unwrap_err()).exit, Exit::Error);
    assert_eq!(fault(open("{root: empty, expect-id: other}").unwrap_err()).exit, Exit::Unavailable);
}

#[test]
fn objects_that_were_not_looked_at_stay_in_the_memory() {
    let place = Place::new();
    converge(&place, &Checkout::of(&[("a", "1"), ("b", "1")]));
    let before = place.site().memory().unwrap();
    let mut writer = super::super::writer::WritableSite::open(&place.target()).unwrap();
    writer.lock(&super::engine::who(), std::time::Duration::ZERO).unwrap();
    writer.memory().unwrap();
    let owned = before.owned.iter().map(|(address, owned)| (address.clone(), owned.commit)).collect();
    writer.save(&before.record.clone().unwrap(), &owned).unwrap();
    drop(writer);
    assert_eq!(place.site().memory().unwrap().owned, before.owned);
    assert_eq!(hashed(&place, &Checkout::of(&[("a", "1"), ("b", "1")]), false), 0);
}

#[test]
fn a_state_directory_that_is_a_link_is_not_followed() {
    let place = Place::with(&[]);
    let elsewhere = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), place.path(".trueup")).unwrap();
    assert!(fault(place.site().memory().unwrap_err()).message.contains("`.trueup` is a symbolic link"));
    let mut writer = super::super::writer::WritableSite::open(&place.target()).unwrap();
    assert!(writer.lock(&super::engine::who(), std::time::Duration::ZERO).is_err());
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
}
