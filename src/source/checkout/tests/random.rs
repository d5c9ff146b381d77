//! Random work trees against git.

use proptest::{prelude::*, test_runner::Config};

use crate::{
    model::tree::EntryKind,
    source::{checkout::Selection, testing::Repo},
};

/// One thing that is done to a work tree.
#[derive(Clone, Debug)]
enum Step {
    Write(String, u8),
    Executable(String),
    Link(String, u8),
    Remove(String),
    Stage,
    Commit,
}

fn path() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(vec!["a", "b", "a.b", "a-b", "é", "x y", "ab"]), 1..4)
        .prop_map(|names| names.join("/"))
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (path(), 0..4u8).prop_map(|(path, content)| Step::Write(path, content)),
        2 => path().prop_map(Step::Executable),
        2 => (path(), 0..3u8).prop_map(|(path, target)| Step::Link(path, target)),
        3 => path().prop_map(Step::Remove),
        1 => Just(Step::Stage),
        1 => Just(Step::Commit),
    ]
}

fn run(repo: &Repo, step: &Step) {
    let clear = |path: &str| {
        let mut at = String::new();
        for name in path.split('/') {
            at = if at.is_empty() { name.to_owned() } else { format!("{at}/{name}") };
            let meta = repo.root.join(&at).symlink_metadata();
            if meta.is_ok_and(|meta| !meta.is_dir() || at == path) {
                repo.remove(&at);
            }
        }
    };
    match step {
        Step::Write(path, content) => {
            clear(path);
            repo.write(path, format!("content {content}\n"));
        }
        Step::Executable(path) => {
            clear(path);
            repo.write(path, "run\n").chmod(path, 0o755);
        }
        Step::Link(path, target) => {
            clear(path);
            repo.link(path, &format!("to {target}"));
        }
        Step::Remove(path) => clear(path),
        Step::Stage => drop(repo.git(&["add", "--all"])),
        Step::Commit => drop(repo.commit("step")),
    }
}

/// What `git add --all` would make of it, and whether it differs from HEAD.
fn as_git_says(repo: &Repo) -> (Vec<String>, bool) {
    let dirty = !repo.git(&["status", "--porcelain"]).is_empty();
    repo.git(&["add", "--all"]);
    let tree = repo.git(&["write-tree"]);
    let listing = repo.git(&["-c", "core.quotePath=false", "ls-tree", "-r", &tree]);
    (listing.lines().map(str::to_owned).collect(), dirty)
}

fn as_we_say(repo: &Repo) -> (Vec<String>, bool) {
    let snapshot = repo.open().snapshot(&Selection::WorkTree).unwrap();
    let line = |entry: &crate::model::tree::Entry| {
        let mode = match entry.kind {
            EntryKind::File => "100644 blob",
            EntryKind::Executable => "100755 blob",
            EntryKind::Link => "120000 blob",
            EntryKind::Submodule => "160000 commit",
        };
        format!("{mode} {}\t{}", entry.id, entry.path)
    };
    (snapshot.tree("").unwrap().entries.iter().map(line).collect(), snapshot.revision.dirty)
}

proptest! {
    #![proptest_config(Config { cases: 32, failure_persistence: None, ..Config::default() })]

    #[test]
    fn a_work_tree_is_what_git_would_commit(steps in prop::collection::vec(step(), 1..25)) {
        let repo = Repo::new();
        for step in &steps {
            run(&repo, step);
        }
        let ours = as_we_say(&repo);
        prop_assert_eq!(ours, as_git_says(&repo));
    }
}
