//! What a look at a target sees.

use std::os::unix::{ffi::OsStrExt as _, fs::symlink};

use super::*;
use crate::{exit::Exit, model::object::Cause, providers::Candidate};

fn seen(place: &Place, checkout: &Checkout) -> Vec<(String, String)> {
    let desired = place.declare(checkout);
    words(&look(&mut place.site(), &desired, false), &desired)
}

#[test]
fn a_missing_root_is_empty_and_stays_missing() {
    let place = Place::new();
    let desired = place.declare(&Checkout::of(&[("a", "a")]));
    let mut site = place.site();
    let actual = look(&mut site, &desired, false);
    assert_eq!(words(&actual, &desired), pairs(&[("a", "absent")]));
    assert!(actual.notes[0].ends_with("/www` does not exist yet; apply creates it"), "{:?}", actual.notes);
    assert!(site.id().starts_with("files /") && site.id().ends_with("/www"));
    assert!(!place.root().exists());
}

#[test]
fn roots_that_cannot_be_are_faults() {
    let place = Place::with(&[("file", "")]);
    symlink("nowhere", place.path("dangling")).unwrap();
    let cases = [
        ("{root: none/www}", Exit::Unavailable, "should hold the root"),
        ("{root: www/file}", Exit::Unavailable, "is not a directory"),
        ("{root: www/file/x}", Exit::Unavailable, "is not a directory"),
        ("{root: www/dangling}", Exit::Unavailable, "leads nowhere"),
        ("{rot: x}", Exit::BadConfig, "unknown key `rot`"),
    ];
    for (options, exit, message) in cases {
        let fault = fault(FilesTarget::open(&place.target_with(options)).err().unwrap());
        assert!(fault.exit == exit && fault.message.contains(message), "{options}: {fault:?}");
        assert!(fault.hint.is_some() || exit == Exit::BadConfig);
    }
}

#[test]
fn a_root_may_be_reached_through_a_link() {
    let place = Place::with(&[("a", "a")]);
    symlink("www", place.0.path().join("alias")).unwrap();
    let mut site = FilesTarget::open(&place.target_with("{root: alias}")).unwrap();
    let desired = place.declare(&Checkout::of(&[("a", "a")]));
    assert_eq!(words(&look(&mut site, &desired, false), &desired), pairs(&[("a", "in-sync")]));
}

#[test]
fn every_kind_of_difference_is_seen_and_nothing_is_written() {
    let place = Place::with(&[("same", "1"), ("other", "1"), ("bit", "1"), ("file", "1"), ("dir/x", "1")]);
    symlink("same", place.path("link")).unwrap();
    symlink("same", place.path("link-elsewhere")).unwrap();
    let checkout =
        Checkout::of(&[("same", "1"), ("other", "2"), ("dir", "1"), ("none", "1"), ("deep/none", "1")])
            .program("bit", "1")
            .link("link", "same")
            .link("link-elsewhere", "other")
            .link("file", "same");
    let before = tree_of(&place.root());
    assert_eq!(
        seen(&place, &checkout),
        pairs(&[
            ("bit", "differs"),
            ("deep/none", "absent"),
            ("dir", "differs"),
            ("file", "differs"),
            ("link", "in-sync"),
            ("link-elsewhere", "differs"),
            ("none", "absent"),
            ("other", "differs"),
            ("same", "in-sync"),
        ])
    );
    assert_eq!(tree_of(&place.root()), before);
}

