//! Values that are written anew as a whole.

use std::ops::Range;

use serde_json::Value as Json;

use super::{Editor, Outcome, Slot, Style};
use crate::yaml::{Content, Node, emit};

impl Editor<'_> {
    pub(super) fn replace(&mut self, node: &Node, new: &Json, slot: Slot<'_>) -> Outcome {
        if node.tag.is_some() {
            return Err("it has a tag".to_owned());
        }
        let mut whole = self.range_of(node, slot)?;
        let is_collection = !matches!(&*node.content, Content::Scalar { .. });
        if is_collection && self.text[whole.clone()].contains('#') {
            return Err("there are comments in it".to_owned());
        }
        let (before, after) = (&self.text[..whole.start], &self.text[whole.end..]);
        let alone = after.lines().next().unwrap_or_default().trim().is_empty();
        let written = match (self.lines(new, slot).filter(|_| alone), self.text[whole.clone()].chars().next())
        {
            (Some(lines), _) => lines,
            (None, Some('\'')) if !node.block && new.as_str().is_some_and(is_tame) => {
                format!(" '{}'", new.as_str().unwrap_or_default())
            }
            _ => format!(" {}", emit::flow(new, self.quotes(slot, Some(node).filter(|_| !node.block)))),
        };
        if written.starts_with(self.eol) {
            whole.start = before.trim_end_matches(' ').len();
        }
        let spaced = before.ends_with([':', '-']) || written.starts_with(self.eol);
        self.edits.push((whole, if spaced { written } else { written[1..].to_owned() }));
        Ok(())
    }

    /// A value in lines of its own, below its key.
    pub(super) fn lines(&self, new: &Json, slot: Slot<'_>) -> Option<String> {
        let Slot::Field(key) = slot else { return None };
        let indent = self.column(key.span.bytes.start) + 2;
        match new {
            _ if self.style == Style::Lines => None,
            Json::String(text) => emit::literal(text, indent, self.eol).map(|text| format!(" {text}")),
            Json::Object(map) if map.is_empty() => None,
            Json::Array(items) if items.is_empty() => None,
            Json::Object(_) | Json::Array(_) => Some(emit::block(new, indent, self.eol)),
            _ => None,
        }
    }

    /// All of a value, its header included.
    pub(super) fn range_of(&self, node: &Node, slot: Slot<'_>) -> Result<Range<usize>, String> {
        let own = node.span.bytes.start..self.end_of(node);
        let in_lines = node.block || !node.flow && !matches!(&*node.content, Content::Scalar { .. });
        match slot {
            Slot::Field(key) if in_lines => {
                let colon = self.colon(key)?;
                let header = self.text[colon..own.start].lines().next().unwrap_or_default().trim();
                match header.trim_start_matches(['|', '>', '-', '+']).is_empty() {
                    true => Ok(colon..own.end),
                    false => Err("there is a comment, an anchor or a number behind its key".to_owned()),
                }
            }
            Slot::Field(key) if node.span.bytes.is_empty() => {
                let colon = self.colon(key)?;
                Ok(colon..colon)
            }
            _ if in_lines || node.span.bytes.is_empty() => {
                Err("something of another kind came in its place".to_owned())
            }
            _ => Ok(own),
        }
    }
}

/// Whether a text can stand between single quotes in one line.
pub(super) fn is_tame(text: &str) -> bool {
    !text.contains('\'') && text.chars().all(|character| (' '..='~').contains(&character))
}
