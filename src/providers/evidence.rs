//! What declared and actual values say of each other, for providers that compare whole objects.

use std::collections::BTreeMap;

use super::Query;
use crate::model::{
    address::Address,
    change::ThreeWay,
    explain::{Basis, Reason},
    object::{Actual, Observed},
    path::escape,
    value::Value,
};

/// Reasons by object.
pub type Reasons = BTreeMap<Address, Vec<Reason>>;

/// Explains the answers that `query` wants explained; `read` says how an object was read.
pub fn explain(query: &Query<'_>, actual: &Actual, read: impl Fn(&Address) -> Vec<Reason>) -> Reasons {
    let asked = query.explain.iter().filter_map(|address| {
        let sides = query.objects.get(address)?;
        let mut reasons = read(address);
        reasons.extend(compared(sides, actual.objects.get(address)?));
        Some((address.clone(), reasons))
    });
    asked.collect()
}

/// Whether anything is not as it is declared, or cannot be told.
pub fn differs(query: &Query<'_>, actual: &Actual) -> bool {
    actual.objects.iter().any(|(address, observed)| {
        let sides = query.objects.get(address).copied().unwrap_or_default();
        let expected = if query.declared.is_some() { sides.desired } else { sides.desired.or(sides.base) };
        match observed {
            Observed::Unknown { .. } => true,
            Observed::Absent => expected.is_some(),
            Observed::Present(state) => expected != Some(&state.value),
        }
    })
}

fn compared(sides: &ThreeWay<&Value>, observed: &Observed) -> Vec<Reason> {
    let state = match observed {
        // The plan says why.
        Observed::Unknown { .. } => return Vec::new(),
        Observed::Absent => return vec![Basis::Read.says("the target says that it is not there")],
        Observed::Present(state) => state,
    };
    let Some(desired) = sides.desired else {
        return vec![Basis::Read.says("it is there, and is not declared")];
    };
    let (Value::Map(declared), Value::Map(there)) = (desired, &state.value) else {
        let word = if *desired == state.value { "is" } else { "is not" };
        return vec![Basis::Comparison.says(format!("what is there {word} what is declared"))];
    };
    let fields = declared.iter().map(|(key, value)| {
        let text = match there.get(&**key) {
            Some(found) => held(value, found),
            None => "declared, and not there".to_owned(),
        };
        Basis::Comparison.says_at(format!("/{}", escape(key)), text)
    });
    let mut reasons: Vec<Reason> = fields.collect();
    let equal = declared.iter().filter(|(key, value)| there.get(&**key) == Some(*value)).count();
    reasons.push(Basis::Comparison.says(format!("{equal} of {} declared fields are equal", declared.len())));
    reasons
}

fn held(declared: &Value, there: &Value) -> String {
    match (declared, there) {
        (Value::Blob(declared), Value::Blob(there)) if declared == there => {
            format!("equal: both have the blob id {}", there.id)
        }
        (Value::Blob(declared), Value::Blob(there)) => {
            format!("different: declared is blob {}, there is blob {}", declared.id, there.id)
        }
        _ if declared == there => "equal".to_owned(),
        _ => "different".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::object::State;

    #[test]
    fn secrets_are_compared_and_not_told() {
        let secret = |text: &str| Value::map([("key", Value::Sensitive(Box::new(Value::string(text))))]);
        let (declared, there) = (secret("canary-one"), secret("canary-two"));
        let sides = ThreeWay { desired: Some(&declared), ..ThreeWay::default() };
        let state = State { value: there, writer: None, ignored: None, notes: Vec::new() };
        let reasons = compared(&sides, &Observed::Present(Box::new(state)));
        assert!(!format!("{reasons:?}").contains("canary"));
        assert_eq!(reasons[0], Basis::Comparison.says_at("/key", "different"));
        assert_eq!(reasons[1].text, "0 of 1 declared fields are equal");
    }
}
