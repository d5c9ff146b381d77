//! Names of real servers in every spelling: one object has one address, and nothing is written for another spelling.

use super::{
    Checkout, opening, powerdns,
    proxy::{Answer, Proxy},
    small,
};
use crate::{
    generators::Dice,
    parts::{Gitea, PowerDns},
};

/// `text` with each name between `<` and `>` in letters of any size.
fn spelled(text: &str, generators: &mut Dice) -> String {
    let mut inside = false;
    let mut letter = |c: char| {
        inside = if c == '<' { true } else { inside && c != '>' };
        match c {
            '<' | '>' => None,
            c if inside && generators.chance(50) => Some(c.to_ascii_uppercase()),
            c => Some(c),
        }
    };
    text.chars().filter_map(&mut letter).collect()
}

/// Applies `text`, and then holds that no other spelling of it is another state, nor written.
fn holds(checkout: &Checkout, proxy: &Proxy, text: &str, seed: u64) {
    let mut generators = Dice::new(seed);
    checkout.commit("all.yaml", &text.replace(['<', '>'], ""));
    checkout.apply(&[]);
    proxy.asked.lock().unwrap().clear();
    for _ in 0..8 {
        let other = spelled(text, &mut generators);
        checkout.commit("all.yaml", &other);
        let plan = checkout.run(&["plan"], 0);
        assert!(plan.stdout.contains("in sync"), "{other}\n{}", plan.stdout);
        checkout.run(&["apply", "--yes"], 0);
        let twice = format!("{other}---\n{}", spelled(text, &mut generators));
        checkout.commit("all.yaml", &twice);
        let ran = checkout.run(&["plan"], 65);
        assert!(ran.stderr.contains("is declared twice"), "{twice}\n{}", ran.stderr);
    }
    let kept = small::writes(proxy).into_iter().filter(|write| !write.contains("X-TRUEUP"));
    assert_eq!(kept.collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn names_of_gitea_are_the_same_in_every_spelling() {
    let Some(gitea) = Gitea::get() else { return };
    let proxy = Proxy::start(&gitea.url, |_| Answer::Forward);
    let checkout = opening::gitea(gitea, &proxy.url, "");
    let text = "scope: {owner: <spelled>, repo: <web>, team: <core>}
organisation: [{username: <spelled>}]
repository: [{name: <web>, description: a}]
team: [{name: <core>, units_map: {repo.code: write}}]
team_repository: [{name: <web>}]
label: [{name: Bug, color: ee0000}]
actions_variable: [{name: <colour>, value: blue}]
organisation_variable: [{name: <shade>, value: dark}]
organisation_label: [{name: All, color: 00ee00}]
collaborator: []
";
    holds(&checkout, &proxy, text, 11);
    let variable = gitea.curl("GET", "/orgs/spelled/actions/variables/shade", "");
    assert!(variable.is_some_and(|variable| variable.contains("dark")));
    // A repository that is declared in other letters is changed, and neither deleted nor made anew.
    checkout.commit("all.yaml", "scope: {owner: SPELLED}\norganisation: [{username: Spelled}]\nrepository: [{name: WEB, description: b}]\n");
    checkout.run(&["plan", "--only", "repository/Spelled/Web"], 2);
    checkout.run(&["apply", "--yes", "--only", "repository/**"], 0);
    let writes = small::writes(&proxy);
    assert_eq!(writes.len(), 1, "{writes:?}");
    assert!(writes[0].starts_with("PATCH "), "{writes:?}");
}

#[test]
fn names_of_powerdns_are_the_same_in_every_spelling() {
    let Some(powerdns) = PowerDns::get() else { return };
    let _alone = powerdns::alone();
    let proxy = Proxy::start(&powerdns.url, |_| Answer::Forward);
    let checkout = opening::powerdns(&proxy.url, opening::FILE);
    let text = "scope: {zone: <spelled.example>}
zone: [{name: <spelled.example>, kind: Native}]
tsigkey: [{name: <transfer.spelled>, algorithm: hmac-sha256, key: c3BlbGxlZA==}]
metadata: [{kind: <allow-axfr-from>, metadata: [192.0.2.1]}]
rrset:
  - {name: <www.spelled.example>, type: <a>, ttl: 60, records: [192.0.2.1]}
  - {name: <spelled.example>, type: <txt>, ttl: 60, records: [One]}
";
    holds(&checkout, &proxy, text, 12);
}
