//! Repositories of Gitea that are archived: nothing in them can be written any more.

use super::opening;
use crate::parts::Gitea;

const OPEN: &str = "scope: {owner: archive, repo: web}
organisation: [{username: archive}]
repository: [{name: web, auto_init: true}]
label: [{name: bug, color: ee0000}, {name: old, color: 00ee00}]
";

const CLOSED: &str = "scope: {owner: archive, repo: web}
organisation: [{username: archive}]
repository: [{name: web, auto_init: true, archived: true, description: done, topics: [a]}]
label: [{name: bug, color: ee0000, description: last}, {name: new, color: 0000ee}]
";

#[test]
fn a_repository_is_archived_after_everything_else_and_deleted_with_what_it_holds() {
    let Some(gitea) = Gitea::get() else { return };
    let checkout = opening::gitea(gitea, &gitea.url, "");
    checkout.commit("all.yaml", OPEN);
    checkout.apply(&[]);
    checkout.commit("all.yaml", CLOSED);
    checkout.apply(&["--allow-protected", "label"]);
    let repository = || gitea.curl("GET", "/repos/archive/web", "").unwrap_or_default();
    assert!(repository().contains("\"archived\":true") && repository().contains("done"), "{}", repository());
    // It is opened before anything else in it.
    checkout.commit(
        "all.yaml",
        &CLOSED
            .replace("archived: true, description: done", "archived: false, description: open")
            .replace("last", "again"),
    );
    checkout.apply(&[]);
    assert!(repository().contains("\"archived\":false"), "{}", repository());
    checkout.commit("all.yaml", CLOSED);
    checkout.apply(&[]);
    checkout.commit("all.yaml", "scope: {owner: archive}\norganisation: [{username: archive}]\n");
    checkout.apply(&["--allow-protected", "**", "--allow-emptied", "**", "--max-delete-percent", "100"]);
    assert_eq!(repository(), "");
    // Made archived, with what it holds.
    checkout.commit("all.yaml", CLOSED);
    checkout.apply(&[]);
    assert!(repository().contains("\"archived\":true"), "{}", repository());
}
