//! Templates of definitions: URIs (RFC 6570, levels 1 and 2) and JSON bodies.

mod body;

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

pub use self::body::{Ingredients, Template};

/// What a template may name.
pub type Variables = BTreeMap<String, String>;

/// Everything but RFC 3986's unreserved characters.
pub const STRICT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// `STRICT` without the reserved characters, for `{+name}`; those that end a path stay encoded.
const LOOSE: &AsciiSet = &STRICT
    .remove(b':')
    .remove(b'/')
    .remove(b'[')
    .remove(b']')
    .remove(b'@')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=');

/// The parts of `template`: text, and names between braces.
fn parts(template: &str) -> Result<Vec<(&str, Option<&str>)>, String> {
    let mut parts = Vec::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) =
            after.split_once('}').ok_or_else(|| format!("`{template}` has a `{{` without its `}}`"))?;
        parts.push((before, Some(name)));
        rest = after;
    }
    parts.push((rest, None));
    Ok(parts)
}

/// The names that `template` uses.
///
/// # Errors
/// A brace that is not closed.
pub fn names(template: &str) -> Result<Vec<&str>, String> {
    Ok(parts(template)?.into_iter().filter_map(|(_, name)| Some(name?.trim_start_matches('+'))).collect())
}

/// Fills a template of an address: `{name}` is encoded as one segment, `{+name}` keeps reserved characters.
///
/// # Errors
/// A name without a value, and values that would step out of the path.
pub fn uri(template: &str, variables: &Variables) -> Result<String, String> {
    fill(template, variables, |name, value| {
        // `..` as a whole segment would climb out of the base that credentials are meant for.
        if matches!(value, "." | "..") || name.starts_with('+') && value.split('/').any(|part| part == "..") {
            return Err(format!("`{value}` cannot be a part of an address"));
        }
        let set = if name.starts_with('+') { LOOSE } else { STRICT };
        Ok(utf8_percent_encode(value, set).to_string())
    })
}

/// Fills a template of plain text.
///
/// # Errors
/// A name without a value.
pub fn text(template: &str, variables: &Variables) -> Result<String, String> {
    fill(template, variables, |_, value| Ok(value.to_owned()))
}

fn fill(
    template: &str,
    variables: &Variables,
    encode: impl Fn(&str, &str) -> Result<String, String>,
) -> Result<String, String> {
    let mut filled = String::new();
    for (before, name) in parts(template)? {
        filled.push_str(before);
        let Some(name) = name else { continue };
        let key = name.trim_start_matches('+');
        let value =
            variables.get(key).ok_or_else(|| format!("`{template}` needs `{key}`, which is not known"))?;
        filled.push_str(&encode(name, value)?);
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables() -> Variables {
        [("name", "release/*"), ("up", ".."), ("odd", "a/b?c#d")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into()
    }

    #[test]
    fn a_slash_in_a_name_is_no_slash_of_the_path() {
        assert_eq!(uri("/b/{name}", &variables()).unwrap(), "/b/release%2F%2A");
        assert_eq!(uri("/b/{+name}", &variables()).unwrap(), "/b/release/*");
        assert_eq!(uri("/b/{+odd}", &variables()).unwrap(), "/b/a/b%3Fc%23d");
    }

    #[test]
    fn a_name_cannot_climb() {
        assert!(uri("/b/{up}", &variables()).is_err() && uri("/b/{+up}", &variables()).is_err());
    }

    #[test]
    fn an_unknown_name_is_an_error() {
        assert!(uri("/{nope}", &variables()).unwrap_err().contains("`nope`"));
        assert!(uri("/{nope", &variables()).is_err());
    }
}
