//! Values on the wire: JSON in both directions.

use std::{
    cell::{OnceCell, RefCell},
    fmt,
    sync::Arc,
};

use serde::{
    de::{DeserializeSeed, MapAccess, SeqAccess, Visitor},
    ser::{Serialize, SerializeMap, SerializeSeq, Serializer},
};
use serde_json::Number;

use crate::model::value::{Map, Value};

/// Reads one JSON text.
pub fn read(bytes: &[u8]) -> Result<Value, serde_json::Error> {
    let keys = Keys::default();
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = keys.seed().deserialize(&mut reader)?;
    reader.end()?;
    Ok(value)
}

/// Writes a value for the server, secrets in clear.
pub fn write(value: &Value) -> Vec<u8> {
    // Neither numbers nor keys of a `Value` can fail to be JSON.
    serde_json::to_vec(&Wire(value)).unwrap_or_default()
}

/// A value as the server gets it.
struct Wire<'a>(&'a Value);

impl Serialize for Wire<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(flag) => serializer.serialize_bool(*flag),
            Value::Number(number) => number.serialize(serializer),
            Value::String(text) => serializer.serialize_str(text),
            Value::Blob(blob) => serializer.serialize_str(blob.text().unwrap_or_default()),
            Value::Sensitive(inner) => Wire(inner).serialize(serializer),
            Value::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                items.iter().try_for_each(|item| list.serialize_element(&Wire(item)))?;
                list.end()
            }
            Value::Map(map) => {
                let mut fields = serializer.serialize_map(Some(map.len()))?;
                map.iter().try_for_each(|(key, value)| fields.serialize_entry(&**key, &Wire(value)))?;
                fields.end()
            }
        }
    }
}

/// How many keys are remembered.
const SLOTS: usize = 256;

/// What recurs in one text and is mostly kept once: keys, each in the slot that its letters choose until another one
/// takes it, and mappings of nothing, which is what most fields of `managedFields` are.
#[derive(Default)]
pub struct Keys {
    slots: RefCell<Vec<Option<Arc<str>>>>,
    nothing: OnceCell<Arc<Map>>,
}

impl Keys {
    /// What reads a value.
    pub fn seed(&self) -> Seed<'_> {
        Seed(self)
    }

    fn key(&self, text: &str) -> Arc<str> {
        let mut slots = self.slots.borrow_mut();
        if slots.is_empty() {
            slots.resize(SLOTS, None);
        }
        let place = text.bytes().fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        let slot = &mut slots[place % SLOTS];
        match slot {
            Some(key) if **key == *text => key.clone(),
            _ => slot.insert(text.into()).clone(),
        }
    }
}

/// Reads a value.
#[derive(Clone, Copy)]
pub struct Seed<'a>(&'a Keys);

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Number::from_f64(number).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::string(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let Some(first) = fields.next_key_seed(KeySeed(self))? else {
            return Ok(Value::Map(self.0.nothing.get_or_init(Arc::default).clone()));
        };
        let mut map = Map::new();
        map.insert(first, fields.next_value_seed(self)?);
        while let Some(key) = fields.next_key_seed(KeySeed(self))? {
            map.insert(key, fields.next_value_seed(self)?);
        }
        Ok(Value::from(map))
    }
}

struct KeySeed<'a>(Seed<'a>);

impl<'de> DeserializeSeed<'de> for KeySeed<'_> {
    type Value = Arc<str>;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Arc<str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeySeed<'_> {
    type Value = Arc<str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, text: &str) -> Result<Arc<str>, E> {
        Ok(self.0.0.key(text))
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_written_is_what_was_read() {
        let text = r#"{"a":[1,-2,2.5,true,null,"x\n"],"b":{"c":{}}}"#;
        assert_eq!(super::write(&super::read(text.as_bytes()).unwrap()), text.as_bytes());
    }

    #[test]
    fn half_a_text_is_no_value() {
        assert!(super::read(br#"{"a":[1,"#).is_err());
        assert!(super::read(br#"{} {}"#).is_err());
    }
}
