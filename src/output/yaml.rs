//! Values as YAML that every reader takes for what they are.
//!
//! The usual emitters leave words such as `on` or `0x_F` bare, which kubectl
//! reads as a boolean or a number; here everything that is not plainly a word
//! stands between quotes.

use std::{borrow::Cow, fmt::Write as _};

use serde_json::Value as Json;

use crate::model::{address::steers_terminal, redact::Shown};

/// The document that shows `value`, with a line feed at the end.
pub fn document(value: &Shown) -> String {
    let mut text = String::new();
    block(value, 0, &mut text);
    text
}

/// Writes `value` as whole lines.
fn block(value: &Shown, indent: usize, out: &mut String) {
    match &*grown(value) {
        Shown::Map(fields) if !fields.is_empty() => {
            for (key, value) in fields {
                out.extend(std::iter::repeat_n(' ', indent));
                out.push_str(&string(key));
                out.push(':');
                child(value, indent, out);
            }
        }
        Shown::List(items) if !items.is_empty() => {
            for item in items {
                let mut inner = String::new();
                block(item, indent + 2, &mut inner);
                out.extend(std::iter::repeat_n(' ', indent));
                out.push_str("- ");
                out.push_str(&inner[indent + 2..]);
            }
        }
        other => {
            out.extend(std::iter::repeat_n(' ', indent));
            out.push_str(&scalar(other, indent));
            out.push('\n');
        }
    }
}

/// Writes what follows a key.
fn child(value: &Shown, indent: usize, out: &mut String) {
    match &*grown(value) {
        map @ Shown::Map(fields) if !fields.is_empty() => {
            out.push('\n');
            block(map, indent + 2, out);
        }
        list @ Shown::List(items) if !items.is_empty() => {
            out.push('\n');
            block(list, indent, out);
        }
        other => {
            let _ = writeln!(out, " {}", scalar(other, indent + 2));
        }
    }
}

/// The value with lists and mappings of JSON in the form that has names for them.
fn grown(value: &Shown) -> Cow<'_, Shown> {
    match value {
        Shown::Plain(Json::Array(items)) => {
            Cow::Owned(Shown::List(items.iter().cloned().map(Shown::Plain).collect()))
        }
        Shown::Plain(Json::Object(fields)) => {
            let field = |(key, value): (&String, &Json)| (key.as_str().into(), Shown::Plain(value.clone()));
            Cow::Owned(Shown::Map(fields.iter().map(field).collect()))
        }
        other => Cow::Borrowed(other),
    }
}

/// A value without parts; `indent` is where further lines of it would start.
fn scalar(value: &Shown, indent: usize) -> String {
    match value {
        Shown::Map(_) => "{}".to_owned(),
        Shown::List(_) => "[]".to_owned(),
        Shown::Hidden(number) => format!("(sensitive) #{number}"),
        Shown::Plain(Json::String(text)) => text_scalar(text, indent),
        Shown::Plain(plain) => plain.to_string(),
        Shown::Content { bytes: Some(bytes), id, .. } => match std::str::from_utf8(bytes) {
            Ok(text) => text_scalar(text, indent),
            Err(_) => format!("({} bytes, blob {id})", bytes.len()),
        },
        Shown::Content { id, size: Some(size), .. } => format!("({size} bytes, blob {id})"),
        Shown::Content { id, .. } => format!("(blob {id})"),
    }
}

/// A text of several lines as a literal block where that keeps it as it is.
fn text_scalar(text: &str, indent: usize) -> String {
    let odd = |character: char| character != '\n' && character != '\t' && steers_terminal(character);
    let body = text.trim_end_matches('\n');
    if !body.contains('\n') || body.starts_with([' ', '\t', '\n']) || text.chars().any(odd) {
        return string(text);
    }
    let mark = match text.len() - body.len() {
        0 => "|-",
        1 => "|",
        _ => "|+",
    };
    let mut lines = mark.to_owned();
    for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
        let indent = if line.is_empty() { 0 } else { indent.max(2) };
        let _ = write!(lines, "\n{:indent$}{line}", "");
    }
    lines
}

