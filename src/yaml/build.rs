//! The one loop over the events of the parser; what becomes of a node is the business of a [`Build`].

use std::{borrow::Cow, collections::HashMap};

use granit_parser::{
    ErrorKind, Event, Marker, Options, Parser, ScalarStyle, ScanError, Span as Stretch, StructureStyle, Tag,
};

use super::{Place, Problem, Span, fast_path, number, text};

/// How deep nodes may be nested.
const DEPTH: usize = 256;

/// How many nodes aliases may stand for in one file.
const ALIASED: usize = 200_000;

/// From how many keys on a mapping is searched by hash.
const LARGE: usize = 16;

/// A scalar as it is written.
pub struct Scalar<'a> {
    /// Its text after escapes and folding.
    pub text: Cow<'a, str>,
    /// Written without quotes and not as a block.
    pub plain: bool,
    /// Written in lines of its own, behind `|` or `>`; its place is that of these lines.
    pub block: bool,
    /// Its tag, resolved: `tag:yaml.org,2002:str`, `!local`.
    pub tag: Option<String>,
    /// Where it stands.
    pub span: Span,
}

/// What is known of a list or a mapping besides what is in it.
pub struct Head {
    /// Where it stands.
    pub span: Span,
    /// Its tag, resolved.
    pub tag: Option<String>,
    /// Written between brackets.
    pub flow: bool,
}

/// What makes something of the nodes of a file, innermost first.
pub trait Build: Default {
    /// What a node becomes.
    type Node: Clone;
    /// What the key of a mapping becomes.
    type Key;

