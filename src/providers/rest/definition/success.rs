//! Which answers mean that a write took place.

use schemars::JsonSchema;
use serde::{
    Deserialize, Deserializer,
    de::{
        MapAccess, SeqAccess, Visitor,
        value::{MapAccessDeserializer, SeqAccessDeserializer},
    },
};

use super::Condition;

/// What an answer has to be for a write to have taken place.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Success {
    /// The statuses.
    pub status: Vec<u16>,
    /// Where this does not hold for the answer, the server refused.
    pub when: Option<Condition>,
    /// Where this holds for the answer, the object was not what the request expects, and was left alone.
    pub conflict_when: Option<Condition>,
}

impl Success {
    /// Any status of success, whatever the answer holds.
    pub const ANY: &'static Success = &Success { status: Vec::new(), when: None, conflict_when: None };
}

/// How it is written: the statuses alone, or all of it.
#[derive(JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub enum Either {
    /// All of it.
    Whole(Box<Success>),
    /// The statuses.
    Statuses(Vec<u16>),
}

/// Reads either form.
pub fn either<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Success, D::Error> {
    deserializer.deserialize_any(Forms)
}

struct Forms;

impl<'de> Visitor<'de> for Forms {
    type Value = Success;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a list of statuses, or a mapping of `status`, `when` and `conflict_when`")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, statuses: A) -> Result<Success, A::Error> {
        let status = Deserialize::deserialize(SeqAccessDeserializer::new(statuses))?;
        Ok(Success { status, ..Success::default() })
    }

    fn visit_map<A: MapAccess<'de>>(self, keys: A) -> Result<Success, A::Error> {
        Success::deserialize(MapAccessDeserializer::new(keys))
    }
}
