//! Checkouts that somebody else wrote: each is refused by name, or does no harm.

use std::{
    fs,
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use crate::sandbox::Sandbox;

/// A definition that sends requests to the port `PORT` of this machine.
const DEFINITION: &str = r#"apiVersion: rest.trueup/v1
provider: small
summary: things
base_url: "http://127.0.0.1:PORT/api"
auth:
  - {scheme: bearer, env: SMALL_TOKEN}
retry: {max: 1, base_ms: 1, max_wait_s: 1}
scopes:
  room: {params: [room]}
kinds:
  thing:
    scope: room
    identity: {keys: [/name]}
    list: {path: "/rooms/{room}/things"}
    fields:
      /name: {required: true}
"#;

const WITH_DEFINITION: &str = "version: 1\ntargets:\n  api: {provider: rest, path: api, url: 'http://127.0.0.1:1', definition: api.yaml, state: ../memory.yaml, scope: {room: r}}\n";

/// A checkout with a target whose API it describes itself, which is to be at port 1.
fn with_definition() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("checkout/trueup.yaml", WITH_DEFINITION);
    sandbox.write("checkout/api.yaml", DEFINITION.replace("PORT", "1"));
    sandbox.write("checkout/api/thing.yaml", "thing:\n  - name: a\n");
    sandbox.sh("commit 'Start'").expect(0);
    sandbox
}

/// What is done to a checkout, the code that a plan ends with, and what it says.
struct Case {
    script: &'static str,
    exit: i32,
    says: &'static str,
}

/// A plan of each is refused, from disk and from the commit.
const CASES: &[Case] = &[
    Case {
        script: "mv trueup.yaml x; ln -s x trueup.yaml; commit x",
        exit: 78,
        says: "`trueup.yaml` is a link",
    },
    Case {
        script: "rm trueup.yaml; ln -s /etc/passwd trueup.yaml; commit x",
        exit: 78,
        says: "`trueup.yaml` is a link",
    },
    Case { script: "mv api.yaml x; ln -s x api.yaml; commit x", exit: 78, says: "`api.yaml` is a link" },
    Case {
        script: "mkdir d; mv api.yaml d; ln -s d e; sed -i 's#api.yaml#e/api.yaml#' trueup.yaml; commit x",
        exit: 78,
        says: "`e/api.yaml` is a link or lies below one",
    },
    Case {
        script: "sed -i 's#api.yaml#/etc/passwd#' trueup.yaml; commit x",
        exit: 78,
        says: "`/etc/passwd` is not in the checkout",
    },
    Case {
        script: "cp api.yaml ..; sed -i 's#api.yaml#../api.yaml#' trueup.yaml; commit x",
        exit: 78,
        says: "`../api.yaml` is not in the checkout",
    },
    Case {
        script: "sed -i 's#room: r}#room: r}, tls: {ca_file: /dev/zero}#; s#http:#https:#' trueup.yaml api.yaml; commit x",
        exit: 78,
        says: "/dev/zero`: it is a device",
    },
    Case { script: "git rm -q api.yaml; commit x", exit: 78, says: "there is no file `api.yaml`" },
    Case {
        script: "head -c 5000000 /dev/zero | tr '\\0' '#' > trueup.yaml; commit x",
        exit: 78,
        says: "larger than",
    },
];

#[test]
fn what_is_no_file_of_the_checkout_is_refused_by_name() {
    for case in CASES {
        let sandbox = with_definition();
        sandbox.sh(case.script).expect(0);
        for selection in [&[][..], &["--ref", "HEAD"]] {
            let ran = sandbox.trueup(&[&["plan"], selection].concat());
            let at = |text: &str| format!("{} {selection:?}: {text}\n{}", case.script, ran.stderr);
            assert!(!ran.stderr.contains("root:"), "{}", at("quotes a file"));
            // A link in the middle of a path is nothing in a tree of git.
            let says = if selection.is_empty() || !case.says.contains("below") {
                case.says
            } else {
                "there is no file `e/api.yaml`"
            };
            assert!(ran.exit == case.exit && ran.stderr.contains(says), "{}", at(&ran.exit.to_string()));
        }
    }
}

#[test]
fn a_definition_is_taken_from_the_selected_revision() {
    let sandbox = with_definition();
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = elsewhere.local_addr().unwrap().port();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    thread::spawn(move || elsewhere.incoming().for_each(|_| _ = count.fetch_add(1, Ordering::SeqCst)));
    sandbox.sh("git checkout -q -b branch").expect(0);
    sandbox.write("checkout/api.yaml", DEFINITION.replace("PORT", &port.to_string()));
    for uncommitted in [true, false] {
        sandbox.trueup(&["plan", "--ref", "main"]).expect(69);
        assert_eq!(asked.load(Ordering::SeqCst), 0, "uncommitted: {uncommitted}");
        sandbox.sh("commit 'Elsewhere'");
    }
    sandbox.trueup(&["plan"]).expect(69);
    assert!(asked.load(Ordering::SeqCst) > 0);
}

