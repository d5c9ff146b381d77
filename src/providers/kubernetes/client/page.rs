//! One page of a list, object by object: no page is ever held as a whole tree.

use std::{borrow::Cow, fmt};

use serde::de::{DeserializeSeed, Deserializer as _, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Error;

use super::json::Keys;
use crate::model::value::Value;

/// Reads the text of a page: tells `next` of the token of the page after it, which mostly comes first, and
/// hands every object to `each`.
///
/// # Errors
/// It is no whole list; some of its objects may have been handed over then.
pub fn read(bytes: &[u8], mut next: impl FnMut(&str), mut each: impl FnMut(Value)) -> Result<(), Error> {
    let keys = Keys::default();
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    reader.deserialize_map(Page { keys: &keys, next: &mut next, each: &mut each })?;
    reader.end()
}

/// What reads the list around the objects.
struct Page<'a> {
    keys: &'a Keys,
    next: &'a mut dyn FnMut(&str),
    each: &'a mut dyn FnMut(Value),
}

impl<'de> Visitor<'de> for Page<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of objects")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let mut has_items = false;
        while let Some(key) = fields.next_key::<Cow<'_, str>>()? {
            match &*key {
                "items" => {
                    has_items = true;
                    fields.next_value_seed(Items { keys: self.keys, each: &mut *self.each })?;
                }
                "metadata" => {
                    let metadata = fields.next_value_seed(self.keys.seed())?;
                    let token = metadata.get("continue").and_then(Value::as_str);
                    token.filter(|token| !token.is_empty()).into_iter().for_each(&mut *self.next);
                }
                _ => _ = fields.next_value::<IgnoredAny>()?,
            }
        }
        has_items.then_some(()).ok_or_else(|| A::Error::custom("the list has no items"))
    }
}

/// What reads the objects.
struct Items<'a> {
    keys: &'a Keys,
    each: &'a mut dyn FnMut(Value),
}

impl<'de> DeserializeSeed<'de> for Items<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Items<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("objects")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while let Some(item) = items.next_element_seed(self.keys.seed())? {
            (self.each)(item);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(text: &str) -> Result<(Vec<String>, usize), Error> {
        let (mut tokens, mut count) = (Vec::new(), 0);
        read(text.as_bytes(), |token| tokens.push(token.to_owned()), |_| count += 1)?;
        Ok((tokens, count))
    }

    #[test]
    fn every_object_is_handed_over_and_the_next_page_named() {
        let text = r#"{"kind":"XList","metadata":{"continue":"abc"},"items":[{"a":1},{}]}"#;
        assert_eq!(read_all(text).unwrap(), (vec!["abc".to_owned()], 2));
        let text = r#"{"items":[{}],"metadata":{"continue":""}}"#;
        assert_eq!(read_all(text).unwrap(), (Vec::new(), 1));
        assert_eq!(read_all(r#"{"items":null}"#).unwrap(), (Vec::new(), 0));
    }

    #[test]
    fn half_a_list_is_none() {
        for text in
            [r#"{"items":[{},{}"#, r#"{"items":[{}]"#, "{}", "[]", r#"{"items":{}}"#, r#"{"items":[]}x"#]
        {
            assert!(read_all(text).is_err(), "{text}");
        }
    }
}
