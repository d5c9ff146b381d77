//! One session on each server, from the first import to the last prune, read back by the server's own client.

use super::{Checkout, opening, powerdns};
use crate::parts::{Gitea, Kinto, PowerDns, RabbitMq};

/// A session. What the client says is looked through for these words.
struct Session<'a> {
    checkout: Checkout,
    /// What is there before, and is imported.
    kinds: &'a [&'a str],
    /// The imported file that is edited, and the edit.
    file: &'a str,
    edit: [&'a str; 2],
    /// A new declaration, and the word that shows it in the server.
    added: (&'a str, &'a str),
    /// What the server's own client says.
    ask: &'a dyn Fn() -> String,
    /// What it says before and after the edit, and after the change by hand.
    words: [&'a str; 3],
    by_hand: &'a dyn Fn(),
    /// What pruning takes.
    consent: &'a [&'a str],
}

impl Session<'_> {
    fn go(&self) {
        self.import();
        self.change_git();
        self.change_by_hand_and_adopt();
        self.revert();
        self.prune();
    }

    #[track_caller]
    fn says(&self, word: &str, there: bool) {
        let said = (self.ask)();
        assert_eq!(said.contains(word), there, "`{word}` in:\n{said}");
    }

    fn import(&self) {
        self.says(self.words[0], true);
        self.checkout.commit_all();
        self.checkout.run(&[&["import", &self.checkout.target], self.kinds].concat(), 0);
        self.checkout.commit_all();
        self.checkout.run(&["plan"], 0);
        // Nothing is written, and yet it is ours from now on.
        self.checkout.apply(&[]);
        self.says(self.words[0], true);
    }

    fn change_git(&self) {
        let file = format!("checkout/objects/{}", self.file);
        let text = self.checkout.sandbox.read(&file);
        let changed = text.replacen(self.edit[0], self.edit[1], 1);
        assert_ne!(text, changed, "{text}");
        self.checkout.sandbox.write(&file, changed);
        self.checkout.commit("added.yaml", self.added.0);
        let plan = self.checkout.run(&["plan"], 2);
        assert!(plan.stdout.contains("Plan: 1 create, 1 update"), "{}", plan.stdout);
        self.says(self.words[1], false);
        self.checkout.apply(&[]);
        self.says(self.words[1], true);
        self.says(self.added.1, true);
    }

    fn change_by_hand_and_adopt(&self) {
        (self.by_hand)();
        self.says(self.words[2], true);
        let drift = self.checkout.run(&["drift"], 3);
        assert!(
            drift.stdout.contains(self.words[2]) && drift.stdout.contains("1 drifted"),
            "{}",
            drift.stdout
        );
        let file = format!("checkout/objects/{}", self.file);
        let before = self.checkout.sandbox.read(&file);
        let patch = self.checkout.run(&["drift", "--adopt", "--patch"], 0).stdout;
        self.checkout.sandbox.write("target/adopt.patch", patch);
        assert_eq!(self.checkout.sandbox.read(&file), before, "a patch is not applied by itself");
        self.checkout.sandbox.sh("git apply ../target/adopt.patch").expect(0);
        let patched = self.checkout.sandbox.read(&file);
        self.checkout.sandbox.write(&file, before);
        self.checkout.run(&["drift", "--adopt"], 0);
        assert_eq!(self.checkout.sandbox.read(&file), patched, "both ways write the same");
        assert!(
            self.checkout.sandbox.read(&format!("checkout/objects/{}", self.file)).contains(self.words[2])
        );
        self.checkout.sandbox.sh("git add -A && git commit -q -m 'Take what is there'").expect(0);
        self.checkout.run(&["plan"], 0);
        self.checkout.apply(&[]);
        self.says(self.words[2], true);
    }

    fn revert(&self) {
        self.checkout.sandbox.sh("git revert --no-edit HEAD >/dev/null").expect(0);
        self.checkout.run(&["plan"], 2);
        self.checkout.apply(&[]);
        self.says(self.words[1], true);
        self.says(self.words[2], false);
    }

    fn prune(&self) {
        self.checkout.sandbox.sh("git rm -q objects/added.yaml").expect(0);
        self.checkout.commit_all();
        let plan = self.checkout.run(&["plan"], 2);
        assert!(plan.stdout.contains("0 update, 0 replace, 1 delete"), "{}", plan.stdout);
        self.says(self.added.1, true);
        self.checkout.apply(self.consent);
        self.says(self.added.1, false);
        self.says(self.words[1], true);
    }
}

