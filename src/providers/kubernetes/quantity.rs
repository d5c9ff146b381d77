//! Amounts that can be written in several ways.

use crate::model::value::Value;

/// Whether two scalars are one quantity in different words: `1000m` and `1`.
pub(super) fn same_quantity(one: &Value, other: &Value) -> bool {
    match (quantity(one), quantity(other)) {
        (Some(one), Some(other)) => one == other,
        _ => false,
    }
}

/// A Kubernetes quantity in thousandths.
fn quantity(value: &Value) -> Option<i128> {
    let text = match value {
        Value::String(text) => text.to_string(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let at = text.find(|character: char| !character.is_ascii_digit() && !".+-".contains(character));
    let (digits, suffix) = text.split_at(at.unwrap_or(text.len()));
    let scale: i128 = match suffix {
        "" => 1000,
        "m" => 1,
        "k" => 1_000_000,
        "M" => 1_000_000_000,
        "G" => 1_000_000_000_000,
        "T" => 1_000_000_000_000_000,
        "Ki" => 1000 << 10,
        "Mi" => 1000 << 20,
        "Gi" => 1000 << 30,
        "Ti" => 1000 << 40,
        _ => return None,
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let places = u32::try_from(fraction.len()).ok().filter(|places| *places <= 9)?;
    let units: i128 = format!("{whole}{fraction}").parse().ok()?;
    let power = 10_i128.pow(places);
    (units * scale % power == 0).then(|| units * scale / power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_compared_by_what_they_mean() {
        let same = |one: &str, other: &str| same_quantity(&Value::string(one), &Value::string(other));
        assert!(same("1000m", "1") && same("1Gi", "1024Mi") && same("0.5", "500m") && same("1k", "1000"));
        assert!(!same("1", "2") && !same("web", "web2") && !same("", ""));
    }
}
