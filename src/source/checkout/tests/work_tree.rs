//! The work tree as it lies on disk, over HEAD.

use crate::{
    exit::Exit,
    model::tree::EntryKind,
    source::{
        checkout::Selection,
        testing::{Repo, fault, lines, text},
    },
};

fn filled() -> Repo {
    let repo = Repo::new();
    repo.write("site/a", "a\n").write("site/b", "b\n").write("c", "c\n").write("run", "#!/bin/sh\n");
    repo.chmod("run", 0o755).link("site/link", "a").commit("first");
    repo
}

#[test]
fn a_clean_work_tree_is_its_branch() {
    let snapshot = filled().work_tree();
    assert!(!snapshot.revision.dirty);
    assert_eq!(snapshot.revision.name, "main");
    assert_eq!(lines(&snapshot, ""), ["file c", "exec run", "file site/a", "file site/b", "link site/link"]);
    assert_eq!(lines(&snapshot, "site"), ["file a", "file b", "link link"]);
}

#[test]
fn a_detached_head_is_called_head() {
    let repo = filled();
    repo.git(&["checkout", "--quiet", "--detach"]);
    let revision = repo.work_tree().revision;
    assert_eq!((revision.name.as_str(), revision.commit), ("HEAD", Some(repo.head())));
}

#[test]
fn an_unborn_branch_has_files_and_no_commit() {
    let repo = Repo::new();
    repo.write("a", "a\n");
    let snapshot = repo.work_tree();
    assert_eq!(snapshot.revision.commit, None);
    assert!(snapshot.revision.dirty);
    assert_eq!(lines(&snapshot, ""), ["file a"]);
    assert_eq!(fault(repo.open().snapshot(&Selection::Ref("HEAD".into()))).0, Exit::NoInput);
}

#[test]
fn edits_of_every_kind_are_seen() {
    let repo = filled();
    repo.write("site/a", "changed\n").remove("site/b").write("new/file", "new\n").chmod("c", 0o755);
    repo.chmod("run", 0o644).remove("site/link").link("site/link", "nowhere");
    let snapshot = repo.work_tree();
    assert!(snapshot.revision.dirty);
    assert_eq!(snapshot.revision.name, "HEAD+dirty");
    let expected = ["exec c", "file new/file", "file run", "file site/a", "link site/link"];
    assert_eq!(lines(&snapshot, ""), expected);
    assert_eq!(text(&snapshot, "site/a"), "changed\n");
    assert_eq!(text(&snapshot, "site/link"), "nowhere");
    assert_eq!(text(&snapshot, "new/file"), "new\n");
}

#[test]
fn an_edit_of_the_same_length_at_the_same_time_is_seen() {
    let repo = filled();
    repo.write("c", "d\n");
    assert_eq!(text(&repo.work_tree(), "c"), "d\n");
}

#[test]
fn staged_edits_are_dirty_even_if_the_disk_agrees() {
    for paths in [&[][..], &["c"], &["site", "c"]] {
        let repo = filled();
        repo.write("c", "staged\n").git(&["add", "c"]);
        let snapshot = repo.open().select(&Selection::WorkTree).unwrap().snapshot(paths).unwrap();
        assert!(snapshot.revision.dirty);
        assert_eq!(text(&snapshot, "c"), "staged\n");
    }
}

#[test]
fn a_staged_removal_of_a_file_that_is_still_there_counts_as_the_disk_says() {
    let repo = filled();
    repo.git(&["rm", "--quiet", "--cached", "c"]);
    let snapshot = repo.work_tree();
    assert!(snapshot.revision.dirty);
    assert_eq!(text(&snapshot, "c"), "c\n");
}

#[test]
fn the_disk_wins_over_the_index() {
    let repo = filled();
    repo.write("c", "staged\n").git(&["add", "c"]);
    repo.write("c", "on disk\n");
    assert_eq!(text(&repo.work_tree(), "c"), "on disk\n");
}

#[test]
fn an_intent_to_add_is_a_new_file() {
    let repo = filled();
    repo.write("new", "new\n").git(&["add", "--intent-to-add", "new"]);
    let snapshot = repo.work_tree();
    assert!(snapshot.revision.dirty);
    assert_eq!(text(&snapshot, "new"), "new\n");
}

#[test]
fn ignored_files_do_not_count() {
    let repo = filled();
    repo.write(".gitignore", "*.log\nbuild/\n").commit("ignore");
    repo.write("site/x.log", "x").write("build/out", "x");
    let snapshot = repo.work_tree();
    assert!(!snapshot.revision.dirty);
    assert_eq!(lines(&snapshot, "site"), ["file a", "file b", "link link"]);
}

#[test]
fn an_ignored_folder_that_is_asked_for_is_empty() {
    let repo = filled();
    repo.write(".gitignore", "build/\n").commit("ignore");
    repo.write("build/out", "x");
    let snapshot = repo.open().select(&Selection::WorkTree).unwrap().snapshot(&["build"]).unwrap();
    assert!(!snapshot.revision.dirty);
    assert!(lines(&snapshot, "build").is_empty());
}

