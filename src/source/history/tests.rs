//! Commits behind changes, in real histories.

use std::collections::BTreeSet;

use bstr::BString;

use super::{Asked, Cut, blame, causes, commits, unapplied};
use crate::{
    model::{digest::Digest, revision::DeclaredBy},
    source::testing::{Repo, hint},
};

/// The subjects of the commits behind the change of each path.
fn subjects(repo: &Repo, base: Option<Digest>, tip: Digest, paths: &[&str]) -> Vec<(String, Vec<String>)> {
    let found = causes(&repo.open(), base, &[tip], &wanted(paths)).unwrap();
    let subjects =
        |commits: Vec<crate::model::revision::Commit>| commits.into_iter().map(|commit| commit.subject);
    found.by_path.into_iter().map(|(path, commits)| (path.to_string(), subjects(commits).collect())).collect()
}

fn wanted(paths: &[&str]) -> BTreeSet<BString> {
    paths.iter().map(|path| BString::from(*path)).collect()
}

fn one(path: &str, subjects: &[&str]) -> (String, Vec<String>) {
    (path.to_owned(), subjects.iter().map(|subject| (*subject).to_owned()).collect())
}

/// one adds a, b/c; two changes a; three changes b/c; four changes a and removes b/d.
fn line() -> Repo {
    let repo = Repo::new();
    repo.write("a", "1\n").write("b/c", "1\n").write("b/d", "1\n").commit("one");
    repo.write("a", "2\n").commit("two");
    repo.write("b/c", "2\n").commit("three");
    repo.write("a", "3\n").remove("b/d").commit("four");
    repo
}

#[test]
fn every_commit_between_base_and_tip_that_touched_a_path() {
    let repo = line();
    let found = subjects(&repo, Some(repo.rev("main~3")), repo.head(), &["a", "b/c", "b/d", "never/was"]);
    assert_eq!(found, [one("a", &["four", "two"]), one("b/c", &["three"]), one("b/d", &["four"])]);
    let found = subjects(&repo, Some(repo.rev("main~1")), repo.head(), &["a", "b/c"]);
    assert_eq!(found, [one("a", &["four"])]);
}

#[test]
fn without_a_base_the_newest_commit_for_each_path() {
    let repo = line();
    let found = subjects(&repo, None, repo.head(), &["a", "b/c"]);
    assert_eq!(found, [one("a", &["four"]), one("b/c", &["three"])]);
    let found = subjects(&repo, None, repo.rev("main~2"), &["a", "b/c", "b/d"]);
    assert_eq!(found, [one("a", &["two"]), one("b/c", &["one"]), one("b/d", &["one"])]);
}

#[test]
fn nothing_is_between_a_commit_and_itself_or_its_future() {
    let repo = line();
    assert!(subjects(&repo, Some(repo.head()), repo.head(), &["a"]).is_empty());
    assert!(subjects(&repo, Some(repo.head()), repo.rev("main~2"), &["a"]).is_empty());
}

#[test]
fn a_clean_merge_touches_nothing_and_its_branch_does() {
    let repo = line();
    let base = repo.head();
    repo.git(&["checkout", "--quiet", "-b", "side"]);
    repo.write("a", "side\n").commit("on the side");
    repo.git(&["checkout", "--quiet", "main"]);
    repo.write("b/c", "main\n").commit("on main");
    repo.git(&["merge", "--quiet", "--no-ff", "--message", "Merge pull request #7 from me/side", "side"]);
    let found = subjects(&repo, Some(base), repo.head(), &["a", "b/c"]);
    assert_eq!(found, [one("a", &["on the side"]), one("b/c", &["on main"])]);
    let log = commits(&repo.open(), Some(base), repo.head(), "b", 10).unwrap();
    assert_eq!(log.commits.iter().map(|commit| commit.subject.as_str()).collect::<Vec<_>>(), ["on main"]);
}

#[test]
fn a_merge_with_its_own_edit_touches_what_it_edits() {
    let repo = line();
    let base = repo.head();
    repo.git(&["checkout", "--quiet", "-b", "side"]);
    repo.write("a", "side\n").commit("side");
    repo.git(&["checkout", "--quiet", "main"]);
    repo.write("b/c", "main\n").commit("main");
    repo.git(&["merge", "--quiet", "--no-ff", "--no-commit", "side"]);
    repo.write("a", "neither\n").commit("evil");
    assert_eq!(subjects(&repo, Some(base), repo.head(), &["a"]), [one("a", &["evil", "side"])]);
    let log = commits(&repo.open(), Some(base), repo.head(), "", 10).unwrap();
    assert_eq!(
        log.commits.iter().map(|commit| commit.subject.as_str()).collect::<Vec<_>>(),
        ["evil", "main", "side"]
    );
}

