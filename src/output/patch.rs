//! One file as a patch that `git apply` and `patch` take.

use std::io;

use super::{
    Bytes,
    hunks::{Contents, Pen},
    style::Role,
    visible::visible,
};
use crate::model::{
    address::{quote, unquote},
    digest::Digest,
    redact::{Shown, ShownChange},
};

/// One side of a file.
struct Side<'a> {
    kind: Kind,
    /// As git writes it: `100644`.
    mode: &'static str,
    body: Body<'a>,
    /// What git has no words for: exact mode, owner, group.
    rest: [(&'static str, Option<String>); 3],
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    File,
    Link,
    Directory,
}

/// What a file holds, or a link points to.
#[derive(PartialEq)]
enum Body<'a> {
    Bytes(std::borrow::Cow<'a, [u8]>, Option<Digest>),
    Unread(Digest, Option<u64>),
    Hidden(usize),
}

impl Body<'_> {
    fn id(&self) -> Option<Digest> {
        let id = match self {
            Body::Bytes(_, id) => *id,
            Body::Unread(id, _) => Some(*id),
            Body::Hidden(_) => None,
        };
        id.filter(|id| !id.is_null())
    }

    fn is_same(&self, other: &Body<'_>) -> bool {
        match (self.id(), other.id()) {
            (Some(one), Some(other)) => one == other,
            _ => self == other,
        }
    }

    /// What can be said of it without its bytes.
    fn describe(&self) -> String {
        let size = match self {
            Body::Hidden(number) => return format!("(sensitive) #{number}"),
            Body::Bytes(bytes, _) => Some(bytes.len() as u64),
            Body::Unread(_, size) => *size,
        };
        let size = size.map(|size| format!("{size} bytes"));
        let id = self.id().map(|id| format!("blob {id}"));
        [size, id].into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    /// Why its lines are not shown.
    fn reason(&self) -> &'static str {
        match self {
            Body::Hidden(_) => "sensitive content",
            Body::Unread(..) => "content too large to show",
            Body::Bytes(..) => "binary content",
        }
    }
}

impl<'a> Side<'a> {
    /// Reads a side from the form that the files provider gives it.
    fn of(shown: &'a Shown) -> Self {
        let kind = match shown.get("type").and_then(Shown::as_str) {
            Some("link") => Kind::Link,
            Some("directory") => Kind::Directory,
            _ => Kind::File,
        };
        // A side with an exact mode has no flag of its own.
        let exact =
            shown.get("mode").and_then(Shown::as_str).and_then(|mode| u32::from_str_radix(mode, 8).ok());
        let executable = match exact {
            Some(mode) => mode & 0o100 != 0,
            None => shown.get("executable") == Some(&Shown::Plain(true.into())),
        };
        let mode = match kind {
            Kind::Link => "120000",
            Kind::File if executable => "100755",
            Kind::File | Kind::Directory => "100644",
        };
        let rest = ["mode", "owner", "group"].map(|key| (key, shown.get(key).map(short)));
        Side { kind, mode, body: body(shown), rest }
    }
}

fn body(shown: &Shown) -> Body<'_> {
    match shown.get("content").or_else(|| shown.get("target")).unwrap_or(shown) {
        Shown::Hidden(number) => Body::Hidden(*number),
        Shown::Content { id, bytes: Some(bytes), .. } => Body::Bytes((&**bytes).into(), Some(*id)),
        Shown::Content { id, size, bytes: None } => Body::Unread(*id, *size),
        Shown::Plain(serde_json::Value::String(text)) => Body::Bytes(unquote(text), None),
        Shown::Plain(_) | Shown::Map(_) | Shown::List(_) => Body::Bytes(Default::default(), None),
    }
}

/// A small value as a comment shows it.
fn short(shown: &Shown) -> String {
    match shown {
        Shown::Plain(serde_json::Value::String(text)) => visible(text).into_owned(),
        other => serde_json::to_value(other).map_or_else(|_| String::new(), |value| value.to_string()),
    }
}

/// Writes what separates the two sides of `change`.
///
/// # Errors
/// The pen's stream refused.
pub fn write(change: &ShownChange, pen: &mut Pen<'_>) -> io::Result<()> {
    let name = Name::of(&change.address);
    let (before, after) = (change.before.as_ref().map(Side::of), change.after.as_ref().map(Side::of));
    match (before, after) {
        (None, None) => Ok(()),
        (Some(before), Some(after)) if before.kind == after.kind => name.modify(&before, &after, pen),
        (before, after) => {
            if let Some(before) = before {
                name.delete(&before, pen)?;
            }
            after.map_or(Ok(()), |after| name.create(&after, pen))
        }
    }
}

/// The name of a file in the places where a patch has it.
struct Name<'a> {
    shown: &'a str,
    old: String,
    new: String,
}

impl<'a> Name<'a> {
    fn of(address: &'a str) -> Self {
        let bytes = unquote(address);
        Name { shown: address, old: quoted(b"a/", &bytes), new: quoted(b"b/", &bytes) }
    }

    fn header(&self, pen: &mut Pen<'_>) -> io::Result<()> {
        pen.line(Role::Heading, &format!("diff --git {} {}", self.old, self.new))
    }

    fn comment(&self, text: &str, pen: &mut Pen<'_>) -> io::Result<()> {
        pen.line(Role::Aside, &format!("# {}: {text}", visible(self.shown)))
    }

