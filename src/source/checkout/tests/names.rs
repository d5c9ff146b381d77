//! Revisions, branches and what is on them.

use crate::{
    exit::Exit,
    source::{
        checkout::{Branch, Selection},
        testing::{Repo, fault, hint, lines},
    },
};

/// main: one, two, three; tag `v1` (annotated) on two; branch `side` off one.
fn branched() -> Repo {
    let repo = Repo::new();
    repo.write("a", "1\n").commit("one");
    repo.git(&["branch", "side"]);
    repo.write("a", "2\n").commit("two");
    repo.git(&["tag", "--annotate", "--message", "first", "v1"]);
    repo.write("a", "3\n").commit("three");
    repo.git(&["checkout", "--quiet", "side"]);
    repo.write("b", "side\n").commit("side");
    repo.git(&["checkout", "--quiet", "main"]);
    repo
}

#[test]
fn every_name_that_git_takes_is_a_commit() {
    let repo = branched();
    let checkout = repo.open();
    let short = repo.head().short();
    for rev in ["HEAD", "@", "main", "main~1", "v1", "refs/tags/v1", "side", "v1^{commit}", ":/two", &short] {
        let expected = repo.git(&["rev-list", "-1", rev, "--"]);
        assert_eq!(checkout.resolve(rev).unwrap().to_string(), expected, "{rev}");
    }
}

#[test]
fn a_revision_that_is_not_there_is_no_input() {
    let repo = branched();
    let checkout = repo.open();
    for rev in ["nope", "main~99", "nope^", "", "a b", "0000000", "main..side", "-x"] {
        let (exit, message) = fault(checkout.resolve(rev));
        assert_eq!(exit, Exit::NoInput, "{rev}");
        assert_eq!(message, format!("no revision `{rev}` in `{}`", repo.root.display()));
    }
    assert!(hint(checkout.resolve("nope")).contains("git fetch"));
    assert_eq!(fault(checkout.resolve("HEAD:a")), (Exit::NoInput, "`HEAD:a` is a blob, not a commit".into()));
}

#[test]
fn an_ambiguous_id_asks_for_more_digits() {
    let repo = Repo::new();
    for number in 0..40 {
        repo.write("n", number.to_string()).commit(&number.to_string());
    }
    let ids = repo.git(&["rev-list", "HEAD"]);
    let mut firsts: Vec<_> = ids.lines().map(|id| &id[..1]).collect();
    firsts.sort_unstable();
    let twice = firsts.windows(2).find(|pair| pair[0] == pair[1]).unwrap()[0];
    let ids: Vec<_> = ids.lines().filter(|id| id.starts_with(twice)).collect();
    let common = (1..40).take_while(|len| ids[0][..*len] == ids[1][..*len]).last().unwrap();
    let (exit, message) = fault(repo.open().resolve(&ids[0][..common.max(1)]));
    assert_eq!(exit, Exit::NoInput);
    // Git takes no prefix below four digits, and so neither do we.
    assert!(message.contains("ambiguous") || message.starts_with("no revision"), "{message}");
}

#[test]
fn a_range_has_two_sides() {
    let repo = branched();
    let checkout = repo.open();
    assert_eq!(checkout.range("v1..side").unwrap(), (repo.rev("v1^{commit}"), repo.rev("side")));
    assert_eq!(checkout.range("side..").unwrap(), (repo.rev("side"), repo.head()));
    assert_eq!(fault(checkout.range("main")).0, Exit::Usage);
    assert_eq!(fault(checkout.range("main...side")).0, Exit::Usage);
    assert_eq!(fault(checkout.range("main..nope")).0, Exit::NoInput);
}

#[test]
fn both_sides_of_a_range_have_files() {
    let repo = branched();
    let (a, b) = repo.open().between("main..side").unwrap();
    assert_eq!(
        (lines(&a, ""), lines(&b, "")),
        (vec!["file a".into()], vec!["file a".into(), "file b".into()])
    );
    assert_eq!((a.revision.name.as_str(), b.revision.name.as_str()), ("main", "side"));
}

#[test]
fn ancestors_are_older_commits_of_the_same_line() {
    let repo = branched();
    let checkout = repo.open();
    let (one, two, three, side) = (repo.rev("main~2"), repo.rev("main~1"), repo.head(), repo.rev("side"));
    for (ancestor, descendant, expected) in [
        (one, three, true),
        (two, three, true),
        (one, side, true),
        (three, three, false),
        (three, one, false),
        (two, side, false),
        (side, three, false),
    ] {
        assert_eq!(checkout.is_ancestor(&ancestor, &descendant).unwrap(), expected);
    }
}

fn of<'a>(name: &'a str, remote: Option<&'a str>) -> Branch<'a> {
    Branch { name, remote }
}

#[test]
fn a_commit_is_on_the_branches_that_reach_it() {
    let repo = branched();
    let checkout = repo.open();
    let on = |commit: &str, reference: &str| checkout.is_on(&repo.rev(commit), of(reference, None)).unwrap();
    assert!(on("main", "main") && on("main~2", "main") && on("main~2", "side"));
    assert!(on("main", "refs/heads/main") && on("v1^{commit}", "refs/tags/v1"));
    assert!(!on("side", "main") && !on("main", "side") && !on("main", "refs/tags/v1"));
    assert_eq!(checkout.refs_with(&repo.rev("main~1")).unwrap(), ["main", "v1"]);
    let (exit, message) = fault(checkout.is_on(&repo.head(), of("production", None)));
    assert_eq!(exit, Exit::NoInput);
    assert!(message.starts_with("no branch `production`"), "{message}");
}

