//! Changes of a file that leave the text around them as it is.
//!
//! The caller says what a document holds and what it should hold; only the
//! places where these differ are written. What cannot be written without
//! guessing is refused. The caller reads the result back and compares it.

use std::ops::Range;

use serde_json::Value as Json;

use super::{
    Content, Node,
    emit::{self, Quotes},
};

mod align;
mod lists;
mod mappings;
mod parts;
mod places;
mod values;
mod without;

pub use without::without;

/// A value before and after.
#[derive(Clone, Copy)]
struct Turn<'a> {
    old: &'a Json,
    new: &'a Json,
}

/// Where a value stands.
#[derive(Clone, Copy)]
enum Slot<'a> {
    /// After this key of a block.
    Field(&'a Node),
    /// After a dash of a block, or alone.
    Item,
    /// Between brackets.
    Inside(Quotes),
}

/// One change of the text.
type Edit = (Range<usize>, String);

/// What is written, and why not.
type Outcome = Result<(), String>;

/// How texts of several lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    /// As blocks where that can be done.
    Blocks,
    /// In one line, quoted.
    Lines,
}

/// Writes a file anew so that its documents, empty ones aside, are `new` and no longer `old`.
/// `read` reads the result back.
///
/// # Errors
/// What stands in the way, for the person who has to edit it by hand.
pub fn turn(
    content: &[u8],
    (old, new): (&[Json], &[Json]),
    read: impl Fn(&[u8]) -> Option<Vec<Json>>,
) -> Result<Vec<u8>, String> {
    let text = super::text(content).map_err(|problem| problem.message)?;
    let mark = &content[..content.len() - text.len()];
    let documents = documents(text)?;
    if documents.len() != old.len() || old.len() != new.len() {
        return Err("its documents are not told apart".to_owned());
    }
    let mut why = "the edit would change more than what moved".to_owned();
    for style in [Style::Blocks, Style::Lines] {
        let eol = if text.contains("\r\n") { "\r\n" } else { "\n" };
        let mut editor = Editor { text, eol, style, edits: Vec::new() };
        let turns = documents.iter().zip(old.iter().zip(new));
        let written = turns.map(|(node, (old, new))| editor.value(node, &Turn { old, new }, Slot::Item));
        match written.collect::<Outcome>() {
            Ok(()) => {
                let edited = [mark, editor.finish().as_bytes()].concat();
                if read(&edited).is_some_and(|read| read == new) {
                    return Ok(edited);
                }
            }
            Err(reason) => why = reason,
        }
    }
    Err(why)
}

/// The documents that hold something.
fn documents(text: &str) -> Result<Vec<Node>, String> {
    let mut documents = super::load(text.as_bytes()).map_err(|problem| problem.message)?;
    documents.retain(|document| matches!(&*document.content, Content::Mapping(_)));
    Ok(documents)
}

struct Editor<'t> {
    text: &'t str,
    eol: &'static str,
    style: Style,
    edits: Vec<Edit>,
}

impl Editor<'_> {
    fn finish(mut self) -> String {
        // From the end; at one place removals first, then insertions, the innermost of which comes first in the text.
        let order = |(at, (range, _)): &(usize, Edit)| {
            (std::cmp::Reverse(range.start), range.is_empty(), std::cmp::Reverse(*at))
        };
        let mut edits: Vec<(usize, Edit)> = self.edits.drain(..).enumerate().collect();
        edits.sort_by_key(order);
        let mut text = self.text.to_owned();
        for (_, (range, new)) in edits {
            text.replace_range(range, &new);
        }
        text
    }

    fn value(&mut self, node: &Node, turn: &Turn<'_>, slot: Slot<'_>) -> Outcome {
        if turn.old == turn.new {
            return Ok(());
        }
        if node.anchor.is_some() {
            return Err("it is an alias of an anchor".to_owned());
        }
        match (&*node.content, turn.old, turn.new) {
            (Content::Mapping(entries), Json::Object(old), Json::Object(new))
                if !new.is_empty() && !old.is_empty() =>
            {
                self.mapping(node, entries, (old, new), slot)
            }
            (Content::Sequence(items), Json::Array(old), Json::Array(new))
                if !new.is_empty() && items.len() == old.len() && !old.is_empty() =>
            {
                self.sequence(node, items, (old, new), slot)
            }
            _ => self.replace(node, turn.new, slot),
        }
    }

    /// JSON stays JSON: what stands beside quoted keys, or inside of what does, is quoted too.
    fn quotes(&self, slot: Slot<'_>, key: Option<&Node>) -> Quotes {
        match (slot, key) {
            (_, Some(key)) if self.text[key.span.bytes.start..].starts_with('"') => Quotes::Always,
            (Slot::Inside(quotes), _) => quotes,
            _ => Quotes::AsNeeded,
        }
    }

    fn block(&self, value: &Json, indent: usize) -> String {
        match self.style {
            Style::Blocks => emit::block(value, indent, self.eol),
            Style::Lines => format!(" {}", emit::flow(value, Quotes::AsNeeded)),
        }
    }

    fn item(&self, value: &Json, indent: usize) -> String {
        match self.style {
            Style::Blocks => emit::item(value, indent, self.eol),
            Style::Lines => format!(" {}", emit::flow(value, Quotes::AsNeeded)),
        }
    }
}

fn within(step: &str, why: &str) -> String {
    match why.strip_prefix('`').and_then(|rest| rest.split_once("`: ")) {
        Some((path, why)) => format!("`{step}/{path}`: {why}"),
        None => format!("`{step}`: {why}"),
    }
}

#[cfg(test)]
mod tests;
