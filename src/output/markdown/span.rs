//! Foreign text inside Markdown, where it can do nothing but be read.

use crate::output::visible::visible;

/// How long a name may be in a heading, in bytes.
const SHORT: usize = 40;

/// The text as a code span: no HTML, no links, no mentions.
pub fn code(text: &str) -> String {
    let text = visible(text);
    if text.trim().is_empty() {
        return "(empty)".to_owned();
    }
    let marks = "`".repeat(longest_run(&text) + 1);
    let pad = if text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) { " " } else { "" };
    format!("{marks}{pad}{text}{pad}{marks}")
}

/// The same for a heading, where space is promised: long text is cut.
pub fn short(text: &str) -> String {
    let text = visible(text);
    match text.len() <= SHORT {
        true => code(&text),
        false => code(&format!("{}…", &text[..text.floor_char_boundary(SHORT)])),
    }
}

/// The text for HTML.
pub fn html(text: &str) -> String {
    let text = visible(text);
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;").replace('`', "&#96;")
}

/// The text for the hidden mark of a comment: letters, digits, `.`, `_` and single `-`.
pub fn mark(text: &str) -> String {
    let mut mark = String::new();
    for character in text.chars().take(SHORT) {
        match character {
            fine if fine.is_ascii_alphanumeric() || fine == '.' || fine == '_' => mark.push(fine),
            _ if !mark.ends_with('-') => mark.push('-'),
            _ => {}
        }
    }
    mark.trim_matches('-').to_owned()
}

/// A block of `text`, which ends with a line feed, that nothing inside can end.
pub fn fence(language: &str, text: &str) -> String {
    let marks = "`".repeat((longest_run(text) + 1).max(3));
    format!("{marks}{language}\n{text}{marks}\n")
}

/// The longest run of backticks.
fn longest_run(text: &str) -> usize {
    text.split(|character| character != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_spans_hold_what_they_are_given() {
        assert_eq!(code("a b"), "`a b`");
        assert_eq!(code("`x``y"), "``` `x``y ```");
        assert_eq!(code("a\n@all"), r"`a\n@all`");
        assert_eq!(code(" "), "(empty)");
    }

    #[test]
    fn html_and_marks_hold_no_markup() {
        assert_eq!(html("</details>&`"), "&lt;/details&gt;&amp;&#96;");
        assert_eq!(mark("a --> <b>"), "a-b");
    }

    #[test]
    fn fences_are_longer_than_what_they_hold() {
        assert_eq!(fence("diff", " ````\n"), "`````diff\n ````\n`````\n");
    }
}
