//! Approved plans, outputs and what stands behind them.

use crate::sandbox::Sandbox;

#[test]
fn a_saved_plan_with_any_other_byte_is_refused() {
    let sandbox = Sandbox::with_files(&[("a", "1\n")]);
    sandbox.trueup(&["plan", "--out", "plan=../plan.json"]).expect(2);
    let saved = sandbox.read("plan.json");
    for at in (0..saved.len()).step_by(23) {
        let mut bytes = saved.clone().into_bytes();
        bytes[at] ^= 1;
        sandbox.write("other.json", bytes);
        let exit = sandbox.trueup(&["apply", "--plan", "../other.json"]).exit;
        assert!([6, 66].contains(&exit), "byte {at}: {exit}");
    }
    for other in [saved.replace('\n', " \n"), saved.clone() + "\n", saved.trim_end().to_owned()] {
        sandbox.write("other.json", other);
        sandbox.trueup(&["apply", "--plan", "../other.json"]).expect(6);
    }
    assert_eq!(sandbox.list("target"), "");
    sandbox.trueup(&["apply", "--plan", "../plan.json"]).expect(0);
}

#[test]
fn outputs_are_checked_before_anything_is_written() {
    let sandbox = Sandbox::with_files(&[("a", "1\n")]);
    let refused = |args: &[&str], exit: i32| {
        let args = [&["apply", "--yes"], args].concat();
        sandbox.trueup(&args).expect(exit);
        assert_eq!(sandbox.list("target"), "", "{args:?}");
    };
    refused(&["--out", "json=../nowhere/report.json"], 1);
    refused(&["--out", "json=.."], 1);
    refused(&["--out", "json=r.json", "--out", "markdown=./r.json"], 64);
    refused(&["--out", "json=-", "--out", "markdown=-"], 64);
    refused(&["-o", "json", "--out", "markdown=-"], 64);
    let plan = sandbox.trueup(&["plan", "--out", "json=-"]).expect(2);
    assert!(plan.stdout.starts_with('{') && !sandbox.path("checkout/-").exists(), "{}", plan.stdout);
    let listed = sandbox.sh("ls -A ..").stdout;
    sandbox.trueup(&["apply", "--yes", "--out", "json=../report.json"]).expect(0);
    assert_eq!(sandbox.sh("ls -A ..").stdout.lines().count(), listed.lines().count() + 1);
}

#[test]
fn an_index_with_conflicts_is_not_applied() {
    let sandbox = Sandbox::with_files(&[("a", "1\n")]);
    sandbox.sh("git checkout -qb other && echo 2 > site/a && git commit -qam 2").expect(0);
    sandbox
        .sh("git checkout -q main && echo 3 > site/a && git commit -qam 3 && ! git merge -q other")
        .expect(0);
    for args in [&["apply", "--yes"][..], &["apply", "--yes", "--allow-dirty"]] {
        let ran = sandbox.trueup(args).expect(65);
        assert!(ran.stderr.contains("site/a"), "{}", ran.stderr);
    }
    assert_eq!(sandbox.list("target"), "");
}

const SECRET: &str = "files: {key: {sensitive: true}}\n";

/// The digest of today's plan.
fn digest(sandbox: &Sandbox) -> String {
    let plan = sandbox.trueup(&["plan", "-o", "json"]).stdout;
    let plan: serde_json::Value = serde_json::from_str(&plan).unwrap();
    plan["digest"].as_str().unwrap().to_owned()
}

#[test]
fn the_digest_of_uncommitted_secrets_is_that_of_one_moment() {
    let sandbox = Sandbox::with_files(&[("key", "one\n"), (".trueup-files.yaml", SECRET)]);
    sandbox.write("checkout/site/key", "two\n");
    let approved = digest(&sandbox);
    assert_eq!(digest(&sandbox), approved);
    sandbox.write("checkout/site/key", "owt\n");
    assert_ne!(digest(&sandbox), approved);
    sandbox.trueup(&["apply", "--allow-dirty", "--digest", &approved]).expect(6);
    assert_eq!(sandbox.list("target"), "");
}

