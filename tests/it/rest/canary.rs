//! No byte that trueup writes holds a secret, whatever a server says back.

use std::{fs, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::{
    Checkout, opening,
    proxy::{Answer, Asked, Proxy, json},
    small::{self, Room, UNPAGED},
};
use crate::parts::{Gitea, RabbitMq};

/// It has all that an encoding may change.
const CANARY: &str = r#"c4nary "/+&=%? \end"#;

/// What nothing may hold: the secret, inside of JSON and of that in JSON, in an address, and in base64 at any offset.
fn forms(secret: &str) -> Vec<String> {
    let encoded = utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string();
    let quoted = |text: &str| {
        let json = serde_json::Value::from(text).to_string();
        json[1..json.len() - 1].to_owned()
    };
    let mut forms = vec![secret.to_owned(), quoted(secret), quoted(&quoted(secret)), encoded];
    for offset in 0..3 {
        // The digits that no neighbour has a part in.
        let digits = STANDARD_NO_PAD.encode([&"xxx"[..offset], secret].concat());
        forms.push(digits[[0, 2, 3][offset]..digits.len() - 2].to_owned());
    }
    forms
}

/// The verbs, with the formats that each has besides the one for people.
const VERBS: [(&[&str], &[&str]); 5] = [
    (&["plan"], &["diff", "json", "markdown", "plan", "gitlab-terraform"]),
    (&["diff"], &["diff", "json", "markdown", "plan", "gitlab-terraform"]),
    (&["drift"], &["diff", "json", "markdown", "plan", "gitlab-terraform"]),
    (&["apply", "--yes"], &["json", "markdown"]),
    (&["log"], &["json"]),
];

const LOUD: [&str; 3] = ["-q", "-v", "-vvv"];

/// Runs every verb in every format, loud and quiet, and looks through all that comes of it: what is for people is
/// printed at each level, with every other format in a file, and each other format is printed once.
fn look_everywhere(checkout: &Checkout, secrets: &[&str]) {
    let forms: Vec<String> = secrets.iter().flat_map(|secret| forms(secret)).collect();
    let run = |args: &[&str]| {
        let ran = checkout.sandbox.trueup(args);
        assert_ne!(ran.exit, 64, "{}", ran.stderr);
        clean(&format!("{}{}", ran.stdout, ran.stderr), &forms, &format!("{args:?}"));
    };
    for (verb, formats) in VERBS {
        for loud in LOUD {
            let file = |format: &&str| format!("{format}=../target/{}{loud}.{format}", verb[0]);
            let files: Vec<String> = formats.iter().filter(|_| verb[0] != "log").map(file).collect();
            let out = files.iter().flat_map(|file| ["--out", file]);
            run(&verb.iter().copied().chain([loud]).chain(out).collect::<Vec<_>>());
        }
        for (format, loud) in formats.iter().zip(LOUD.iter().cycle()) {
            run(&[verb, &["-o", format, loud]].concat());
        }
    }
    _ = checkout.sandbox.trueup(&["drift", "--adopt"]);
    files(checkout.sandbox.root(), &forms);
}

/// Every file of the sandbox but those that hold the secrets for trueup to find.
fn files(folder: &Path, forms: &[String]) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true if path.ends_with("home") => {}
            true => files(&path, forms),
            false => {
                let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
                clean(&text, forms, &path.display().to_string());
            }
        }
    }
}

#[track_caller]
fn clean(text: &str, forms: &[String], place: &str) {
    let found = forms.iter().find(|form| text.contains(form.as_str()));
    assert!(found.is_none(), "{place} has {found:?}:\n{text}");
}

/// A server that says back all it was told, in every form, often enough to be cut short.
fn echo(asked: &Asked) -> Answer {
    let said = format!("{} {} {} {}", asked.method, asked.path, asked.head, asked.body);
    let body: serde_json::Value = serde_json::from_str(&asked.body).unwrap_or_default();
    let secret = body["secret"].as_str().unwrap_or_default();
    let forms = [
        secret.to_owned(),
        STANDARD_NO_PAD.encode(secret),
        utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string(),
        said,
    ];
    let said = serde_json::json!({"message": forms.join(" | "), "errors": [secret, asked.body, asked.head]});
    json("422 Unprocessable Entity", &said.to_string())
}

