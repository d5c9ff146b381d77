//! Reads a definition, strictly, and says where something is wrong.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;

use super::{Definition, check};
use crate::{
    model::suggest::nearest,
    providers::rest::declare::yaml::{self, Complaint, Mark, Node},
};

/// The largest definition.
pub const LARGEST: usize = 1024 * 1024;

/// Reads a definition.
///
/// # Errors
/// What is wrong, with its place.
pub fn parse(text: &[u8]) -> Result<Definition, Complaint> {
    if text.len() > LARGEST {
        let message = format!("a definition of more than {LARGEST} bytes is not read");
        return Err(Complaint::new(Mark { line: 1, column: 1 }, message));
    }
    let mut documents = yaml::documents(text)?;
    if documents.len() != 1 {
        return Err(Complaint::new(Mark { line: 1, column: 1 }, "a definition is one document"));
    }
    let node = documents.remove(0);
    let mut definition: Definition = typed(&node)?;
    for (name, kind) in &mut definition.kinds {
        kind.fields = expand(std::mem::take(&mut kind.fields));
        if !kind
            .fields
            .keys()
            .chain(&kind.identity.keys)
            .chain(&kind.identity.discriminator)
            .all(|pointer| pointer.starts_with('/'))
        {
            let mark = node.mark_of(["kinds", name, "fields"]);
            return Err(Complaint::new(mark, "a field is named by a pointer, which starts with `/`"));
        }
    }
    check::check(&definition)
        .map_err(|(path, message)| Complaint::new(node.mark_of(path.iter().map(String::as_str)), message))?;
    Ok(definition)
}

/// Reads `node` as a `T`, with the place of what is wrong.
///
/// # Errors
/// As serde words it, with a suggestion for a key that is not known.
pub fn typed<T: DeserializeOwned>(node: &Node) -> Result<T, Complaint> {
    serde_path_to_error::deserialize(node.to_json()).map_err(|error| {
        let path: Vec<String> = error.path().iter().map(|step| step.to_string()).collect();
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let at = path.join(".");
        let message = explain(&error.inner().to_string());
        let place = if at.is_empty() || at == "." { String::new() } else { format!("{at}: ") };
        Complaint::new(node.mark_of(path), format!("{place}{message}"))
    })
}

/// Shortens serde's list of what was expected to the nearest word.
fn explain(message: &str) -> String {
    let Some((problem, expected)) = message.split_once(", expected ") else { return message.to_owned() };
    let Some(wrong) = problem.strip_prefix("unknown field `").and_then(|rest| rest.strip_suffix('`')) else {
        return message.to_owned();
    };
    let known = expected.split('`').skip(1).step_by(2);
    match nearest(wrong, known) {
        Some(word) => format!("unknown key `{wrong}`; did you mean `{word}`?"),
        None => format!("unknown key `{wrong}`, expected {expected}"),
    }
}

/// Writes `/{a,b}/{c,d}` out as `/a/c`, `/a/d`, `/b/c` and `/b/d`.
fn expand<T: Clone>(fields: BTreeMap<String, T>) -> BTreeMap<String, T> {
    let all = |(pointer, field): (String, T)| {
        written_out(&pointer).into_iter().map(move |pointer| (pointer, field.clone()))
    };
    fields.into_iter().flat_map(all).collect()
}

fn written_out(pointer: &str) -> Vec<String> {
    let parts = pointer.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?)));
    let Some((before, (names, after))) = parts else { return vec![pointer.to_owned()] };
    let ends = written_out(after);
    let with = |name: &str| -> Vec<String> {
        ends.iter().map(|end| format!("{before}{}{end}", name.trim())).collect()
    };
    names.split(',').flat_map(with).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = "apiVersion: rest.trueup/v1
provider: small
summary: things
base_url: '{url}/api'
scopes:
  room: {params: [room]}
kinds:
  thing:
    scope: room
    identity: {keys: [/name]}
    list: {path: '/{room}/things'}
    fields:
      /name: {required: true}
      '/{a,b}': {access: read_only}
";

    fn wrong(from: &str, to: &str) -> (u32, String) {
        assert!(SMALL.contains(from));
        let complaint = parse(SMALL.replace(from, to).as_bytes()).unwrap_err();
        (complaint.mark.line, complaint.message)
    }

    #[test]
    fn a_small_definition_is_read() {
        let definition = parse(SMALL.as_bytes()).unwrap();
        let fields: Vec<_> = definition.kinds["thing"].fields.keys().collect();
        assert_eq!(fields, ["/a", "/b", "/name"]);
    }

    #[test]
    fn every_choice_of_a_pointer_is_written_out() {
        assert_eq!(written_out("/{a,b}/x/{c, d}"), ["/a/x/c", "/a/x/d", "/b/x/c", "/b/x/d"]);
        assert_eq!(written_out("/a{b"), ["/a{b"]);
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line_and_the_nearest_one() {
        let (line, message) = wrong("scope: room", "scop: room");
        assert_eq!(
            (line, message.as_str()),
            (9, "kinds.thing.scop: unknown key `scop`; did you mean `scope`?")
        );
    }

    #[test]
    fn a_wrong_type_is_named_with_its_line() {
        assert_eq!(wrong("{required: true}", "{required: 1}").0, 13);
    }

    #[test]
    fn names_of_templates_have_to_be_known() {
        let (line, message) = wrong("'/{room}/things'", "'/{zoom}/things'");
        assert_eq!(line, 11);
        assert!(message.contains("`zoom`") && message.contains("room"));
    }

    #[test]
    fn a_key_without_an_effect_is_named_with_its_line() {
        let list = "    list: {path: '/{room}/things'}\n";
        let beside = |more: &str| wrong(list, &format!("{list}    {more}\n"));
        let cases = [
            ("id_from_name: slug", "needs `id`"),
            ("read: {path: /x, raw: /a, query_body: {}}", "no JSON"),
            ("read: {path: /x, query_body: {$var: zoom}}", "`zoom`"),
            ("delete: {path: /x, template: {$var: zoom}}", "`zoom`"),
            ("create: {method: POST, path: /x, fallback: [{path: '/{zoom}'}]}", "`zoom`"),
            ("update: {method: POST, path: /x, fallback: [{path: /y}]}", "`create` only"),
            ("create: {method: POST, path: /x, success: {stauts: [200]}}", "did you mean `status`"),
            ("create: {method: POST, path: /x, success: {when: '/a =='}}", "expected a pointer"),
            ("create: {method: POST, path: /x, success: 200}", "a list of statuses"),
            ("wait: {until: '/a =='}", "expected a pointer"),
        ];
        for (more, said) in cases {
            let (line, message) = beside(more);
            assert!(line == 12 && message.contains(said), "{more}: {line}: {message}");
        }
        let fields = [
            ("{required: true, presence: /a}", "never answers"),
            ("{patch: {put: {}, remove: {}}}", "list: keyed"),
        ];
        for (field, said) in fields {
            let (line, message) = wrong("{required: true}", field);
            assert!(line == 13 && message.contains(said), "{field}: {line}: {message}");
        }
        let batch = "batch: {method: PATCH, path: /x, items: /i, put: {}, remove: {}, max: 2}\n    wait: {timeout_s: 1}";
        assert_eq!(beside(batch).0, 13);
    }

    #[test]
    fn a_scope_has_to_exist() {
        assert_eq!(wrong("scope: room", "scope: zoom").0, 9);
    }
}
