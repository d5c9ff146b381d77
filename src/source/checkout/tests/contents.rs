//! Reading the content of files.

use std::io;

use bstr::ByteSlice;

use crate::{
    exit::Exit,
    model::digest::Digest,
    source::{
        checkout::{Selection, Snapshot},
        testing::{Repo, fault},
    },
};

/// Three million bytes that do not compress to nothing.
fn big(seed: u32) -> Vec<u8> {
    let mut state = seed;
    let step = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 28) as u8
    };
    (0..3_000_000).map(step).collect()
}

fn id(snapshot: &Snapshot, path: &str) -> Digest {
    let tree = snapshot.tree("").unwrap();
    tree.entries.iter().find(|entry| entry.path.to_str_lossy() == path).unwrap().id
}

fn copied(snapshot: &Snapshot, path: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let len = snapshot.contents().copy(&id(snapshot, path), &mut out).unwrap();
    assert_eq!(len, out.len() as u64);
    assert_eq!(snapshot.contents().size(&id(snapshot, path)).unwrap(), len);
    assert_eq!(snapshot.contents().read(&id(snapshot, path)).unwrap(), out);
    out
}

fn committed(repo: &Repo) -> Snapshot {
    repo.open().snapshot(&Selection::Ref("HEAD".into())).unwrap()
}

#[test]
fn large_blobs_are_the_same_from_every_place() {
    let repo = Repo::new();
    let (one, two) = (big(1), [&big(1)[..], b"and more"].concat());
    repo.write("one", &one).write("small", "s\n").commit("loose");
    for snapshot in [committed(&repo), repo.work_tree()] {
        assert_eq!(copied(&snapshot, "one"), one);
        assert_eq!(copied(&snapshot, "small"), b"s\n");
    }
    repo.write("two", &two).commit("a delta of the other");
    repo.git(&["repack", "-q", "-a", "-d", "-f"]);
    for snapshot in [committed(&repo), repo.work_tree()] {
        assert_eq!(copied(&snapshot, "one"), one);
        assert_eq!(copied(&snapshot, "two"), two);
    }
    // Whichever is a delta now has no clean file to be read from.
    repo.write("one", "other\n").write("two", "other\n");
    assert_eq!(copied(&committed(&repo), "one"), one);
    assert_eq!(copied(&committed(&repo), "two"), two);
}

#[test]
fn objects_that_are_borrowed_from_another_repository_are_found() {
    let origin = Repo::new();
    origin.write("one", big(2)).commit("first");
    let clone = Repo::clone_of(&origin, &["--bare"]);
    let shared = Repo::new();
    shared.write(".git/objects/info/alternates", format!("{}/objects\n", clone.root.display()));
    shared.git(&["update-ref", "refs/heads/main", &origin.head().to_string()]);
    assert_eq!(copied(&committed(&shared), "one"), big(2));
}

#[test]
fn uncommitted_content_comes_from_the_disk() {
    let repo = Repo::new();
    repo.write("one", "1\n").commit("first");
    repo.write("one", big(3)).write("new", "n\n").link("link", "one");
    let snapshot = repo.work_tree();
    assert_eq!(copied(&snapshot, "one"), big(3));
    assert_eq!(copied(&snapshot, "new"), b"n\n");
    assert_eq!(copied(&snapshot, "link"), b"one");
}

#[test]
fn a_file_that_changes_while_it_is_read_is_an_error() {
    let repo = Repo::new();
    repo.write("a", "1\n").commit("first");
    for (before, after) in [("22\n", "33\n"), ("22\n", "longer than before\n"), ("22\n", "2")] {
        repo.write("a", before);
        let snapshot = repo.work_tree();
        let id = id(&snapshot, "a");
        repo.write("a", after);
        let (exit, message) = fault(snapshot.contents().read(&id));
        assert_eq!((exit, message.as_str()), (Exit::Error, "`a` changed while it was being read"));
        assert_eq!(fault(snapshot.contents().copy(&id, &mut io::sink())).0, Exit::Error);
    }
}