#[test]
fn a_tag_is_not_the_branch_of_that_name() {
    let repo = branched();
    repo.git(&["tag", "production", "side"]);
    let (exit, _) = fault(repo.open().is_on(&repo.rev("side"), of("production", None)));
    assert_eq!(exit, Exit::NoInput);
    assert!(
        hint(repo.open().is_on(&repo.rev("side"), of("production", None))).contains("refs/tags/production")
    );
    repo.git(&["branch", "production", "main"]);
    assert!(!repo.open().is_on(&repo.rev("side"), of("production", None)).unwrap());
}

#[test]
fn only_the_branch_of_one_remote_counts() {
    let origin = branched();
    let clone = Repo::clone_of(&origin, &[]);
    clone.git(&["remote", "add", "fork", "."]);
    clone.git(&["update-ref", "refs/remotes/fork/main", &origin.rev("side").to_string()]);
    clone.git(&["update-ref", "refs/heads/main", &origin.rev("side").to_string()]);
    let checkout = clone.open();
    let side = origin.rev("side");
    assert!(!checkout.is_on(&side, of("main", None)).unwrap());
    assert!(checkout.is_on(&side, of("main", Some("fork"))).unwrap());
    assert!(checkout.is_on(&origin.rev("main"), of("origin/main", None)).unwrap());
    clone.git(&["remote", "rename", "origin", "upstream"]);
    assert_eq!(fault(clone.open().is_on(&side, of("main", None))).0, Exit::BadConfig);
    assert!(!clone.open().is_on(&side, of("main", Some("upstream"))).unwrap());
}

#[test]
fn a_clone_in_ci_knows_the_branch_by_its_remote() {
    let origin = branched();
    let clone = Repo::clone_of(&origin, &[]);
    clone.git(&["checkout", "--quiet", "--detach"]);
    clone.git(&["branch", "--quiet", "--delete", "--force", "main"]);
    let checkout = clone.open();
    assert!(checkout.is_on(&origin.rev("main~1"), of("main", None)).unwrap());
    assert!(checkout.is_on(&origin.rev("side"), of("origin/side", None)).unwrap());
    assert!(!checkout.is_on(&origin.rev("side"), of("main", None)).unwrap());
}

#[test]
fn a_shallow_clone_says_what_it_cannot_tell() {
    let origin = branched();
    let clone = Repo::clone_of(&origin, &["--depth=1"]);
    let checkout = clone.open();
    assert!(checkout.is_shallow());
    assert_eq!(lines(&clone.work_tree(), ""), ["file a"]);
    assert!(checkout.is_on(&clone.head(), of("main", None)).unwrap());
    for result in [
        checkout.is_on(&origin.rev("main~1"), of("main", None)).map(drop),
        checkout.is_ancestor(&origin.rev("main~1"), &clone.head()).map(drop),
        checkout.at(&origin.rev("main~1"), "base").map(drop),
        checkout.resolve("HEAD~1").map(drop),
        checkout.commit(&origin.rev("main~1")).map(drop),
    ] {
        assert_eq!(fault(result.map_err(|error| error.context(""))).0, Exit::NoInput);
    }
    assert!(hint(checkout.at(&origin.rev("main~1"), "base")).contains("git fetch --unshallow"));
    assert!(hint(checkout.resolve("HEAD~1")).contains("fetch-depth: 0"));
}

#[test]
fn a_partial_clone_says_which_object_it_lacks() {
    let origin = branched();
    origin.git(&["config", "uploadpack.allowFilter", "true"]);
    let clone = Repo::clone_of(&origin, &["--filter=blob:none", "--no-checkout"]);
    let snapshot = clone.open().snapshot(&Selection::Ref("HEAD".into())).unwrap();
    let id = snapshot.tree("").unwrap().entries[0].id;
    let (exit, message) = fault(snapshot.contents().read(&id));
    assert_eq!(exit, Exit::NoInput);
    assert_eq!(message, format!("object `{id}` is not here; this is a partial clone"));
    assert_eq!(fault(snapshot.contents().size(&id)).0, Exit::NoInput);
    assert_eq!(fault(snapshot.contents().copy(&id, &mut Vec::new())).0, Exit::NoInput);
    assert!(hint(snapshot.contents().read(&id)).contains("git fetch --refetch"));
}

#[test]
fn a_commit_says_who_and_when() {
    let repo = branched();
    let commit = repo.open().commit(&repo.head()).unwrap();
    assert_eq!((commit.author.as_str(), commit.email.as_str()), ("Ada", "ada@example.org"));
    assert_eq!(commit.subject, "three");
    assert_eq!(commit.date, repo.git(&["log", "-1", "--format=%aI"]));
}

#[test]
fn a_damaged_repository_is_an_error_and_not_a_panic() {
    let repo = branched();
    let hex = repo.rev("HEAD^{tree}").to_string();
    let object = repo.root.join(".git/objects").join(&hex[..2]).join(&hex[2..]);
    std::fs::remove_file(&object).unwrap();
    let snapshot =
        || repo.open().snapshot(&Selection::Ref("HEAD".into())).and_then(|snapshot| snapshot.tree(""));
    assert_eq!(fault(snapshot()).0, Exit::Error);
    std::fs::write(&object, "garbage").unwrap();
    assert_eq!(fault(snapshot()).0, Exit::Error);
    repo.write(".git/HEAD", "garbage");
    assert!(
        crate::source::checkout::Checkout::open(&repo.root).and_then(|checkout| checkout.head()).is_err()
    );
}
