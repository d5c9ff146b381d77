//! Amounts that can be written in several ways: `1000m` and `1`.

use crate::model::value::Value;

/// The suffixes with what they stand for, in thousandths.
const DECIMAL: [(&str, i128); 8] = [
    ("m", 1),
    ("", 1000),
    ("k", 1_000_000),
    ("M", 1_000_000_000),
    ("G", 1_000_000_000_000),
    ("T", 1_000_000_000_000_000),
    ("P", 1_000_000_000_000_000_000),
    ("E", 1_000_000_000_000_000_000_000),
];

const BINARY: [(&str, i128); 6] = [
    ("Ki", 1000 << 10),
    ("Mi", 1000 << 20),
    ("Gi", 1000 << 30),
    ("Ti", 1000 << 40),
    ("Pi", 1000 << 50),
    ("Ei", 1000 << 60),
];

/// An amount.
#[derive(Clone, Copy)]
struct Quantity {
    /// In thousandths.
    amount: i128,
    /// Written in powers of 1024.
    is_binary: bool,
}

/// Whether two scalars are one amount in different words.
pub fn same_quantity(one: &Value, other: &Value) -> bool {
    match (read(one), read(other)) {
        (Some(one), Some(other)) => one.amount == other.amount,
        _ => false,
    }
}

/// An amount as the server writes it; `None` if it is none, or one that the server may round.
pub fn canonical(value: &Value) -> Option<String> {
    let Quantity { amount, is_binary } = read(value)?;
    if !(0..=i128::from(i64::MAX)).contains(&amount) {
        return None;
    }
    let is_whole = amount % 1000 == 0 && amount >= 1024 * 1000;
    let steps: &[(&str, i128)] = if is_binary && is_whole { &BINARY } else { &DECIMAL };
    let fits = |(_, scale): &&(&str, i128)| amount % scale == 0 && amount >= *scale;
    match steps.iter().rev().find(fits) {
        Some((suffix, scale)) => Some(format!("{}{suffix}", amount / scale)),
        None => Some((amount / 1000).to_string()),
    }
}

fn read(value: &Value) -> Option<Quantity> {
    let text = match value {
        Value::String(text) => text.to_string(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let at = text.find(|character: char| !character.is_ascii_digit() && !".+-".contains(character));
    let (digits, suffix) = text.split_at(at.unwrap_or(text.len()));
    let find = |steps: &[(&str, i128)]| steps.iter().find(|step| step.0 == suffix).map(|step| step.1);
    let (scale, is_binary) = match find(&BINARY) {
        Some(scale) => (scale, true),
        None => (find(&DECIMAL)?, false),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let places = u32::try_from(fraction.len()).ok().filter(|places| *places <= 9)?;
    let units: i128 = Some(format!("{whole}{fraction}")).filter(|text| text.len() <= 18)?.parse().ok()?;
    let power = 10_i128.pow(places);
    (units * scale % power == 0).then(|| Quantity { amount: units * scale / power, is_binary })
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

    #[test]
    fn quantities_are_written_as_the_server_writes_them() {
        for (declared, written) in [
            ("1000m", "1"),
            ("1500m", "1500m"),
            ("0.5", "500m"),
            ("1.50", "1500m"),
            ("2000", "2k"),
            ("1500", "1500"),
            ("100000", "100k"),
            ("1000M", "1G"),
            ("1024Mi", "1Gi"),
            ("1.5Gi", "1536Mi"),
            ("1500Mi", "1500Mi"),
            ("1000Ki", "1000Ki"),
            ("0.5Ki", "512"),
            ("0.999Ki", "1022976m"),
            ("1.0001Ki", "1024102400u"),
            ("0m", "0"),
            ("0Gi", "0"),
            ("01", "1"),
        ] {
            let canonical = canonical(&Value::string(declared));
            match written.ends_with('u') {
                true => assert_eq!(canonical, None, "{declared}"),
                false => assert_eq!(canonical.as_deref(), Some(written), "{declared}"),
            }
        }
        assert_eq!(canonical(&Value::Number(1.into())).as_deref(), Some("1"));
        for none in ["", "web", "1e3", "-1", "100u", "1 Gi", "9E", "1.2.3", "1/2"] {
            assert_eq!(canonical(&Value::string(none)), None, "{none}");
        }
    }
}
