//! What cannot be read, told apart or verified refuses: it is never in sync, and nothing is forgotten.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use crate::{
    rest::{
        proxy::{Proxy, json},
        small::{self, Room},
    },
    sandbox::{Ran, Sandbox},
};

/// A server that from some moment on answers "not found" to everything.
fn forgetful(room: &Room) -> (Proxy, Arc<AtomicBool>) {
    let (room, gone) = (room.clone(), Arc::new(AtomicBool::new(false)));
    let is_gone = gone.clone();
    let proxy = Proxy::start("", move |asked| match is_gone.load(Ordering::SeqCst) {
        true => json("404 Not Found", "{\"error\": \"Object Not Found\"}"),
        false => room.answer(asked),
    });
    (proxy, gone)
}

#[test]
fn a_server_that_finds_nothing_is_not_an_empty_one() {
    let room = Room::of(&[]);
    let (proxy, gone) = forgetful(&room);
    let checkout = small::checkout(&proxy.url, small::UNPAGED, &["a", "b"]);
    checkout.apply(&[]);
    for declared in [&["a", "b"][..], &["a"], &[]] {
        match declared {
            [] => checkout.commit("things.yaml", "thing: []\n"),
            [_] => small::declare(&checkout, declared),
            _ => {}
        }
        gone.store(true, Ordering::SeqCst);
        for args in [
            &["plan"][..],
            &["drift"],
            &["apply", "--yes", "--allow-empty"],
            &["apply", "--yes", "--allow-empty", "--skip-unknown"],
        ] {
            let ran = checkout.sandbox.trueup(args);
            assert_ne!(ran.exit, 0, "{args:?}: {}{}", ran.stdout, ran.stderr);
        }
        gone.store(false, Ordering::SeqCst);
        let plan = checkout.sandbox.trueup(&["plan", "-o", "json"]);
        assert_eq!(plan.exit, if declared.len() == 2 { 0 } else { 2 }, "{}", plan.stdout);
        assert_eq!(room.names().len(), 2);
    }
}

#[test]
fn rabbitmq_that_finds_nothing_is_not_an_empty_one() {
    let missing = Proxy::start("", |_| json("404 Not Found", "{\"error\": \"Object Not Found\"}"));
    let sandbox = Sandbox::new();
    sandbox.write(
        "checkout/trueup.yaml",
        format!(
            "version: 1\ntargets:\n  broker: {{provider: rabbitmq, path: broker, url: '{}', state: ../target/state.json, \
             credentials: {{user: u, file: ../home/secret}}}}\n",
            missing.url
        ),
    );
    sandbox.write("home/secret", "x");
    let declared = "vhost:\n  - {name: v}\nuser:\n  - {name: u, tags: []}\n";
    sandbox.write("checkout/broker/all.yaml", declared);
    sandbox.sh("git add -A && git commit -qm declare").expect(0);
    let plan = sandbox.trueup(&["plan"]);
    assert!(![0, 2].contains(&plan.exit), "{}{}", plan.stdout, plan.stderr);
    assert!(plan.stdout.contains("/overview"), "{}", plan.stdout);
}

#[test]
fn something_unknown_is_never_in_sync() {
    let sandbox = Sandbox::with_files(&[("a", "1\n"), ("pipe", "2\n")]);
    sandbox.sh("mkfifo ../target/pipe").expect(0);
    let first = sandbox.trueup(&["apply", "--yes", "--skip-unknown"]).expect(7);
    assert!(first.stdout.contains("pipe"), "{}", first.stdout);
    let again = sandbox.trueup(&["apply", "--yes", "--skip-unknown", "-o", "json"]).expect(1);
    assert!(!again.stdout.contains("\"in-sync\""), "{}", again.stdout);
    sandbox.trueup(&["plan"]).expect(1);
}

/// A checkout with these targets, and one file in `site`.
fn configured(targets: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("checkout/trueup.yaml", format!("version: 1\ntargets:\n{targets}"));
    sandbox.write("checkout/site/a", "1\n");
    sandbox.sh("git add -A && git commit -qm declare").expect(0);
    sandbox
}

#[test]
fn targets_that_would_delete_what_the_other_wrote_are_refused() {
    let refused = |targets: &str, words: &str| {
        let sandbox = configured(targets);
        for args in [&["plan"][..], &["plan", "one"], &["apply", "--yes"], &["drift"]] {
            let ran = sandbox.trueup(args).expect(78);
            assert!(ran.stderr.contains(words) && ran.stderr.contains("trueup.yaml:"), "{}", ran.stderr);
        }
        assert_eq!(sandbox.list("target"), "");
    };
    let two = |one: &str, other: &str| {
        format!(
            "  one: {{provider: files, path: site, root: {one}}}\n  two: {{provider: files, path: site, root: {other}}}\n"
        )
    };
    refused(&two("../target", "../target"), "have one root");
    refused(&two("../target", "../target/./"), "have one root");
    refused(&two("../target", "../target/inner"), "lie in each other");
    refused(&two("../target/inner", "../target"), "lie in each other");
    refused("  one: {provider: files, path: site, root: site}\n", "`root` is or lies in `path`");
    refused("  one: {provider: files, path: site, root: site/out}\n", "`root` is or lies in `path`");
    let linked = configured(&two("../target", "../link"));
    linked.sh("ln -s target ../link").expect(0);
    linked.trueup(&["plan"]).expect(78);
}

