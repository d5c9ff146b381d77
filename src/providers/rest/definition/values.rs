//! Which values a field, or an item of its list, may have.

use std::{borrow::Cow, cmp::Ordering, fmt};

use regex::Regex;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde_json::{Number, Value as Json};

/// The type of a value, as JSON Schema names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Type {
    /// A text.
    String,
    /// A whole number.
    Integer,
    /// Any number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A list.
    Array,
    /// A mapping.
    Object,
}

impl Type {
    fn holds(self, value: &Json) -> bool {
        match self {
            Type::String => value.is_string(),
            Type::Integer => value.is_i64() || value.is_u64(),
            Type::Number => value.is_number(),
            Type::Boolean => value.is_boolean(),
            Type::Array => value.is_array(),
            Type::Object => value.is_object(),
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Type::String => "a string",
            Type::Integer => "an integer",
            Type::Number => "a number",
            Type::Boolean => "`true` or `false`",
            Type::Array => "a list",
            Type::Object => "a mapping",
        })
    }
}

/// A regular expression that is found in a text; `^` and `$` bind it to the ends.
#[derive(Clone, Debug)]
pub struct Pattern(Regex);

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(from)?;
        let wrong = |error: regex::Error| {
            let last = error.to_string().lines().last().unwrap_or_default().to_owned();
            serde::de::Error::custom(format!("`{text}` is not a regular expression: {last}"))
        };
        Regex::new(&text).map(Pattern).map_err(wrong)
    }
}

impl JsonSchema for Pattern {
    fn schema_name() -> Cow<'static, str> {
        String::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        String::json_schema(generator)
    }

    fn inline_schema() -> bool {
        true
    }
}

/// What an item of a list may be.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Values {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: Option<Type>,
    /// The least number.
    pub minimum: Option<Number>,
    /// The greatest number.
    pub maximum: Option<Number>,
    /// A regular expression that a text has to match.
    pub pattern: Option<Pattern>,
    /// The only values there are.
    #[serde(rename = "enum")]
    pub allowed: Vec<Json>,
}

/// What a value is held against.
#[derive(Clone, Copy)]
pub struct Bounds<'a> {
    /// Its type.
    pub kind: Option<Type>,
    /// The least number.
    pub minimum: Option<&'a Number>,
    /// The greatest number.
    pub maximum: Option<&'a Number>,
    /// What a text has to match.
    pub pattern: Option<&'a Pattern>,
    /// The only values there are.
    pub allowed: &'a [Json],
}

impl Values {
    /// What an item is held against.
    pub fn bounds(&self) -> Bounds<'_> {
        Bounds::of(self.kind, [&self.minimum, &self.maximum], self.pattern.as_ref(), &self.allowed)
    }
}

impl<'a> Bounds<'a> {
    /// What a value of this type is held against, between `least` and `most`.
    pub fn of(
        kind: Option<Type>,
        [least, most]: [&'a Option<Number>; 2],
        pattern: Option<&'a Pattern>,
        allowed: &'a [Json],
    ) -> Self {
        Bounds { kind, minimum: least.as_ref(), maximum: most.as_ref(), pattern, allowed }
    }
}

impl Bounds<'_> {
    /// Why nothing can be `value`, which is shown as `shown`, if so. Null says that there is none.
    pub fn refuse(&self, value: &Json, shown: &str) -> Option<String> {
        if value.is_null() {
            return None;
        }
        if let Some(kind) = self.kind.filter(|kind| !kind.holds(value)) {
            let quote = kind == Type::String && (value.is_number() || value.is_boolean());
            let quote = if quote { ": quote it" } else { "" };
            return Some(format!("is {shown}, and has to be {kind}{quote}"));
        }
        let than = |bound: Option<&Number>, wrong: Ordering| {
            let number = value.as_number()?;
            bound.filter(|bound| compare(number, bound) == Some(wrong)).cloned()
        };
        if let Some(least) = than(self.minimum, Ordering::Less) {
            return Some(format!("is {shown}, and cannot be less than {least}"));
        }
        if let Some(most) = than(self.maximum, Ordering::Greater) {
            return Some(format!("is {shown}, and cannot be more than {most}"));
        }
        let unlike = |pattern: &&Pattern| value.as_str().is_some_and(|text| !pattern.0.is_match(text));
        if let Some(Pattern(pattern)) = self.pattern.filter(unlike) {
            return Some(format!("is {shown}, which does not match `{pattern}`"));
        }
        let others: Vec<String> = self.allowed.iter().map(Json::to_string).collect();
        (!others.is_empty() && !self.allowed.contains(value))
            .then(|| format!("is {shown}, and can be {}", others.join(", ")))
    }
}

fn compare(one: &Number, other: &Number) -> Option<Ordering> {
    match (one.as_i128(), other.as_i128()) {
        (Some(one), Some(other)) => Some(one.cmp(&other)),
        _ => one.as_f64()?.partial_cmp(&other.as_f64()?),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(values: Json, value: Json) -> Option<String> {
        let values: Values = serde_json::from_value(values).unwrap();
        values.bounds().refuse(&value, &value.to_string())
    }

    #[test]
    fn values_are_held_against_their_bounds() {
        let cases = [
            (json!({"type": "integer"}), json!("1h"), "has to be an integer"),
            (json!({"type": "integer"}), json!(1.5), "has to be an integer"),
            (json!({"type": "integer", "minimum": 0}), json!(-1), "less than 0"),
            (json!({"maximum": 2147483647}), json!(4294967295_u64), "more than 2147483647"),
            (json!({"minimum": 0.5}), json!(0), "less than 0.5"),
            (json!({"type": "string"}), json!(5), "quote it"),
            (json!({"type": "boolean"}), json!("yes"), "`true` or `false`"),
            (json!({"type": "object"}), json!([]), "a mapping"),
            (json!({"pattern": "^[a-z]+$"}), json!("A"), "does not match"),
            (json!({"enum": ["a", "b"]}), json!("c"), "can be \"a\", \"b\""),
        ];
        for (values, value, said) in cases {
            let message = refused(values.clone(), value.clone()).unwrap_or_default();
            assert!(message.contains(said), "{values} {value}: {message}");
        }
        let good = [
            (json!({"type": "integer", "minimum": 0, "maximum": 10}), json!(10)),
            (json!({"type": "integer"}), json!(u64::MAX)),
            (json!({"type": "string", "pattern": "b"}), json!("abc")),
            (json!({"type": "number"}), json!(1)),
            (json!({"type": "integer", "enum": [1]}), Json::Null),
        ];
        for (values, value) in good {
            assert_eq!(refused(values, value), None);
        }
    }

    #[test]
    fn a_pattern_that_does_not_compile_is_refused_where_it_stands() {
        let error = serde_json::from_value::<Values>(json!({"pattern": "["})).unwrap_err().to_string();
        assert!(error.contains("is not a regular expression"), "{error}");
    }
}
