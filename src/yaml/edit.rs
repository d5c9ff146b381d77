//! Changes of a file that leave the text around them as it is.
//!
//! The caller says what a document holds and what it should hold; only the
//! places where these differ are written. What cannot be written without
//! guessing is refused. The caller reads the result back and compares it.

use std::{collections::BTreeSet, ops::Range};

use serde_json::{Map, Value as Json};

use super::{
    Content, Node,
    emit::{self, Quotes},
};

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

/// Takes one of several documents, empty ones not counted, out of a file.
///
/// # Errors
/// What stands in the way.
pub fn without(content: &[u8], document: usize) -> Result<Vec<u8>, String> {
    let text = super::text(content).map_err(|problem| problem.message)?;
    let mark = &content[..content.len() - text.len()];
    let documents = documents(text)?;
    let at = documents.get(document).ok_or("its document was not found")?.span.bytes.start;
    let mut starts = Vec::new();
    let mut position = 0;
    for line in text.split_inclusive('\n') {
        let word = line.trim_end();
        if word.starts_with('%') || word == "..." {
            return Err("the file has directives or ends of documents".to_owned());
        }
        if word == "---" || word.starts_with("--- ") {
            starts.push((position, position + line.len()));
        }
        position += line.len();
    }
    let before = starts.iter().rev().find(|(start, _)| *start <= at);
    let after = starts.iter().find(|(start, _)| *start > at);
    let range = match (before, after) {
        (Some((start, _)), Some((end, _))) => *start..*end,
        (Some((start, _)), None) => *start..text.len(),
        (None, Some((_, end))) => 0..*end,
        (None, None) => return Err("its file holds nothing else".to_owned()),
    };
    let bytes = text.as_bytes();
    Ok([mark, &bytes[..range.start], &bytes[range.end..]].concat())
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

    // ---- mappings

    fn mapping(
        &mut self,
        node: &Node,
        entries: &[(Node, Node)],
        (old, new): (&Map<String, Json>, &Map<String, Json>),
        slot: Slot<'_>,
    ) -> Outcome {
        let quotes = self.quotes(slot, entries.first().map(|(key, _)| key));
        let find = |key: &str| {
            let named = |(name, _): &&(Node, Node)| name.anchor.is_none() && name.text() == Some(key);
            entries
                .iter()
                .find(named)
                .ok_or_else(|| format!("`{key}` comes from a merge (`<<`) or is no plain key"))
        };
        let (flow, mut gone) = (node.flow, BTreeSet::new());
        for (key, value) in old {
            match new.get(key) {
                Some(now) if now == value => {}
                Some(now) => {
                    let (name, node) = find(key)?;
                    let slot = if flow { Slot::Inside(quotes) } else { Slot::Field(name) };
                    self.value(node, &Turn { old: value, new: now }, slot)
                        .map_err(|why| within(key, &why))?;
                }
                None => {
                    let (name, _) = find(key)?;
                    gone.insert(name.span.bytes.start);
                }
            }
        }
        let added: Vec<(&String, &Json)> = new.iter().filter(|(key, _)| !old.contains_key(*key)).collect();
        if gone.len() == entries.len() {
            return Err("nothing of it is left".to_owned());
        }
        match node.flow {
            true => {
                let field = |(key, value): &(&String, &Json)| {
                    format!("{}: {}", emit::scalar(key, quotes), emit::flow(value, quotes))
                };
                let added: Vec<String> = added.iter().map(field).collect();
                self.change_flow(node, &parts(entries), &gone, &added)
            }
            false => self.change_block(&parts(entries), &gone, &|editor, space| {
                let field = |(key, value): &(&String, &Json)| {
                    format!(
                        "{}:{}",
                        emit::scalar(key, Quotes::AsNeeded),
                        editor.block(value, space.len() + 2)
                    )
                };
                added.iter().map(field).collect()
            }),
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

    // ---- sequences

    fn sequence(
        &mut self,
        node: &Node,
        items: &[Node],
        (old, new): (&[Json], &[Json]),
        slot: Slot<'_>,
    ) -> Outcome {
        let quotes = self.quotes(slot, None);
        let slot = if node.flow { Slot::Inside(quotes) } else { Slot::Item };
        let steps = align(old, new);
        let mut gone = BTreeSet::new();
        // What is inserted, by the number of old items before it.
        let mut added: Vec<(usize, &Json)> = Vec::new();
        for step in steps {
            match step {
                Step::Turn(at, now) => {
                    let turn = Turn { old: &old[at], new: &new[now] };
                    self.value(&items[at], &turn, slot).map_err(|why| within(&at.to_string(), &why))?;
                }
                Step::Drop(at) => {
                    gone.insert(self.item_start(node, &items[at])?);
                }
                Step::Insert(at, now) => added.push((at, &new[now])),
            }
        }
        if gone.len() == items.len() {
            return Err("nothing of it is left".to_owned());
        }
        let mut found = Vec::with_capacity(items.len());
        for item in items {
            found.push(Part { start: self.item_start(node, item)?, value: item });
        }
        if added.iter().any(|(at, _)| *at != items.len()) && !gone.is_empty() {
            return Err("items came and went in the middle of a list".to_owned());
        }
        if node.flow {
            if added.iter().any(|(at, _)| *at != items.len()) {
                return Err("an item came in the middle of a list".to_owned());
            }
            let added: Vec<String> = added.iter().map(|(_, value)| emit::flow(value, quotes)).collect();
            return self.change_flow(node, &found, &gone, &added);
        }
        self.insert_between(&found, &added)?;
        let last: Vec<&Json> =
            added.iter().filter(|(at, _)| *at == items.len()).map(|(_, value)| *value).collect();
        self.change_block(&found, &gone, &|editor, space| {
            last.iter().map(|value| format!("-{}", editor.item(value, space.len() + 2))).collect()
        })
    }

    fn item(&self, value: &Json, indent: usize) -> String {
        match self.style {
            Style::Blocks => emit::item(value, indent, self.eol),
            Style::Lines => format!(" {}", emit::flow(value, Quotes::AsNeeded)),
        }
    }

    /// Where an item starts: its dash in a block.
    fn item_start(&self, list: &Node, item: &Node) -> Result<usize, String> {
        if list.flow {
            return Ok(item.span.bytes.start);
        }
        let before = &self.text[..item.span.bytes.start];
        let bare = before.trim_end_matches([' ', '\r', '\n']);
        match bare.ends_with('-') {
            true => Ok(bare.len() - 1),
            false => Err("an item has an anchor, a tag or a comment before it".to_owned()),
        }
    }

    /// Inserts items before others of a block.
    fn insert_between(&mut self, items: &[Part<'_>], added: &[(usize, &Json)]) -> Outcome {
        for (at, value) in added {
            let Some(next) = items.get(*at) else { continue };
            let space = self.indent(next.start)?;
            let line = self.line_start(next.start);
            let text = format!("{space}-{}{}", self.item(value, space.len() + 2), self.eol);
            self.edits.push((line..line, text));
        }
        Ok(())
    }

    // ---- both

    /// Takes parts out of a collection between brackets, and adds others at its end.
    fn change_flow(
        &mut self,
        node: &Node,
        all: &[Part<'_>],
        gone: &BTreeSet<usize>,
        added: &[String],
    ) -> Outcome {
        let kept = |part: &Part<'_>| !gone.contains(&part.start);
        for (at, part) in all.iter().enumerate().filter(|(_, part)| !kept(part)) {
            // The first ones go with the comma behind them, the others with that before them.
            let range = match (all[..at].iter().rev().find(|part| kept(part)), all.get(at + 1)) {
                (Some(_), _) => self.end_of(all[at - 1].value)..self.end_of(part.value),
                (None, Some(next)) => part.start..next.start,
                (None, None) => return Err("nothing of it is left".to_owned()),
            };
            if self.text[range.clone()].contains('#') {
                return Err("a comment stands in between".to_owned());
            }
            self.edits.push((range, String::new()));
        }
        let Some(last) = all.iter().rev().find(|part| kept(part)) else { return Ok(()) };
        let first = &all[0];
        let own_lines = self.line_start(first.start) > node.span.bytes.start;
        let between = match own_lines {
            true => format!(",{}{}", self.eol, self.indent(first.start)?),
            false => ", ".to_owned(),
        };
        let end = self.end_of(last.value);
        self.edits.extend(added.iter().map(|text| (end..end, format!("{between}{text}"))));
        Ok(())
    }

    /// Takes parts out of a block, and adds others at its end.
    fn change_block(
        &mut self,
        all: &[Part<'_>],
        gone: &BTreeSet<usize>,
        added: &dyn Fn(&Self, &str) -> Vec<String>,
    ) -> Outcome {
        let (Some(first), Some(last)) =
            (all.first(), all.iter().rev().find(|part| !gone.contains(&part.start)))
        else {
            return Err("nothing of it is left".to_owned());
        };
        let column = first.start - self.line_start(first.start);
        let space = " ".repeat(self.text[first.start - column..first.start].chars().count());
        let added = added(self, &space);
        let mut edits = Vec::new();
        for (at, part) in all.iter().enumerate().filter(|(_, part)| gone.contains(&part.start)) {
            let (start, end) = (self.line_start(part.start), self.line_end(self.end_of(part.value)));
            edits.push(match all.get(at + 1) {
                _ if self.text[start..part.start].trim_matches(' ').is_empty() => (start..end, String::new()),
                // It shares its line with the dash of an item: what follows takes its place.
                Some(next) if self.line_start(next.start) == end => (part.start..next.start, String::new()),
                _ => return Err("it shares its line with something else".to_owned()),
            });
        }
        if !added.is_empty() {
            let end = self.line_end(self.end_of(last.value));
            let lines = added.iter().map(|line| format!("{space}{line}{}", self.eol));
            let mut lines: String = lines.collect();
            if !self.text[..end].ends_with('\n') {
                lines = format!("{}{}", self.eol, lines.trim_end_matches(self.eol));
            }
            edits.push((end..end, lines));
        }
        self.edits.extend(edits);
        Ok(())
    }

    // ---- single values

    fn replace(&mut self, node: &Node, new: &Json, slot: Slot<'_>) -> Outcome {
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
    fn lines(&self, new: &Json, slot: Slot<'_>) -> Option<String> {
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
    fn range_of(&self, node: &Node, slot: Slot<'_>) -> Result<Range<usize>, String> {
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

    /// Where the colon behind a key ends.
    fn colon(&self, key: &Node) -> Result<usize, String> {
        let after = &self.text[key.span.bytes.end..];
        let space = after.len() - after.trim_start_matches(' ').len();
        match after[space..].starts_with(':') {
            true => Ok(key.span.bytes.end + space + 1),
            false => Err("its key is written in an unusual way".to_owned()),
        }
    }

    // ---- places

    /// Where the text of a node ends, without the blanks and comments behind it.
    fn end_of(&self, node: &Node) -> usize {
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

    fn line_start(&self, at: usize) -> usize {
        self.text[..at].rfind('\n').map_or(0, |before| before + 1)
    }

    /// The start of the next line.
    fn line_end(&self, at: usize) -> usize {
        self.text[at..].find('\n').map_or(self.text.len(), |end| at + end + 1)
    }

    fn column(&self, at: usize) -> usize {
        at - self.line_start(at)
    }

    /// What stands before something that is first in its line.
    fn indent(&self, at: usize) -> Result<String, String> {
        let before = &self.text[self.line_start(at)..at];
        match before.trim_matches([' ', '\t']).is_empty() {
            true => Ok(before.to_owned()),
            false => Err("it shares its line with something else".to_owned()),
        }
    }
}

/// A field or an item.
struct Part<'a> {
    /// Where its key or its dash is.
    start: usize,
    value: &'a Node,
}

fn parts(entries: &[(Node, Node)]) -> Vec<Part<'_>> {
    entries.iter().map(|(key, value)| Part { start: key.span.bytes.start, value }).collect()
}

/// Whether a text can stand between single quotes in one line.
fn is_tame(text: &str) -> bool {
    !text.contains('\'') && text.chars().all(|character| (' '..='~').contains(&character))
}

fn within(step: &str, why: &str) -> String {
    match why.strip_prefix('`').and_then(|rest| rest.split_once("`: ")) {
        Some((path, why)) => format!("`{step}/{path}`: {why}"),
        None => format!("`{step}`: {why}"),
    }
}

/// One step from an old list to a new one.
enum Step {
    /// An old item becomes a new one.
    Turn(usize, usize),
    /// An old item goes.
    Drop(usize),
    /// A new item comes, after so many old ones.
    Insert(usize, usize),
}

/// Whether one item may become the other: what has another name is another thing, with comments of its own.
fn is_akin(one: &Json, other: &Json) -> bool {
    match (one.get("name"), other.get("name")) {
        (Some(one), Some(other)) => one == other,
        _ => true,
    }
}

/// The shortest way from one list to another; a neighbour that goes makes place for one that comes.
fn align(old: &[Json], new: &[Json]) -> Vec<Step> {
    let mut lengths = vec![vec![0_u32; new.len() + 1]; old.len() + 1];
    for (i, one) in old.iter().enumerate().rev() {
        for (j, other) in new.iter().enumerate().rev() {
            lengths[i][j] = match one == other {
                true => lengths[i + 1][j + 1] + 1,
                false => lengths[i + 1][j].max(lengths[i][j + 1]),
            };
        }
    }
    let (mut i, mut j, mut steps) = (0, 0, Vec::new());
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            (i, j) = (i + 1, j + 1);
            continue;
        }
        let (mut dropped, mut inserted) = (Vec::new(), Vec::new());
        while (i < old.len() || j < new.len()) && !(i < old.len() && j < new.len() && old[i] == new[j]) {
            if j >= new.len() || i < old.len() && lengths[i + 1][j] >= lengths[i][j + 1] {
                dropped.push(i);
                i += 1;
            } else {
                inserted.push(j);
                j += 1;
            }
        }
        let (mut dropped, mut inserted) = (dropped.into_iter(), inserted.into_iter());
        loop {
            match (dropped.next(), inserted.next()) {
                (Some(at), Some(now)) if is_akin(&old[at], &new[now]) => steps.push(Step::Turn(at, now)),
                (None, None) => break,
                (at, now) => {
                    steps.extend(at.map(Step::Drop));
                    steps.extend(now.map(|now| Step::Insert(i, now)));
                }
            }
        }
    }
    steps
}

#[cfg(test)]
mod tests;
