//! Values that a server packs in base64 (RFC 4648, section 4), and the texts that Git declares for them.

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// What stands before the packed form of what is no text.
const PACKED: &str = "base64:";

/// The text in `packed`: as it is, or packed after a word that says so if it is none. `None` if nothing is
/// packed there.
pub fn unpacked(packed: &str) -> Option<String> {
    let packed = packed.replace(['\n', '\r'], "");
    let text = String::from_utf8(STANDARD.decode(&packed).ok()?).ok();
    Some(text.filter(|text| !text.starts_with(PACKED)).unwrap_or_else(|| format!("{PACKED}{packed}")))
}

/// The packed form of what Git declares as `text`.
pub fn packed(text: &str) -> String {
    match text.strip_prefix(PACKED).filter(|packed| STANDARD.decode(packed).is_ok()) {
        Some(packed) => packed.to_owned(),
        None => STANDARD.encode(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_packed_is_packed_the_same_again() {
        for (given, text) in [
            ("aGk=", "hi"),
            ("", ""),
            ("/wD/", "base64:/wD/"),
            ("YmFzZTY0OmFHaz0=", "base64:YmFzZTY0OmFHaz0="),
        ] {
            assert_eq!(unpacked(given).as_deref(), Some(text));
            assert_eq!(packed(text), given);
        }
        assert_eq!(
            (unpacked("no base64!"), packed("base64: is a word")),
            (None, STANDARD.encode("base64: is a word"))
        );
    }
}