#[test]
fn a_commit_of_a_merged_branch_has_the_number_of_the_merge() {
    let repo = line();
    let base = repo.head();
    for (number, branch) in [(7, "x"), (8, "y")] {
        repo.git(&["checkout", "--quiet", "-b", branch, &base.to_string()]);
        repo.write(branch, "1\n").commit(&format!("inner {branch}"));
        repo.git(&["checkout", "--quiet", "main"]);
        let message = format!("Merge pull request #{number} from me/{branch}");
        repo.git(&["merge", "--quiet", "--no-ff", "--message", &message, branch]);
    }
    repo.write("z", "1\n").commit("Squashed (#9)");
    repo.write("w", "1\n").commit("no number");
    let found = causes(&repo.open(), Some(base), &[repo.head()], &wanted(&["w", "x", "y", "z"])).unwrap();
    let numbers: Vec<_> = found.by_path.values().map(|commits| commits[0].pull_request).collect();
    assert_eq!(numbers, [None, Some(7), Some(8), Some(9)]);
}

#[test]
fn both_sides_of_a_merge_in_memory_explain_it() {
    let repo = line();
    let base = repo.head();
    repo.git(&["checkout", "--quiet", "-b", "side"]);
    repo.write("a", "side\n").commit("side");
    repo.git(&["checkout", "--quiet", "main"]);
    repo.write("b/c", "main\n").commit("main");
    let tips = [repo.rev("main"), repo.rev("side")];
    let found = causes(&repo.open(), Some(base), &tips, &wanted(&["a", "b/c"])).unwrap();
    assert_eq!(found.by_path.len(), 2);
}

#[test]
fn a_shallow_clone_explains_what_it_has() {
    let origin = line();
    let clone = Repo::clone_of(&origin, &["--depth=2"]);
    let checkout = clone.open();
    let found = causes(&checkout, None, &[clone.head()], &wanted(&["a", "b/c"])).unwrap();
    assert_eq!(found.cut, Some(Cut::Shallow));
    assert_eq!(found.by_path.keys().collect::<Vec<_>>(), ["a"]);
    let found =
        causes(&checkout, Some(origin.rev("main~3")), &[clone.head()], &wanted(&["a", "b/c"])).unwrap();
    assert_eq!((found.cut, found.by_path.len()), (Some(Cut::NoBase), 1));
    let found =
        causes(&checkout, Some(origin.rev("main~1")), &[clone.head()], &wanted(&["a", "b/c"])).unwrap();
    assert_eq!((found.cut, found.by_path.len()), (None, 1));
    assert!(hint(causes(&checkout, None, &[origin.rev("main~3")], &wanted(&["a"]))).contains("--unshallow"));
}

#[test]
fn what_was_never_applied_is_listed() {
    let repo = line();
    let base = repo.rev("main~3");
    repo.git(&["checkout", "--quiet", "-b", "side", &base.to_string()]);
    repo.write("b/e", "side\n").commit("side");
    repo.git(&["checkout", "--quiet", "main"]);
    repo.git(&["merge", "--quiet", "--no-ff", "--message", "merge", "side"]);
    let checkout = repo.open();
    let list = |applied: &[Digest], path: &str| {
        let log = unapplied(&checkout, repo.head(), applied, path, 10).unwrap();
        log.commits.into_iter().map(|commit| commit.subject).collect::<Vec<_>>()
    };
    assert_eq!(list(&[repo.head()], ""), Vec::<String>::new());
    assert_eq!(list(&[repo.rev("main~1")], "b"), ["side"]);
    assert_eq!(list(&[repo.rev("side")], "b"), ["four", "three"]);
    assert_eq!(list(&[repo.rev("side"), repo.rev("main~1")], "b"), Vec::<String>::new());
    assert_eq!(list(&[], "a"), ["four", "two", "one"]);
}

#[test]
fn a_list_says_how_long_it_would_be() {
    let repo = line();
    let log = commits(&repo.open(), None, repo.head(), "a", 2).unwrap();
    assert_eq!((log.commits.len(), log.total, log.cut), (2, 3, None));
    let log = commits(&repo.open(), Some("1".repeat(40).parse().unwrap()), repo.head(), "a", 2).unwrap();
    assert_eq!(log.cut, Some(Cut::NoBase));
}

