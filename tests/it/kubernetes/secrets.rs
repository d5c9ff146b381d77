//! Nothing that is declared sensitive leaves, in whatever form, by whatever way.

use super::Shop;

/// `canary-NAME-…` in clear, and what of it stands in base64.
const CANARIES: [&str; 4] =
    ["canary-old-7Zq1", "canary-new-9Xk2", "Y2FuYXJ5LW9sZC03WnEx", "Y2FuYXJ5LW5ldy05WGsy"];

fn settings(value: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: settings}}\ndata: {{token: {value}, colour: blue}}\n---\n\
         apiVersion: v1\nkind: Secret\nmetadata: {{name: keys}}\nstringData: {{key: {value}}}\n"
    )
}

#[track_caller]
fn is_silent(what: &str, text: &str) {
    for canary in CANARIES {
        assert!(!text.contains(canary), "{canary} is in {what}:\n{text}");
    }
}

/// Everything that commands say, in every format.
fn say_everything(shop: &Shop, commands: &[&str]) -> String {
    let mut said = String::new();
    for command in commands {
        for format in ["human", "diff", "json", "markdown", "plan"] {
            if (*command, format) == ("diff", "plan") {
                continue;
            }
            let ran = shop.trueup(&[command, "-v", "-o", format]);
            is_silent(&format!("{command} -o {format}"), &(ran.stdout.clone() + &ran.stderr));
            said.push_str(&ran.stdout);
        }
    }
    said
}

#[test]
fn declared_places_and_secrets_are_compared_and_not_shown() {
    let Some(shop) = Shop::new() else { return };
    shop.configure("admin", ", sensitive: [{match: {kind: ConfigMap}, paths: [/data/token]}]");
    // Both were made by kubectl, which leaves a copy of what it was given in an annotation.
    shop.kubectl_apply(&settings("canary-old-7Zq1"));
    shop.declare(&[("settings.yaml", &settings("canary-new-9Xk2"))]);
    let said = say_everything(&shop, &["plan", "diff"]);
    assert!(said.contains("/data/token") && said.contains("(sensitive) #1"), "{said}");
    let ran = shop.trueup(&["apply", "--yes", "-v", "--adopt", "**"]).expect(0);
    is_silent("apply", &(ran.stdout + &ran.stderr));
    shop.trueup(&["plan"]).expect(0);
    for (object, patch) in [
        ("configmap/settings", r#"{"data":{"token":"canary-old-7Zq1"}}"#),
        ("secret/keys", r#"{"stringData":{"key":"canary-old-7Zq1"}}"#),
    ] {
        shop.kubectl(&["patch", object, "-p", patch]);
    }
    let said = say_everything(&shop, &["drift", "plan"]);
    assert!(said.contains("drift /data/token (line 4) (sensitive) #1 → (sensitive) #2"), "{said}");
    let ran = shop.trueup(&["drift", "--adopt", "--patch"]);
    is_silent("drift --adopt", &(ran.stdout + &ran.stderr));
    let ran = shop.trueup(&["apply", "--yes", "--only-drift", "-o", "json"]).expect(0);
    is_silent("apply -o json", &(ran.stdout + &ran.stderr));
    shop.trueup(&["drift"]).expect(0);
    let ran = shop.trueup(&["log", "-o", "json"]);
    is_silent("log", &(ran.stdout + &ran.stderr));
}

#[test]
fn what_a_server_quotes_of_a_sensitive_value_is_not_passed_on() {
    let Some(shop) = Shop::new() else { return };
    shop.configure("admin", ", sensitive: [/spec/password, /spec/size]");
    let group = format!("{}.example.org", shop.namespace);
    let definition = format!(
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: safes.{group}}}\n\
         spec:\n  group: {group}\n  scope: Namespaced\n  names: {{kind: Safe, plural: safes, singular: safe}}\n\
         \x20 versions:\n  - name: v1\n    served: true\n    storage: true\n\
         \x20   schema: {{openAPIV3Schema: {{type: object, properties: {{spec: {{type: object, properties: {{\n\
         \x20     password: {{type: string, pattern: '^[a-z]+$'}}, size: {{type: integer}}}}}}}}}}}}\n"
    );
    shop.declare(&[("definition.yaml", &definition)]);
    shop.apply();
    for (spec, quoted) in [("password: canary-old-7Zq1", true), ("size: canary-new-9Xk2", false)] {
        let safe = format!("apiVersion: {group}/v1\nkind: Safe\nmetadata: {{name: one}}\nspec: {{{spec}}}\n");
        shop.declare(&[("safe.yaml", &safe)]);
        let said = say_everything(&shop, &["plan"]);
        assert!(said.contains("invalid: "), "{said}");
        assert_eq!(said.contains("(sensitive)"), quoted, "{said}");
        let ran = shop.trueup(&["apply", "--yes", "--skip-invalid"]);
        is_silent("apply", &(ran.stdout + &ran.stderr));
    }
    shop.kubectl(&["delete", "crd", &format!("safes.{group}")]);
}
