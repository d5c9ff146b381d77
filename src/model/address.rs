//! The name of one object within its target.

use std::{borrow::Cow, fmt, sync::Arc};

use serde::{Deserialize, Serialize};

/// The name of one object within its target, for example `etc/motd` or
/// `apps/v1/Deployment/shop/web`.
///
/// An address is always printable: a provider whose names can hold arbitrary
/// bytes builds it with [`Address::from_bytes`], which quotes the way git does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Address(Arc<str>);

impl Address {
    /// An address that is printable already.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Address(name.into())
    }

    /// Names a byte string: as it is where that is readable, otherwise between
    /// double quotes with C escapes, as git prints such paths.
    pub fn from_bytes(name: &[u8]) -> Self {
        Address(quote(name).into())
    }

    /// The bytes that [`Address::from_bytes`] was given.
    pub fn to_bytes(&self) -> Cow<'_, [u8]> {
        unquote(&self.0)
    }

    /// The printed form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Quotes `name` as git's `quote_c_style` does when it holds control
/// characters, quotes, backslashes or bytes that are not UTF-8.
pub fn quote(name: &[u8]) -> Cow<'_, str> {
    let plain = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
    if let Ok(text) = std::str::from_utf8(name)
        && (name.iter().all(plain) || !text.chars().any(needs_escape))
    {
        return Cow::Borrowed(text);
    }
    let mut quoted = String::with_capacity(name.len() + 8);
    quoted.push('"');
    for chunk in name.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '"' => quoted.push_str("\\\""),
                '\\' => quoted.push_str("\\\\"),
                '\n' => quoted.push_str("\\n"),
                '\t' => quoted.push_str("\\t"),
                '\r' => quoted.push_str("\\r"),
                other if needs_escape(other) => {
                    let mut buffer = [0; 4];
                    push_octal(&mut quoted, other.encode_utf8(&mut buffer).as_bytes());
                }
                other => quoted.push(other),
            }
        }
        push_octal(&mut quoted, chunk.invalid());
    }
    quoted.push('"');
    Cow::Owned(quoted)
}

/// Undoes [`quote`]; text that is not quoted stands for itself.
pub fn unquote(text: &str) -> Cow<'_, [u8]> {
    let Some(inner) = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return Cow::Borrowed(text.as_bytes());
    };
    let mut bytes = Vec::with_capacity(inner.len());
    let mut rest = inner.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        match rest.next() {
            Some(b'n') => bytes.push(b'\n'),
            Some(b't') => bytes.push(b'\t'),
            Some(b'r') => bytes.push(b'\r'),
            Some(first @ b'0'..=b'3') => {
                let digits = [Some(first), rest.next(), rest.next()];
                bytes.push(
                    digits
                        .into_iter()
                        .flatten()
                        .fold(0, |sum: u8, digit| sum.wrapping_mul(8).wrapping_add(digit.wrapping_sub(b'0'))),
                );
            }
            Some(other) => bytes.push(other),
            None => {}
        }
    }
    Cow::Owned(bytes)
}

fn push_octal(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        text.push_str(&format!("\\{byte:03o}"));
    }
}

/// Characters that could steer a terminal or hide in a name: controls,
/// bidirectional overrides and zero-width marks, plus the quoting characters.
fn needs_escape(character: char) -> bool {
    character == '"' || character == '\\' || steers_terminal(character)
}

/// Whether a character from foreign text must not reach a terminal or a CI
/// log as it is (design law 10): C0 and C1 controls, bidirectional controls,
/// and what nobody sees: zero-width characters, soft hyphens, fillers, tags, variation selectors and annotations.
pub fn steers_terminal(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{180b}'..='\u{180e}' | '\u{3164}' | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}' |
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{061c}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names_stand_for_themselves() {
        assert_eq!(Address::from_bytes(b"etc/motd").as_str(), "etc/motd");
        assert_eq!(Address::from_bytes("übung/ß".as_bytes()).as_str(), "übung/ß");
    }

    #[test]
    fn odd_bytes_are_quoted_as_git_does() {
        assert_eq!(Address::from_bytes(b"a\nb\xff\"").as_str(), r#""a\nb\377\"""#);
    }

    proptest::proptest! {
        #[test]
        fn every_byte_string_survives(name in proptest::collection::vec(proptest::num::u8::ANY, 0..24)) {
            let quoted = quote(&name).into_owned();
            proptest::prop_assert!(!quoted.chars().any(steers_terminal));
            // A name that is itself readable and starts and ends with a quote cannot occur: quotes are quoted.
            proptest::prop_assert_eq!(unquote(&quoted).into_owned(), name);
        }
    }
}
