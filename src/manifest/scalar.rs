//! What a plain scalar means: the rules of the YAML reader inside kubectl.

use serde_json::Number;

use super::intern;
use crate::model::value::Value;

/// What a plain scalar was read as.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// Every YAML reader agrees.
    Plain(Value),
    /// YAML 1.2 reads it as something else; a person should write it unmistakably.
    Ambiguous(Value),
    /// JSON, and so Kubernetes, has no such value.
    Impossible,
}

/// Reads a plain scalar.
pub fn resolve(text: &str) -> Reading {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Reading::Plain(Value::Null),
        "true" | "True" | "TRUE" => return Reading::Plain(Value::Bool(true)),
        "false" | "False" | "FALSE" => return Reading::Plain(Value::Bool(false)),
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => {
            return Reading::Ambiguous(Value::Bool(true));
        }
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => {
            return Reading::Ambiguous(Value::Bool(false));
        }
        ".nan" | ".NaN" | ".NAN" | ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" | "-.inf"
        | "-.Inf" | "-.INF" => return Reading::Impossible,
        _ => {}
    }
    let numeric = matches!(text.as_bytes().first(), Some(b'+' | b'-' | b'.' | b'0'..=b'9'));
    match numeric.then(|| number(text)).flatten() {
        Some((value, true)) => Reading::Ambiguous(value),
        Some((value, false)) => Reading::Plain(value),
        None => Reading::Plain(Value::String(intern::shared(text))),
    }
}

/// A number, and whether YAML 1.2 reads it as something else.
fn number(text: &str) -> Option<(Value, bool)> {
    let stripped: String = text.chars().filter(|character| *character != '_').collect();
    let grouped = stripped.len() != text.len();
    if !text.starts_with('.')
        && let Some((value, based)) = integer(&stripped)
    {
        return Some((value, grouped || based));
    }
    if !is_float(&stripped) {
        return None;
    }
    let value: f64 = stripped.parse().ok().filter(|value: &f64| value.is_finite())?;
    let old_octal = stripped.len() > 1 && stripped.bytes().all(|byte| byte.is_ascii_digit());
    Some((float(value)?, grouped || old_octal && stripped.starts_with('0')))
}

/// An integer in any base that Go's base 0 knows, and whether the base is one that YAML 1.2 lacks.
fn integer(text: &str) -> Option<(Value, bool)> {
    let (negative, digits) = match text.strip_prefix(['+', '-']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    let lower = digits.to_ascii_lowercase();
    let (radix, body, based) = match lower.as_bytes() {
        [b'0', b'x', ..] => (16, &lower[2..], !text.starts_with("0x")),
        [b'0', b'o', ..] => (8, &lower[2..], !text.starts_with("0o")),
        [b'0', b'b', ..] => (2, &lower[2..], true),
        [b'0', _, ..] => (8, &lower[1..], true),
        _ => (10, &lower[..], false),
    };
    if body.is_empty() || !body.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    let magnitude = i128::from(u64::from_str_radix(body, radix).ok()?);
    let value = if negative { -magnitude } else { magnitude };
    let value = match i64::try_from(value) {
        Ok(whole) => Value::Number(whole.into()),
        // What lies beyond is a 64-bit float once it is JSON in Go.
        Err(_) if negative => return None,
        Err(_) => float(value as f64)?,
    };
    Some((value, based))
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn is_float(text: &str) -> bool {
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let mantissa = match mantissa.split_once('.') {
        Some(("", fraction)) => digits(fraction),
        Some((whole, fraction)) => digits(whole) && (fraction.is_empty() || digits(fraction)),
        None => digits(mantissa),
    };
    mantissa && exponent.is_none_or(|text| digits(text.strip_prefix(['+', '-']).unwrap_or(text)))
}

/// A float as Go writes it into JSON: without a fraction where it has none.
fn float(value: f64) -> Option<Value> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && value.abs() <= EXACT {
        return Some(Value::Number((value as i64).into()));
    }
    Number::from_f64(value).map(Value::Number)
}