    /// Takes a scalar.
    ///
    /// # Errors
    /// What cannot be taken; the same for the others.
    fn scalar(&mut self, scalar: Scalar<'_>) -> Result<Self::Node, Problem>;

    /// Takes a list.
    fn list(&mut self, head: Head, items: Vec<Self::Node>) -> Result<Self::Node, Problem>;

    /// Takes a mapping, its entries in the order of the file.
    fn mapping(&mut self, head: Head, entries: Vec<(Self::Key, Self::Node)>) -> Result<Self::Node, Problem>;

    /// Takes an alias of a node.
    fn alias(&mut self, span: Span, meant: &Self::Node) -> Self::Node;

    /// Makes a key of a node.
    fn key(&mut self, node: Self::Node) -> Result<Self::Key, Problem>;

    /// Makes a key of a scalar without an anchor.
    fn scalar_key(&mut self, scalar: Scalar<'_>) -> Result<Self::Key, Problem> {
        let node = self.scalar(scalar)?;
        self.key(node)
    }

    /// Makes a key of a plain `<<`.
    fn merge_key(&mut self, scalar: Scalar<'_>) -> Result<Self::Key, Problem>;

    /// The text of a key that may stand in a mapping only once, and where it stands.
    fn name(key: &Self::Key) -> Option<(&str, Place)>;
}

/// The documents of a file, and what made them; what is nothing but empty is a plain scalar without text.
///
/// # Errors
/// The first thing that is wrong: no UTF-8, no YAML, a key twice in a mapping,
/// nesting or aliases without measure, or what `B` cannot take.
pub fn documents<B: Build>(content: &[u8]) -> Result<(Vec<B::Node>, B), Problem> {
    let text = text(content)?;
    fast_path::documents(text).map_or_else(|| parsed(text), Ok)
}

/// The same by the parser that knows all of YAML.
pub(super) fn parsed<B: Build>(text: &str) -> Result<(Vec<B::Node>, B), Problem> {
    let mut options = Options::default();
    options.set_emit_comments(false);
    // As libyaml, and so kubectl, reads it.
    options.block_scalar_eof_without_line_feed = true;
    // One more than is allowed, so that what is too deep is refused in one place.
    options.flow_nesting_limit = DEPTH + 1;
    options.block_nesting_limit = DEPTH + 1;
    let mut reading = Reading::new();
    for event in Parser::new_from_str_with_options(text, options) {
        let (event, stretch) = event.map_err(|error| problem(&error))?;
        reading.take(event, &stretch)?;
    }
    Ok(reading.end())
}

/// A file on its way.
pub(super) struct Reading<B: Build> {
    build: B,
    documents: Vec<B::Node>,
    open: Vec<Open<B>>,
    /// What is in the lists that are open, the innermost last.
    items: Vec<B::Node>,
    /// What is in the mappings that are open, the innermost last.
    entries: Vec<(B::Key, B::Node)>,
    /// Nodes with anchors, and how many nodes each is, aliases followed.
    anchors: HashMap<usize, (B::Node, usize)>,
    aliased: usize,
}

/// A list or a mapping whose end was not met yet.
struct Open<B: Build> {
    anchor: usize,
    /// How many nodes it is so far, aliases followed.
    size: usize,
    head: Head,
    /// Where what is in it starts.
    start: usize,
    body: Body<B>,
}

/// What is open.
pub(super) enum Body<B: Build> {
    List,
    Mapping {
        /// A key that waits for its value.
        key: Option<B::Key>,
        /// The keys of a mapping that is large.
        names: HashMap<String, Place>,
    },
}

impl<B: Build> Body<B> {
    /// A mapping without keys.
    pub(super) fn mapping() -> Self {
        Body::Mapping { key: None, names: HashMap::new() }
    }
}

impl<B: Build> Reading<B> {
    pub(super) fn new() -> Self {
        Reading {
            build: B::default(),
            documents: Vec::new(),
            open: Vec::new(),
            items: Vec::new(),
            entries: Vec::new(),
            anchors: HashMap::new(),
            aliased: 0,
        }
    }

    /// The documents, and what made them.
    pub(super) fn end(self) -> (Vec<B::Node>, B) {
        (self.documents, self.build)
    }

    fn take(&mut self, event: Event<'_>, stretch: &Stretch) -> Result<(), Problem> {
        match event {
            Event::DocumentStart(..) => self.anchors.clear(),
            Event::Alias(id) => self.alias(id, span(stretch))?,
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain;
                let block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
                let tag = tag.as_deref().map(Tag::to_string);
                let scalar = Scalar { text, plain, block, tag, span: span(stretch) };
                self.scalar(scalar, anchor)?;
            }
            Event::SequenceStart(style, anchor, tag) => {
                self.open(anchor, head(stretch, style, tag.as_deref()), Body::List)?;
            }
            Event::MappingStart(style, anchor, tag) => {
                self.open(anchor, head(stretch, style, tag.as_deref()), Body::mapping())?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span(stretch).bytes.end)?,
            _ => {}
        }
        Ok(())
    }

    pub(super) fn scalar(&mut self, scalar: Scalar<'_>, anchor: usize) -> Result<(), Problem> {
        if let Some(Open { size, start, body: Body::Mapping { key: key @ None, names }, .. }) =
            self.open.last_mut()
        {
            let is_merge = scalar.plain && scalar.text == "<<" && scalar.tag.is_none();
            if is_merge {
                *key = Some(self.build.merge_key(scalar)?);
                return Ok(());
            }
            if anchor == 0 {
                *size += 1;
                let found = self.build.scalar_key(scalar)?;
                *key = Some(once::<B>(&self.entries[*start..], names, found)?);
                return Ok(());
            }
        }
        let node = self.build.scalar(scalar)?;
        self.finish(anchor, node, 1)
    }

    fn alias(&mut self, id: usize, span: Span) -> Result<(), Problem> {
        let Some((meant, size)) = self.anchors.get(&id) else {
            return Err(Problem::new(span.place(), "an alias cannot stand inside of what it means"));
        };
        self.aliased += size;
        if self.aliased > ALIASED {
            return Err(Problem::new(span.place(), "aliases make this too large"));
        }
        let (node, size) = (self.build.alias(span, meant), *size);
        self.add(node, size)
    }

    pub(super) fn open(&mut self, anchor: usize, head: Head, body: Body<B>) -> Result<(), Problem> {
        if self.open.len() == DEPTH {
            return Err(too_deep(head.span.place()));
        }
        let start = match body {
            Body::List => self.items.len(),
            Body::Mapping { .. } => self.entries.len(),
        };
        self.open.push(Open { anchor, size: 1, head, start, body });
        Ok(())
    }

    pub(super) fn close(&mut self, end: usize) -> Result<(), Problem> {
        let Some(Open { anchor, size, mut head, start, body }) = self.open.pop() else { return Ok(()) };
        head.span.bytes.end = end.max(head.span.bytes.start);
        let node = match body {
            Body::List => self.build.list(head, self.items.drain(start..).collect())?,
            Body::Mapping { .. } => self.build.mapping(head, self.entries.drain(start..).collect())?,
        };
        self.finish(anchor, node, size)
    }

    fn finish(&mut self, anchor: usize, node: B::Node, size: usize) -> Result<(), Problem> {
        if anchor != 0 {
            self.anchors.insert(anchor, (node.clone(), size));
        }
        self.add(node, size)
    }

    /// Puts a complete node where it belongs.
    fn add(&mut self, node: B::Node, size: usize) -> Result<(), Problem> {
        let Some(open) = self.open.last_mut() else {
            self.documents.push(node);
            return Ok(());
        };
        open.size += size;
        match &mut open.body {
            Body::List => self.items.push(node),
            Body::Mapping { key, names } => match key.take() {
                Some(key) => self.entries.push((key, node)),
                None => {
                    let known = &self.entries[open.start..];
                    *key = Some(once::<B>(known, names, self.build.key(node)?)?);
                }
            },
        }
        Ok(())
    }
}

/// A key that is not in its mapping yet.
fn once<B: Build>(
    entries: &[(B::Key, B::Node)],
    names: &mut HashMap<String, Place>,
    key: B::Key,
) -> Result<B::Key, Problem> {
    let Some((name, place)) = B::name(&key) else { return Ok(key) };
    let known = || entries.iter().filter_map(|(key, _)| B::name(key));
    let first = if entries.len() < LARGE {
        known().find(|(other, _)| *other == name).map(|(_, first)| first)
    } else {
        if names.is_empty() {
            names.extend(known().map(|(name, place)| (name.to_owned(), place)));
        }
        names.insert(name.to_owned(), place)
    };
    match first {
        None => Ok(key),
        Some(first) => {
            Err(Problem::new(place, format!("the key `{name}` is there twice (first at {first})")))
        }
    }
}

fn head(stretch: &Stretch, style: StructureStyle, tag: Option<&Tag>) -> Head {
    Head { span: span(stretch), tag: tag.map(Tag::to_string), flow: style == StructureStyle::Flow }
}

fn span(stretch: &Stretch) -> Span {
    let byte = |mark: &Marker| mark.byte_offset().unwrap_or(mark.index());
    let (start, end) = (byte(&stretch.start), byte(&stretch.end));
    let Place { line, column } = place(&stretch.start);
    Span { line, column, bytes: start..end.max(start) }
}

fn place(mark: &Marker) -> Place {
    Place { line: number(mark.line().max(1)), column: number(mark.col() + 1) }
}

fn too_deep(place: Place) -> Problem {
    Problem::new(place, format!("this is nested more than {DEPTH} levels deep"))
}

fn problem(error: &ScanError) -> Problem {
    use ErrorKind as Kind;
    let place = place(error.marker());
    match error.kind() {
        Kind::TabNotAllowed
        | Kind::TabInBlockIndentation
        | Kind::TabAtBlockScalarStart
        | Kind::TabInIndentation
        | Kind::TabInPlainScalar => Problem::new(place, "a tab cannot indent; use spaces"),
        Kind::UnknownAnchor => Problem::new(place, "this alias names no anchor that stands before it"),
        Kind::RecursionLimitExceeded => too_deep(place),
        _ => Problem::new(place, error.info()),
    }
}
