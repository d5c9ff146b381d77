//! Writes JSON that is safe to look at.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};

use crate::model::address::steers_terminal;

/// Writes `document` in lines, with a line feed at the end.
///
/// # Errors
/// `out` refused.
pub fn write(document: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    let mut serializer = Serializer::with_formatter(&mut *out, Safe::default());
    document.serialize(&mut serializer)?;
    out.write_all(b"\n")
}

/// Indents, and escapes inside strings what JSON may leave as it is but a
/// terminal or a CI log must not see.
#[derive(Default)]
struct Safe<'a> {
    pretty: PrettyFormatter<'a>,
    /// How the string so far ends, as far as a CI command could begin there.
    marks: usize,
}

impl Safe<'_> {
    fn character<W: ?Sized + Write>(&mut self, out: &mut W, character: char) -> io::Result<()> {
        let command = character == '[' && self.marks >= 2;
        self.marks = match character {
            '#' => self.marks + 1,
            letter if letter.is_ascii_alphabetic() && self.marks >= 2 => self.marks,
            _ => 0,
        };
        match command || steers_terminal(character) {
            // Beyond the basic plane, JSON takes two units.
            true => {
                character.encode_utf16(&mut [0; 2]).iter().try_for_each(|unit| write!(out, "\\u{unit:04x}"))
            }
            false => out.write_all(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

impl Formatter for Safe<'_> {
    fn begin_string<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.marks = 0;
        out.write_all(b"\"")
    }

    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, text: &str) -> io::Result<()> {
        if !text.contains(steers_terminal) && !text.contains(['#', '[']) {
            return out.write_all(text.as_bytes());
        }
        text.chars().try_for_each(|character| self.character(out, character))
    }

    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.pretty.begin_array(out)
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.pretty.end_array(out)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.pretty.begin_array_value(out, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.pretty.end_array_value(out)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.pretty.begin_object(out)
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.pretty.end_object(out)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.pretty.begin_object_key(out, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.pretty.begin_object_value(out)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.pretty.end_object_value(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> String {
        let mut out = Vec::new();
        write(&text, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_steers_is_escaped() {
        assert_eq!(written("a\u{9b}\u{202e}\x7f\n"), "\"a\\u009b\\u202e\\u007f\\n\"\n");
        assert_eq!(written("##[error] ##vso[x] #[a]"), "\"##\\u005berror] ##vso\\u005bx] #[a]\"\n");
    }

    proptest::proptest! {
        #[test]
        fn every_text_is_read_back(text in "[#\\[a\"\\\\\\x00-\\xff\u{200b}-\u{202f}]*|\\PC*") {
            let json = written(&text);
            proptest::prop_assert!(!json.trim_end_matches('\n').contains(steers_terminal));
            proptest::prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }
    }
}
