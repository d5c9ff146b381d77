//! Saved plans: what was approved, by address and digest, without any value.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    address::Address,
    change::{Action, Class},
    plan::{Plan, TargetName, change_digest},
    revision::Revision,
};

/// The version of [`SavedPlan`] that this build reads and writes.
pub const SCHEMA: &str = "trueup.saved-plan/v1";

/// The largest file that is read as a saved plan.
pub const LARGEST: usize = 256 * 1024 * 1024;

/// A plan as `--out plan=FILE` writes it and `apply --plan FILE` approves it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SavedPlan {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// Version of trueup that made it.
    pub version: String,
    /// Digest over the targets' digests, as every format prints it.
    pub digest: String,
    /// One for each target.
    pub targets: Vec<SavedTarget>,
    /// Digest over everything above: a file of which one byte was changed approves nothing.
    pub seal: String,
}

/// The approved changes of one target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SavedTarget {
    /// Which.
    pub target: TargetName,
    /// What Git declared.
    pub revision: Revision,
    /// Identity of the plan.
    pub digest: String,
    /// What apply may do.
    pub changes: Vec<SavedChange>,
}

/// One approved change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SavedChange {
    /// Which object.
    #[schemars(with = "String")]
    pub address: Address,
    /// What is done with it.
    pub action: Action,
    /// Why it differs.
    pub class: Class,
    /// Identity of the change.
    pub digest: String,
}

/// Keeps what identifies `plans`.
pub fn save<'a>(plans: impl Iterator<Item = &'a Plan> + Clone) -> SavedPlan {
    SavedPlan {
        schema: SCHEMA.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        digest: super::plan::digest_all(plans.clone()),
        targets: plans.map(saved_target).collect(),
        seal: String::new(),
    }
}

/// The text of a saved plan, sealed.
pub fn write(plan: &SavedPlan) -> String {
    let text = |plan: &SavedPlan| {
        serde_json::to_string_pretty(plan).expect("a saved plan has only text keys") + "\n"
    };
    let open = SavedPlan { seal: String::new(), ..plan.clone() };
    let seal = super::plan::join_digests(vec![text(&open), String::new()]);
    text(&SavedPlan { seal, ..open })
}

fn saved_target(plan: &Plan) -> SavedTarget {
    let changes = plan
        .changes
        .iter()
        .map(|change| SavedChange {
            address: change.address.clone(),
            action: change.action,
            class: change.class,
            digest: change_digest(change, plan),
        })
        .collect();
    SavedTarget {
        target: plan.target.clone(),
        revision: plan.revision.clone(),
        digest: plan.digest(),
        changes,
    }
}

/// How today's plans differ from the approved one: one line each, in the form
/// of a diff; empty if today's plans do what was approved or less.
pub fn differences<'a>(approved: &SavedPlan, plans: impl Iterator<Item = &'a Plan>) -> Vec<String> {
    plans.flat_map(|plan| target_differences(approved, plan)).collect()
}

fn target_differences(approved: &SavedPlan, plan: &Plan) -> Vec<String> {
    let today = saved_target(plan);
    let same = |saved: &&SavedTarget| {
        saved.target.id == today.target.id && saved.target.environment == today.target.environment
    };
    let Some(saved) = approved.targets.iter().find(same) else {
        return today
            .changes
            .iter()
            .map(|change| format!("+ {} {}: not in the approved plan", change.action, change.address))
            .collect();
    };
    let known: BTreeMap<&Address, &SavedChange> =
        saved.changes.iter().map(|change| (&change.address, change)).collect();
    let mut lines = Vec::new();
    for change in today.changes.iter().filter(|change| change.action != Action::Keep) {
        match known.get(&change.address) {
            None => lines.push(format!("+ {} {}: not in the approved plan", change.action, change.address)),
            Some(old) if old.digest == change.digest => {}
            Some(old) if (old.action, old.class) == (change.action, change.class) => {
                lines.push(format!(
                    "~ {} {}: its content is not the approved one",
                    change.action, change.address
                ));
            }
            Some(old) => {
                lines.push(format!("- {} {} ({})", old.action, old.address, old.class));
                lines.push(format!("+ {} {} ({})", change.action, change.address, change.class));
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        change::{Change, ThreeWay},
        testing::{self, plan},
        value::Value,
    };

    fn change(address: &str, action: Action, after: &str) -> Change {
        let desired = Some(Value::string(after));
        testing::change(address, action, Class::Pending, ThreeWay { desired, ..ThreeWay::default() })
    }

    fn stale(approved: Vec<Change>, today: Vec<Change>) -> Vec<String> {
        differences(&save([plan(approved)].iter()), [plan(today)].iter())
    }

    #[test]
    fn the_same_plan_or_less_of_it_is_approved() {
        let both = || vec![change("a", Action::Create, "1"), change("b", Action::Create, "1")];
        assert!(stale(both(), both()).is_empty());
        assert!(stale(both(), vec![change("b", Action::Create, "1")]).is_empty());
    }

    #[test]
    fn more_other_or_different_changes_are_named() {
        let one = || vec![change("a", Action::Create, "1")];
        let more = stale(one(), vec![change("a", Action::Create, "1"), change("b", Action::Create, "1")]);
        assert_eq!(more, ["+ create b: not in the approved plan"]);
        assert_eq!(
            stale(one(), vec![change("a", Action::Create, "2")]),
            ["~ create a: its content is not the approved one"]
        );
        assert_eq!(
            stale(one(), vec![change("a", Action::Update, "1")]),
            ["- create a (pending)", "+ update a (pending)"]
        );
    }

    #[test]
    fn a_change_of_any_byte_breaks_the_seal() {
        let text = write(&save([plan(vec![change("a", Action::Create, "1")])].iter()));
        let opened: SavedPlan = serde_json::from_str(&text).unwrap();
        assert_eq!(write(&opened), text);
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1;
            let opened = serde_json::from_slice::<SavedPlan>(&bytes);
            assert!(opened.is_err() || write(&opened.unwrap()).as_bytes() != bytes, "byte {at}");
        }
    }

    #[test]
    fn a_definition_is_part_of_what_is_approved() {
        let described = |definition: Option<&str>| Plan {
            definition: definition.map(str::to_owned),
            ..plan(vec![change("a", Action::Create, "1")])
        };
        let (before, after) = (described(Some("POST")), described(Some("DELETE")));
        assert_ne!(before.digest(), after.digest());
        assert_ne!(before.digest(), described(None).digest());
        let said = differences(&save([&before].into_iter()), [&after].into_iter());
        assert_eq!(said, ["~ create a: its content is not the approved one"]);
    }

    #[test]
    fn no_value_stands_in_a_saved_plan() {
        let text =
            serde_json::to_string(&save([plan(vec![change("a", Action::Create, "canary")])].iter())).unwrap();
        assert!(!text.contains("canary"));
    }
}
