//! YAML as a person would write it, which every reader takes for the same.

use serde_json::Value as Json;

/// How texts and keys are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quotes {
    /// Where a reader could take them for something else.
    AsNeeded,
    /// Always, as JSON has it.
    Always,
}

/// `value` in one line.
pub fn flow(value: &Json, quotes: Quotes) -> String {
    match value {
        Json::String(text) => scalar(text, quotes),
        Json::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| flow(item, quotes)).collect();
            format!("[{}]", items.join(", "))
        }
        Json::Object(map) => {
            let fields =
                map.iter().map(|(key, value)| format!("{}: {}", scalar(key, quotes), flow(value, quotes)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

/// What follows `key:` or `-`, in lines that are indented by `indent` where it takes several.
pub fn block(value: &Json, indent: usize, eol: &str) -> String {
    let space = " ".repeat(indent);
    match value {
        Json::Object(map) if !map.is_empty() => {
            let fields = map.iter().map(|(key, value)| {
                format!("{eol}{space}{}:{}", scalar(key, Quotes::AsNeeded), block(value, indent + 2, eol))
            });
            fields.collect()
        }
        Json::Array(items) if !items.is_empty() => {
            items.iter().map(|value| format!("{eol}{space}-{}", item(value, indent + 2, eol))).collect()
        }
        Json::String(text) => {
            format!(" {}", literal(text, indent, eol).unwrap_or_else(|| scalar(text, Quotes::AsNeeded)))
        }
        other => format!(" {}", flow(other, Quotes::AsNeeded)),
    }
}

/// What follows the dash of an item whose fields are indented by `indent`.
pub fn item(value: &Json, indent: usize, eol: &str) -> String {
    let text = block(value, indent, eol);
    match value {
        // The first field stands beside the dash.
        Json::Object(map) if !map.is_empty() => format!(" {}", text.trim_start()),
        _ => text,
    }
}

/// A text of several lines as a block; `None` if it is none, or would not be read back.
pub fn literal(text: &str, indent: usize, eol: &str) -> Option<String> {
    let body = text.strip_suffix('\n').unwrap_or(text);
    let plain = |character: char| character == '\n' || character == '\t' || !character.is_control();
    let fits = body.contains('\n')
        && body.chars().all(plain)
        && !body.starts_with([' ', '\t', '\n'])
        && !body.ends_with('\n')
        && !body.contains(['\u{85}', '\u{2028}', '\u{2029}', '\u{feff}']);
    let mark = if text.ends_with('\n') { "|" } else { "|-" };
    let space = " ".repeat(indent);
    let line = |line: &str| if line.is_empty() { eol.to_owned() } else { format!("{eol}{space}{line}") };
    fits.then(|| mark.to_owned() + &body.split('\n').map(line).collect::<String>())
}

/// A text, quoted where a reader could take it for something else.
pub fn scalar(text: &str, quotes: Quotes) -> String {
    let safe = |character: char| character.is_ascii_alphanumeric() || "-_./@+: ".contains(character);
    let plain = quotes == Quotes::AsNeeded
        && text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '/' || first == '_')
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
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
