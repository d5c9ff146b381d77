//! Why an object of the cluster is as declared or not: the evidence of the last look, in words.

use std::collections::BTreeSet;

use crate::{
    model::{
        explain::{Basis, Reason},
        value::Value,
    },
    providers::kubernetes::{
        client::transport::MANAGER,
        manifest::names::Kind,
        ownership::managed::{self, MayDiffer, applied},
        preview::candidates::Preview,
    },
};

/// Which list it is from.
pub fn listed(kind: &Kind, namespaces: Option<&BTreeSet<String>>) -> Reason {
    let extent = match namespaces {
        None => "of the whole cluster".to_owned(),
        Some(namespaces) => {
            let names: Vec<&str> = namespaces.iter().map(String::as_str).collect();
            format!("of the namespaces {}, since that of all is forbidden", names.join(", "))
        }
    };
    Basis::Read.says(format!("in the list of {kind} {extent}, which was read to its end"))
}

/// What the fields that we own say of an object that was listed.
pub fn verdict(live: &Value, verdict: &Result<(), MayDiffer>) -> Vec<Reason> {
    let mut reasons = vec![entry(live)];
    match verdict {
        Ok(()) => reasons.extend([
            Basis::Ownership.says("the fields of that entry are exactly those that are declared"),
            Basis::Comparison.says(
                "each declared value is what the cluster has, and items of lists stand in the declared order",
            ),
            Basis::Comparison
                .says("so an apply would change nothing and conflict with nobody, and no dry run was needed"),
        ]),
        Err(MayDiffer { path, why }) => {
            let text = format!("{why}: the first reason why an apply may change something");
            reasons.push(match path.is_empty() {
                true => Basis::Comparison.says(text),
                false => Basis::Comparison.says_at(path.as_str(), text),
            });
        }
    }
    reasons
}

fn entry(live: &Value) -> Reason {
    let Some(ours) = applied(live) else {
        let count = managed::entries(live).filter(managed::Entry::is_ours).count();
        let text = format!("{count} entries of `{MANAGER}` (Apply) in managedFields, where proof needs one");
        return Basis::Ownership.says(text);
    };
    let mut count = 0;
    ours.fields().each(&mut Vec::new(), &mut |_| count += 1);
    let time = ours.time.map_or_else(String::new, |time| format!(", last changed {time}"));
    Basis::Ownership.says(format!(
        "one entry of `{MANAGER}` (Apply, {}{time}) in managedFields owns {} fields, two marks of trueup among them",
        ours.api_version,
        count
    ))
}

/// What a dry run that was answered says.
pub fn foreseen(is_there: bool, finding: &Preview) -> Reason {
    let same = finding.sides.as_ref().is_some_and(|sides| sides.desired == sides.actual);
    Basis::DryRun.says(match (is_there, same, &finding.claim) {
        (false, ..) => "the server would create it",
        (true, true, Some(_)) => "the server would change who owns its fields, and no value",
        (true, true, None) => "the server would leave it as it is",
        (true, false, _) => "the server would change it",
    })
}
