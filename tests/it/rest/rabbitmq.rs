//! RabbitMQ: passwords that are never answered, and queues that cannot be changed.

use super::opening;
use crate::parts::RabbitMq;

const DECLARED: &str = "scope: {vhost: whole}
vhost:
  - {name: whole, description: a test}
user:
  - name: worker
    password: {$file: ../home/worker}
    tags: [monitoring]
permission:
  - {user: worker, configure: '', write: '.*', read: '.*'}
policy:
  - {name: ttl, pattern: '^tmp', definition: {message-ttl: 1000}, apply-to: queues}
exchange:
  - {name: jobs, type: topic, durable: true}
  - {name: tmp, type: headers}
queue:
  - {name: tmp, durable: true, arguments: {x-max-length: 10}}
binding:
  - {source: jobs, destination: tmp, routing_key: a.b}
  - {source: tmp, destination: tmp, routing_key: '', arguments: {x-match: all, a: 1}}
  - {source: tmp, destination: tmp, routing_key: '', arguments: {x-match: all, a: 2}}
exchange_binding:
  - {source: jobs, destination: tmp, routing_key: a.b}
";

#[test]
fn rabbitmq_goes_the_whole_way() {
    let Some(rabbitmq) = RabbitMq::get() else { return };
    let checkout = opening::rabbitmq("t", &rabbitmq.url, "");
    checkout.sandbox.write("home/worker", "w0rker-canary");
    checkout.commit("all.yaml", DECLARED);
    checkout.run(&["plan"], 2);
    checkout.apply(&[]);
    let who = crate::parts::curl(&["-u", "worker:w0rker-canary", &format!("{}/api/whoami", rabbitmq.url)]);
    assert!(who.unwrap().contains("monitoring"));
    // A change of the tags keeps the password.
    checkout.commit(
        "all.yaml",
        &DECLARED.replace("[monitoring]", "[monitoring, policymaker]").replace("1000", "2000"),
    );
    checkout.apply(&[]);
    assert!(rabbitmq.curl("GET", "/policies/whole/ttl", "").unwrap().contains("2000"));
    rabbitmq
        .curl("PUT", "/permissions/whole/worker", r#"{"configure": ".*", "write": ".*", "read": ".*"}"#)
        .unwrap();
    let drift = checkout.run(&["drift"], 3);
    assert!(drift.stdout.contains("permission/whole/worker"), "{}", drift.stdout);
    checkout.apply(&[]);
    // A queue with other arguments is another queue.
    let other = DECLARED
        .replace("[monitoring]", "[monitoring, policymaker]")
        .replace("1000", "2000")
        .replace("x-max-length: 10", "x-max-length: 20");
    checkout.commit("all.yaml", &other);
    checkout.run(&["apply", "--yes"], 8);
    checkout.run(&["apply", "--yes", "--allow-replace", "queue/whole/tmp", "--allow-protected", "queue"], 0);
    assert!(rabbitmq.curl("GET", "/queues/whole/tmp", "").unwrap().contains("20"));
    checkout.apply(&[]);
    checkout.commit(
        "all.yaml",
        &other
            .replace("  - {source: jobs, destination: tmp, routing_key: a.b}\n", "")
            .replace(
                "  - {source: tmp, destination: tmp, routing_key: '', arguments: {x-match: all, a: 2}}\n",
                "",
            )
            .replace("exchange_binding:\n", ""),
    );
    checkout.apply(&["--max-delete-percent", "30"]);
    let bindings = rabbitmq.curl("GET", "/bindings/whole", "").unwrap();
    assert!(!bindings.contains("a.b") && !bindings.contains("\"a\":2"), "{bindings}");
    assert!(bindings.contains("\"a\":1"), "{bindings}");
}

#[test]
fn two_repositories_with_targets_of_one_name_take_nothing_from_each_other() {
    let Some(rabbit) = RabbitMq::get() else { return };
    let [first, second] = ["first", "second"].map(|name| {
        let checkout = super::opening::rabbitmq("shared", &rabbit.url, "");
        checkout.commit("vhost.yaml", &format!("vhost: [{{name: shared-{name}}}]\n"));
        checkout
    });
    first.apply(&[]);
    let plan = second.run(&["plan"], 2).stdout;
    assert!(plan.contains("1 unknown") && plan.contains("call the target otherwise"), "{plan}");
    second.run(&["apply", "--yes"], 8);
    second.sandbox.trueup(&["apply", "--yes", "--skip-unknown", "--rollback", "--allow-protected", "**"]);
    assert!(rabbit.curl("GET", "/vhosts/shared-first", "").is_some());
}

#[test]
fn a_replaced_queue_or_exchange_of_rabbitmq_keeps_its_bindings() {
    let Some(rabbit) = RabbitMq::get() else { return };
    let checkout = opening::rabbitmq("replaced", &rabbit.url, "scope: {vhost: replaced}");
    let declared = "vhost: [{name: replaced}]
exchange: [{name: in, type: topic}, {name: out, type: fanout}]
queue: [{name: q, arguments: {x-message-ttl: 1000}}]
binding:
  - {source: in, destination: q, routing_key: a}
  - {source: out, destination: q, routing_key: ''}
exchange_binding: [{source: in, destination: out, routing_key: b}]
";
    checkout.commit("all.yaml", declared);
    checkout.apply(&[]);
    let bindings = || {
        let all: Vec<serde_json::Value> =
            serde_json::from_str(&rabbit.curl("GET", "/bindings/replaced", "").unwrap()).unwrap();
        all.iter().filter(|binding| binding["source"] != "").count()
    };
    assert_eq!(bindings(), 3);
    let longer = declared.replace("1000", "2000");
    checkout.commit("all.yaml", &longer);
    checkout.apply(&["--allow-replace", "queue/replaced/q", "--allow-protected", "queue"]);
    assert_eq!(bindings(), 3);
    let other = longer.replace("name: in, type: topic", "name: in, type: direct");
    checkout.commit("all.yaml", &other);
    // One that nobody declared.
    rabbit.curl("POST", "/bindings/replaced/e/in/q/q", r#"{"routing_key": "by-hand"}"#).unwrap();
    let plan = checkout.run(&["plan"], 2);
    assert!(
        plan.stdout.contains("nothing makes them again: `binding/replaced/in/q/by-hand`"),
        "{}",
        plan.stdout
    );
    checkout.run(&["apply", "--yes", "--allow-replace", "**"], 8);
    assert_eq!(bindings(), 4);
    checkout.apply(&["--allow-replace", "exchange/replaced/in", "--allow-protected", "exchange/replaced/in"]);
    assert_eq!(bindings(), 3);
}

#[test]
fn what_rabbitmq_has_of_its_own_can_be_imported_and_declared() {
    let Some(rabbit) = RabbitMq::get() else { return };
    let checkout = opening::rabbitmq("imported", &rabbit.url, "");
    checkout.commit_all();
    let kinds = "vhost user permission exchange queue binding exchange_binding policy shovel";
    checkout.run(&[&["import", "imported"][..], &kinds.split_whitespace().collect::<Vec<_>>()].concat(), 0);
    checkout.commit_all();
    let ran = checkout.sandbox.trueup(&["plan"]);
    assert!(matches!(ran.exit, 0 | 2), "others write meanwhile: {} {}{}", ran.exit, ran.stdout, ran.stderr);
}
