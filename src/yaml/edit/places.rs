//! Where things stand in the text.

use super::Editor;
use crate::yaml::{Content, Node};

impl Editor<'_> {
    /// Where an item starts: its dash in a block.
    pub(super) fn item_start(&self, list: &Node, item: &Node) -> Result<usize, String> {
        if list.flow {
            return Ok(item.span.bytes.start);
        }
        let before = self.text[..item.span.bytes.start].trim_end_matches([' ', '\r', '\n']);
        let header = |text: &str| text.trim_end_matches(['-', '+']).strip_suffix(['|', '>']).map(str::len);
        let bare = match header(before).filter(|_| item.block) {
            Some(mark) => before[..mark].trim_end_matches(' '),
            None => before,
        };
        match bare.ends_with('-') {
            true => Ok(bare.len() - 1),
            false => Err("an item has an anchor, a tag or a comment before it".to_owned()),
        }
    }

    /// Where the colon behind a key ends.
    pub(super) fn colon(&self, key: &Node) -> Result<usize, String> {
        let after = &self.text[key.span.bytes.end..];
        let space = after.len() - after.trim_start_matches(' ').len();
        match after[space..].starts_with(':') {
            true => Ok(key.span.bytes.end + space + 1),
            false => Err("its key is written in an unusual way".to_owned()),
        }
    }

    /// Where the text of a node ends, without the blanks and comments behind it.
    pub(super) fn end_of(&self, node: &Node) -> usize {
        let own = &node.span.bytes;
        if node.anchor.is_some() || node.flow {
            return own.end;
        }
        match &*node.content {
            Content::Scalar { .. } => own.start + self.text[own.clone()].trim_end().len(),
            Content::Sequence(items) => items.last().map_or(own.end, |item| self.end_of(item)),
            Content::Mapping(entries) => match entries.last() {
                Some((key, value)) if value.span.bytes.is_empty() && value.anchor.is_none() => {
                    self.colon(key).unwrap_or(key.span.bytes.end)
                }
                Some((_, value)) => self.end_of(value),
                None => own.end,
            },
        }
    }

    pub(super) fn line_start(&self, at: usize) -> usize {
        self.text[..at].rfind('\n').map_or(0, |before| before + 1)
    }

    /// The start of the next line.
    pub(super) fn line_end(&self, at: usize) -> usize {
        self.text[at..].find('\n').map_or(self.text.len(), |end| at + end + 1)
    }

    pub(super) fn column(&self, at: usize) -> usize {
        at - self.line_start(at)
    }

    /// What stands before something that is first in its line.
    pub(super) fn indent(&self, at: usize) -> Result<String, String> {
        let before = &self.text[self.line_start(at)..at];
        match before.trim_matches([' ', '\t']).is_empty() {
            true => Ok(before.to_owned()),
            false => Err("it shares its line with something else".to_owned()),
        }
    }
}
