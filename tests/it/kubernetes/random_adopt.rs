//! People who edit at random, and `drift --adopt`: Git takes in what they did, and nothing else in the file moves.

use serde_json::{Value, json};

use super::Shop;
use crate::generators::{self, Dice};

const ALL: &str = "# The shop
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
data:
  # what it looks like
  a: blue
  b: \"1\" # a number, and a text
  c: 'it''s'
  # the front page
  d: |
    <h1>
      Shop
    </h1>
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web # the site
spec:
  replicas: 2 # enough for now
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: 'web:1'
        # how it runs
        env:
        - name: A
          value: fast
        - name: B
          value: \"1\"
        # last of all
        - name: C
          value: plain
";

/// One edit: what kubectl is told, and the line that begins what it may touch.
struct Edit {
    told: Vec<String>,
    line: String,
}

fn edit(generators: &mut Dice) -> Edit {
    let text = generators.one(&generators::TEXTS);
    match generators.roll(10) {
        0 => web(&["scale"], &format!("--replicas={}", 1 + generators.roll(5)), "  replicas:"),
        1 => web(&["set", "image"], &format!("web=web:{}", generators.roll(9)), "        image:"),
        2 => {
            let name = generators.word().to_uppercase();
            web(&["set", "env"], &format!("{name}={text}"), &format!("        - name: {name}"))
        }
        // What a patch adds comes first.
        3 | 4 => {
            let name = generators.word().to_uppercase();
            let line = format!("        - name: {name}");
            patch(json!([{"name": name, "value": text}]), &line)
        }
        5 => {
            let name = ["B", "C", "D"][generators.roll(3) as usize];
            let line = format!("        - name: {name}");
            patch(json!([{"name": name, "$patch": "delete"}]), &line)
        }
        6 => Edit::new(&["patch", "deployment/web", "--type=json", "-p", SECOND_FIRST], "        - name: "),
        roll => {
            let key = generators.word();
            let value = if roll == 7 && key != "a" { Value::Null } else { json!(text) };
            let patch = json!({"data": {&key: value}}).to_string();
            Edit::new(&["patch", "configmap/settings", "-p", &patch], &format!("  {key}:"))
        }
    }
}

/// Takes the second variable to the front.
const SECOND_FIRST: &str = r#"[
  {"op": "move", "from": "/spec/template/spec/containers/0/env/1", "path": "/spec/template/spec/containers/0/env/0"}
]"#;

/// A patch of the variables.
fn patch(env: Value, line: &str) -> Edit {
    let containers = json!([{"name": "web", "env": env}]);
    let patch = json!({"spec": {"template": {"spec": {"containers": containers}}}}).to_string();
    Edit::new(&["patch", "deployment/web", "-p", &patch], line)
}

fn web(verb: &[&str], value: &str, line: &str) -> Edit {
    Edit::new(&[verb, &["deployment/web", value]].concat(), line)
}

impl Edit {
    fn new(told: &[&str], line: &str) -> Edit {
        Edit { told: told.iter().map(|&word| word.to_owned()).collect(), line: line.to_owned() }
    }
}

/// Whether a line is a remark.
fn is_remark(line: &str) -> bool {
    line.trim_start().starts_with('#')
}

/// The lines of `text` that are no remarks, and none of what some edits may touch.
fn untouched<'a>(text: &'a str, edits: &[Edit]) -> Vec<&'a str> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut kept: Vec<&str> = Vec::new();
    let mut within = None;
    for line in text.lines() {
        if within.is_some_and(|depth| indent(line) > depth || line.is_empty()) {
            continue;
        }
        within = edits.iter().any(|edit| line.starts_with(&edit.line)).then(|| indent(line));
        if within.is_none() && !is_remark(line) {
            kept.push(line);
        }
    }
    kept
}

/// Whether `few` are among `many`, in the same order.
fn are_among(few: &[&str], many: &str) -> bool {
    let mut many = many.lines();
    few.iter().all(|wanted| many.any(|line| line == *wanted))
}

#[test]
fn what_people_do_at_random_is_taken_into_git_and_nothing_else_moves() {
    let Some(shop) = Shop::new() else { return };
    let (mut generators, trials) = generators::throw(8, 100);
    shop.declare(&[("all.yaml", ALL)]);
    shop.apply();
    for trial in 0..trials {
        let before = shop.sandbox.read("checkout/k8s/all.yaml");
        let edits: Vec<Edit> = (0..1 + generators.roll(3)).map(|_| edit(&mut generators)).collect();
        for edit in &edits {
            let told = edit.told.iter().map(String::as_str);
            let told: Vec<&str> = ["-n", &shop.namespace].into_iter().chain(told).collect();
            let (done, said) = shop.server.try_kubectl("admin", &told, "");
            // What is alone has nobody to change places with.
            assert!(done || edit.told.contains(&SECOND_FIRST.to_owned()), "{told:?}: {said}");
        }
        let said = format!("trial {trial}: {:?}", edits.iter().map(|edit| &edit.told).collect::<Vec<_>>());
        shop.trueup(&["drift", "--adopt"]).expect(0);
        let after = shop.sandbox.read("checkout/k8s/all.yaml");
        assert!(are_among(&untouched(&before, &edits), &after), "{said}\n{before}\n{after}");
        let added = untouched(&after, &edits).len();
        assert!(added <= untouched(&before, &edits).len(), "{said}\n{before}\n{after}");
        assert!(
            before.lines().filter(|line| is_remark(line)).all(|remark| after.contains(remark)),
            "{said}\n{after}"
        );
        if after == before {
            continue;
        }
        shop.sandbox.sh("commit 'Adopt'").expect(0);
        // Nothing is left to do but to own what others wrote.
        let plan = shop.trueup(&["plan", "-o", "json"]);
        let plan: Value = serde_json::from_str(&plan.stdout).unwrap();
        let actions: Vec<&str> = plan["changes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|change| change["action"].as_str().unwrap())
            .collect();
        assert!(actions.iter().all(|action| *action == "claim"), "{said}: {actions:?}\n{after}");
        shop.apply();
        shop.trueup(&["plan"]).expect(0);
        shop.trueup(&["drift"]).expect(0);
    }
}
