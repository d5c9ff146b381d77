//! What an apply does to a target.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

use super::{
    engine::{Apply, converge, told},
    *,
};

fn listing(place: &Place) -> Vec<(String, String)> {
    tree_of(&place.root()).into_iter().filter(|(path, _)| !path.starts_with(".trueup")).collect()
}

#[test]
fn the_first_apply_makes_everything() {
    let place = Place::new();
    let checkout = Checkout::of(&[("motd", "hi"), ("a/b/c", "deep"), ("a/empty", "")])
        .program("bin/run", "#!")
        .link("bin/go", "run")
        .file(b"odd\n\xff", "x")
        .rules(
            "",
            "files: {motd: {mode: '0640'}}\ndirectories: {a: {mode: '0750'}, var/empty: {ensure: true}}",
        );
    converge(&place, &checkout);
    let place_of = |path: &str| fs::metadata(place.path(path)).unwrap().permissions().mode() & 0o7777;
    assert_eq!(place_of("motd"), 0o640);
    assert_eq!(place_of("a"), 0o750);
    assert_eq!(place_of(".trueup"), 0o700);
    assert_eq!(place_of("bin/run") & 0o100, 0o100);
    assert!(place.path("var/empty").is_dir());
    assert_eq!(fs::read_link(place.path("bin/go")).unwrap(), Path::new("run"));
    assert_eq!(fs::read_to_string(place.path("a/b/c")).unwrap(), "deep");
}

#[test]
fn changes_of_every_kind_are_made() {
    let place = Place::new();
    converge(
        &place,
        &Checkout::of(&[("a", "1"), ("b", "1"), ("c", "1"), ("gone", "1"), ("d/e/gone", "1")]).link("l", "a"),
    );
    let next = Checkout::of(&[("a", "2"), ("new/deep", "1")])
        .program("b", "1")
        .link("c", "a")
        .file("l", "now a file");
    converge(&place, &next);
    let names: Vec<String> = listing(&place).into_iter().map(|(path, _)| path).collect();
    // The directories that only `gone` needed went with it.
    assert_eq!(names, ["a", "b", "c", "l", "new", "new/deep"]);
    converge(&place, &Checkout::default());
    assert_eq!(listing(&place), []);
}

#[test]
fn files_and_directories_change_places() {
    let place = Place::new();
    let one = Checkout::of(&[("x", "file"), ("y/a/b", "1"), ("y/c", "1"), ("z", "file")]);
    let other = Checkout::of(&[("x/a/b", "1"), ("y", "file"), ("z", "file")])
        .rules("z2", "directories: {.: {ensure: true}}");
    for checkout in [&one, &other, &one, &other] {
        converge(&place, checkout);
    }
}

#[test]
fn a_declared_directory_takes_the_place_of_a_file_and_back() {
    let place = Place::new();
    let file = Checkout::of(&[("x", "file")]);
    let directory = Checkout::default().rules("", "directories: {x: {ensure: true, mode: '0700'}}");
    for checkout in [&file, &directory, &file] {
        converge(&place, checkout);
    }
    // One that holds something of somebody else stays, and nothing is lost.
    converge(&place, &directory);
    place.write("x/theirs", "1");
    let outcomes = Apply::new(&place).run(&file);
    assert_eq!(told(&outcomes), ["x failed: removing what was there: the directory is not empty"]);
    assert_eq!(fs::read_to_string(place.path("x/theirs")).unwrap(), "1");
    assert_eq!(listing(&place).len(), 2);
}

#[test]
fn a_directory_that_is_not_declared_any_more_stays_while_it_is_needed() {
    let place = Place::new();
    let rules = "directories: {a: {mode: '0711'}, b: {ensure: true}}";
    converge(&place, &Checkout::of(&[("a/x", "1")]).rules("", rules));
    place.write("b/theirs", "1");
    converge(&place, &Checkout::of(&[("a/x", "1")]));
    assert!(place.path("a/x").exists() && place.path("b/theirs").exists());
}

