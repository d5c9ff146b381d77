//! The session with an API that README.md shows, typed against a real server.

use std::{env, fs, path::Path};

use crate::{parts::Gitea, sandbox::Sandbox};

const README: &str = "README.md";
const HOST: &str = "https://git.example.org";

/// The blocks of the section, and where the last of them, the session, stands in the README.
fn blocks(readme: &str) -> (Vec<&str>, std::ops::Range<usize>) {
    let start = readme.find("\n### An API\n").unwrap();
    let section = &readme[start..start + readme[start + 5..].find("\n## ").unwrap()];
    let fenced = section.split("\n```").skip(1).step_by(2);
    let blocks: Vec<&str> = fenced.map(|block| block.split_once('\n').unwrap().1).collect();
    let session = *blocks.iter().find(|block| block.starts_with("$ ")).unwrap();
    let at = session.as_ptr() as usize - readme.as_ptr() as usize;
    (blocks, at..at + session.len())
}

/// A repository with one label and one rule, as somebody may have had for years.
fn prepare(gitea: &Gitea) {
    gitea.curl("POST", "/orgs", r#"{"username": "acme"}"#).unwrap();
    gitea.curl("POST", "/orgs/acme/repos", r#"{"name": "web", "auto_init": true}"#).unwrap();
    gitea.curl("POST", "/repos/acme/web/labels", r##"{"name": "bug", "color": "#ee0000"}"##).unwrap();
    let rule = r#"{"rule_name": "main", "required_approvals": 1, "block_on_rejected_reviews": true}"#;
    gitea.curl("POST", "/repos/acme/web/branch_protections", rule).unwrap();
}

/// Types every command of `session`; answers what a person would see.
fn typed(sandbox: &Sandbox, session: &str, token: &str) -> String {
    let mut seen = Vec::new();
    for line in session.lines().filter_map(|line| line.strip_prefix("$ ")) {
        let ran = sandbox.sh(&format!("export GITEA_TOKEN={token}; exec 2>&1; {line}"));
        seen.push(format!("$ {line}\n{}", ran.stdout));
        if line.starts_with("trueup") {
            seen.push(format!("exit {}\n", ran.exit));
        }
    }
    seen.concat().trim_end().to_owned()
}

/// What differs from run to run, in the words of the README.
fn told(seen: &str, sandbox: &Sandbox, url: &str) -> String {
    let mut text = seen.replace(url, HOST);
    let ids = sandbox.sh("git log --reverse --format=%h").stdout;
    for (id, shown) in ids.lines().zip(["6a0b30e", "f2371dd", "90cb1fa"]) {
        text = text.replace(id, shown);
    }
    let mut lines = Vec::new();
    for line in text.lines() {
        let cut = |line: &str, from: &str, length: usize, to: &str| match line.find(from) {
            Some(at) => format!("{}{to}{}", &line[..at], &line[at + length..]),
            None => line.to_owned(),
        };
        let line = cut(line, "sha256:", 71, "sha256:5b1c…");
        lines.push(cut(&line, "(20", 22, "(2026-05-06T07:08:09Z)"));
    }
    lines.join("\n")
}

#[test]
fn the_session_with_an_api_is_what_the_readme_shows() {
    let Some(gitea) = Gitea::get() else { return };
    prepare(gitea);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(README);
    let readme = fs::read_to_string(&path).unwrap();
    let (blocks, session) = blocks(&readme);
    let sandbox = Sandbox::new();
    sandbox.write("checkout/trueup.yaml", blocks[0].replace(HOST, &gitea.url));
    let seen = told(&typed(&sandbox, &readme[session.clone()], &gitea.token), &sandbox, &gitea.url);
    if env::var_os("TRUEUP_BLESS").is_some() {
        let blessed = [&readme[..session.start], &seen, &readme[session.end..]].concat();
        return fs::write(&path, blessed).unwrap();
    }
    assert_eq!(readme[session], seen, "`TRUEUP_BLESS=1 cargo test readme` makes it anew");
}
