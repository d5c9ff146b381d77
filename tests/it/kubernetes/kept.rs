//! `--keep` of single fields: each field is compared with what was applied to it last.

use super::Shop;

fn settings(colour: &str, size: &str, depth: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: settings}}\ndata: {{colour: {colour}, size: '{size}', depth: '{depth}'}}\n"
    )
}

#[test]
fn a_kept_field_stays_pending_and_the_rest_is_at_its_own_commit() {
    let Some(shop) = Shop::new() else { return };
    shop.declare(&[("settings.yaml", &settings("blue", "1", "1"))]);
    shop.apply();
    shop.declare(&[("settings.yaml", &settings("red", "2", "2"))]);
    let address = format!("v1/ConfigMap/{}/settings", shop.namespace);
    shop.trueup(&["apply", "--yes", "--keep", &format!("{address}/data/size")]).expect(0);
    // What was applied is no drift, and what was kept is shown, with the commit that brought it.
    shop.trueup(&["drift"]).expect(0);
    let plan = shop.trueup(&["plan"]).expect(2);
    assert!(plan.stdout.contains("/data/size") || plan.stdout.contains("+  size: \"2\""), "{}", plan.stdout);
    assert!(
        plan.stdout.contains("Alice: Declare") && !plan.stdout.contains("colour: blue"),
        "{}",
        plan.stdout
    );
    // Drift beside it is found, and undone alone.
    shop.kubectl(&["patch", "configmap/settings", "-p", r#"{"data":{"colour":"pink"}}"#]);
    shop.trueup(&["drift"]).expect(3);
    shop.trueup(&["apply", "--yes", "--only-drift"]).expect(0);
    shop.trueup(&["drift"]).expect(0);
    assert_eq!(
        shop.kubectl(&["get", "configmap/settings", "-o", "jsonpath={.data.colour}{.data.size}"]),
        "red1"
    );
    // Kept once more, it still is at its first commit.
    shop.declare(&[("settings.yaml", &settings("green", "3", "2"))]);
    shop.trueup(&["apply", "--yes", "--keep", &format!("{address}/data/size")]).expect(0);
    shop.trueup(&["drift"]).expect(0);
    shop.trueup(&["plan"]).expect(2);
    shop.apply();
    shop.trueup(&["plan"]).expect(0);
    shop.trueup(&["drift"]).expect(0);
}
