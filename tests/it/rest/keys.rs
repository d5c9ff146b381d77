//! The page of all keys of a definition is made from the schema.

use std::{env, fmt::Write as _, fs, path::Path};

use serde_json::Value as Json;

use crate::sandbox::Sandbox;

const PAGE: &str = "src/providers/rest/definitions/KEYS.md";

#[test]
fn the_page_of_keys_is_that_of_the_schema() {
    let schema = Sandbox::new().trueup(&["schema", "rest"]).expect(0).stdout;
    let wanted = page(&serde_json::from_str(&schema).unwrap());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    if env::var_os("TRUEUP_BLESS").is_some() {
        fs::write(&path, &wanted).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(found == wanted, "{PAGE} is stale; `TRUEUP_BLESS=1 cargo test keys` makes it anew");
}

fn page(schema: &Json) -> String {
    let mut page = String::from(
        "# Every key of a definition\n\nMade from `trueup schema rest`. [Writing a definition](README.md) tells how to use them.\n",
    );
    section(&mut page, "Definition", schema);
    for (name, schema) in schema["$defs"].as_object().unwrap() {
        section(&mut page, name, schema);
    }
    page
}

fn section(page: &mut String, name: &str, schema: &Json) {
    writeln!(page, "\n## {name}\n\n{}\n", text(schema)).unwrap();
    if let Some(words) = schema["oneOf"].as_array() {
        let rows = words.iter().map(|word| format!("| `{}` | {} |\n", plain(&word["const"]), text(word)));
        write!(page, "| value | meaning |\n|---|---|\n{}", rows.collect::<String>()).unwrap();
    }
    let Some(keys) = schema["properties"].as_object() else { return };
    writeln!(page, "| key | value | meaning |\n|---|---|---|").unwrap();
    for (key, value) in keys {
        let required =
            schema["required"].as_array().is_some_and(|all| all.contains(&Json::from(key.as_str())));
        let more = match (&value["default"], required) {
            (_, true) => " (required)".to_owned(),
            (Json::Bool(true) | Json::Number(_) | Json::String(_) | Json::Array(_), _)
                if !is_empty(&value["default"]) =>
            {
                format!(" (`{}` without)", plain(&value["default"]))
            }
            _ => String::new(),
        };
        writeln!(page, "| `{key}` | {} | {}{more} |", kind(value), text(value)).unwrap();
    }
}

fn is_empty(value: &Json) -> bool {
    value == "" || value.as_array().is_some_and(Vec::is_empty)
}

fn plain(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn text(schema: &Json) -> String {
    schema["description"].as_str().unwrap_or_default().replace('\n', " ").replace('|', "\\|")
}

/// What a value is, in words, with a link to its section if it has one.
fn kind(schema: &Json) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|name| name.rsplit('/').next()) {
        return format!("[{name}](#{})", name.to_lowercase());
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        let some = choices.iter().filter(|choice| choice["type"] != "null");
        return some.map(kind).collect::<Vec<_>>().join(" or ");
    }
    if schema["additionalProperties"].is_object() {
        return format!("mapping of {}", kind(&schema["additionalProperties"]));
    }
    let name = schema["type"].as_str().or_else(|| schema["type"][0].as_str());
    match name {
        Some("array") if schema["prefixItems"].is_array() => "list of two texts".to_owned(),
        Some("array") => format!("list of {}", kind(&schema["items"])),
        Some("string") => "text".to_owned(),
        Some("integer") => "number".to_owned(),
        Some("boolean") => "true or false".to_owned(),
        _ => "any value".to_owned(),
    }
}