#[test]
fn an_id_that_nobody_knows_is_an_error() {
    let repo = Repo::new();
    repo.write("a", "1\n").commit("first");
    let id = "1".repeat(40).parse().unwrap();
    assert_eq!(fault(repo.work_tree().contents().read(&id)).0, Exit::Error);
}

#[test]
fn many_threads_read_at_once() {
    use rayon::prelude::*;
    let repo = Repo::new();
    for number in 0..200 {
        repo.write(&format!("f{number}"), format!("{number}\n"));
    }
    repo.commit("first");
    for number in 0..100 {
        repo.write(&format!("f{number}"), format!("changed {number}\n"));
    }
    let snapshot = repo.work_tree();
    let entries = snapshot.tree("").unwrap().entries;
    assert_eq!(entries.len(), 200);
    entries.par_iter().for_each(|entry| {
        let number = entry.path.to_str_lossy()[1..].parse::<u32>().unwrap();
        let expected = if number < 100 { format!("changed {number}\n") } else { format!("{number}\n") };
        assert_eq!(snapshot.contents().read(&entry.id).unwrap(), expected.as_bytes());
    });
}

#[test]
fn a_file_can_be_asked_for_by_path() {
    let repo = Repo::new();
    repo.write("dir/a", "1\n").commit("first");
    repo.write("dir/a", "2\n");
    let checkout = repo.open();
    let selected = checkout.select(&Selection::WorkTree).unwrap();
    assert_eq!(selected.file("dir/a").unwrap().as_deref(), Some(&b"2\n"[..]));
    assert_eq!(selected.file("nope").unwrap(), None);
    assert_eq!(selected.file("dir/a/b").unwrap(), None);
    assert!(selected.file("dir").is_err());
    let selected = checkout.select(&Selection::Ref("main".into())).unwrap();
    assert_eq!(selected.file("dir/a").unwrap().as_deref(), Some(&b"1\n"[..]));
    assert_eq!(selected.file("dir/a/b").unwrap(), None);
    assert!(selected.file("dir").is_err());
    assert_eq!(committed(&repo).file("dir/a").unwrap().as_deref(), Some(&b"1\n"[..]));
}

#[test]
fn content_that_is_not_in_git_is_refused() {
    const POINTER: &str = "version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 1\n";
    let repo = Repo::new();
    repo.write("site/ok", "1\n").write("site/big", POINTER).write("keys/k", "\0GITCRYPT\0x").commit("first");
    let tree = |path: &str| committed(&repo).tree(path);
    // Without attributes, it may be a file that only looks so.
    assert_eq!(tree("site").unwrap().entries.len(), 2);
    repo.write(".gitattributes", "*.bin filter=lfs\n").write("keys/.gitattributes", "k filter=git-crypt\n");
    repo.commit("attributes");
    let (exit, message) = fault(tree("site"));
    assert_eq!(exit, Exit::BadDesired);
    assert_eq!(message, "`site/big` is a pointer of Git LFS, its content is not in git");
    assert_eq!(fault(tree("")).0, Exit::BadDesired);
    assert_eq!(fault(tree("keys")).1, "`keys/k` is encrypted by git-crypt, its content is not in git");
    let selected = repo.open().select(&Selection::WorkTree).unwrap();
    assert_eq!(fault(selected.snapshot(&["site"]).unwrap().tree("site")).0, Exit::BadDesired);
    repo.remove("site/big").commit("without");
    assert_eq!(tree("site").unwrap().entries.len(), 1);
}

#[test]
fn a_device_in_the_place_of_a_file_is_not_read() {
    let repo = Repo::new();
    repo.link("zero", "/dev/zero").write("a", "1\n").link("b", "a").commit("first");
    let selected = repo.open().select(&Selection::WorkTree).unwrap();
    let (exit, message) = fault(selected.file("zero"));
    assert!(exit == Exit::BadConfig && message.contains("`zero` is a link"), "{message}");
    assert_eq!(fault(selected.file("b")).0, Exit::BadConfig);
}
