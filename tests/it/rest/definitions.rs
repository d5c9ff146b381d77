//! Definitions as people meet them: shown, checked, and wrong.

use super::Checkout;
use crate::sandbox::Sandbox;

#[test]
fn a_definition_is_shown_and_can_be_checked() {
    let sandbox = Sandbox::new();
    for name in ["gitea", "github", "kinto", "powerdns", "rabbitmq"] {
        let shown = sandbox.trueup(&["providers", "show", name, "--definition"]).expect(0);
        sandbox.write("checkout/copy.yaml", &shown.stdout);
        let checked = sandbox.trueup(&["providers", "check", "copy.yaml"]).expect(0);
        assert!(checked.stdout.starts_with(&format!("copy.yaml: {name} with ")), "{}", checked.stdout);
    }
    let schema = sandbox.trueup(&["schema", "rest"]).expect(0);
    let schema: serde_json::Value = serde_json::from_str(&schema.stdout).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let definition = sandbox.trueup(&["providers", "show", "gitea", "--definition"]).expect(0).stdout;
    let definition: serde_yaml::Value = serde_yaml::from_str(&definition).unwrap();
    let definition = serde_json::to_value(definition).unwrap();
    assert!(validator.is_valid(&definition));
}

#[test]
fn a_wrong_definition_is_refused_with_its_line() {
    let sandbox = Sandbox::new();
    let shown = sandbox.trueup(&["providers", "show", "kinto", "--definition"]).expect(0).stdout;
    sandbox
        .write("checkout/mine.yaml", shown.replace("provider: kinto\nsummary:", "provider: kinto\nsumary:"));
    let ran = sandbox.trueup(&["providers", "check", "mine.yaml"]).expect(78);
    assert!(
        ran.stderr.contains("`mine.yaml:3:1`") && ran.stderr.contains("did you mean `summary`"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_wrong_declaration_is_refused_with_its_line() {
    let cases = [
        ("lable: []", "objects/x.yaml:1", "did you mean `label`"),
        ("label:\n  - {name: a, colour: 'fff'}", "objects/x.yaml:2", "did you mean `color`"),
        ("label:\n  - name: a\n    id: 7", "objects/x.yaml:3", "server's own"),
        ("label:\n  - {name: a}\n  - {name: a}", "objects/x.yaml:3", "declared twice"),
        ("label:\n  - {color: 'fff'}", "objects/x.yaml:2", "named by /name"),
        ("repository:\n  - {name: a, private: {$env: X}}", "objects/x.yaml:2", "cannot be a secret"),
        ("collaborator:\n  - {login: a, permission: god}", "objects/x.yaml:2", "can be"),
    ];
    for (declared, place, said) in cases {
        let options =
            "provider: gitea, url: 'http://127.0.0.1:9', scope: {owner: o, repo: r}, state: ../target/s.json";
        let checkout = Checkout::new(options, "x");
        checkout.commit("x.yaml", declared);
        let ran = checkout.run(&["plan"], 65);
        assert!(ran.stderr.contains(place) && ran.stderr.contains(said), "{declared}: {}", ran.stderr);
    }
}