#[test]
fn counts_are_those_of_git_in_random_histories() {
    let mut state = 7_u64;
    let mut random = move |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    for _ in 0..4 {
        let repo = Repo::new();
        repo.write("a", "0\n").write("d/b", "0\n").write("d/e/c", "0\n").commit("start");
        let base = repo.head();
        for number in 1..15 {
            let path = ["a", "d/b", "d/e/c"][random(3) as usize];
            match random(4) {
                0 => {
                    let branch = format!("branch{number}");
                    let back = format!("main~{}", random(2).min(number / 6));
                    repo.git(&["checkout", "--quiet", "-b", &branch, &back]);
                    repo.write(&format!("d/only{number}"), "x\n").commit(&branch);
                    repo.git(&["checkout", "--quiet", "main"]);
                    repo.git(&["merge", "--quiet", "--no-ff", "--message", "merge", &branch]);
                }
                _ => drop(repo.write(path, format!("{number}\n")).commit("edit")),
            }
        }
        let range = format!("{base}..HEAD");
        let found = subjects(&repo, Some(base), repo.head(), &["a", "d/b", "d/e/c"]);
        for path in ["a", "d/b", "d/e/c"] {
            let expected =
                repo.git(&["log", "--full-history", "--no-merges", "--format=%s", &range, "--", path]);
            let ours = found.iter().find(|(name, _)| name == path).map_or(0, |(_, subjects)| subjects.len());
            assert_eq!(ours, expected.lines().count(), "{path}");
        }
        let all = commits(&repo.open(), Some(base), repo.head(), "", 100).unwrap();
        let expected = repo.git(&["log", "--no-merges", "--format=%H", &range]);
        let mut expected: Vec<_> = expected.lines().collect();
        let mut ours: Vec<_> = all.commits.iter().map(|commit| commit.id.to_string()).collect();
        expected.sort_unstable();
        ours.sort_unstable();
        assert_eq!(ours, expected);
    }
}

/// The subject of the commit of each line of a file, as it lies in the work tree or at `tips`.
fn blamed(repo: &Repo, tips: &[Digest], path: &str, content: &str) -> Vec<String> {
    let lines = (1..=content.lines().count() as u32).map(|line| line..line + 1).collect();
    let asked = Asked { path: path.into(), content: content.into(), lines };
    let found = blame(&repo.open(), tips, &[asked]).unwrap().remove(0);
    let said = |by: DeclaredBy| match by {
        DeclaredBy::Exact(commit) => commit.subject,
        DeclaredBy::AtOrBefore(commit) => format!("at or before {}", commit.subject),
        DeclaredBy::NotCommitted => "not committed".to_owned(),
    };
    found.into_iter().map(|by| said(by.unwrap())).collect()
}

#[test]
fn each_line_is_from_the_commit_that_brought_it() {
    let repo = Repo::new();
    repo.write("d/a", "one\ntwo\n").commit("first");
    repo.write("d/a", "zero\none\ntwo\n").commit("second");
    repo.write("d/b", "other\n").commit("elsewhere");
    repo.write("d/a", "zero\none\n2\n").commit("third");
    let content = "zero\none\n2\nmore\n";
    assert_eq!(blamed(&repo, &[repo.head()], "d/a", content), ["second", "first", "third", "not committed"]);
    assert_eq!(blamed(&repo, &[repo.head()], "d/new", "x\n"), ["not committed"]);
    assert_eq!(blamed(&repo, &[], "d/a", "x\n"), ["not committed"]);
}

#[test]
fn several_lines_are_from_the_newest_of_their_commits() {
    let repo = Repo::new();
    repo.write("a", "1\n2\n3\n").commit("first");
    repo.write("a", "1\ntwo\n3\n").commit("second");
    let asked = Asked { path: "a".into(), content: "1\ntwo\n3\n4\n".into(), lines: vec![1..4, 3..4, 3..5] };
    let found = blame(&repo.open(), &[repo.head()], &[asked]).unwrap().remove(0);
    let said =
        |by: &Option<DeclaredBy>| by.as_ref().map(|by| by.text().split(": ").last().unwrap().to_owned());
    let found: Vec<_> = found.iter().map(said).collect();
    let expected = [Some("second"), Some("first"), Some("declared, and not committed")];
    assert_eq!(found, expected.map(|text| text.map(str::to_owned)));
}

#[test]
fn lines_are_followed_where_files_and_folders_were_renamed() {
    let repo = Repo::new();
    repo.write("old/a", "1\n2\n3\n4\n5\n").write("old/b", "6\n7\n8\n9\n").commit("first");
    repo.write("old/a", "1\n2\n3\nfour\n5\n").commit("second");
    repo.git(&["mv", "old", "new"]);
    repo.write("new/a", "1\nTWO\n3\nfour\n5\n").commit("move");
    // Another file takes the old place.
    repo.write("old/a", "1\n2\n").commit("again");
    repo.git(&["mv", "new/a", "new/c"]);
    repo.commit("move again");
    let content = "1\nTWO\n3\nfour\n5\n";
    assert_eq!(
        blamed(&repo, &[repo.head()], "new/c", content),
        ["first", "move", "first", "second", "first"]
    );
    assert_eq!(blamed(&repo, &[repo.head()], "new/b", "6\n7\n8\n9\n"), ["first"; 4]);
    assert_eq!(blamed(&repo, &[repo.head()], "old/a", "1\n2\n"), ["again"; 2]);
}

