//! CouchDB's protocol: a revision in the query of every write, names with slashes, one settings object a database.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use serde_json::Value as Json;

use super::{
    Checkout, opening,
    proxy::{Answer, Proxy},
};
use crate::parts::{CouchDb, curl};

fn checkout(url: &str) -> Checkout {
    let login = ", credentials: {user: admin, file: ../home/secret}";
    opening::defined("couchdb", include_str!("couchdb.yaml"), url, login, CouchDb::PASSWORD)
}

fn read(server: &CouchDb, path: &str) -> Json {
    serde_json::from_str(&server.curl("GET", path, "").unwrap_or("null".to_owned())).unwrap()
}

/// Changes a document by hand.
fn change(server: &CouchDb, path: &str, field: &str, value: Json) {
    let mut document = read(server, path);
    document[field] = value;
    server.curl("PUT", path, &document.to_string()).unwrap();
}

const SHOP: &str = "database:
  - name: shop
---
scope: {db: shop}
security:
  - members: {roles: [staff]}
design:
  - name: sales
    views: {by_day: {map: 'function (d) { emit(d.day, 1); }'}}
document:
  - {_id: a/b, price: 1, tags: [x]}
  - {_id: 'ü ?#%&+', note: null}
";

#[test]
fn couchdb_goes_the_whole_way() {
    let Some(server) = CouchDb::get() else { return };
    let checkout = checkout(&server.url);
    checkout.commit("shop.yaml", SHOP);
    let plan = checkout.run(&["plan"], 2);
    assert!(
        plan.stdout.contains("security/shop ") && plan.stdout.contains("document/shop/a%2Fb"),
        "{}",
        plan.stdout
    );
    checkout.apply(&[]);
    assert_eq!(read(server, "/shop/a%2Fb")["price"], 1);
    assert_eq!(read(server, "/shop/_security")["members"]["roles"][0], "staff");
    // Git moves; what nobody declares stays.
    change(server, "/shop/a%2Fb", "theirs", true.into());
    checkout.commit("shop.yaml", &SHOP.replace("price: 1", "price: 2").replace("note: null", "note: [1]"));
    let plan = checkout.run(&["plan"], 2).stdout;
    assert!(plan.contains("2 update") && plan.contains("/note null → [1]"), "{plan}");
    checkout.apply(&[]);
    let document = read(server, "/shop/a%2Fb");
    assert_eq!((&document["price"], &document["theirs"]), (&2.into(), &true.into()));
    // The server moves: put back once, and taken into Git once.
    change(server, "/shop/a%2Fb", "price", 7.into());
    let drift = checkout.run(&["drift"], 3);
    assert!(drift.stdout.contains("/price 2 → 7"), "{}", drift.stdout);
    checkout.apply(&[]);
    assert_eq!(read(server, "/shop/a%2Fb")["price"], 2);
    let opened = r#"{"members": {"names": [], "roles": ["all", "staff"]}}"#;
    server.curl("PUT", "/shop/_security", opened).unwrap();
    checkout.run(&["drift"], 3);
    checkout.run(&["drift", "--adopt"], 0);
    checkout.commit_all();
    let adopted = checkout.sandbox.read("checkout/objects/shop.yaml");
    assert!(adopted.contains("- members: {roles: [all, staff]}"), "{adopted}");
    checkout.apply(&[]);
    // What has no declaration any more goes, and what cannot be deleted is let go.
    let at = [adopted.find("security:").unwrap(), adopted.find("design:").unwrap()];
    let less = format!("{}{}", &adopted[..at[0]], &adopted[at[1]..]);
    let less: Vec<&str> = less.lines().filter(|line| !line.contains("_id: a/b")).collect();
    checkout.commit("shop.yaml", &less.join("\n"));
    let plan = checkout.run(&["plan"], 2).stdout;
    assert!(plan.contains("`security/shop` stays as it is") && plan.contains("1 delete"), "{plan}");
    checkout.apply(&["--max-delete-percent", "50"]);
    assert_eq!(read(server, "/shop/a%2Fb"), Json::Null);
    assert_eq!(read(server, "/shop/_security")["members"]["roles"][0], "all");
    let plan = checkout.run(&["plan"], 0).stdout;
    assert!(!plan.contains("security"), "{plan}");
    // With its database it goes too.
    checkout
        .commit("shop.yaml", &SHOP.replace("name: shop", "name: doomed").replace("db: shop", "db: doomed"));
    checkout.run(
        &[
            "apply",
            "--yes",
            "--allow-protected",
            "database",
            "--max-delete",
            "9",
            "--max-delete-percent",
            "100",
        ],
        0,
    );
    checkout.commit("shop.yaml", "database: []\n");
    let plan = checkout.run(&["plan"], 2).stdout;
    assert!(plan.contains("database/doomed") && !plan.contains("stays as it is"), "{plan}");
}