#[test]
fn what_is_not_declared_of_a_replaced_file_stays() {
    let place = Place::with(&[("a", "old"), ("b", "old")]);
    for (name, mode) in [("a", 0o664), ("b", 0o4750)] {
        fs::set_permissions(place.path(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    let is_root = rustix::process::geteuid().is_root();
    if is_root {
        std::os::unix::fs::chown(place.path("a"), Some(1234), Some(5678)).unwrap();
    }
    converge(&place, &Checkout::of(&[("a", "new")]).program("b", "new"));
    let stat = |name| fs::metadata(place.path(name)).unwrap();
    assert_eq!(stat("a").permissions().mode() & 0o7777, 0o664);
    assert_eq!(stat("b").permissions().mode() & 0o7777, 0o4750);
    if is_root {
        assert_eq!((stat("a").uid(), stat("a").gid()), (1234, 5678));
    }
}

#[test]
fn a_file_that_replaces_a_link_is_not_open_to_all() {
    let place = Place::new();
    converge(&place, &Checkout::default().link("a", "b").link("d", "e"));
    converge(
        &place,
        &Checkout::of(&[("a", "1"), ("new", "1")]).program("d", "1").program("new-program", "1"),
    );
    let mode = |name| fs::metadata(place.path(name)).unwrap().permissions().mode();
    assert_eq!((mode("a"), mode("d")), (mode("new"), mode("new-program")));
}

#[test]
fn owner_group_and_mode_are_set_in_place_where_the_content_is_right() {
    let place = Place::with(&[("a", "1")]);
    let inode = fs::metadata(place.path("a")).unwrap().ino();
    let gid = rustix::process::getegid().as_raw();
    converge(
        &place,
        &Checkout::of(&[("a", "1")]).rules("", &format!("files: {{a: {{mode: '0604', group: {gid}}}}}")),
    );
    let stat = fs::metadata(place.path("a")).unwrap();
    assert_eq!((stat.ino(), stat.permissions().mode() & 0o7777), (inode, 0o604));
}

#[test]
fn unknown_users_are_a_failure_and_nothing_is_left_behind() {
    let place = Place::new();
    let checkout =
        Checkout::of(&[("a", "1"), ("b", "1")]).rules("", "files: {a: {owner: no-such-user-here}}");
    let outcomes = Apply::new(&place).run(&checkout);
    assert_eq!(told(&outcomes), ["a failed: there is no user `no-such-user-here` here", "b done"]);
    assert_eq!(listing(&place).len(), 1);
}

#[test]
fn strangers_and_what_is_declared_absent_are_deleted_and_nothing_else_that_is_not_ours() {
    let place = Place::with(&[("a/s/t", "1"), ("a/x", "1"), ("old", "1"), ("free", "1")]);
    let checkout = Checkout::of(&[("a/x", "1")])
        .rules("", "files: {old: {absent: true}}\ndirectories: {a: {exclusive: true}}");
    converge(&place, &checkout);
    let names: Vec<String> = listing(&place).into_iter().map(|(path, _)| path).collect();
    assert_eq!(names, ["a", "a/x", "free"]);
}

#[test]
fn nothing_is_deleted_after_a_failure() {
    let place = Place::new();
    converge(&place, &Checkout::of(&[("gone", "1"), ("a", "1")]));
    let next = Checkout::of(&[("a", "1"), ("b", "1")]).rules("", "files: {b: {owner: no-such-user-here}}");
    let outcomes = Apply::new(&place).run(&next);
    assert_eq!(
        told(&outcomes),
        [
            "b failed: there is no user `no-such-user-here` here",
            "gone not-attempted: nothing is deleted after a failure"
        ]
    );
    assert!(place.path("gone").exists());
    // What was not deleted is still ours, and goes the next time.
    converge(&place, &Checkout::of(&[("a", "1")]));
    assert!(!place.path("gone").exists());
}

#[test]
fn a_stop_is_honoured_between_objects() {
    let place = Place::new();
    let files: Vec<(String, String)> = (0..40).map(|n| (format!("f{n:02}"), n.to_string())).collect();
    let checkout =
        files.iter().fold(Checkout::default(), |checkout, (path, content)| checkout.file(path, content));
    let apply = Apply { stop_after: 3, ..Apply::new(&place) };
    let outcomes = apply.run(&checkout);
    let done = told(&outcomes).iter().filter(|line| line.ends_with(" done")).count();
    let stopped = told(&outcomes)
        .iter()
        .filter(|line| line.contains("not-attempted: the run was told to stop"))
        .count();
    assert!((3..40).contains(&done) && done + stopped == 40, "{done} {stopped}");
    assert_eq!(listing(&place).len(), done, "temporary files are left over");
    converge(&place, &checkout);
    let none = Apply { stop_after: 0, ..Apply::new(&place) }.run(&Checkout::default());
    assert!(told(&none).iter().all(|line| line.contains("not-attempted")));
}

#[test]
fn an_unreachable_directory_fails_only_what_is_in_it() {
    let place = Place::with(&[]);
    let checkout = Checkout::of(&[("a/x", "1"), ("b/x", "1")]);
    let swap = || symlink("/tmp", place.path("a")).unwrap();
    let outcomes = Apply { meanwhile: &swap, ..Apply::new(&place) }.run(&checkout);
    assert_eq!(
        told(&outcomes),
        [
            "a/x not-attempted: its directory `a` could not be made: `a` is a symbolic link; trueup does not write through links",
            "b/x done"
        ]
    );
}

#[test]
fn replaced_and_deleted_content_is_kept_on_request() {
    let place = Place::new();
    for (options, trash) in [
        ("{root: www, backup: true}", "www/.trueup/trash"),
        ("{root: www, backup: true, state: memory}", "memory/trash"),
    ] {
        let apply = Apply { options, ..Apply::new(&place) };
        apply.run(&Checkout::of(&[("a/b", "old"), ("gone", "old")]).link("l", "old"));
        let outcomes = Apply { id: "run-2", options, ..Apply::new(&place) }
            .run(&Checkout::of(&[("a/b", "new")]).link("l", "new"));
        assert!(told(&outcomes).iter().all(|line| line.ends_with(" done")), "{:?}", told(&outcomes));
        let kept = place.0.path().join(trash).join("run-2");
        assert_eq!(fs::read_to_string(kept.join("a/b")).unwrap(), "old");
        assert_eq!(fs::read_to_string(kept.join("gone")).unwrap(), "old");
        assert_eq!(fs::read_link(kept.join("l")).unwrap(), Path::new("old"));
        assert_eq!(fs::metadata(&kept).unwrap().permissions().mode() & 0o777, 0o700);
        fs::remove_dir_all(place.root()).unwrap();
    }
}

#[test]
fn content_that_is_not_what_its_id_says_is_not_written() {
    let place = Place::new();
    let mut checkout = Checkout::of(&[("a", "right"), ("b", "right too")]);
    // The plan loads small content itself; this is too large for that.
    let large = "x".repeat(2 << 20);
    checkout = checkout.file("large", &large);
    checkout.blobs.insert(id(large.as_bytes()), "y".repeat(2 << 20).into_bytes());
    let outcomes = Apply::new(&place).run(&checkout);
    assert_eq!(told(&outcomes)[2], "large failed: its content is not the one that the plan names");
    assert_eq!(listing(&place).len(), 2);
}

#[test]
fn many_files_go_in_batches() {
    let place = Place::new();
    let mut checkout = Checkout::default();
    for number in 0..3000 {
        checkout = checkout.file(format!("d{}/f{number}", number % 300), number.to_string());
    }
    converge(&place, &checkout);
    assert_eq!(listing(&place).len(), 3300);
}

#[test]
fn an_apply_that_is_declined_leaves_nothing() {
    use crate::providers::Writer as _;
    let place = Place::new();
    let mut writer = super::super::writer::WritableSite::open(&place.target()).unwrap();
    writer.lock(&super::engine::who(), std::time::Duration::ZERO).unwrap();
    let desired = place.declare(&Checkout::of(&[("a", "1")]));
    look(&mut writer, &desired, false);
    drop(writer);
    assert!(!place.root().exists());
}

#[test]
fn nothing_is_written_without_the_lock() {
    use crate::providers::Writer as _;
    let place = Place::with(&[]);
    let mut writer = super::super::writer::WritableSite::open(&place.target()).unwrap();
    let record = crate::model::record::Record::new("x");
    assert!(writer.save(&record, &BTreeMap::new()).is_err());
    assert_eq!(listing(&place), []);
}

#[test]
fn repositories_of_the_sha256_format_work_the_same() {
    let place = Place::new();
    let id = hash::hash_bytes(b"content", Algorithm::Sha256).unwrap();
    let mut checkout = Checkout::default();
    checkout.files.insert(b"a".to_vec(), (EntryKind::File, id));
    checkout.blobs.insert(id, b"content".to_vec());
    let target = place.target();
    let desired = super::super::declare::declare(&target, &checkout.tree(), &checkout).unwrap();
    Apply::new(&place).run(&checkout);
    let mut site = place.site();
    let objects = desired.objects.iter().map(|(address, object)| {
        (address, ThreeWay { base: None, desired: object.value.as_ref(), actual: None })
    });
    let query = Query { algorithm: Algorithm::Sha256, ..query(objects.collect(), &[], true) };
    assert_eq!(words(&site.observe(&query).unwrap(), &desired), pairs(&[("a", "in-sync")]));
}