#[test]
fn what_was_applied_from_uncommitted_files_can_be_settled() {
    let sandbox = Sandbox::with_files(&[("key", "one\n"), (".trueup-files.yaml", SECRET)]);
    sandbox.trueup(&["apply", "--yes"]).expect(0);
    sandbox.write("checkout/site/key", "two\n");
    sandbox.trueup(&["apply", "--yes", "--allow-dirty"]).expect(0);
    sandbox.sh("git checkout -q site/key").expect(0);
    sandbox.trueup(&["plan"]).expect(5);
    let ran = sandbox.trueup(&["apply", "--yes"]).expect(5);
    assert!(ran.stderr.contains("--overwrite key"), "{}", ran.stderr);
    sandbox.trueup(&["apply", "--yes", "--overwrite", "key"]).expect(0);
    sandbox.trueup(&["plan"]).expect(0);
    sandbox.trueup(&["drift"]).expect(0);
    assert_eq!(sandbox.read("target/key"), "one\n");
}

#[test]
fn objects_that_are_replaced_in_a_circle_are_refused() {
    let sandbox = Sandbox::with_files(&[("a", "1\n"), ("b", "2\n")]);
    let script = "a=$(git rev-parse HEAD:site/a); b=$(git rev-parse HEAD:site/b); mkdir -p .git/refs/replace; \
                  echo $b > .git/refs/replace/$a; echo $a > .git/refs/replace/$b";
    sandbox.sh(script).expect(0);
    let ran = sandbox.sh("timeout 20 trueup plan --ref HEAD");
    assert_eq!(ran.exit, 1, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains("git replace"), "{}", ran.stderr);
}

#[test]
fn a_pattern_that_cannot_be_read_protects_nothing_silently() {
    let sandbox = Sandbox::with_files(&[("keys/a", "1\n"), ("b", "2\n"), ("c", "2\n")]);
    sandbox.trueup(&["apply", "--yes"]).expect(0);
    let guarded = |protect: &str| {
        let config = format!(
            "version: 1\nguards: {{protect: {protect}}}\ntargets:\n  site: {{provider: files, path: site, root: ../target}}\n"
        );
        sandbox.write("checkout/trueup.yaml", config);
        sandbox.sh("rm -rf site/keys; git add -A && git commit -qm guard").expect(0);
        sandbox.trueup(&["apply", "--yes", "--max-delete-percent", "300"])
    };
    let ran = guarded("['[{]*', 'keys/**']").expect(78);
    assert!(ran.stderr.contains("trueup.yaml:2:"), "{}", ran.stderr);
    guarded("['keys/**']").expect(8);
    assert_eq!(sandbox.read("target/keys/a"), "1\n");
}

/// What `apply` refuses before it looks at the plan: what makes it do so, and the option that its hint names.
const REFUSALS: &[(&str, &str)] = &[
    ("echo 3 > site/a", "--allow-dirty"),
    ("git checkout -qb side && echo 3 > site/a && git commit -qam 3", "--allow-off-ref"),
    ("git reset -q --hard HEAD~1", "--rollback"),
];

#[test]
fn the_hint_of_a_refusal_of_apply_lifts_that_one_alone() {
    for (script, option) in REFUSALS {
        let sandbox = Sandbox::with_files(&[("a", "1\n")]);
        let config = "version: 1\nenvironments:\n  e:\n    ref: main\n    targets:\n      site: {provider: files, path: site, root: ../target}\n";
        sandbox.write("checkout/trueup.yaml", config);
        sandbox.sh("echo 2 > site/a && git commit -qam 2").expect(0);
        sandbox.trueup(&["apply", "--yes"]).expect(0);
        sandbox.sh(script).expect(0);
        for (_, other) in REFUSALS.iter().filter(|(_, other)| other != option) {
            let ran = sandbox.trueup(&["apply", "--yes", other]).expect(8);
            assert!(ran.stderr.contains(&format!("`{option}`")), "{}", ran.stderr);
        }
        let ran = sandbox.trueup(&["apply", option]).expect(8);
        assert!(ran.stderr.contains("`--yes`"), "{}", ran.stderr);
        sandbox.trueup(&["apply", "--yes", option]).expect(0);
    }
}