#[test]
fn environments_with_one_root_are_refused() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "checkout/trueup.yaml",
        "version: 1\nenvironments:\n  a: {targets: {t: {provider: files, path: a, root: ../target}}}\n  b: {targets: {t: {provider: files, path: b, root: ../target}}}\n",
    );
    sandbox.write("checkout/a/x", "1\n");
    sandbox.write("checkout/b/x", "2\n");
    sandbox.sh("git add -A && git commit -qm declare").expect(0);
    let ran = sandbox.trueup(&["plan", "-e", "a"]).expect(78);
    assert!(ran.stderr.contains("`t` of `a` and `t` of `b` have one root"), "{}", ran.stderr);
}

/// Fails unless the program refused and said something with `words` in it.
#[track_caller]
fn refuses(ran: Ran, words: &str) {
    assert!([65, 66, 78].contains(&ran.exit), "exit {}: {}{}", ran.exit, ran.stdout, ran.stderr);
    assert!(ran.stderr.contains(words), "{}", ran.stderr);
}

#[test]
fn a_path_that_declares_nothing_by_mistake_is_refused() {
    let of = |path: &str| configured(&format!("  t: {{provider: files, path: {path}, root: ../target}}\n"));
    refuses(of(".git").trueup(&["plan"]), "`.git`");
    refuses(of("site/.GIT/hooks").trueup(&["plan"]), "`.git`");
    let linked = of("link/inner");
    linked.sh("mkdir -p ../elsewhere/inner && ln -s ../elsewhere link").expect(0);
    refuses(linked.trueup(&["plan"]), "is a link");
    linked.sh("git add -A && git commit -qm link").expect(0);
    refuses(linked.trueup(&["plan"]), "is a link");
    refuses(linked.trueup(&["plan", "--ref", "HEAD"]), "is a link");
}

#[test]
fn declarations_that_are_not_read_are_refused_or_read() {
    let room = Room::of(&[]);
    let (proxy, _) = forgetful(&room);
    let checkout = small::checkout(&proxy.url, small::UNPAGED, &[]);
    let only = |name: &str, content: &str| {
        checkout.sandbox.sh("git rm -rqf objects; mkdir -p objects").expect(0);
        checkout.commit(name, content);
        checkout.sandbox.trueup(&["plan"])
    };
    let declared = "thing: [{name: a}]\n";
    refuses(only("things.txt", declared), "neither YAML nor JSON");
    refuses(only("things", declared), "neither YAML nor JSON");
    only("things.YAML", declared).expect(2);
    only("things.json", "{\"thing\": [{\"name\": \"a\"}]}").expect(2);
    checkout
        .sandbox
        .sh("git rm -rqf objects; mkdir -p objects && ln -s ../small.yaml objects/t.yaml")
        .expect(0);
    checkout.sandbox.sh("git add -A && git commit -qm link").expect(0);
    refuses(checkout.sandbox.trueup(&["plan"]), "is a link");
}

#[test]
fn a_shallow_clone_does_not_say_that_every_commit_is_applied() {
    let sandbox = Sandbox::with_files(&[("a", "1\n")]);
    sandbox.trueup(&["apply", "--yes"]).expect(0);
    sandbox.sh("for n in 2 3 4; do echo $n > site/a; git commit -qam $n; done").expect(0);
    sandbox.trueup(&["log", "--missing"]).expect(2);
    sandbox.sh("git clone -q --depth 1 file://$SANDBOX/checkout ../clone").expect(0);
    let shallow = sandbox.sh("cd ../clone && trueup log --missing");
    refuses(shallow, "is not in this clone");
    let hint = sandbox.sh("cd ../clone && trueup log --missing").stderr;
    assert!(hint.contains("git fetch --unshallow") && hint.contains("more than the 1 commits"), "{hint}");
    sandbox.sh("cd ../clone && git fetch -q --unshallow && trueup log --missing").expect(2);
}

#[test]
fn of_several_targets_those_that_answer_are_shown() {
    let sandbox = configured(
        "  one: {provider: files, path: site, root: ../target}\n  two: {provider: files, path: site, root: ../nowhere/two}\n",
    );
    sandbox.trueup(&["apply", "--yes", "one"]).expect(0);
    for args in [&["log"][..], &["why", "a"]] {
        let ran = sandbox.trueup(args).expect(69);
        assert!(ran.stdout.contains("site") || ran.stdout.contains("one"), "{args:?}: {}", ran.stdout);
        assert!(ran.stderr.contains("target `two`"), "{}", ran.stderr);
    }
}
