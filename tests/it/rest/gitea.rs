//! Gitea: scopes, ids, pages, secrets, and fields that only work together.

use super::{Checkout, opening};
use crate::parts::Gitea;

const DECLARED: &str = "scope: {owner: ORG, repo: web}
organisation:
  - username: ORG
    full_name: The Organisation
team:
  - name: writers
    units_map: {repo.code: write, repo.issues: write}
repository:
  - name: web
    description: the site
    private: true
    auto_init: true
    has_wiki: false
    topics: [b, a]
label:
  - {name: bug, color: '#E00'}
  - {name: a/b c, color: 00ff00, description: odd name}
branch_protection:
  - rule_name: release/*
    enable_push: true
    enable_push_whitelist: true
    push_whitelist_usernames: [Admin1]
    required_approvals: 1
webhook:
  - type: gitea
    active: true
    events: [push]
    config: {url: 'http://127.0.0.1:1/hook', content_type: json, secret: {$file: ../home/hook}}
actions_variable:
  - {name: colour, value: blue}
actions_secret:
  - {name: token, data: {$file: ../home/hook}}
";

fn checkout(gitea: &Gitea, org: &str) -> Checkout {
    let checkout = opening::gitea(gitea, &gitea.url, "");
    checkout.sandbox.write("home/hook", "h00k-canary");
    checkout.commit("all.yaml", &DECLARED.replace("ORG", org));
    checkout
}

#[test]
fn gitea_goes_the_whole_way() {
    let Some(gitea) = Gitea::get() else { return };
    let checkout = checkout(gitea, "whole");
    checkout.run(&["plan"], 2);
    checkout.apply(&[]);
    let label = gitea.curl("GET", "/repos/whole/web/labels", "").unwrap();
    assert!(label.contains("ee0000") && label.contains("a/b c"), "{label}");
    // Git moves.
    checkout.commit(
        "all.yaml",
        &DECLARED
            .replace("ORG", "whole")
            .replace("#E00", "#0E0")
            .replace("required_approvals: 1", "required_approvals: 2"),
    );
    let plan = checkout.run(&["plan"], 2);
    assert!(plan.stdout.contains("00ee00") && plan.stdout.contains("required_approvals"), "{}", plan.stdout);
    checkout.apply(&[]);
    let rule = gitea.curl("GET", "/repos/whole/web/branch_protections/release%2F%2A", "").unwrap();
    assert!(
        rule.contains("\"required_approvals\":2") && rule.contains("\"enable_push_whitelist\":true"),
        "{rule}"
    );
    // A field that Git never spoke of has not moved.
    let described = "{name: bug, description: new, color:";
    let declared =
        checkout.sandbox.read("checkout/objects/all.yaml").replace("{name: bug, color:", described);
    checkout.commit("all.yaml", &declared);
    let plan = checkout.run(&["plan"], 2);
    assert!(plan.stdout.contains("pending /description"), "{}", plan.stdout);
    checkout.apply(&[]);
    // The server moves.
    gitea.curl("PATCH", "/repos/whole/web", r#"{"description": "by hand", "has_issues": false}"#).unwrap();
    let drift = checkout.run(&["drift"], 3);
    assert!(drift.stdout.contains("by hand") && !drift.stdout.contains("has_issues"), "{}", drift.stdout);
    checkout.apply(&[]);
    // Names change without a new object.
    let renamed = DECLARED
        .replace("ORG", "whole")
        .replace("#E00", "#0E0")
        .replace("required_approvals: 1", "required_approvals: 2");
    checkout.commit("all.yaml", &renamed.replace("{name: bug,", "{name: defect, previously: bug,"));
    let id = |text: &str, name: &str| {
        let labels: Vec<serde_json::Value> = serde_json::from_str(text).unwrap();
        labels.iter().find(|label| label["name"] == name).map(|label| label["id"].clone())
    };
    let before = gitea.curl("GET", "/repos/whole/web/labels", "").unwrap();
    checkout.apply(&[]);
    let after = gitea.curl("GET", "/repos/whole/web/labels", "").unwrap();
    assert_eq!((id(&before, "bug"), id(&after, "bug")), (id(&after, "defect"), None));
    // A declaration goes, and the object with it.
    checkout.commit(
        "all.yaml",
        &renamed
            .replace("  - {name: bug, color: '#E00'}\n", "")
            .replace("  - {name: bug, color: '#0E0'}\n", ""),
    );
    checkout.apply(&["--allow-protected", "label"]);
    assert!(!gitea.curl("GET", "/repos/whole/web/labels", "").unwrap().contains("defect"));
    // No secret is in anything that trueup wrote.
    let leak = checkout.sandbox.sh("grep -rl 'h00k-canary' ../target . ; true");
    assert_eq!(leak.stdout, "");
    for args in [&["plan", "-v"][..], &["plan", "-o", "json"], &["log", "-o", "json"]] {
        let ran = checkout.sandbox.trueup(args);
        assert!(!format!("{}{}", ran.stdout, ran.stderr).contains("h00k-canary"));
        assert!(!format!("{}{}", ran.stdout, ran.stderr).contains(&gitea.token));
    }
}

#[test]
fn a_repository_can_be_imported_and_many_labels_are_all_seen() {
    let Some(gitea) = Gitea::get() else { return };
    gitea.curl("POST", "/orgs", r#"{"username": "many"}"#).unwrap();
    gitea.curl("POST", "/orgs/many/repos", r#"{"name": "web", "auto_init": true}"#).unwrap();
    for index in 0..60 {
        let body = format!(r##"{{"name": "l{index}", "color": "#00aabb"}}"##);
        gitea.curl("POST", "/repos/many/web/labels", &body).unwrap();
    }
    gitea
        .curl("POST", "/repos/many/web/branch_protections", r#"{"rule_name": "main", "enable_push": true}"#)
        .unwrap();
    let checkout = opening::gitea(gitea, &gitea.url, "scope: {owner: many, repo: web}");
    checkout.commit_all();
    checkout.run(&["import", "t", "repository", "label", "branch_protection"], 0);
    assert_eq!(checkout.sandbox.read("checkout/objects/label.yaml").matches("- name:").count(), 60);
    checkout.commit_all();
    let plan = checkout.run(&["plan"], 0);
    assert!(plan.stdout.contains("62"), "{}", plan.stdout);
}

#[test]
fn a_repository_that_was_renamed_or_given_away_is_not_taken_for_the_one_that_is_declared() {
    let Some(gitea) = Gitea::get() else { return };
    gitea.curl("POST", "/orgs", r#"{"username": "moving"}"#).unwrap();
    gitea.curl("POST", "/orgs", r#"{"username": "elsewhere"}"#).unwrap();
    let checkout = opening::gitea(gitea, &gitea.url, "scope: {owner: moving, repo: web}");
    checkout.commit("all.yaml", "repository: [{name: web}]\nlabel: [{name: bug, color: '#e00'}]\n");
    checkout.apply(&[]);
    let moved = |to: &str| {
        for only in ["label/**", "repository/**"] {
            let plan = checkout.run(&["plan", "--only", only], 1).stdout;
            let said = format!("/moving/web` has moved to `/api/v1/repos/{to}");
            assert!(!plan.contains("in sync") || plan.contains(&said), "{plan}");
        }
        let ran = checkout.sandbox.trueup(&[
            "apply",
            "--yes",
            "--adopt",
            "**",
            "--overwrite",
            "**",
            "--skip-unknown",
        ]);
        assert!(ran.exit != 0, "{}", ran.stdout);
        let there = gitea.curl("GET", &format!("/repos/{to}/labels"), "").unwrap();
        assert!(there.contains("\"color\":\"ee0000\""), "{there}");
    };
    gitea.curl("PATCH", "/repos/moving/web", r#"{"name": "renamed"}"#).unwrap();
    checkout.commit("all.yaml", "repository: [{name: web}]\nlabel: [{name: bug, color: '#0e0'}]\n");
    moved("moving/renamed");
    gitea.curl("POST", "/repos/moving/renamed/transfer", r#"{"new_owner": "elsewhere"}"#).unwrap();
    moved("elsewhere/renamed");
    // Under its own name it is what it was, and nothing is lost.
    gitea.curl("POST", "/repos/elsewhere/renamed/transfer", r#"{"new_owner": "moving"}"#).unwrap();
    gitea.curl("PATCH", "/repos/moving/renamed", r#"{"name": "web"}"#).unwrap();
    checkout.apply(&[]);
}
