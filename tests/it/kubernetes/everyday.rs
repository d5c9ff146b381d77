//! What people do every day: plan, apply, look for drift, revert, adopt, prune.

use super::Shop;

const WEB: &str = "apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      nodeName: n1
      containers:
      - name: web
        image: web:1
        ports: [{containerPort: 80}]
        env:
        - {name: MODE, value: fast}
        - {name: LEVEL, value: \"1\"}
        resources: {limits: {cpu: \"1\", memory: 64Mi}}
";

const SETTINGS: &str = "apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
data:
  colour: blue
";

#[test]
fn what_was_applied_is_in_sync_at_one_list_for_each_kind() {
    let Some(shop) = Shop::new() else { return };
    shop.declare(&[("web.yaml", WEB), ("settings.yaml", SETTINGS)]);
    shop.trueup(&["plan"]).expect(2);
    shop.apply();
    let mut ran = None;
    let requests = shop.server.requests(|| ran = Some(shop.trueup(&["plan"])));
    println!("{requests:#?}");
    ran.unwrap().expect(0);
    assert!(requests.iter().all(|line| line.starts_with("get ") || line.starts_with("list ")), "{requests:?}");
    assert!(requests.len() <= 2 + 8, "{requests:?}");
}