#[test]
fn a_line_of_a_merged_branch_has_the_number_of_its_merge() {
    let repo = Repo::new();
    repo.write("a", "one\ntwo\nthree\nfour\nfive\n").commit("start");
    for (number, line) in [(7, "one"), (8, "five")] {
        repo.git(&["checkout", "--quiet", "-b", line]);
        let text = std::fs::read_to_string(repo.root.join("a")).unwrap();
        repo.write("a", text.replace(line, &number.to_string())).commit(line);
        repo.git(&["checkout", "--quiet", "main"]);
        repo.write("b", line).commit("beside");
        let message = format!("Merge pull request #{number} from me/{line}");
        repo.git(&["merge", "--quiet", "--no-ff", "--message", &message, line]);
    }
    let content = std::fs::read(repo.root.join("a")).unwrap();
    let asked = Asked { path: "a".into(), content, lines: (1..=5).map(|line| line..line + 1).collect() };
    let found = blame(&repo.open(), &[repo.head()], &[asked]).unwrap().remove(0);
    let numbers: Vec<_> = found
        .into_iter()
        .map(|by| match by.unwrap() {
            DeclaredBy::Exact(commit) => commit.pull_request,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(numbers, [Some(7), None, None, None, Some(8)]);
}

#[test]
fn lines_of_a_merge_in_memory_are_from_both_sides() {
    let repo = Repo::new();
    repo.write("a", "1\n2\n3\n4\n5\n").commit("start");
    repo.git(&["checkout", "--quiet", "-b", "side"]);
    repo.write("a", "one\n2\n3\n4\n5\n").commit("side");
    repo.git(&["checkout", "--quiet", "main"]);
    repo.write("a", "1\n2\n3\n4\nfive\n").commit("main");
    let tips = [repo.rev("main"), repo.rev("side")];
    let found = blamed(&repo, &tips, "a", "one\n2\n3\n4\nfive\n");
    assert_eq!(found, ["side", "start", "start", "start", "main"]);
}

#[test]
fn a_shallow_clone_tells_no_line_older_than_it_is() {
    let origin = line();
    origin.write("a", "3\nmore\n").commit("five");
    let clone = Repo::clone_of(&origin, &["--depth=2"]);
    let found = blamed(&clone, &[clone.head()], "a", "3\nmore\n");
    assert_eq!(found, ["at or before four", "five"]);
}

#[test]
fn lines_are_from_the_commits_that_git_blames() {
    let mut state = 11_u64;
    let mut random = move |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    for _ in 0..3 {
        let repo = Repo::new();
        let mut lines: Vec<String> = (0..12).map(|line| format!("start {line}")).collect();
        let text = |lines: &[String]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
        let mut path = "d/a".to_owned();
        repo.write(&path, text(&lines)).commit("start");
        for number in 0..12 {
            if random(5) == 0 {
                let moved = format!("d{number}/a");
                std::fs::create_dir(repo.root.join(format!("d{number}"))).unwrap();
                repo.git(&["mv", &path, &moved]);
                path = moved;
            }
            match random(4) {
                0 => _ = lines.remove(random(lines.len())),
                1 => lines.insert(random(lines.len()), format!("new {number}")),
                _ => {
                    let at = random(lines.len());
                    lines[at] = format!("edit {number}");
                }
            }
            if random(3) == 0 {
                let branch = format!("branch{number}");
                repo.git(&["checkout", "--quiet", "-b", &branch]);
                repo.write(&path, text(&lines)).commit(&branch);
                repo.git(&["checkout", "--quiet", "main"]);
                repo.write("d/b", format!("{number}")).commit("beside");
                repo.git(&["merge", "--quiet", "--no-ff", "--message", "merge", &branch]);
            } else {
                repo.write(&path, text(&lines)).commit(&format!("edit {number}"));
            }
        }
        let porcelain = repo.git(&["blame", "--line-porcelain", &path]);
        let expected: Vec<_> = porcelain.lines().filter_map(|line| line.strip_prefix("summary ")).collect();
        assert_eq!(blamed(&repo, &[repo.head()], &path, &text(&lines)), expected);
    }
}
