//! Declarations as a person would write them: what is imported or adopted.

use serde_json::Value as Json;

use crate::yaml::emit::{Quotes, flow, scalar};

/// The fields of an object as an item of a list, each in a line of its own.
pub fn item(object: &Json, indent: usize) -> String {
    let space = " ".repeat(indent);
    let fields = object.as_object().into_iter().flatten();
    let lines = fields.enumerate().map(|(index, (key, value))| {
        let mark = if index == 0 { "- " } else { "  " };
        let (key, value) = (scalar(key, Quotes::AsNeeded), flow(value, Quotes::AsNeeded));
        format!("{space}{mark}{key}: {value}\n")
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::providers::rest::declare::yaml;

    #[test]
    fn what_is_written_is_read_back() {
        let object = json!({"name": "a: b", "n": 1, "t": "true", "e": "", "z": "007", "l": ["x", "- y", "é\u{1}"], "m": {"k": null, "#": "*a"}});
        let text = item(&object, 2);
        let read = yaml::documents(text.as_bytes()).unwrap().remove(0).to_json();
        assert_eq!(read, json!([object]));
    }

    #[test]
    fn plain_words_stay_plain() {
        let list = json!(["main", "release/1", "no", "@x"]);
        assert_eq!(flow(&list, Quotes::AsNeeded), "[main, release/1, \"no\", \"@x\"]");
    }
}
