//! Where a repository is found, and which ones are refused.

use std::{fs, os::unix::fs::MetadataExt, process::Command};

use crate::{
    exit::Exit,
    model::digest::Algorithm,
    source::{
        checkout::{Checkout, Selection},
        testing::{Repo, fault, hint, lines},
    },
};

fn filled() -> Repo {
    let repo = Repo::new();
    repo.write("site/a", "a\n").write("b", "b\n").commit("first");
    repo
}

#[test]
fn a_folder_inside_is_a_prefix() {
    let repo = filled();
    assert_eq!(repo.open().prefix(), "");
    let inside = Checkout::open(&repo.root.join("site")).unwrap();
    assert_eq!(inside.prefix(), "site");
    assert_eq!(inside.root(), Some(repo.root.as_path()));
}

#[test]
fn no_repository_is_no_input() {
    let folder = tempfile::tempdir().unwrap();
    let (exit, message) = fault(Checkout::open(folder.path()));
    assert_eq!(exit, Exit::NoInput);
    assert_eq!(message, format!("`{}` is not in a git repository", folder.path().display()));
    assert!(hint(Checkout::open(folder.path())).contains("git init"));
}

#[test]
fn no_folder_is_no_input() {
    let folder = tempfile::tempdir().unwrap();
    let (exit, message) = fault(Checkout::open(&folder.path().join("nope")));
    assert_eq!(exit, Exit::NoInput);
    assert!(message.starts_with("no folder"), "{message}");
}

#[test]
fn a_linked_work_tree_has_its_own_files() {
    let repo = filled();
    repo.git(&["worktree", "add", "--quiet", "-b", "other", "../linked"]);
    let linked = repo.root.with_file_name("linked");
    fs::write(linked.join("new"), "new\n").unwrap();
    let checkout = Checkout::open(&linked.join("site")).unwrap();
    assert_eq!(checkout.branch().unwrap().as_deref(), Some("other"));
    let snapshot = checkout.snapshot(&Selection::WorkTree).unwrap();
    assert_eq!(lines(&snapshot, ""), ["file b", "file new", "file site/a"]);
    assert_eq!(lines(&repo.work_tree(), ""), ["file b", "file site/a"]);
}

#[test]
fn a_submodule_is_a_checkout_of_its_own() {
    let (inner, outer) = (filled(), filled());
    let url = inner.root.display().to_string();
    outer.git(&["submodule", "--quiet", "add", &url, "sub"]);
    outer.commit("add it");
    assert_eq!(lines(&outer.work_tree(), ""), ["file .gitmodules", "file b", "file site/a", "submodule sub"]);
    let (exit, message) = fault(outer.work_tree().tree("sub/site"));
    assert_eq!((exit, message.as_str()), (Exit::NoInput, "`sub` is a submodule, not a folder"));
    let sub = Checkout::open(&outer.root.join("sub")).unwrap();
    assert_eq!(lines(&sub.snapshot(&Selection::WorkTree).unwrap(), ""), ["file b", "file site/a"]);
}

#[test]
fn a_bare_repository_needs_a_revision() {
    let bare = Repo::clone_of(&filled(), &["--bare"]);
    let checkout = bare.open();
    assert_eq!(checkout.root(), None);
    assert_eq!(fault(checkout.select(&Selection::WorkTree)).0, Exit::NoInput);
    assert_eq!(hint(checkout.select(&Selection::WorkTree)), "name a revision: `--ref HEAD`");
    let snapshot = checkout.snapshot(&Selection::Ref("main".into())).unwrap();
    assert_eq!(lines(&snapshot, "site"), ["file a"]);
}

