//! YAML as a person would write it: for declarations that are imported or adopted.

use serde_json::Value as Json;

/// `value` in one line.
pub fn flow(value: &Json) -> String {
    match value {
        Json::String(text) => scalar(text),
        Json::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Json::Object(map) => {
            let fields = map.iter().map(|(key, value)| format!("{}: {}", scalar(key), flow(value)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

/// The fields of an object as an item of a list, each in a line of its own.
pub fn item(object: &Json, indent: usize) -> String {
    let space = " ".repeat(indent);
    let fields = object.as_object().into_iter().flatten();
    let lines = fields.enumerate().map(|(index, (key, value))| {
        let mark = if index == 0 { "- " } else { "  " };
        format!("{space}{mark}{}: {}\n", scalar(key), flow(value))
    });
    lines.collect()
}

/// A text, quoted where a reader could take it for something else.
fn scalar(text: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || "-_./@+ ".contains(c);
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '_')
        && !text.ends_with(' ')
        && text.chars().all(safe)
        && !is_word(text);
    // JSON's strings are YAML's double-quoted ones.
    if plain { text.to_owned() } else { Json::String(text.to_owned()).to_string() }
}

/// The words that some reader of YAML takes for a flag or for nothing.
fn is_word(text: &str) -> bool {
    ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"]
        .contains(&text.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::providers::rest::yaml;

    #[test]
    fn what_is_written_is_read_back() {
        let object = json!({"name": "a: b", "n": 1, "t": "true", "e": "", "z": "007", "l": ["x", "- y", "é\u{1}"], "m": {"k": null, "#": "*a"}});
        let text = item(&object, 2);
        let read = yaml::documents(text.as_bytes()).unwrap().remove(0).to_json();
        assert_eq!(read, json!([object]));
    }

    #[test]
    fn plain_words_stay_plain() {
        assert_eq!(flow(&json!(["main", "release/1", "no", "@x"])), "[main, release/1, \"no\", \"@x\"]");
    }
}