#[test]
fn what_couchdb_has_is_imported_and_in_sync() {
    let Some(server) = CouchDb::get() else { return };
    server.curl("PUT", "/import", "").unwrap();
    server.curl("PUT", "/import/one", r#"{"deep": {"list": [1, null]}, "text": "a: b\n"}"#).unwrap();
    server.curl("PUT", "/import/_design/d", r#"{"views": {"all": {"map": "function (d) {}"}}}"#).unwrap();
    server.curl("PUT", "/import/_security", r#"{"admins": {"names": ["bob"], "roles": []}}"#).unwrap();
    server.curl("PUT", "/_config/imported/level", r#""high""#).unwrap();
    let checkout = checkout(&server.url);
    checkout
        .sandbox
        .sh("sed -i 's/path: objects/scope: {db: import, section: imported}, path: objects/' trueup.yaml")
        .expect(0);
    let checked = checkout.run(&["providers", "check", "providers/couchdb.yaml", "t"], 0).stdout;
    assert!(checked.contains("security: 1 in `import`") && checked.contains("setting: 1 in"), "{checked}");
    checkout.run(&["import", "t", "security", "document", "design", "setting"], 0);
    checkout.commit_all();
    let file = |name: &str| checkout.sandbox.read(&format!("checkout/objects/{name}.yaml"));
    assert_eq!(file("security"), "security:\n  - admins: {names: [bob]}\n");
    assert!(file("document").contains("deep: {list: [1, null]}"), "{}", file("document"));
    assert_eq!(file("setting"), "setting:\n  - key: level\n    value: high\n");
    assert!(file("design").contains("name: d\n"), "{}", file("design"));
    let plan = checkout.run(&["plan"], 0);
    assert!(plan.stdout.contains("4 objects"), "{}", plan.stdout);
    checkout.apply(&[]);
    // Made again of what was imported, it is what it was.
    server.curl("DELETE", "/_config/imported/level", "").unwrap();
    let revision = read(server, "/import/one")["_rev"].as_str().unwrap().to_owned();
    server.curl("DELETE", &format!("/import/one?rev={revision}"), "").unwrap();
    checkout.apply(&[]);
    assert_eq!(read(server, "/_config/imported/level"), "high");
    assert_eq!(read(server, "/import/one")["text"], "a: b\n");
}

#[test]
fn the_revision_is_in_the_query_and_who_was_faster_wins() {
    let Some(server) = CouchDb::get() else { return };
    server.curl("PUT", "/race", "").unwrap();
    let late = Arc::new(AtomicBool::new(false));
    let first = late.clone();
    let proxy = Proxy::start(&server.url, move |asked| {
        if asked.method != "GET" && first.swap(false, Ordering::SeqCst) {
            change(server, "/race/changed", "by", "theirs".into());
            change(server, "/race/gone", "by", "theirs".into());
        }
        Answer::Forward
    });
    let checkout = checkout(&proxy.url);
    let declared = |changed: &str, gone: &str| {
        format!(
            "scope: {{db: race}}\ndocument:\n  - {{_id: changed, by: {changed}}}\n{gone}  - {{_id: kept, by: us}}\n"
        )
    };
    checkout.commit("race.yaml", &declared("us", "  - {_id: gone, by: us}\n"));
    checkout.apply(&[]);
    late.store(true, Ordering::SeqCst);
    checkout.commit("race.yaml", &declared("us again", ""));
    let ran = checkout.run(&["apply", "--yes", "--max-delete-percent", "50"], 6);
    assert!(ran.stdout.contains("stale          update   document/race/changed"), "{}", ran.stdout);
    assert_eq!(read(server, "/race/changed")["by"], "theirs");
    assert_eq!(read(server, "/race/gone")["by"], "theirs");
    let requests = proxy.requests();
    assert!(requests.iter().any(|line| line.starts_with("PUT /race/changed?rev=1-")), "{requests:?}");
    // With a new look, Git wins where that is wanted; a delete says which revision it means too.
    checkout.run(&["apply", "--yes", "--max-delete-percent", "50", "--overwrite", "document/**"], 0);
    assert_eq!(read(server, "/race/changed")["by"], "us again");
    assert_eq!(read(server, "/race/gone"), Json::Null);
    let requests = proxy.requests();
    assert!(requests.iter().any(|line| line.starts_with("DELETE /race/gone?rev=2-")), "{requests:?}");
}

#[test]
fn a_password_stays_what_it_is_while_roles_change() {
    let Some(server) = CouchDb::get() else { return };
    let checkout = checkout(&server.url);
    let logs_in = |name: &str, password: &str| {
        let (login, url) = (format!("{name}:{password}"), format!("{}/_session", server.url));
        curl(&["-u", &login, &url]).is_some_and(|said| said.contains(name))
    };
    let theirs = r#"{"name": "old", "type": "user", "roles": [], "password": "old-canary"}"#;
    server.curl("PUT", "/_users/org.couchdb.user:old", theirs).unwrap();
    checkout.sandbox.write("home/field", "new-canary");
    checkout.commit(
        "users.yaml",
        "user:\n  - {name: old, roles: [staff]}\n  - {name: new, password: {$file: ../home/field}}\n",
    );
    checkout.apply(&["--adopt", "user/old"]);
    assert!(logs_in("old", "old-canary") && logs_in("new", "new-canary"));
    assert_eq!(read(server, "/_users/org.couchdb.user:old")["roles"][0], "staff");
    checkout.sandbox.write("home/field", "other-canary");
    let plan = checkout.run(&["plan"], 2).stdout;
    assert!(plan.contains("user/new") && !plan.contains("canary"), "{plan}");
    checkout.apply(&[]);
    assert!(logs_in("new", "other-canary") && !logs_in("new", "new-canary"));
}

#[test]
fn the_page_on_definitions_names_this_one() {
    assert!(opening::PAGE.contains("tests/it/rest/couchdb.yaml"));
}
