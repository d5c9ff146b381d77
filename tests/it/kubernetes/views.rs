//! Every class of a plan in every format: the same objects, by the same paths, without noise, byte for byte again.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Shop, WEB};

fn settings(name: &str, colour: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{colour: {colour}}}\n")
}

/// A shop in which every object is of another class.
fn everything() -> Option<Shop> {
    let shop = Shop::new()?;
    let fixed = |colour: &str| settings("replaced", colour) + "immutable: true\n";
    let before: String = ["same", "updated", "claimed", "deleted", "both", "moved"]
        .map(|name| settings(name, "blue") + "---\n")
        .concat();
    shop.declare(&[("all.yaml", &format!("{before}{}---\n{WEB}", fixed("blue")))]);
    shop.apply();
    let patch = |name: &str, patch: &str| shop.kubectl(&["patch", &format!("configmap/{name}"), "-p", patch]);
    patch("claimed", r#"{"data":{"size":"10"}}"#);
    patch("both", r#"{"data":{"colour":"red"}}"#);
    patch("moved", r#"{"data":{"colour":"red"}}"#);
    shop.kubectl(&["create", "configmap", "adopted", "--from-literal=colour=red"]);
    let after = [
        settings("same", "blue"),
        settings("updated", "green"),
        settings("claimed", "blue, size: '10'"),
        settings("both", "green"),
        settings("moved", "blue"),
        settings("adopted", "green"),
        settings("created", "green"),
        fixed("green"),
        "apiVersion: example.org/v1\nkind: Thing\nmetadata: {name: unknown}\n".to_owned(),
        WEB.replace("value: fast", "value: slow"),
    ];
    shop.declare(&[("all.yaml", &after.join("---\n"))]);
    Some(shop)
}

#[test]
fn every_class_is_in_every_format() {
    let Some(shop) = everything() else { return };
    let namespace = &shop.namespace;
    let address = |name: &str| match name {
        "web" => format!("apps/v1/Deployment/{namespace}/web"),
        "unknown" => format!("example.org/v1/Thing/{namespace}/unknown"),
        name => format!("v1/ConfigMap/{namespace}/{name}"),
    };
    let wanted = [
        ("adopted", "adopt", "pending"),
        ("both", "update", "conflict"),
        ("claimed", "claim", "pending"),
        ("created", "create", "pending"),
        ("deleted", "delete", "pending"),
        ("moved", "update", "drift"),
        ("replaced", "replace", "pending"),
        ("updated", "update", "pending"),
        ("web", "update", "pending"),
    ];
    let plan = |format: &str| {
        let [one, other] = [(); 2].map(|()| shop.trueup(&["plan", "-o", format]).stdout);
        assert_eq!(one, other, "{format}");
        for noise in
            ["resourceVersion", "managedFields", "creationTimestamp", "generation:", "uid:", "(order)"]
        {
            assert!(!one.contains(noise), "{format}: {noise}\n{one}");
        }
        one
    };
    let document: Value = serde_json::from_str(&plan("json")).unwrap();
    let changes = document["changes"].as_array().unwrap();
    let found: BTreeMap<&str, (&str, &str)> = changes
        .iter()
        .map(|change| {
            let text = |key: &str| change[key].as_str().unwrap_or_default();
            (text("address"), (text("action"), text("class")))
        })
        .collect();
    for (name, action, class) in wanted {
        assert_eq!(found.get(&*address(name)), Some(&(action, class)), "{name}: {found:?}");
    }
    assert_eq!(found.len(), wanted.len() + 1, "{found:?}");
    assert!(found.values().any(|(_, class)| *class == "unknown"), "{found:?}");
    let (human, markdown, diff) = (plan("human"), plan("markdown"), plan("diff"));
    for (name, action, class) in wanted {
        for text in [&human, &markdown] {
            let rows = text.lines().filter(|line| line.contains(&address(name)));
            let is_said = |row: &str| row.contains(action) || row.contains(class);
            assert!(rows.clone().any(is_said), "{name} {action}\n{text}");
        }
        // What changes in no field has no lines of difference.
        assert_eq!(diff.contains(&address(name)), name != "claimed", "{name}\n{diff}");
    }
    assert!(
        human.contains("env/[name=MODE]/value") && markdown.contains("[name=MODE]"),
        "{human}\n{markdown}"
    );
    assert!(
        [&human, &markdown].iter().all(|text| text.contains("unknown") && text.contains("Thing")),
        "{human}"
    );
}