#[test]
fn a_nested_repository_is_somebody_elses() {
    let repo = filled();
    repo.write("nested/file", "x\n").git_in("nested", &["init", "--quiet"]);
    repo.git_in("nested", &["add", "file"]);
    repo.git_in("nested", &["commit", "--quiet", "--message", "inner"]);
    let snapshot = repo.work_tree();
    assert!(!snapshot.revision.dirty);
    assert!(lines(&snapshot, "").iter().all(|line| !line.contains("nested")));
}

#[test]
fn a_file_that_became_a_folder_and_the_reverse() {
    let repo = filled();
    repo.remove("c").write("c/inner", "x\n").remove("site").write("site", "now a file\n");
    let snapshot = repo.work_tree();
    assert_eq!(lines(&snapshot, ""), ["file c/inner", "exec run", "file site"]);
    assert_eq!(fault(snapshot.tree("site")).1, "`site` is a file, not a folder");
}

#[test]
fn a_fifo_in_the_place_of_a_file_is_refused() {
    let repo = filled();
    repo.remove("c");
    rustix::fs::mkfifoat(rustix::fs::CWD, repo.root.join("c"), rustix::fs::Mode::RUSR).unwrap();
    let (exit, message) = fault(repo.open().snapshot(&Selection::WorkTree));
    assert_eq!((exit, message.as_str()), (Exit::BadDesired, "`c` is neither a file nor a link"));
}

#[test]
fn a_link_or_a_fifo_in_the_place_of_an_executable_is_not_followed() {
    let repo = filled();
    repo.remove("run").link("run", "c");
    assert_eq!(text(&repo.work_tree(), "run"), "c");
    repo.remove("run");
    rustix::fs::mkfifoat(rustix::fs::CWD, repo.root.join("run"), rustix::fs::Mode::RWXU).unwrap();
    assert_eq!(fault(repo.open().snapshot(&Selection::WorkTree)).0, Exit::BadDesired);
}

#[test]
fn an_executable_that_was_only_touched_is_clean() {
    let repo = filled();
    repo.write("run", "#!/bin/sh\n");
    assert!(!repo.work_tree().revision.dirty);
}

#[test]
fn without_file_modes_the_index_knows_what_is_executable() {
    let repo = filled();
    repo.git(&["config", "core.fileMode", "false"]);
    repo.chmod("run", 0o644).chmod("c", 0o755).write("run", "#!/bin/sh\nexit\n");
    repo.write("new", "x").chmod("new", 0o755);
    let expected = ["file c", "file new", "exec run", "file site/a", "file site/b", "link site/link"];
    assert_eq!(lines(&repo.work_tree(), ""), expected);
}

#[test]
fn line_ends_are_stored_as_git_would() {
    let repo = filled();
    repo.write(".gitattributes", "*.txt text eol=crlf\n").commit("attributes");
    repo.write("x.txt", "one\r\ntwo\r\n").write("y.bin", "one\r\ntwo\r\n");
    let snapshot = repo.work_tree();
    assert_eq!(text(&snapshot, "x.txt"), "one\ntwo\n");
    assert_eq!(text(&snapshot, "y.bin"), "one\r\ntwo\r\n");
    let tree = snapshot.tree("").unwrap();
    let entry = tree.entries.iter().find(|entry| entry.path == "x.txt").unwrap();
    assert_eq!(entry.id.to_string(), repo.git(&["hash-object", "--path", "x.txt", "x.txt"]));
    assert_eq!(snapshot.contents().size(&entry.id).unwrap(), 8);
}

#[test]
fn a_clean_filter_makes_the_content() {
    let repo = filled();
    repo.git(&["config", "filter.up.clean", "tr a-z A-Z"]);
    repo.write(".gitattributes", "*.up filter=up\n").write("x.up", "loud\n");
    assert_eq!(text(&repo.work_tree(), "x.up"), "LOUD\n");
}

#[test]
fn without_programs_a_clean_filter_is_not_run() {
    let repo = filled();
    let trace = repo.open().root().unwrap().join(".git/ran");
    repo.git(&["config", "filter.up.clean", &format!("touch {}; tr a-z A-Z", trace.display())]);
    repo.write(".gitattributes", "*.up filter=up\n").write("x.up", "loud\n");
    let checkout = repo.open().without_programs().unwrap();
    assert_eq!(text(&checkout.snapshot(&Selection::WorkTree).unwrap(), "x.up"), "loud\n");
    assert!(!trace.exists());
    assert_eq!(text(&repo.work_tree(), "x.up"), "LOUD\n");
    assert!(trace.exists());
}

