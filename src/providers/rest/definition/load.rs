//! Reads a definition, strictly, and says in which line something is wrong.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;

use super::{Definition, Kind};
use crate::{
    model::suggest::nearest,
    providers::rest::{
        template,
        yaml::{self, Complaint, Node},
    },
};

/// Reads a definition.
///
/// # Errors
/// What is wrong, with its line.
pub fn parse(text: &[u8]) -> Result<Definition, Complaint> {
    let mut documents = yaml::documents(text)?;
    if documents.len() != 1 {
        return Err(Complaint::new(1, "a definition is one document"));
    }
    let node = documents.remove(0);
    let mut definition: Definition = typed(&node)?;
    for (name, kind) in &mut definition.kinds {
        kind.fields = expand(std::mem::take(&mut kind.fields));
        if !kind.fields.keys().chain(&kind.identity.keys).all(|pointer| pointer.starts_with('/')) {
            let line = node.line_of(["kinds", name, "fields"]);
            return Err(Complaint::new(line, "a field is named by a pointer, which starts with `/`"));
        }
    }
    check(&definition)
        .map_err(|(path, message)| Complaint::new(node.line_of(path.iter().map(String::as_str)), message))?;
    Ok(definition)
}

/// Reads `node` as a `T`, with the line of what is wrong.
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
        Complaint::new(node.line_of(path), format!("{place}{message}"))
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

/// Writes `/{a,b}` out as `/a` and `/b`.
fn expand<T: Clone>(fields: BTreeMap<String, T>) -> BTreeMap<String, T> {
    let mut expanded = BTreeMap::new();
    for (pointer, field) in fields {
        let several = pointer.split_once('{').and_then(|(before, rest)| {
            let (names, after) = rest.split_once('}')?;
            Some((before.to_owned(), names.to_owned(), after.to_owned()))
        });
        match several {
            Some((before, names, after)) => expanded.extend(
                names.split(',').map(|name| (format!("{before}{}{after}", name.trim()), field.clone())),
            ),
            None => _ = expanded.insert(pointer, field),
        }
    }
    expanded
}

/// What is wrong, and the keys that lead to it.
type Wrong = (Vec<String>, String);

fn check(definition: &Definition) -> Result<(), Wrong> {
    let mut known: Vec<&str> = vec!["url"];
    known.extend(definition.options.keys().map(String::as_str));
    names(&definition.base_url, &known, &["base_url"])?;
    for (header, value) in &definition.headers {
        names(value, &known, &["headers", header])?;
    }
    for (name, scope) in &definition.scopes {
        if let Some(kind) = scope.kind.as_ref().filter(|kind| definition.kind(kind).is_none()) {
            return Err((path(&["scopes", name, "kind"]), format!("there is no kind `{kind}`")));
        }
        let known: Vec<&str> = known.iter().copied().chain(scope.params.iter().map(String::as_str)).collect();
        if let Some(exists) = &scope.exists {
            names(exists, &known, &["scopes", name, "exists"])?;
        }
    }
    definition.kinds.iter().try_for_each(|(name, kind)| check_kind(definition, name, kind, &known))
}

fn check_kind(definition: &Definition, name: &str, kind: &Kind, known: &[&str]) -> Result<(), Wrong> {
    let at = |more: &[&str]| path(&[&["kinds", name], more].concat());
    if let Some(scope) = kind.scope.as_ref().filter(|scope| !definition.scopes.contains_key(*scope)) {
        return Err((at(&["scope"]), format!("there is no scope `{scope}`")));
    }
    if let Some(other) = kind.depends_on.iter().find(|other| definition.kind(other).is_none()) {
        return Err((at(&["depends_on"]), format!("there is no kind `{other}`")));
    }
    if kind.identity.keys.is_empty() {
        return Err((at(&["identity", "keys"]), "an object needs a name".to_owned()));
    }
    if kind.list.is_none() && kind.read.is_none() {
        return Err((at(&[]), "it can be read neither by `list` nor by `read`".to_owned()));
    }
    let mut inside: Vec<&str> = known.to_vec();
    inside.extend(definition.params(kind).iter().map(String::as_str));
    if let Some(list) = &kind.list {
        names(&list.path, &inside, &["kinds", name, "list", "path"])?;
    }
    inside.extend(kind.identity.keys.iter().filter_map(|key| key.rsplit('/').next()));
    inside.extend(["id", "version"]);
    let writes = [("create", &kind.create), ("update", &kind.update)];
    let writes = writes.into_iter().filter_map(|(verb, write)| Some((verb, &write.as_ref()?.path)));
    let paths = writes
        .chain(kind.read.as_ref().map(|read| ("read", &read.path)))
        .chain(kind.delete.as_ref().map(|delete| ("delete", &delete.path)))
        .chain(kind.batch.as_ref().map(|batch| ("batch", &batch.path)));
    for (verb, path) in paths {
        names(path, &inside, &["kinds", name, verb, "path"])?;
    }
    Ok(())
}

fn names(template: &str, known: &[&str], at: &[&str]) -> Result<(), Wrong> {
    let used = template::names(template).map_err(|message| (path(at), message))?;
    match used.into_iter().find(|name| !known.contains(name)) {
        Some(name) => Err((
            path(at),
            format!("`{template}` uses `{name}`, which is not known here; there is {}", known.join(", ")),
        )),
        None => Ok(()),
    }
}

fn path(steps: &[&str]) -> Vec<String> {
    steps.iter().map(|step| (*step).to_owned()).collect()
}

/// Whether `version` is `other` or a later one, part by part.
pub fn reaches(version: &str, other: &str) -> bool {
    let parts = |text: &str| -> Vec<u64> {
        let text = text.trim_start_matches('v');
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        text[..end].split('.').map(|part| part.parse().unwrap_or(0)).collect()
    };
    parts(version) >= parts(other)
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
        (complaint.line, complaint.message)
    }

    #[test]
    fn a_small_definition_is_read() {
        let definition = parse(SMALL.as_bytes()).unwrap();
        let fields: Vec<_> = definition.kinds["thing"].fields.keys().collect();
        assert_eq!(fields, ["/a", "/b", "/name"]);
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
    fn a_scope_has_to_exist() {
        assert_eq!(wrong("scope: room", "scope: zoom").0, 9);
    }

    #[test]
    fn versions_compare_by_number() {
        assert!(reaches("1.26.0", "1.9") && !reaches("4.7.3", "4.9.12") && reaches("v2.0+dev", "2.0"));
    }
}
