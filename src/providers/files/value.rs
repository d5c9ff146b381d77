//! The form in which files, links and directories travel through the model.

use std::sync::{Arc, LazyLock};

use super::{hash::hash_bytes, manifest::Mode, rules::Traits};
use crate::model::{
    digest::Digest,
    value::{Blob, Map, Value},
};

/// The names of the fields, each allocated once.
pub(super) struct Keys {
    pub content: Arc<str>,
    pub executable: Arc<str>,
    pub group: Arc<str>,
    pub mode: Arc<str>,
    pub owner: Arc<str>,
    pub target: Arc<str>,
    pub kind: Arc<str>,
    file: Arc<str>,
    link: Arc<str>,
    directory: Arc<str>,
}

/// The names of the fields.
pub(super) static KEYS: LazyLock<Keys> = LazyLock::new(|| Keys {
    content: "content".into(),
    executable: "executable".into(),
    group: "group".into(),
    mode: "mode".into(),
    owner: "owner".into(),
    target: "target".into(),
    kind: "type".into(),
    file: "file".into(),
    link: "link".into(),
    directory: "directory".into(),
});

/// What something in a directory is, with the part that makes its content.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Body {
    /// A regular file.
    File(Blob),
    /// A regular file whose content no output may show.
    Secret(Blob),
    /// A symbolic link and where it leads, quoted.
    Link(Arc<str>),
    /// A directory.
    Directory,
}

/// A file, link or directory with what is declared of it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Form {
    /// What it is.
    pub body: Body,
    /// The executable bit, for files without an exact mode.
    pub executable: Option<bool>,
    /// The exact permissions.
    pub mode: Option<Mode>,
    /// The owner, by name or number.
    pub owner: Option<Arc<str>>,
    /// The group, by name or number.
    pub group: Option<Arc<str>>,
}

impl Body {
    /// The content of a file, secret or not.
    pub(super) fn blob(&self) -> Option<&Blob> {
        match self {
            Body::File(blob) | Body::Secret(blob) => Some(blob),
            Body::Link(_) | Body::Directory => None,
        }
    }

    /// Whether both are of one type.
    pub(super) fn is_like(&self, other: &Body) -> bool {
        self.word() == other.word()
    }

    /// The word for its type.
    pub(super) fn word(&self) -> &Arc<str> {
        match self {
            Body::File(_) | Body::Secret(_) => &KEYS.file,
            Body::Link(_) => &KEYS.link,
            Body::Directory => &KEYS.directory,
        }
    }
}

impl Form {
    /// Something of which nothing but its body is declared.
    pub(super) fn bare(body: Body) -> Form {
        Form { body, executable: None, mode: None, owner: None, group: None }
    }

    /// A file as git and the rules declare it.
    pub(super) fn file(content: Digest, executable: bool, traits: Traits) -> Form {
        let blob = Blob::unread(content);
        Form {
            body: if traits.sensitive { Body::Secret(blob) } else { Body::File(blob) },
            executable: traits.mode.is_none().then_some(executable),
            mode: traits.mode,
            owner: traits.owner,
            group: traits.group,
        }
    }

    /// A directory as the rules declare it.
    pub(super) fn directory(traits: Traits) -> Form {
        Form {
            body: Body::Directory,
            executable: None,
            mode: traits.mode,
            owner: traits.owner,
            group: traits.group,
        }
    }

    /// The same with the identity of its content alone, and of this size if that was unknown.
    pub(super) fn without_content(mut self, size: Option<u64>) -> Form {
        if let Body::File(blob) | Body::Secret(blob) = &mut self.body {
            blob.bytes = None;
            blob.size = blob.size.or(size);
        }
        self
    }

    /// The form that the model compares.
    pub(super) fn to_value(&self) -> Value {
        let keys: &Keys = &KEYS;
        let mut fields = Vec::with_capacity(3);
        let mut field = |key: &Arc<str>, value: Value| fields.push((key.clone(), value));
        // In the order of the keys.
        match &self.body {
            Body::File(blob) => field(&keys.content, blob.clone().into()),
            Body::Secret(blob) => {
                field(&keys.content, Value::Sensitive(Box::new(blob.clone().into())));
            }
            Body::Link(_) | Body::Directory => {}
        }
        if let Some(executable) = self.executable {
            field(&keys.executable, Value::Bool(executable));
        }
        if let Some(group) = &self.group {
            field(&keys.group, Value::String(group.clone()));
        }
        if let Some(mode) = self.mode {
            field(&keys.mode, Value::string(mode.to_string()));
        }
        if let Some(owner) = &self.owner {
            field(&keys.owner, Value::String(owner.clone()));
        }
        if let Body::Link(target) = &self.body {
            field(&keys.target, Value::String(target.clone()));
        }
        field(&keys.kind, Value::String(self.body.word().clone()));
        Map::from_sorted_store_unchecked(fields).into()
    }

    /// Reads back what [`Form::to_value`] made; `None` for anything else.
    pub(super) fn of(value: &Value) -> Option<Form> {
        let text = |key| match value.get(key) {
            Some(Value::String(text)) => Some(text.clone()),
            _ => None,
        };
        let body = match value.get("type")?.as_str()? {
            "file" => match value.get("content")? {
                Value::Blob(blob) => Body::File(named(blob)),
                hidden => Body::Secret(named(hidden.as_blob()?)),
            },
            "link" => Body::Link(text("target")?),
            "directory" => Body::Directory,
            _ => return None,
        };
        let executable = match value.get("executable") {
            Some(Value::Bool(flag)) => Some(*flag),
            _ => None,
        };
        let mode = value.get("mode").and_then(Value::as_str).and_then(Mode::parse);
        Some(Form { body, executable, mode, owner: text("owner"), group: text("group") })
    }
}

/// Content with its id, which text that was put together has not yet.
fn named(blob: &Blob) -> Blob {
    let id = match &blob.bytes {
        Some(bytes) if blob.id.is_null() => hash_bytes(bytes, blob.id.algorithm()).ok(),
        _ => None,
    };
    Blob { id: id.unwrap_or(blob.id), ..blob.clone() }
}

/// Whether the content of this object is one that no output may show.
pub(super) fn is_secret(value: &Value) -> bool {
    matches!(value.get("content"), Some(Value::Sensitive(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blob() -> Blob {
        Blob::unread("e69de29bb2d1d6434b8b29ae775ad8c2e48c5391".parse().unwrap())
    }

    #[test]
    fn forms_survive_the_model() {
        let forms = [
            Form { executable: Some(true), ..Form::bare(Body::File(blob())) },
            Form { mode: Some(Mode(0o640)), owner: Some("root".into()), ..Form::bare(Body::Secret(blob())) },
            Form { group: Some("33".into()), ..Form::bare(Body::Directory) },
            Form::bare(Body::Link("../x".into())),
        ];
        for form in forms {
            assert_eq!(Form::of(&form.to_value()), Some(form));
        }
        assert_eq!(Form::of(&Value::Null), None);
    }

    #[test]
    fn fields_are_what_the_declaration_names() {
        let form = Form::file(blob().id, false, Traits::default());
        let keys: Vec<String> = match form.to_value() {
            Value::Map(map) => map.keys().map(ToString::to_string).collect(),
            _ => Vec::new(),
        };
        assert_eq!(keys, ["content", "executable", "type"]);
        let exact = Form::file(blob().id, true, Traits { mode: Some(Mode(0o750)), ..Traits::default() });
        assert_eq!(exact.to_value().get("mode").unwrap().as_str(), Some("0750"));
        assert_eq!(exact.to_value().get("executable"), None);
    }
}