#[test]
fn files_in_conflict_are_what_lies_on_disk() {
    let repo = filled();
    repo.git(&["checkout", "--quiet", "-b", "other"]);
    repo.write("c", "theirs\n").commit("theirs");
    repo.git(&["checkout", "--quiet", "main"]);
    repo.write("c", "ours\n").commit("ours");
    assert!(!repo.succeeds(&["merge", "other"]));
    let snapshot = repo.work_tree();
    assert!(snapshot.revision.dirty);
    assert!(text(&snapshot, "c").starts_with("<<<<<<<"));
}

#[test]
fn only_what_is_looked_at_makes_it_dirty() {
    let repo = filled();
    repo.write("c", "changed\n").write("new", "new\n");
    let look = |paths: &[&str]| repo.open().select(&Selection::WorkTree).unwrap().snapshot(paths).unwrap();
    assert!(!look(&["site"]).revision.dirty);
    assert!(look(&["site", "c"]).revision.dirty);
    assert!(look(&["site", "new"]).revision.dirty);
    assert!(look(&["site", ""]).revision.dirty);
    assert!(look(&["site"]).tree("").is_err());
    assert_eq!(lines(&look(&["site", "c"]), "site"), ["file a", "file b", "link link"]);
}

#[test]
fn a_submodule_at_another_commit_is_dirty_and_its_files_are_not_ours() {
    let (inner, repo) = (filled(), filled());
    repo.git(&["submodule", "--quiet", "add", &inner.root.display().to_string(), "sub"]);
    repo.commit("add it");
    repo.write("sub/c", "edited\n").write("sub/new", "x\n");
    assert!(!repo.work_tree().revision.dirty);
    repo.git_in("sub", &["commit", "--quiet", "--all", "--message", "inner"]);
    let snapshot = repo.work_tree();
    assert!(snapshot.revision.dirty);
    let tree = snapshot.tree("").unwrap();
    let entry = tree.entries.iter().find(|entry| entry.path == "sub").unwrap();
    let head = repo.git_in("sub", &["rev-parse", "HEAD"]);
    assert_eq!((entry.kind, entry.id.to_string()), (EntryKind::Submodule, head));
}

#[test]
fn a_folder_that_is_not_there_is_no_input() {
    let repo = filled();
    let (exit, message) = fault(repo.work_tree().tree("nope"));
    assert_eq!((exit, message.as_str()), (Exit::NoInput, "no folder `nope` in `main`"));
    let (exit, message) = fault(repo.open().snapshot(&Selection::Ref("main".into())).unwrap().tree("site/x"));
    assert_eq!(exit, Exit::NoInput);
    assert!(message.starts_with("no folder `site/x` in `main@"), "{message}");
    assert_eq!(fault(repo.work_tree().tree("site/link")).1, "`site/link` is a link, not a folder");
}

#[test]
fn a_folder_whose_files_are_gone_declares_nothing() {
    let repo = filled();
    repo.remove("site/a").remove("site/b").remove("site/link");
    assert!(lines(&repo.work_tree(), "site").is_empty());
}

#[test]
fn names_of_any_bytes_survive() {
    use std::os::unix::ffi::OsStrExt;
    let repo = filled();
    let name = std::ffi::OsStr::from_bytes(b"site/new\nline \xff");
    std::fs::write(repo.root.join(name), "x").unwrap();
    let tree = repo.work_tree().tree("site").unwrap();
    assert!(tree.entries.iter().any(|entry| entry.path == b"new\nline \xff".as_slice()));
}

#[test]
fn an_index_of_any_format_is_read() {
    for option in [&["--index-version=4"][..], &["--split-index"], &["--untracked-cache"]] {
        let repo = filled();
        repo.git(&[&["update-index"], option].concat());
        assert!(!repo.work_tree().revision.dirty);
        repo.write("c", "staged\n").git(&["add", "c"]);
        let snapshot = repo.work_tree();
        assert!(snapshot.revision.dirty);
        assert_eq!(text(&snapshot, "c"), "staged\n");
    }
}

#[test]
fn line_ends_of_the_whole_repository_are_stored_as_git_would() {
    let repo = filled();
    repo.git(&["config", "core.autocrlf", "true"]);
    repo.git(&["config", "core.safecrlf", "true"]);
    repo.write("c", "one\r\ntwo\n").write("new", "one\r\n");
    let snapshot = repo.work_tree();
    assert_eq!((text(&snapshot, "c"), text(&snapshot, "new")), ("one\ntwo\n".into(), "one\n".into()));
}

#[test]
fn a_work_tree_of_one_part_is_what_the_whole_says_of_it() {
    let repo = filled();
    repo.write("site/new", "x").write("site.yaml", "x").write("site-b/x", "x").remove("site/a");
    let part = repo.open().select(&Selection::WorkTree).unwrap().snapshot(&["site/"]).unwrap();
    assert_eq!(lines(&part, "site"), lines(&repo.work_tree(), "site"));
    assert_eq!(lines(&part, "/site/"), ["file b", "link link", "file new"]);
}