#[test]
fn configuration_that_git_is_told_not_to_look_at_is_dirty() {
    let hide = [
        "git update-index --assume-unchanged trueup.yaml api.yaml",
        "git update-index --skip-worktree trueup.yaml api.yaml",
        "git rm -q --cached trueup.yaml api.yaml; git commit -q -m x; printf '*.yaml\\n' >> .git/info/exclude",
        "true",
    ];
    for hidden in hide {
        for file in ["trueup.yaml", "api.yaml"] {
            let sandbox = with_definition();
            sandbox.sh(&format!("{hidden}; echo '# more' >> {file}")).expect(0);
            let ran = sandbox.trueup(&["apply", "--yes"]);
            assert_eq!(ran.exit, 8, "{hidden}, {file}: {ran:?}");
            let untouched = with_definition();
            untouched.sh("git update-index --assume-unchanged trueup.yaml api.yaml").expect(0);
            assert_eq!(untouched.trueup(&["apply", "--yes"]).exit, 69);
        }
    }
}

#[test]
fn a_merge_driver_is_not_run_and_is_a_conflict() {
    let sandbox = Sandbox::with_files(&[("motd", "1\n2\n3\n4\n5\n6\n7\n8\n9\n")]);
    let script = "printf 'motd merge=evil\\n' > .gitattributes; commit attributes
        git config merge.evil.driver 'touch ../ran; cp %B %A'
        git checkout -q -b branch; sed -i 's/^1/one/' site/motd; commit branch
        git checkout -q main; sed -i 's/^9/nine/' site/motd; commit main
        git checkout -q branch";
    sandbox.sh(script).expect(0);
    for options in [&[][..], &["--no-exec"]] {
        let ran = sandbox.trueup(&[&["plan", "--merge-into", "main"], options].concat()).expect(65);
        assert!(ran.stderr.contains("conflict in `site/motd`"), "{ran:?}");
    }
    assert!(!sandbox.path("ran").exists());
    let left = sandbox.sh("git status --short --ignored; ls -A").stdout;
    assert!(!left.contains(".tmp"), "{left}");
    sandbox.sh("git config --unset merge.evil.driver").expect(0);
    sandbox.trueup(&["plan", "--merge-into", "main"]).expect(2);
}

#[test]
fn a_bare_repository_in_the_way_is_refused_where_git_refuses_it() {
    let sandbox = Sandbox::with_files(&[("motd", "1\n")]);
    sandbox.sh("git clone -q --bare . nested").expect(0);
    let nested = ["plan", "-C", "nested", "--ref", "HEAD"];
    let explicit = |command: &mut std::process::Command| {
        command.env("GIT_CONFIG_COUNT", "1");
        command.env("GIT_CONFIG_KEY_0", "safe.bareRepository").env("GIT_CONFIG_VALUE_0", "explicit");
    };
    let mut command = sandbox.command_trueup(&nested);
    explicit(&mut command);
    let ran: crate::sandbox::Ran = command.output().unwrap().into();
    assert!(ran.exit == 77 && ran.stderr.contains("safe.bareRepository"), "{ran:?}");
    let mut command = sandbox.command_trueup(&["plan"]);
    explicit(&mut command);
    assert_eq!(command.output().unwrap().status.code(), Some(2));
    sandbox.sh("git config --global safe.bareRepository explicit").expect(0);
    sandbox.trueup(&nested).expect(77);
}

#[test]
fn what_a_target_holds_is_not_adopted_where_it_would_decide_something() {
    let manifest = "directories: {conf.d: {exclusive: true}}\n";
    let sandbox = Sandbox::with_files(&[(".trueup-files.yaml", manifest), ("conf.d/a", "1\n")]);
    sandbox.trueup(&["apply", "--yes", "-q"]).expect(0);
    sandbox.sh("echo mine > site/conf.d/untracked; printf 'ignored\\n' > .git/info/exclude").expect(0);
    sandbox.write("checkout/site/conf.d/ignored", "mine\n");
    let names = [
        ".gi\u{200c}t",
        "git~1",
        ".git.",
        ".gitattributes",
        "trueup.yaml",
        ".trueup-files.yaml",
        "untracked",
        "ignored",
    ];
    for name in names {
        sandbox.write(&format!("target/conf.d/{name}"), "theirs\n");
    }
    sandbox.write("target/conf.d/.git/config", "[core]\n\tfsmonitor = touch ../ran\n");
    let ran = sandbox.trueup(&["drift", "--adopt"]).expect(3);
    for name in names {
        let path = sandbox.path(format!("checkout/site/conf.d/{name}"));
        let held = fs::read_to_string(&path).unwrap_or_default();
        assert!(!held.contains("theirs"), "{name}: {ran:?}");
    }
    assert!(!sandbox.path("checkout/site/conf.d/.git").exists());
    assert!(ran.stderr.contains("is there and is not in Git"), "{ran:?}");
}

#[test]
fn a_name_that_looks_like_a_command_of_a_runner_begins_no_line() {
    let sandbox = Sandbox::with_files(&[("::error::x", "1\n"), ("a\u{ad}\u{e0041}b", "1\n")]);
    for args in [&["plan"][..], &["plan", "--explain", "::error::x"], &["why", "::error::x"], &["diff"]] {
        let ran = sandbox.trueup(args);
        for line in ran.stdout.lines().chain(ran.stderr.lines()) {
            assert!(!line.trim_start().starts_with("::"), "{args:?}: {line}");
            assert!(!line.contains(['\u{ad}', '\u{e0041}']), "{args:?}: {line:?}");
        }
    }
}