#[test]
fn a_server_that_says_back_what_it_was_told_tells_nobody_else() {
    let schemes = [
        "{scheme: bearer}",
        "{scheme: query, name: token}",
        "{scheme: header, name: X-Key}",
        "{scheme: basic}",
    ];
    for (scheme, reading) in schemes.iter().flat_map(|scheme| [(scheme, true), (scheme, false)]) {
        let room = Room::default();
        let proxy = Proxy::start("127.0.0.1:9", move |asked| match (asked.method == "GET", reading) {
            (true, true) | (false, _) => echo(asked),
            _ => room.answer(asked),
        });
        let checkout = small::checkout(&proxy.url, UNPAGED, &["a"]);
        let definition = checkout.sandbox.read("checkout/small.yaml");
        let changed = definition.replace("{scheme: bearer, env: SMALL_TOKEN}", scheme);
        checkout.sandbox.write("checkout/small.yaml", &changed);
        let config = checkout.sandbox.read("checkout/trueup.yaml");
        let user = if scheme.contains("basic") {
            "{user: me, file: ../home/secret}"
        } else {
            "{file: ../home/secret}"
        };
        checkout.sandbox.write("checkout/trueup.yaml", config.replace("{file: ../home/secret}", user));
        checkout.sandbox.write("home/field", CANARY);
        checkout.sandbox.write("home/secret", format!("t0ken {CANARY}"));
        checkout.commit("things.yaml", "thing:\n  - {name: a, secret: {$file: ../home/field}}\n");
        look_everywhere(&checkout, &[CANARY]);
        let asked = proxy.asked.lock().unwrap();
        let sent = |asked: &Asked| {
            asked.head.contains("token=t0ken") || forms(CANARY).iter().any(|form| asked.head.contains(form))
        };
        let basic =
            |asked: &Asked| asked.head.contains(&STANDARD_NO_PAD.encode(format!("me:t0ken {CANARY}"))[..40]);
        let told = asked.iter().any(|asked| sent(asked) || basic(asked));
        assert!(told, "{scheme}: the server was never told the secret");
    }
}

#[test]
fn a_secret_of_the_servers_own_that_is_sent_along_is_told_nobody() {
    let room = Room::of(&["a"]);
    let seen = room.clone();
    let proxy = Proxy::start("127.0.0.1:9", move |asked| match asked.method.as_str() {
        "GET" => seen.answer(asked),
        _ => echo(asked),
    });
    let checkout = small::checkout(&proxy.url, UNPAGED, &["a"]);
    let definition = checkout.sandbox.read("checkout/small.yaml");
    let readable = definition
        .replace("/secret: {access: write_only, sensitive: true}", "/secret: {sensitive: true}")
        .replace("body: changed, returns", "body: changed, always_send: [/secret], returns");
    checkout.sandbox.write("checkout/small.yaml", readable);
    room.give("a", "secret", CANARY);
    checkout.commit("things.yaml", "thing: [{name: a, size: 2}]\n");
    let ran = checkout.run(&["apply", "--yes", "--adopt", "**", "-vvv"], 1);
    assert!(
        proxy
            .asked
            .lock()
            .unwrap()
            .iter()
            .any(|asked| asked.method == "PATCH" && asked.body.contains("secret"))
    );
    clean(&format!("{}{}", ran.stdout, ran.stderr), &forms(CANARY), "apply");
    files(checkout.sandbox.root(), &forms(CANARY));
}

#[test]
fn secrets_of_gitea_stay_where_they_are() {
    let Some(gitea) = Gitea::get() else { return };
    gitea.curl("POST", "/orgs", r#"{"username": "canary"}"#).unwrap();
    let checkout = opening::gitea(gitea, &gitea.url, "scope: {owner: canary, repo: web}");
    checkout.sandbox.write("home/field", CANARY);
    let declared = "repository: [{name: web}]
webhook:
  - type: gitea
    config: {url: 'http://127.0.0.1:1/hook', content_type: json, secret: {$file: ../home/field}}
    authorization_header: {$file: ../home/field}
    events: [push]
actions_secret: [{name: token, data: {$file: ../home/field}}]
";
    checkout.commit("all.yaml", declared);
    look_everywhere(&checkout, &[CANARY, &gitea.token]);
    checkout.run(&["plan"], 0);
    // Drift beside them, and another secret.
    let hooks = gitea.curl("GET", "/repos/canary/web/hooks", "").unwrap();
    let hooks: serde_json::Value = serde_json::from_str(&hooks).unwrap();
    gitea
        .curl("PATCH", &format!("/repos/canary/web/hooks/{}", hooks[0]["id"]), r#"{"events": ["create"]}"#)
        .unwrap();
    checkout.run(&["drift"], 3);
    look_everywhere(&checkout, &[CANARY, &gitea.token]);
    for written in ["plan-q.plan", "drift-vvv.markdown", "apply-v.json"] {
        assert!(!checkout.sandbox.read(&format!("target/{written}")).is_empty(), "{written}");
    }
}

#[test]
fn passwords_of_rabbitmq_stay_where_they_are() {
    let Some(rabbit) = RabbitMq::get() else { return };
    let checkout = opening::rabbitmq("canary", &rabbit.url, "");
    checkout.sandbox.write("home/field", CANARY);
    checkout.commit("all.yaml", "user: [{name: canary, password: {$file: ../home/field}}]\n");
    look_everywhere(&checkout, &[CANARY]);
    checkout.run(&["plan"], 0);
    let mine = format!("{}/api/whoami", rabbit.url);
    assert!(
        crate::parts::curl(&["-u", &format!("canary:{CANARY}"), &mine]).is_none(),
        "it has no tag, and may not ask"
    );
    checkout
        .commit("all.yaml", "user: [{name: canary, password: {$file: ../home/field}, tags: [management]}]\n");
    look_everywhere(&checkout, &[CANARY]);
    assert!(crate::parts::curl(&["-u", &format!("canary:{CANARY}"), &mine]).is_some());
}
