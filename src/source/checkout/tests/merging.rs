//! Merges in memory.

use std::{collections::BTreeSet, path::Path};

use crate::{
    exit::Exit,
    source::{
        checkout::Selection,
        testing::{Repo, fault, hint, lines, text},
    },
};

fn forked() -> Repo {
    let repo = Repo::new();
    repo.write("a", "1\n2\n3\n4\n5\n").write("b", "b\n").commit("base");
    repo.git(&["checkout", "--quiet", "-b", "feature"]);
    repo
}

fn merge(repo: &Repo) -> anyhow::Result<crate::source::checkout::Snapshot> {
    repo.open().snapshot(&Selection::MergeInto("main".into()))
}

fn files_of(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in folder.read_dir().unwrap().flatten() {
        match entry.path().is_dir() {
            true => found.extend(files_of(&entry.path())),
            false => drop(found.insert(entry.path().display().to_string())),
        }
    }
    found
}

#[test]
fn a_merge_is_what_git_would_make_and_is_written_nowhere() {
    let repo = forked();
    repo.write("a", "1\n2\n3\n4\nfive\n").write("new", "new\n").commit("feature");
    repo.git(&["checkout", "--quiet", "main"]);
    repo.write("a", "one\n2\n3\n4\n5\n").remove("b").commit("main");
    repo.git(&["checkout", "--quiet", "feature"]);
    let before = files_of(&repo.root.join(".git"));
    let snapshot = merge(&repo).unwrap();
    assert_eq!(lines(&snapshot, ""), ["file a", "file new"]);
    assert_eq!(text(&snapshot, "a"), "one\n2\n3\n4\nfive\n");
    let mut copy = Vec::new();
    let id = snapshot.tree("").unwrap().entries[0].id;
    assert_eq!(snapshot.contents().copy(&id, &mut copy).unwrap(), copy.len() as u64);
    assert_eq!(snapshot.contents().size(&id).unwrap(), copy.len() as u64);
    assert_eq!(files_of(&repo.root.join(".git")), before);
    let tree = repo.git(&["merge-tree", "--write-tree", "main", "feature"]);
    let expected = repo.git(&["rev-parse", &format!("{tree}:a")]);
    assert_eq!(id.to_string(), expected);
}

#[test]
fn a_merge_says_what_it_is_made_of() {
    let repo = forked();
    repo.write("new", "new\n").commit("feature");
    let snapshot = merge(&repo).unwrap();
    assert_eq!(snapshot.revision.name, "merge of HEAD into main");
    assert!(snapshot.revision.merged && !snapshot.revision.dirty);
    assert_eq!(snapshot.revision.commit, Some(repo.head()));
    assert_eq!(snapshot.tips, [repo.rev("main"), repo.head()]);
}

#[test]
fn a_branch_that_is_merged_already_changes_nothing() {
    let repo = forked();
    repo.git(&["checkout", "--quiet", "main"]);
    repo.write("later", "x\n").commit("main");
    repo.git(&["checkout", "--quiet", "feature"]);
    assert_eq!(lines(&merge(&repo).unwrap(), ""), ["file a", "file b", "file later"]);
}

#[test]
fn a_conflict_names_its_paths() {
    let repo = forked();
    repo.write("a", "feature\n").write("b", "feature\n").commit("feature");
    repo.git(&["checkout", "--quiet", "main"]);
    repo.write("a", "main\n").remove("b").commit("main");
    repo.git(&["checkout", "--quiet", "feature"]);
    let (exit, message) = fault(merge(&repo));
    assert_eq!(exit, Exit::BadDesired);
    assert_eq!(message, "HEAD does not merge into `main`, conflict in `a`, `b`");
    assert!(hint(merge(&repo)).starts_with("`git merge main` shows the conflict"));
}

#[test]
fn unrelated_histories_do_not_merge() {
    let repo = forked();
    repo.git(&["checkout", "--quiet", "--orphan", "alone"]);
    repo.commit("alone");
    assert_eq!(fault(merge(&repo)), (Exit::BadDesired, "HEAD and `main` have no common ancestor".to_owned()));
}

#[test]
fn a_shallow_clone_lacks_the_common_ancestor() {
    let origin = forked();
    origin.write("new", "new\n").commit("feature");
    origin.git(&["checkout", "--quiet", "main"]);
    origin.write("b", "main\n").commit("main");
    origin.git(&["checkout", "--quiet", "feature"]);
    let clone = Repo::clone_of(&origin, &["--depth=1", "--no-single-branch"]);
    let result = || clone.open().snapshot(&Selection::MergeInto("origin/main".into()));
    assert_eq!(fault(result()).0, Exit::NoInput);
    assert!(hint(result()).contains("--unshallow"));
}
