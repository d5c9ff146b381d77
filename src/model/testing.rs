//! Plans and changes with nothing special about them, for tests.

use super::{
    address::Address,
    change::{Action, Change, Class, Sides},
    plan::{Plan, TargetName},
    revision::Revision,
    value::Value,
};

/// A plan of `changes` for a target that holds nothing else.
pub fn plan(changes: Vec<Change>) -> Plan {
    Plan {
        target: TargetName { name: "t".into(), environment: None, provider: "p".into(), id: "t".into() },
        revision: Revision { commit: None, name: "HEAD".into(), dirty: false, merged: false },
        base: None,
        applied_at: None,
        changes,
        unchanged: 0,
        owned: 0,
        external: 0,
        complete: true,
        notes: Vec::new(),
    }
}

/// A change of an object that is ours, which leaves it as desired.
pub fn change(address: &str, action: Action, class: Class, sides: Sides<Value>) -> Change {
    Change {
        address: Address::new(address),
        action,
        class,
        origin: None,
        fields: Vec::new(),
        after: sides.desired.clone(),
        sides,
        owned: true,
        writer: None,
        commits: Vec::new(),
        unknown: None,
        notes: Vec::new(),
    }
}
