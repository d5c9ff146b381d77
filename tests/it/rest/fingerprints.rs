//! What is remembered of secrets, with and without a key of the target's.

use super::{
    Checkout,
    proxy::Proxy,
    small::{self, Room, UNPAGED},
};
use crate::sandbox::Ran;

const KEY: &str = "c4nary key that nobody guesses";
const OTHER: &str = "c4nary key after a change of it";

/// A server with nothing in it.
fn empty() -> Proxy {
    let room = Room::default();
    Proxy::start("127.0.0.1:9", move |asked| room.answer(asked))
}

/// A thing with a secret `s3cret-canary`, in a target that says `fingerprint_key: SOURCE`.
fn checkout(url: &str, source: &str) -> Checkout {
    let checkout = small::checkout(url, UNPAGED, &["a"]);
    keyed(&checkout, "credentials", &format!("fingerprint_key: {source}, credentials"));
    checkout.sandbox.write("home/key", format!("{KEY}\n"));
    checkout.sandbox.write("home/field", "s3cret-canary");
    checkout.commit("things.yaml", "thing:\n  - {name: a, secret: {$file: ../home/field}}\n");
    checkout
}

/// Another word in trueup.yaml.
fn keyed(checkout: &Checkout, was: &str, is: &str) {
    let config = checkout.sandbox.read("checkout/trueup.yaml");
    assert!(config.contains(was), "{config}");
    checkout.sandbox.write("checkout/trueup.yaml", config.replacen(was, is, 1));
    checkout.commit_all();
}

/// Runs trueup with a key in the environment.
#[track_caller]
fn run(checkout: &Checkout, key: &str, args: &[&str], exit: i32) -> Ran {
    let ran: Ran = checkout.sandbox.command_trueup(args).env("PRINTS", key).output().unwrap().into();
    let remembered = std::fs::read_to_string(checkout.sandbox.root().join("target/state.json"));
    let all = format!("{}{}{}", ran.stdout, ran.stderr, remembered.unwrap_or_default());
    assert!(!all.contains("canary") && !all.contains("c4nary"), "{all}");
    ran.expect(exit)
}

#[test]
fn with_its_key_a_secret_is_known_again() {
    for source in ["{env: PRINTS}", "{file: ../home/key}", "{command: [cat, ../home/key]}"] {
        let proxy = empty();
        let checkout = checkout(&proxy.url, source);
        run(&checkout, KEY, &["apply", "--yes"], 0);
        run(&checkout, KEY, &["plan"], 0);
        checkout.sandbox.write("home/field", "other-canary");
        let plan = run(&checkout, KEY, &["plan", "-v"], 2);
        assert!(plan.stdout.contains("names is not the one that was applied"), "{}", plan.stdout);
    }
}

#[test]
fn under_another_key_a_secret_is_sent_again() {
    let proxy = empty();
    let checkout = checkout(&proxy.url, "{env: PRINTS}");
    run(&checkout, KEY, &["apply", "--yes"], 0);
    let plan = run(&checkout, OTHER, &["plan", "-v"], 2);
    assert!(plan.stdout.contains("remembered under another `fingerprint_key`"), "{}", plan.stdout);
    run(&checkout, OTHER, &["drift"], 0);
    let before = small::writes(&proxy).len();
    run(&checkout, OTHER, &["apply", "--yes"], 0);
    assert_eq!(small::writes(&proxy).len(), before + 1);
    run(&checkout, OTHER, &["plan"], 0);
    run(&checkout, KEY, &["plan"], 2);
}

#[test]
fn a_target_takes_a_key_later_and_gives_it_up() {
    let proxy = empty();
    let checkout = checkout(&proxy.url, "{env: PRINTS}");
    keyed(&checkout, "fingerprint_key: {env: PRINTS}, ", "");
    run(&checkout, KEY, &["apply", "--yes"], 0);
    run(&checkout, KEY, &["plan"], 0);
    for (was, is) in [
        ("credentials", "fingerprint_key: {env: PRINTS}, credentials"),
        ("fingerprint_key: {env: PRINTS}, ", ""),
    ] {
        keyed(&checkout, was, is);
        run(&checkout, KEY, &["plan"], 2);
        run(&checkout, KEY, &["apply", "--yes"], 0);
        run(&checkout, KEY, &["plan"], 0);
    }
}

#[test]
fn without_its_key_nothing_is_said_of_a_secret() {
    let proxy = empty();
    let checkout = checkout(&proxy.url, "{env: PRINTS}");
    run(&checkout, KEY, &["apply", "--yes"], 0);
    for (verb, exit) in [("plan", 78), ("drift", 78)] {
        let refused = checkout.run(&[verb], exit);
        assert!(
            refused.stderr.contains("the environment variable `PRINTS` is not set"),
            "{}",
            refused.stderr
        );
        assert!(refused.stderr.contains("`fingerprint_key:` of the target"), "{}", refused.stderr);
    }
    let refused = run(&checkout, "c4nary", &["plan"], 78);
    assert!(refused.stderr.contains("less than 16 letters"), "{}", refused.stderr);
    keyed(&checkout, "{env: PRINTS}", "{file: ../home/nothing}");
    let refused = run(&checkout, KEY, &["plan"], 1);
    assert!(refused.stderr.contains("for `fingerprint_key`"), "{}", refused.stderr);
}