#[test]
fn a_session_on_gitea() {
    let Some(gitea) = Gitea::get() else { return };
    let labels = "/repos/everyday/web/labels";
    gitea.curl("POST", "/orgs", r#"{"username": "everyday"}"#).unwrap();
    gitea.curl("POST", "/orgs/everyday/repos", r#"{"name": "web", "auto_init": true}"#).unwrap();
    gitea.curl("POST", labels, r##"{"name": "bug", "color": "#ff0000", "description": "x"}"##).unwrap();
    gitea.curl("POST", "/repos/everyday/web/branch_protections", r#"{"rule_name": "main"}"#).unwrap();
    Session {
        checkout: opening::gitea(gitea, &gitea.url, "scope: {owner: everyday, repo: web}"),
        kinds: &["repository", "label", "branch_protection"],
        file: "label.yaml",
        edit: ["ff0000", "\"00ff00\""],
        added: ("label:\n  - {name: added, color: '123456'}\n", "123456"),
        ask: &|| gitea.curl("GET", labels, "").unwrap(),
        words: ["ff0000", "00ff00", "abcdef"],
        by_hand: &|| {
            let all = gitea.curl("GET", labels, "").unwrap();
            let all: Vec<serde_json::Value> = serde_json::from_str(&all).unwrap();
            let bug = all.iter().find(|label| label["name"] == "bug").unwrap();
            gitea.curl("PATCH", &format!("{labels}/{}", bug["id"]), r##"{"color": "#abcdef"}"##).unwrap();
        },
        consent: &["--allow-protected", "label"],
    }
    .go();
}

#[test]
fn a_session_on_powerdns() {
    let Some(server) = PowerDns::get() else { return };
    let _alone = powerdns::alone();
    powerdns::zone(server, "everyday.example.");
    let put = |address: &str| {
        let body = format!(
            r#"{{"rrsets": [{{"name": "www.everyday.example.", "type": "A", "ttl": 60, "changetype": "REPLACE", "records": [{{"content": "{address}"}}]}}]}}"#
        );
        server.curl("PATCH", "/zones/everyday.example.", &body).unwrap();
    };
    put("192.0.2.1");
    Session {
        checkout: opening::powerdns(&server.url, "scope: {zone: everyday.example.}"),
        kinds: &["zone", "rrset"],
        file: "rrset.yaml",
        edit: ["192.0.2.1", "192.0.2.22"],
        added: (
            "rrset:\n  - {name: added.everyday.example, type: TXT, ttl: 60, records: [hello world]}\n",
            "hello world",
        ),
        ask: &|| {
            let questions = [("www.everyday.example", "A"), ("added.everyday.example", "TXT")];
            questions.map(|(name, kind)| format!("{};\n", server.dig(name, kind))).concat()
        },
        words: ["192.0.2.1;", "192.0.2.22", "192.0.2.33"],
        by_hand: &|| put("192.0.2.33"),
        consent: &[],
    }
    .go();
}

#[test]
fn a_session_on_rabbitmq() {
    let Some(rabbit) = RabbitMq::get() else { return };
    let policy = |pattern: &str| {
        let body = format!(r#"{{"pattern": "{pattern}", "definition": {{"max-length": 5}}}}"#);
        rabbit.curl("PUT", "/policies/everyday/short", &body).unwrap();
    };
    rabbit.curl("PUT", "/vhosts/everyday", "{}").unwrap();
    rabbit.curl("PUT", "/queues/everyday/old", r#"{"durable": true}"#).unwrap();
    policy("^old");
    Session {
        checkout: opening::rabbitmq("everyday", &rabbit.url, "scope: {vhost: everyday}"),
        kinds: &["policy", "queue", "exchange", "binding", "permission"],
        file: "policy.yaml",
        edit: ["^old", "^new"],
        added: ("queue:\n  - {name: added, durable: true}\n", "added"),
        ask: &|| {
            let lists = [
                &["list_policies", "-p", "everyday"][..],
                &["list_queues", "-p", "everyday", "name", "durable"],
            ];
            lists.map(|list| rabbit.ctl(list)).concat()
        },
        words: ["^old", "^new", "^by-hand"],
        by_hand: &|| policy("^by-hand"),
        consent: &["--allow-protected", "queue"],
    }
    .go();
}

#[test]
fn a_session_on_kinto() {
    let Some(kinto) = Kinto::get() else { return };
    let records = "/buckets/everyday/collections/c/records";
    for path in ["/buckets/everyday", "/buckets/everyday/collections/c"] {
        kinto.curl("PUT", path, "{}").unwrap();
    }
    kinto.curl("PUT", "/buckets/everyday/groups/g", r#"{"data": {"members": ["account:alice"]}}"#).unwrap();
    kinto.curl("PUT", &format!("{records}/a"), r#"{"data": {"color": "red", "n": 1}}"#).unwrap();
    Session {
        checkout: opening::kinto(
            &kinto.url,
            "scope: {bucket: everyday, collection: c}, with: {memory_bucket: memory-everyday}",
        ),
        kinds: &["collection", "group", "record"],
        file: "record.yaml",
        edit: ["red", "green"],
        added: ("record:\n  - {id: added, color: blue}\n", "\"added\""),
        ask: &|| kinto.curl("GET", records, "").unwrap(),
        words: ["red", "green", "black"],
        by_hand: &|| {
            _ = kinto.curl("PATCH", &format!("{records}/a"), r#"{"data": {"color": "black"}}"#).unwrap()
        },
        consent: &[],
    }
    .go();
}
