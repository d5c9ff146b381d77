//! Makes control characters of foreign text visible.

use std::{borrow::Cow, fmt::Write as _};

use crate::model::address::steers_terminal;

/// The text with everything that could steer a terminal or a CI log written as
/// an escape: `\n`, `\x1b`, `\u{202e}`. Always one line.
pub fn visible(text: &str) -> Cow<'_, str> {
    let shown = escape(text, |_| false);
    // At the start of a line, blanks aside, GitHub's runner takes this for a command.
    match shown.trim_start().starts_with("::") {
        true => Cow::Owned(shown.replacen("::", "\\::", 1)),
        false => shown,
    }
}

/// The same for one line of a file, whose tabs stay tabs and whose bytes need not be UTF-8.
pub fn visible_line(line: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(line) {
        Ok(text) => escape(text, |character| character == '\t'),
        Err(_) => Cow::Owned(line.utf8_chunks().fold(String::new(), |mut text, chunk| {
            text.push_str(&escape(chunk.valid(), |character| character == '\t'));
            chunk.invalid().iter().for_each(|byte| text.push_str(&format!("\\x{byte:02x}")));
            text
        })),
    }
}

fn escape(text: &str, keep: impl Fn(char) -> bool) -> Cow<'_, str> {
    let odd = |character: char| steers_terminal(character) && !keep(character);
    if !text.chars().any(odd) && !text.contains("##") {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '[' if begins_command(&shown) => shown.push_str("\\["),
            other if !odd(other) => shown.push(other),
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            other if other.is_ascii() => {
                let _ = write!(shown, "\\x{:02x}", u32::from(other));
            }
            other => {
                let _ = write!(shown, "\\u{{{:x}}}", u32::from(other));
            }
        }
    }
    Cow::Owned(shown)
}

/// Whether a bracket after `text` would make a command that CI runners obey
/// wherever it stands in a line: `##[error]`, `##vso[…]`, `##teamcity[…]`.
fn begins_command(text: &str) -> bool {
    text.trim_end_matches(|character: char| character.is_ascii_alphabetic()).ends_with("##")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_text_is_left_alone() {
        assert!(matches!(visible("übung #1 [x] C:\\temp"), Cow::Borrowed(_)));
    }

    #[test]
    fn what_steers_a_terminal_is_escaped() {
        assert_eq!(visible("a\x1b[31mb\r\n\u{202e}\u{9b}"), r"a\x1b[31mb\r\n\u{202e}\u{9b}");
        assert_eq!(visible_line(b"\tcaf\xe9\x07"), "\tcaf\\xe9\\x07");
        assert_eq!(visible("x ##[error]y ##vso[z"), r"x ##\[error]y ##vso\[z");
        assert_eq!(visible("## [a]"), "## [a]");
        assert_eq!(visible("::error::x"), r"\::error::x");
        assert_eq!(visible(" ::set-env x"), r" \::set-env x");
        assert_eq!(visible("a::b"), "a::b");
        assert_eq!(visible("a\u{ad}\u{180e}\u{fff9}\u{e0041}"), r"a\u{ad}\u{180e}\u{fff9}\u{e0041}");
    }

    proptest::proptest! {
        #[test]
        fn nothing_that_steers_is_left(text in "\\PC*|[\\x00-\\xff\u{200b}-\u{202f}#\\[]*") {
            let shown = visible(&text);
            proptest::prop_assert!(!shown.chars().any(steers_terminal));
            proptest::prop_assert!(!shown.contains("##["));
        }
    }
}
