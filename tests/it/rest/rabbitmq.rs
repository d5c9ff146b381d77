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
