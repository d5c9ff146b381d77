//! Declared objects that the server rejects: each is named with the server's reason, and the rest can go on.

use super::{SETTINGS, Shop};

/// What is wrong with an object, and what is said about it.
const INVALID: [(&str, &str); 10] = [
    ("kind: Secret\ndata: {a: '!!'}", "illegal base64 data at input byte 0: `data.a`"),
    ("kind: Secret\nstringdata: {a: canary-x}", ".stringdata: field not declared in schema"),
    ("kind: Secret\ndata: {a: 5}", ".data.a: expected string"),
    ("kind: Secret\nstringData: {'a b': canary-x}", "Invalid data[a b] FieldValueInvalid"),
    ("kind: ConfigMap\ndata: {a: 5}", ".data.a: expected string"),
    ("kind: ConfigMap\ndata: {a: b}\ndatas: {}", ".datas: field not declared in schema"),
    ("kind: Service\nspec: {ports: [{port: 99999}]}", "must be between 1 and 65535"),
    ("kind: Service\nspec: {ports: [{port: eighty}]}", "expected numeric"),
    ("kind: PersistentVolumeClaim\nspec: {accessModes: [Sometimes]}", "Unsupported value"),
    ("kind: ServiceAccount\nsecrets: {a: b}", ".secrets: expected list"),
];

#[test]
fn what_the_server_rejects_is_invalid_and_says_why_and_where() {
    let Some(shop) = Shop::new() else { return };
    let object = |(what, _): &(&str, &str)| format!("apiVersion: v1\nmetadata: {{name: wrong}}\n{what}\n");
    for (index, row) in INVALID.iter().enumerate() {
        shop.declare(&[("wrong.yaml", &format!("# {index}\n{}", object(row)))]);
        let plan = shop.trueup(&["plan"]).expect(65);
        let said = format!("invalid: {}", row.1);
        assert!(plan.stdout.contains("invalid: ") && plan.stdout.contains(row.1), "{said}\n{}", plan.stdout);
        assert!(plan.stdout.contains("k8s/wrong.yaml:2"), "{}", plan.stdout);
        for private in ["canary", "HTTP 500", "could not be read:"] {
            assert!(!(plan.stdout.clone() + &plan.stderr).contains(private), "{private}\n{}", plan.stdout);
        }
    }
}

#[test]
fn an_invalid_object_stops_the_rest_only_until_it_is_left_out() {
    let Some(shop) = Shop::new() else { return };
    let wrong = "apiVersion: v1\nkind: Secret\nmetadata: {name: wrong}\nstringdata: {a: b}\n";
    shop.declare(&[("settings.yaml", SETTINGS), ("wrong.yaml", wrong)]);
    let ran = shop.trueup(&["apply", "--yes"]).expect(65);
    assert!(ran.stderr.contains("is invalid") && ran.stderr.contains("`--skip-invalid`"), "{}", ran.stderr);
    shop.trueup(&["apply", "--yes", "--skip-unknown"]).expect(65);
    assert!(!shop.kubectl(&["get", "configmaps", "-o", "name"]).contains("settings"));
    shop.trueup(&["apply", "--yes", "--skip-invalid"]).expect(7);
    assert!(shop.kubectl(&["get", "configmaps", "-o", "name"]).contains("settings"));
    let again = shop.trueup(&["apply", "--yes", "--skip-invalid"]);
    assert_eq!(again.exit, 65, "what is left out is never in sync\n{}", again.stdout);
}