#[test]
fn names_that_are_no_text_are_found() {
    let place = Place::with(&[]);
    let name = b"a\nb\xff";
    fs::write(place.root().join(std::ffi::OsStr::from_bytes(name)), "x").unwrap();
    let checkout = Checkout::default().file(name, "x");
    assert_eq!(seen(&place, &checkout), pairs(&[(r#""a\nb\377""#, "in-sync")]));
}

#[test]
fn links_on_the_way_make_an_object_unknown() {
    let place = Place::with(&[("real/x", "1"), ("file", "1")]);
    symlink("real", place.path("inside")).unwrap();
    symlink("/etc", place.path("outside")).unwrap();
    let checkout = Checkout::of(&[("inside/x", "1"), ("outside/passwd", "1"), ("file/x", "1")]);
    assert_eq!(
        seen(&place, &checkout),
        pairs(&[
            ("file/x", "`file` is not a directory, and would have to be one"),
            ("inside/x", "`inside` is a symbolic link; trueup does not write through links"),
            ("outside/passwd", "`outside` is a symbolic link; trueup does not write through links"),
        ])
    );
}

#[test]
fn what_is_no_file_is_left_alone() {
    let place = Place::with(&[]);
    let _socket = std::os::unix::net::UnixListener::bind(place.path("socket")).unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, place.path("fifo"), rustix::fs::FileType::Fifo, 0o600.into(), 0)
        .unwrap();
    let desired = place.declare(&Checkout::of(&[("socket", ""), ("fifo", "")]));
    let actual = look(&mut place.site(), &desired, false);
    for (name, what) in [("socket", "a socket stands there"), ("fifo", "a named pipe stands there")] {
        match &actual.objects[&Address::new(name)] {
            Observed::Unknown { cause: Cause::Other, message } => {
                assert!(message.starts_with(what), "{message}")
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn hard_links_and_writers_are_told_where_something_differs() {
    let place = Place::with(&[("a", "1"), ("b", "1")]);
    for name in ["a", "b"] {
        fs::hard_link(place.path(name), place.path(&format!("{name}2"))).unwrap();
    }
    let desired = place.declare(&Checkout::of(&[("a", "1"), ("b", "2")]));
    let actual = look(&mut place.site(), &desired, false);
    let state = |name| match &actual.objects[&Address::new(name)] {
        Observed::Present(state) => state.clone(),
        other => panic!("{other:?}"),
    };
    assert!(state("a").notes.is_empty() && state("a").writer.is_none());
    assert_eq!(state("b").notes, ["2 hard links: replacing it leaves the others as they are"]);
    let writer = state("b").writer.unwrap();
    assert!(writer.who.starts_with("owner ") && writer.who.contains("uid "), "{writer:?}");
    assert!(writer.at.unwrap().ends_with('Z') && writer.precision.contains("not necessarily"));
}

#[test]
fn strangers_in_exclusive_directories_are_listed() {
    let place = Place::with(&[
        ("a/declared", "1"),
        ("a/stranger", "1"),
        ("a/x.log", "1"),
        ("a/empty-soon/s", "1"),
        ("a/keeps/x.log", "1"),
        ("a/keeps/s", "1"),
        ("a/deep/declared", "1"),
        ("a/deep/stranger", "1"),
        ("a/not/s", "1"),
        ("b/free", "1"),
        (".trueup/lock", ""),
    ]);
    fs::create_dir(place.path("a/empty")).unwrap();
    symlink("/etc", place.path("a/link")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(place.path("a/socket")).unwrap();
    let checkout = Checkout::of(&[("a/declared", "1"), ("a/deep/declared", "1"), ("a/not/x", "1")])
        .rules("a", "directories: {.: {exclusive: true}, not: {exclusive: false}}\nignore: ['*.log']");
    let desired = place.declare(&checkout);
    let actual = look(&mut place.site(), &desired, false);
    let strangers: Vec<String> = words(&actual, &desired)
        .into_iter()
        .filter(|(_, word)| word == "extra")
        .map(|(name, _)| name)
        .collect();
    assert_eq!(
        strangers,
        ["a/deep/stranger", "a/empty", "a/empty-soon", "a/empty-soon/s", "a/keeps/s", "a/link", "a/stranger"]
    );
    assert!(actual.notes[0].starts_with("`a/socket`: a socket stands there"), "{:?}", actual.notes);
}

#[test]
fn the_memory_is_no_stranger() {
    let place = Place::with(&[(".trueup/lock", ""), ("s", "")]);
    let checkout = Checkout::of(&[("x", "")]).rules("", "directories: {.: {exclusive: true}}");
    assert_eq!(seen(&place, &checkout), pairs(&[("s", "extra"), ("x", "absent")]));
}

#[test]
fn an_exclusive_directory_behind_a_link_is_incomplete() {
    let place = Place::with(&[("real/x", "")]);
    symlink("real", place.path("a")).unwrap();
    let desired =
        place.declare(&Checkout::of(&[("a/x", "")]).rules("a", "directories: {.: {exclusive: true}}"));
    let actual = look(&mut place.site(), &desired, false);
    assert_eq!(actual.incomplete.len(), 1);
    assert_eq!(actual.incomplete[0].0, Address::new("a"));
}

fn candidates(place: &Place, checkout: &Checkout) -> (FilesTarget, Vec<Candidate>) {
    let desired = place.declare(checkout);
    let mut site = place.site();
    let mut actual = look(&mut site, &desired, false);
    let candidates = desired.objects.into_iter().map(|(address, object)| {
        let found = match actual.objects.remove(&address) {
            Some(Observed::Present(state)) => Some(state.value),
            _ => None,
        };
        Candidate::new(address, ThreeWay { base: None, desired: object.value, actual: found })
    });
    let candidates = candidates.collect();
    (site, candidates)
}

fn bytes(side: &Option<Value>) -> Option<String> {
    let blob = side.as_ref()?.get("content")?.as_blob()?;
    blob.bytes.as_ref().map(|bytes| String::from_utf8_lossy(bytes).into_owned())
}

#[test]
fn content_is_loaded_where_it_differs_and_is_small() {
    let place = Place::with(&[("a", "old"), ("same", "x"), ("big", &"x".repeat(1 << 21)), ("key", "secret")]);
    let checkout = Checkout::of(&[("a", "new"), ("big", "now small"), ("new", "n"), ("key", "other")])
        .program("same", "x")
        .rules("", "files: {key: {sensitive: true}}");
    let (mut site, mut candidates) = candidates(&place, &checkout);
    site.complete(&mut candidates, &checkout).unwrap();
    let loaded: Vec<_> = candidates
        .iter()
        .map(|candidate| {
            let ThreeWay { desired, actual, .. } = &candidate.sides;
            (candidate.address.as_str(), bytes(desired), bytes(actual))
        })
        .collect();
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        loaded,
        [
            ("a", text("new"), text("old")),
            ("big", text("now small"), None),
            ("key", None, None),
            ("new", text("n"), None),
            // Only its mode is to change. What the target holds may have to go to Git.
            ("same", None, text("x")),
        ]
    );
    let size = |side: &Option<Value>| side.as_ref().unwrap().get("content").unwrap().as_blob().unwrap().size;
    assert_eq!(
        (size(&candidates[1].sides.desired), size(&candidates[1].sides.actual)),
        (Some(9), Some(1 << 21))
    );
}

#[test]
fn content_that_changed_after_the_look_is_looked_at_again() {
    let place = Place::with(&[("a", "old"), ("b", "old")]);
    let checkout = Checkout::of(&[("a", "new"), ("b", "new")]);
    let (mut site, mut candidates) = candidates(&place, &checkout);
    place.write("a", "newer");
    fs::remove_file(place.path("b")).unwrap();
    site.complete(&mut candidates, &checkout).unwrap();
    assert_eq!(bytes(&candidates[0].sides.actual).as_deref(), Some("newer"));
    assert_eq!(content_id(&candidates[0].sides.actual), Some(id(b"newer")));
    assert_eq!(candidates[1].sides.actual, None);
}

fn content_id(side: &Option<Value>) -> Option<Digest> {
    Some(side.as_ref()?.get("content")?.as_blob()?.id)
}

#[test]
fn content_that_becomes_secret_is_hidden_on_every_side() {
    let place = Place::with(&[("key", "old")]);
    let checkout = Checkout::of(&[("key", "new")]).rules("", "files: {key: {sensitive: true}}");
    let (mut site, mut candidates) = candidates(&place, &checkout);
    let plain = Checkout::of(&[("key", "before")]);
    candidates[0].sides.base = place.declare(&plain).objects[&Address::new("key")].value.clone();
    site.complete(&mut candidates, &checkout).unwrap();
    let ThreeWay { base, desired, actual } = &candidates[0].sides;
    for side in [base, desired, actual] {
        assert!(super::super::value::is_secret(side.as_ref().unwrap()), "{side:?}");
    }
}

#[test]
fn stand_ins_for_content_are_refused_where_they_would_be_written() {
    let lfs = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n";
    for (content, wanted) in [(lfs, "pointer of Git LFS"), ("\0GITCRYPT\0abc", "encrypted by git-crypt")] {
        let checkout = Checkout::of(&[("dir/file", content)]);
        let (mut site, mut wrong) = candidates(&Place::with(&[]), &checkout);
        let fault = fault(site.complete(&mut wrong, &checkout).unwrap_err());
        assert!(fault.exit == Exit::BadDesired && fault.hint.is_some());
        assert!(fault.message.contains("`dir/file`") && fault.message.contains(wanted), "{}", fault.message);
    }
    let documentation = Checkout::of(&[("file", &format!("{lfs}{}", "long text ".repeat(200)))]);
    let (mut site, mut fine) = candidates(&Place::with(&[]), &documentation);
    site.complete(&mut fine, &documentation).unwrap();
}
