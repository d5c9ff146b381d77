//! The ignore rules that come with a cluster: what others are known to write there.

use std::sync::Arc;

use crate::model::{
    ignore::{Fact, From, Match, Rule, When},
    path::Pattern,
};

/// A rule as a table has it.
struct Row {
    id: &'static str,
    group: &'static str,
    kinds: &'static [&'static str],
    paths: &'static [&'static str],
    declares: Option<&'static str>,
    fact: Option<Fact>,
    when: When,
    reason: &'static str,
}

const ROWS: [Row; 6] = [
    Row {
        id: "autoscalers",
        group: "*",
        kinds: &["*"],
        paths: &["/spec/replicas"],
        declares: None,
        fact: Some(Fact::Autoscaled),
        when: When::Always,
        reason: "an autoscaler sets the number of replicas",
    },
    Row {
        id: "ca-bundle",
        group: "admissionregistration.k8s.io",
        kinds: &["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"],
        paths: &["/webhooks/*/clientConfig/caBundle"],
        declares: None,
        fact: None,
        when: When::Live,
        reason: "a controller injects the certificate of its authority",
    },
    Row {
        id: "ca-bundle",
        group: "apiextensions.k8s.io",
        kinds: &["CustomResourceDefinition"],
        paths: &["/spec/conversion/webhook/clientConfig/caBundle"],
        declares: None,
        fact: None,
        when: When::Live,
        reason: "a controller injects the certificate of its authority",
    },
    Row {
        id: "ca-bundle",
        group: "apiregistration.k8s.io",
        kinds: &["APIService"],
        paths: &["/spec/caBundle"],
        declares: None,
        fact: None,
        when: When::Live,
        reason: "a controller injects the certificate of its authority",
    },
    Row {
        id: "aggregated-roles",
        group: "rbac.authorization.k8s.io",
        kinds: &["ClusterRole"],
        paths: &["/rules"],
        declares: Some("/aggregationRule"),
        fact: None,
        when: When::Always,
        reason: "the cluster puts the rules of an aggregated role together",
    },
    Row {
        id: "rollout-restart",
        group: "*",
        kinds: &["Deployment", "StatefulSet", "DaemonSet"],
        paths: &["/spec/template/metadata/annotations/kubectl.kubernetes.io~1restartedAt"],
        declares: None,
        fact: None,
        when: When::Live,
        reason: "`kubectl rollout restart` writes it to make something happen once",
    },
];

/// The rules of the table.
pub fn rules() -> Vec<Arc<Rule>> {
    ROWS.iter().map(|row| Arc::new(rule(row))).collect()
}

fn rule(row: &Row) -> Rule {
    let path = |text: &&str| text.parse().expect("the paths of the table are paths");
    Rule {
        id: row.id.into(),
        matches: Match {
            group: vec![Pattern::new(row.group)],
            kind: row.kinds.iter().map(|&kind| Pattern::new(kind)).collect(),
            declares: row.declares.as_ref().map(path),
            fact: row.fact,
            ..Match::default()
        },
        paths: row.paths.iter().map(path).collect(),
        managers: Vec::new(),
        when: row.when,
        reason: row.reason.to_owned(),
        expires: None,
        from: From::BuiltIn,
    }
}
