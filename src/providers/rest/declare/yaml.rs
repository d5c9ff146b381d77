//! YAML with the place of every value: declarations and definitions are read by it.

use serde_json::{Map, Number, Value as Json};

pub use crate::yaml::Place as Mark;
use crate::{
    exit::Exit,
    model::user_error::UserError,
    yaml::{self, Head, Problem, Scalar, Span},
};

/// One value with its place.
#[derive(Clone, Debug)]
pub struct Node {
    /// Where it starts.
    pub mark: Mark,
    /// What it is.
    pub kind: Kind,
}

/// What a [`Node`] is.
#[derive(Clone, Debug)]
pub enum Kind {
    /// Null, a flag, a number or a text.
    Scalar(Json),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping in the order of the file; the mark is that of the key.
    Map(Vec<(String, Mark, Node)>),
}

/// What is wrong with a file, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// Where.
    pub mark: Mark,
    /// What is wrong.
    pub message: String,
}

impl Complaint {
    /// A complaint about what stands at `mark`.
    pub fn new(mark: Mark, message: impl Into<String>) -> Self {
        Complaint { mark, message: message.into() }
    }

    /// The fault that names the file.
    pub fn in_file(self, exit: Exit, file: &str) -> UserError {
        UserError::new(exit, self.within(file))
    }

    /// The same in words that name the file.
    pub fn within(&self, file: &str) -> String {
        format!("`{file}:{}`: {}", self.mark, self.message)
    }
}

impl Node {
    /// The value without its place.
    pub fn to_json(&self) -> Json {
        match &self.kind {
            Kind::Scalar(value) => value.clone(),
            Kind::List(items) => items.iter().map(Node::to_json).collect(),
            Kind::Map(fields) => Json::Object(
                fields.iter().map(|(key, _, value)| (key.clone(), value.to_json())).collect::<Map<_, _>>(),
            ),
        }
    }

    /// The value of `key`, if this is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        match &self.kind {
            Kind::Map(fields) => fields.iter().find(|(name, ..)| name == key).map(|(.., value)| value),
            _ => None,
        }
    }

    /// Where what `path` leads to stands, or the last part of it that is there.
    pub fn mark_of<'a>(&self, path: impl IntoIterator<Item = &'a str>) -> Mark {
        let (mut at, mut mark) = (self, self.mark);
        for step in path {
            let next = match &at.kind {
                Kind::Map(fields) => {
                    fields.iter().find(|(name, ..)| name == step).map(|(_, mark, value)| (*mark, value))
                }
                Kind::List(items) => {
                    step.parse().ok().and_then(|index: usize| items.get(index)).map(|item| (item.mark, item))
                }
                Kind::Scalar(_) => None,
            };
            let Some(next) = next else { break };
            (mark, at) = next;
        }
        mark
    }
}

/// Reads the documents of one file; empty documents are left out.
///
/// # Errors
/// What is no YAML, a key that occurs twice, or more than a person would write.
pub fn documents(text: &[u8]) -> Result<Vec<Node>, Complaint> {
    let (mut documents, Build) = yaml::documents(text)?;
    documents.retain(|node| !matches!(node.kind, Kind::Scalar(Json::Null)));
    Ok(documents)
}

impl From<Problem> for Complaint {
    fn from(problem: Problem) -> Complaint {
        Complaint::new(problem.place(), problem.message)
    }
}

/// Reads scalars by the core schema, and takes no merges and no tags of its own.
#[derive(Default)]
struct Build;

impl yaml::Build for Build {
    type Node = Node;
    type Key = (String, Mark);

    fn scalar(&mut self, Scalar { text, plain, tag, span, .. }: Scalar<'_>) -> Result<Node, Problem> {
        let mark = span.place();
        let value = scalar(&text, tag.as_deref(), plain, mark)?;
        Ok(Node { mark, kind: Kind::Scalar(value) })
    }

    fn list(&mut self, head: Head, items: Vec<Node>) -> Result<Node, Problem> {
        collection(&head, Kind::List(items))
    }

    fn mapping(&mut self, head: Head, entries: Vec<(Self::Key, Node)>) -> Result<Node, Problem> {
        let entry = |((key, mark), node)| (key, mark, node);
        collection(&head, Kind::Map(entries.into_iter().map(entry).collect()))
    }

    fn alias(&mut self, span: Span, meant: &Node) -> Node {
        Node { mark: span.place(), ..meant.clone() }
    }

    /// A key is the text that it is written as.
    fn scalar_key(&mut self, scalar: Scalar<'_>) -> Result<Self::Key, Problem> {
        Ok((scalar.text.into_owned(), scalar.span.place()))
    }