#[test]
fn a_sha256_repository_is_read_like_any_other() {
    let repo = Repo::init(&["--object-format=sha256"]);
    repo.write("a", "a\n").commit("first");
    repo.write("b", "b\n");
    assert_eq!(repo.open().algorithm(), Algorithm::Sha256);
    let snapshot = repo.work_tree();
    assert_eq!(lines(&snapshot, ""), ["file a", "file b"]);
    let ids: Vec<_> = snapshot.tree("").unwrap().entries.iter().map(|entry| entry.id).collect();
    assert_eq!(ids, [repo.rev("HEAD:a"), repo.git(&["hash-object", "b"]).parse().unwrap()]);
}

#[test]
fn reftable_is_refused_with_a_way_out() {
    let repo = filled();
    repo.git(&["config", "core.repositoryFormatVersion", "1"]);
    repo.git(&["config", "extensions.refStorage", "reftable"]);
    assert_eq!(
        fault(Checkout::open(&repo.root)),
        (Exit::Error, "refs in the format `reftable` cannot be read".to_owned())
    );
    assert!(hint(Checkout::open(&repo.root)).contains("git refs migrate"));
}

#[test]
fn a_sparse_index_is_refused_for_the_work_tree_only() {
    let repo = filled();
    repo.write("deep/er/c", "c\n").commit("second");
    repo.git(&["sparse-checkout", "init", "--cone", "--sparse-index"]);
    repo.git(&["sparse-checkout", "set", "site"]);
    let checkout = repo.open();
    assert_eq!(fault(checkout.snapshot(&Selection::WorkTree)).0, Exit::Error);
    assert!(hint(checkout.snapshot(&Selection::WorkTree)).contains("--no-sparse-index"));
    let snapshot = checkout.snapshot(&Selection::Ref("HEAD".into())).unwrap();
    assert_eq!(lines(&snapshot, "deep"), ["file er/c"]);
}

#[test]
fn a_sparse_checkout_declares_what_it_does_not_show() {
    let repo = filled();
    repo.write("deep/er/c", "c\n").commit("second");
    repo.git(&["sparse-checkout", "set", "--cone", "site"]);
    assert!(!repo.root.join("deep").exists());
    let snapshot = repo.work_tree();
    assert!(!snapshot.revision.dirty);
    assert_eq!(lines(&snapshot, ""), ["file b", "file deep/er/c", "file site/a"]);
}

#[test]
fn the_repository_of_somebody_else_is_refused() {
    let repo = filled();
    // Only root can give files away.
    if fs::metadata(&repo.root).unwrap().uid() != 0 {
        return;
    }
    let given = Command::new("chown").args(["-R", "12345"]).arg(&repo.root).status().unwrap();
    assert!(given.success());
    let (exit, message) = fault(Checkout::open(&repo.root));
    assert_eq!(exit, Exit::NoPermission);
    assert!(message.contains("belongs to somebody else"), "{message}");
    assert!(hint(Checkout::open(&repo.root)).contains("safe.directory"));
}

/// Runs the test `name` of this file in a process of its own with more environment.
fn elsewhere(name: &str, environment: &[(&str, &str)]) {
    let test = format!("source::checkout::tests::opening::{name}");
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &test, "--nocapture"])
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

#[test]
fn git_dir_and_git_work_tree_count() {
    if let Some(folder) = std::env::var_os("TRUEUP_TEST_FOLDER") {
        let checkout = Checkout::open(folder.as_ref()).unwrap();
        assert_eq!(checkout.root(), Some(folder.as_ref()));
        let snapshot = checkout.snapshot(&Selection::WorkTree).unwrap();
        assert_eq!(lines(&snapshot, ""), ["file b"]);
        return;
    }
    let repo = filled();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().canonicalize().unwrap();
    fs::write(folder.join("b"), "other\n").unwrap();
    let git_dir = repo.root.join(".git").display().to_string();
    let folder = folder.display().to_string();
    let environment =
        [("GIT_DIR", git_dir.as_str()), ("GIT_WORK_TREE", &folder), ("TRUEUP_TEST_FOLDER", &folder)];
    elsewhere("git_dir_and_git_work_tree_count", &environment);
}