    fn create(&self, after: &Side<'_>, pen: &mut Pen<'_>) -> io::Result<()> {
        if after.kind == Kind::Directory {
            return self.comment("new directory", pen);
        }
        for (key, value) in &after.rest {
            if let Some(value) = value {
                self.comment(&format!("{key} {value}"), pen)?;
            }
        }
        let Body::Bytes(bytes, _) = &after.body else {
            let body = &after.body;
            return self
                .comment(&format!("new {}, {}: {}", kind(after), body.reason(), body.describe()), pen);
        };
        self.header(pen)?;
        pen.line(Role::Heading, &format!("new file mode {}", after.mode))?;
        if let Some(id) = after.body.id() {
            pen.line(Role::Heading, &format!("index {}..{id}", Digest::null(id.algorithm())))?;
        }
        let contents = Contents { before: b"", after: bytes };
        self.content(Ends { old: "/dev/null", new: &self.new }, contents, &after.body, pen)
    }

    fn delete(&self, before: &Side<'_>, pen: &mut Pen<'_>) -> io::Result<()> {
        if before.kind == Kind::Directory {
            return self.comment("directory deleted", pen);
        }
        let Body::Bytes(bytes, _) = &before.body else {
            let body = &before.body;
            let what = kind(before);
            return self.comment(&format!("{what} deleted, {}: {}", body.reason(), body.describe()), pen);
        };
        self.header(pen)?;
        pen.line(Role::Heading, &format!("deleted file mode {}", before.mode))?;
        if let Some(id) = before.body.id() {
            pen.line(Role::Heading, &format!("index {id}..{}", Digest::null(id.algorithm())))?;
        }
        let contents = Contents { before: bytes, after: b"" };
        self.content(Ends { old: &self.old, new: "/dev/null" }, contents, &before.body, pen)
    }

    fn modify(&self, before: &Side<'_>, after: &Side<'_>, pen: &mut Pen<'_>) -> io::Result<()> {
        for ((key, old), (_, new)) in before.rest.iter().zip(&after.rest) {
            if old != new {
                let word = |value: &Option<String>| value.clone().unwrap_or_else(|| "undeclared".to_owned());
                self.comment(&format!("{key} {} → {}", word(old), word(new)), pen)?;
            }
        }
        let same = before.kind == Kind::Directory || before.body.is_same(&after.body);
        let (old, new) = match (&before.body, &after.body) {
            _ if same => (None, None),
            (Body::Bytes(old, _), Body::Bytes(new, _)) => (Some(old), Some(new)),
            (old, new) => {
                let reason = if let Body::Bytes(..) = old { new.reason() } else { old.reason() };
                self.comment(&format!("{reason} changes: {} → {}", old.describe(), new.describe()), pen)?;
                (None, None)
            }
        };
        if before.mode == after.mode && old.is_none() {
            return Ok(());
        }
        self.header(pen)?;
        // patch follows a link unless a header says that it is one; git takes both.
        if before.mode != after.mode || before.kind == Kind::Link {
            pen.line(Role::Heading, &format!("old mode {}", before.mode))?;
            pen.line(Role::Heading, &format!("new mode {}", after.mode))?;
        }
        let (Some(old), Some(new)) = (old, new) else { return Ok(()) };
        if let (Some(old), Some(new)) = (before.body.id(), after.body.id()) {
            let mode = if before.mode == after.mode { format!(" {}", after.mode) } else { String::new() };
            pen.line(Role::Heading, &format!("index {old}..{new}{mode}"))?;
        }
        let ends = Ends { old: &self.old, new: &self.new };
        self.content(ends, Contents { before: old, after: new }, &after.body, pen)
    }

    /// Both git and patch take hunks of any bytes, but only git takes `GIT
    /// binary patch`: patches always have hunks. Eyes get a sentence instead.
    fn content(
        &self,
        ends: Ends<'_>,
        contents: Contents<'_>,
        body: &Body<'_>,
        pen: &mut Pen<'_>,
    ) -> io::Result<()> {
        if contents.before == contents.after {
            return Ok(());
        }
        if pen.bytes == Bytes::Visible && !contents.are_text() {
            let (old, new) = (contents.before.len(), contents.after.len());
            let id = body.id().map_or_else(String::new, |id| format!(", blob {id}"));
            return self.comment(&format!("binary content: {old} → {new} bytes{id}"), pen);
        }
        pen.line(Role::Heading, &format!("--- {}", ends.old))?;
        pen.line(Role::Heading, &format!("+++ {}", ends.new))?;
        pen.hunks(contents)
    }
}

/// What stands after `---` and `+++`.
#[derive(Clone, Copy)]
struct Ends<'a> {
    old: &'a str,
    new: &'a str,
}

fn kind(side: &Side<'_>) -> &'static str {
    match side.kind {
        Kind::File if side.mode == "100755" => "executable file",
        Kind::File => "file",
        Kind::Link => "link",
        Kind::Directory => "directory",
    }
}

/// A name as git quotes it. One with a blank is quoted too: in a header
/// without `---` lines its end could not be told, and patch would cut it.
fn quoted(prefix: &[u8], name: &[u8]) -> String {
    let whole = [prefix, name].concat();
    let text = quote(&whole);
    if text.contains(' ') && !text.starts_with('"') { format!("\"{text}\"") } else { text.into_owned() }
}