    fn key(&mut self, node: Node) -> Result<Self::Key, Problem> {
        match &node.kind {
            Kind::Scalar(Json::String(text)) => Ok((text.clone(), node.mark)),
            Kind::Scalar(value) => Ok((value.to_string(), node.mark)),
            _ => Err(Problem::new(node.mark, "a key has to be a text")),
        }
    }

    fn merge_key(&mut self, scalar: Scalar<'_>) -> Result<Self::Key, Problem> {
        let message = "merge keys (`<<`) are not supported; write the fields";
        Err(Problem::new(scalar.span.place(), message))
    }

    fn name((text, mark): &Self::Key) -> Option<(&str, Mark)> {
        Some((text, *mark))
    }
}

fn collection(head: &Head, kind: Kind) -> Result<Node, Problem> {
    let mark = head.span.place();
    match head.tag.as_deref() {
        None | Some("!" | "tag:yaml.org,2002:map" | "tag:yaml.org,2002:seq") => Ok(Node { mark, kind }),
        Some(tag) => Err(Problem::new(mark, format!("the tag `{tag}` is not supported"))),
    }
}

/// The scalars of YAML 1.2's core schema; what YAML 1.1 read otherwise has to be quoted.
fn scalar(text: &str, tag: Option<&str>, plain: bool, mark: Mark) -> Result<Json, Problem> {
    match tag {
        Some("!" | "tag:yaml.org,2002:str") => return Ok(text.into()),
        Some(tag) => return Err(Problem::new(mark, format!("the tag `{tag}` is not supported"))),
        None if !plain => return Ok(text.into()),
        None => {}
    }
    Ok(match text {
        "" | "~" | "null" | "Null" | "NULL" => Json::Null,
        "true" | "True" | "TRUE" => Json::Bool(true),
        "false" | "False" | "FALSE" => Json::Bool(false),
        text if is_octal(text) => {
            let message =
                format!("`{text}` is a number to some and a text to others; quote it or drop the zero");
            return Err(Problem::new(mark, message));
        }
        text => number(text).map_or_else(|| Json::String(text.to_owned()), Json::Number),
    })
}

fn is_octal(text: &str) -> bool {
    let digits = text.trim_start_matches(['-', '+']);
    digits.len() > 1 && digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn number(text: &str) -> Option<Number> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !digits.starts_with(|first: char| first.is_ascii_digit() || first == '.')
        || !digits.bytes().any(|byte| byte.is_ascii_digit())
    {
        return None;
    }
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let text = text.trim_start_matches('+');
        return text.parse::<i64>().map(Number::from).or_else(|_| text.parse::<u64>().map(Number::from)).ok();
    }
    if !digits.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte)) {
        return None;
    }
    text.parse::<f64>().ok().and_then(Number::from_f64)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn one(text: &str) -> Json {
        documents(text.as_bytes()).unwrap()[0].to_json()
    }

    fn wrong(text: &str) -> Complaint {
        documents(text.as_bytes()).unwrap_err()
    }

    #[test]
    fn scalars_follow_the_core_schema() {
        assert_eq!(
            one("[1, -2, 1.5, yes, on, ~, true, '1', 1.2.3.4, 0x10, 10.0.0.0/8]"),
            json!([1, -2, 1.5, "yes", "on", null, true, "1", "1.2.3.4", "0x10", "10.0.0.0/8"])
        );
    }

    #[test]
    fn a_number_with_a_leading_zero_has_to_be_quoted() {
        assert_eq!(wrong("a: 1\nb: 0755\n").mark, Mark { line: 2, column: 4 });
    }

    #[test]
    fn a_key_that_occurs_twice_names_both_lines() {
        let complaint = wrong("a: 1\nb: 2\na: 3\n");
        assert_eq!(
            (complaint.mark.line, complaint.message.as_str()),
            (3, "the key `a` is there twice (first at 1:1)")
        );
    }

    #[test]
    fn a_path_stands_where_its_key_does() {
        let node = documents(b"a:\n  - x: 1\n  - x: 1\n    y:\n      z: 2\n").unwrap().remove(0);
        assert_eq!(node.mark_of(["a", "1", "y"]), Mark { line: 4, column: 5 });
        assert_eq!(node.mark_of(["a", "1", "nope"]), Mark { line: 3, column: 5 });
    }

    #[test]
    fn several_documents_are_several_values() {
        assert_eq!(documents(b"a: 1\n---\n---\nb: 2\n").unwrap().len(), 2);
    }
}
