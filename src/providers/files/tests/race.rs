//! What others do to a target at the same time.

use std::{
    os::unix::fs::symlink,
    sync::atomic::{AtomicBool, Ordering},
};

use super::{
    engine::{Apply, converge, told},
    *,
};

fn race(meanwhile: &dyn Fn(&Place), before: &Checkout, after: &Checkout) -> (Place, Vec<String>) {
    let place = Place::new();
    converge(&place, before);
    let outcomes = Apply { meanwhile: &|| meanwhile(&place), id: "run-2", ..Apply::new(&place) }.run(after);
    (place, told(&outcomes))
}

fn read(place: &Place, path: &str) -> String {
    fs::read_to_string(place.path(path)).unwrap()
}

#[test]
fn an_edit_after_the_plan_is_not_overwritten() {
    let edit = |place: &Place| place.write("a", "by hand");
    let (place, told) =
        race(&edit, &Checkout::of(&[("a", "1"), ("b", "1")]), &Checkout::of(&[("a", "2"), ("b", "2")]));
    assert_eq!(told, ["a stale: it changed after the plan was made, and was left as it is", "b done"]);
    assert_eq!((read(&place, "a"), read(&place, "b")), ("by hand".into(), "2".into()));
    assert_eq!(fs::read_dir(place.root()).unwrap().count(), 3);
}

#[test]
fn an_edit_after_the_plan_is_not_deleted() {
    let edit = |place: &Place| place.write("a", "by hand");
    let (place, told) = race(&edit, &Checkout::of(&[("a", "1")]), &Checkout::default());
    assert_eq!(told, ["a stale: it changed after the plan was made, and was left as it is"]);
    assert_eq!(read(&place, "a"), "by hand");
}

#[test]
fn a_file_that_appeared_is_not_overwritten() {
    let appear = |place: &Place| place.write("a", "by hand");
    let (place, told) = race(&appear, &Checkout::default(), &Checkout::of(&[("a", "1")]).link("b", "a"));
    assert_eq!(told, ["a stale: it appeared after the plan was made, and was left as it is", "b done"]);
    assert_eq!(read(&place, "a"), "by hand");
}

#[test]
fn what_is_still_the_same_is_written_although_it_was_restored() {
    let restore = |place: &Place| {
        fs::remove_file(place.path("a")).unwrap();
        place.write("a", "1");
    };
    let (place, told) = race(&restore, &Checkout::of(&[("a", "1")]), &Checkout::of(&[("a", "2")]));
    assert_eq!((told, read(&place, "a")), (vec!["a done".to_owned()], "2".to_owned()));
}

#[test]
fn what_is_gone_is_not_made_again_and_deleting_it_is_no_failure() {
    let remove = |place: &Place| fs::remove_file(place.path("a")).unwrap();
    let one = Checkout::of(&[("a", "1")]);
    let (place, told) = race(&remove, &one, &Checkout::of(&[("a", "2")]));
    assert_eq!(told, ["a stale: it was removed after the plan was made"]);
    assert!(!place.path("a").exists());
    assert_eq!(race(&remove, &one, &Checkout::default()).1, ["a done"]);
}

#[test]
fn a_directory_swapped_for_a_link_leads_nowhere() {
    let outside = tempfile::tempdir().unwrap();
    let swap = |place: &Place| {
        fs::rename(place.path("d"), place.path("moved")).unwrap();
        symlink(outside.path(), place.path("d")).unwrap();
    };
    let (place, told) =
        race(&swap, &Checkout::of(&[("d/a", "1")]), &Checkout::of(&[("d/a", "2"), ("d/b", "1")]));
    assert!(told.iter().all(|line| line.contains("`d` is a symbolic link")), "{told:?}");
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
    assert_eq!(read(&place, "moved/a"), "1");
}

#[test]
fn a_link_that_comes_and_goes_never_leads_out() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("f0"), "outside").unwrap();
    let place = Place::new();
    let files = |content: &str| {
        (0..20).fold(Checkout::default(), |checkout, number| checkout.file(format!("d/f{number}"), content))
    };
    converge(&place, &files("0"));
    let (done, one) = (AtomicBool::new(false), place.path("d"));
    let (aside, link) = (place.path("aside"), place.path("link"));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            symlink(outside.path(), &link).unwrap();
            while !done.load(Ordering::Relaxed) {
                // The directory and the link change places all the time.
                let _ = fs::rename(&one, &aside);
                let _ = fs::rename(&link, &one);
                let _ = fs::rename(&one, &link);
                let _ = fs::rename(&aside, &one);
            }
        });
        for round in 1..30 {
            let id = format!("run-{round}");
            Apply { id: &id, ..Apply::new(&place) }.run(&files(&round.to_string()));
        }
        done.store(true, Ordering::Relaxed);
    });
    let left: Vec<_> =
        fs::read_dir(outside.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["f0"]);
    assert_eq!(fs::read_to_string(outside.path().join("f0")).unwrap(), "outside");
}

#[test]
fn a_writer_in_a_loop_never_loses_a_word() {
    let place = Place::new();
    converge(&place, &Checkout::of(&[("a", "0")]));
    let done = AtomicBool::new(false);
    let written = std::thread::scope(|scope| {
        let other = scope.spawn(|| {
            let mut last = 0;
            while !done.load(Ordering::Relaxed) {
                last += 1;
                let fresh = place.path("fresh");
                fs::write(&fresh, format!("other {last}")).unwrap();
                fs::rename(&fresh, place.path("a")).unwrap();
                std::thread::sleep(std::time::Duration::from_micros(300));
            }
            last
        });
        let mut done_by_us = 0;
        for round in 0..40 {
            let id = format!("run-{round}");
            let told = told(
                &Apply { id: &id, ..Apply::new(&place) }
                    .run(&Checkout::of(&[("a", &format!("ours {round}"))])),
            );
            done_by_us += usize::from(told[0] == "a done");
            assert!(
                told[0] == "a done" || told[0].contains("stale") || told[0].contains("uncertain"),
                "{told:?}"
            );
        }
        done.store(true, Ordering::Relaxed);
        (done_by_us, other.join().unwrap())
    });
    assert!(written.1 > 0);
    let last = read(&place, "a");
    assert!(last.starts_with("other ") || last.starts_with("ours "), "{last}");
}