/// One line: bare if nobody can take it for anything but this text, else between quotes.
fn string(text: &str) -> String {
    let fits = |character: char| character.is_ascii_alphanumeric() || "/_.@-+".contains(character);
    let starts = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '/');
    // A colon or a blank inside is harmless as long as no blank follows or precedes it.
    let inside = text.split([' ', ':']).all(|word| !word.is_empty() && word.chars().all(fits));
    if starts && inside && !is_keyword(text) {
        return text.to_owned();
    }
    let quoted = Json::String(text.to_owned()).to_string();
    quoted.chars().fold(String::with_capacity(quoted.len()), |mut all, character| {
        match steers_terminal(character) {
            true => all.push_str(&escaped(character)),
            false => all.push(character),
        }
        all
    })
}

fn escaped(character: char) -> String {
    match u32::from(character) {
        code @ 0..=0xffff => format!("\\u{code:04x}"),
        code => format!("\\U{code:08x}"),
    }
}

/// The words that some version of YAML takes for a boolean or for null.
fn is_keyword(text: &str) -> bool {
    const WORDS: [&str; 9] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];
    WORDS.iter().any(|word| word.eq_ignore_ascii_case(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::redact::Shown;

    fn plain(json: &str) -> Shown {
        Shown::Plain(serde_json::from_str(json).unwrap())
    }

    #[test]
    fn documents_look_as_people_write_them() {
        let value = plain(
            r#"{"kind":"Deployment","spec":{"replicas":3,"args":["--x","on",["a",1]],"none":{},
                "containers":[{"image":"web:1.2","env":[{"name":"A","value":"a b"}]}]},"text":"one\ntwo\n"}"#,
        );
        assert_eq!(
            document(&value),
            "kind: Deployment\nspec:\n  replicas: 3\n  args:\n  - \"--x\"\n  - \"on\"\n  - - a\n    - 1\n  none: {}\n  \
             containers:\n  - image: web:1.2\n    env:\n    - name: A\n      value: a b\ntext: |\n  one\n  two\n"
        );
    }

    #[test]
    fn ambiguous_words_are_quoted() {
        for text in [
            "",
            "yes",
            "No",
            "ON",
            "off",
            "y",
            "N",
            "true",
            "Null",
            "~",
            "1_000",
            "0B11",
            "0x_F",
            "1:30",
            "2001-12-14",
            ".inf",
            ".5",
            "-1",
            "+1",
            "a: b",
            "a #b",
            "a:",
            " a",
            "a ",
            "*a",
            "&a",
            "!a",
            "%a",
            "@a",
            "`a",
            "[a",
            "{a",
            "<<",
            "=",
            "- a",
            "? a",
            "a\u{9b}b",
            "a\nb: c\n\x1b",
            "012",
            "1e3",
        ] {
            assert!(string(text).starts_with('"'), "{text:?} became {}", string(text));
        }
    }

    #[test]
    fn hidden_values_are_numbered() {
        let value = Shown::Map(vec![("password".into(), Shown::Hidden(2))]);
        assert_eq!(document(&value), "password: (sensitive) #2\n");
    }

    proptest::proptest! {
        #[test]
        fn every_text_is_read_back(key in "\\PC{0,6}|[a-z]{1,3}", text in "[ a-z:#\n\t\\-|>\"'\x1b\u{9b}é0-9]{0,20}|\\PC*") {
            let value = Shown::Map(vec![
                (key.as_str().into(), Shown::List(vec![Shown::Plain(text.clone().into())])),
            ]);
            let read: serde_yaml::Value = serde_yaml::from_str(&document(&value)).unwrap();
            proptest::prop_assert_eq!(read[key.as_str()][0].as_str(), Some(text.as_str()), "{}", document(&value));
        }
    }
}
