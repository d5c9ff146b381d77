//! The actual state of one object, in the form of its declaration.

use std::sync::Arc;

use rustix::{fs::FileType, io::Errno};

use super::{
    confined_dir::{Dir, kind},
    errno,
    fingerprint::{Fingerprint, Identity},
    hash::{self, NoDigest},
    manifest::Mode,
    users::People,
    value::{Body, Form},
};
use crate::model::{
    address::quote,
    change::ThreeWay,
    digest::{Algorithm, Digest},
    object::Cause,
    value::{Blob, Value},
};

/// How often a file that changes while it is read is read again.
const ATTEMPTS: usize = 3;

/// Something that was found, with what it holds.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// What it is. The content of a file is never secret here.
    pub body: Body,
    /// Which it is.
    pub identity: Identity,
    /// How many names it has.
    pub links: u64,
}

/// Why something that is there could not be read.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Unread {
    /// It is gone by now.
    Gone,
    /// The rest.
    Unknown(Cause, String),
}

/// Reads what `name` in `dir` is. `known` may know the content of a file
/// without reading it.
pub(super) fn find(
    dir: &Dir,
    name: &[u8],
    algorithm: Algorithm,
    known: impl Fn(&Fingerprint) -> Option<Digest>,
) -> Result<Found, Unread> {
    for _ in 0..ATTEMPTS {
        let stat = dir.stat(name).map_err(unread)?;
        let identity = Identity::of(&stat);
        let body = match kind(&stat) {
            FileType::RegularFile => match known(&identity.print) {
                Some(id) => Some(Body::File(sized(id, &identity))),
                None => {
                    hash_file(dir, name, &identity, algorithm)?.map(|id| Body::File(sized(id, &identity)))
                }
            },
            FileType::Symlink => {
                let leads_to = dir.read_link(name).map_err(unread)?;
                Some(Body::Link(quote(&leads_to).into()))
            }
            FileType::Directory => Some(Body::Directory),
            other => return Err(Unread::Unknown(Cause::Other, special(other))),
        };
        if let Some(body) = body {
            return Ok(Found { body, identity, links: stat.st_nlink as _ });
        }
    }
    Err(Unread::Unknown(Cause::Other, "it keeps changing while it is read".to_owned()))
}

fn sized(id: Digest, identity: &Identity) -> Blob {
    Blob { size: Some(identity.print.size), ..Blob::unread(id) }
}

/// Hashes a file; `None` if it changed meanwhile.
fn hash_file(
    dir: &Dir,
    name: &[u8],
    identity: &Identity,
    algorithm: Algorithm,
) -> Result<Option<Digest>, Unread> {
    let mut file = dir.open_file(name).map_err(unread)?;
    let hashed = hash::hash_stream(&mut file, identity.print.size, algorithm)
        .map_err(|error| unread(Errno::from_io_error(&error).unwrap_or(Errno::IO)))?;
    // The same file as before it was opened, and untouched since.
    let unchanged = Identity::of(&rustix::fs::fstat(&file).map_err(unread)?) == *identity;
    match hashed {
        Ok(digest) if unchanged => Ok(Some(digest)),
        Err(collision @ NoDigest::Collision) => Err(Unread::Unknown(Cause::Other, collision.to_string())),
        _ => Ok(None),
    }
}

fn unread(errno: Errno) -> Unread {
    match errno {
        Errno::NOENT => Unread::Gone,
        other => Unread::Unknown(errno::cause(other), errno::errno(other)),
    }
}

fn special(kind: FileType) -> String {
    let what = match kind {
        FileType::Socket => "a socket",
        FileType::Fifo => "a named pipe",
        FileType::BlockDevice | FileType::CharacterDevice => "a device",
        _ => "something that is no file, link or directory",
    };
    format!("{what} stands there; trueup leaves it alone. Move it away to have it managed")
}

impl Found {
    /// What was found in the form of the declarations, so that equal values
    /// mean nothing to do: with the fields that they name, and no others.
    ///
    /// A field that Git began to declare since the last apply is left out
    /// while it is not as declared. Nobody moved it in the target, so it is
    /// pending and not a conflict.
    pub(super) fn describe(&self, sides: ThreeWay<&Value>, people: &People) -> Value {
        let form_of =
            |value: Option<&Value>| value.and_then(Form::of).filter(|form| form.body.is_like(&self.body));
        let (desired, base) = (form_of(sides.desired), form_of(sides.base));
        let secret =
            desired.as_ref().or(base.as_ref()).is_some_and(|form| matches!(form.body, Body::Secret(_)));
        let body = match &self.body {
            Body::File(blob) if secret => Body::Secret(blob.clone()),
            other => other.clone(),
        };
        let form = match (&desired, &base) {
            (Some(wanted), before) => self.fields(body, wanted, before.as_ref(), people),
            (None, Some(before)) => self.fields(body, before, None, people),
            (None, None) => self.natural(body),
        };
        form.to_value()
    }

    /// Whether this is just as `value` declares it. The answer of
    /// [`Found::describe`] would then be `value`, at a higher price.
    pub(super) fn is_as(&self, value: &Value, people: &People) -> bool {
        let Value::Map(fields) = value else { return false };
        fields.iter().all(|(key, field)| match (&**key, field) {
            ("type", Value::String(kind)) => kind == self.body.word(),
            ("content", content) => content.as_blob() == self.body.blob(),
            ("target", Value::String(target)) => matches!(&self.body, Body::Link(found) if found == target),
            ("executable", Value::Bool(flag)) => *flag == self.is_executable(),
            ("mode", Value::String(mode)) => Mode::parse(mode) == Some(Mode(self.identity.permissions())),
            ("owner", Value::String(name)) => people.user_id(name) == Some(self.identity.uid),
            ("group", Value::String(name)) => people.group_id(name) == Some(self.identity.gid),
            _ => false,
        })
    }

    fn natural(&self, body: Body) -> Form {
        let executable = matches!(body, Body::File(_) | Body::Secret(_)).then_some(self.is_executable());
        Form { executable, ..Form::bare(body) }
    }

    fn fields(&self, body: Body, wanted: &Form, before: Option<&Form>, people: &People) -> Form {
        Form {
            body,
            executable: field(&wanted.executable, before.map(|form| &form.executable), |_| {
                self.is_executable()
            }),
            mode: field(&wanted.mode, before.map(|form| &form.mode), |_| Mode(self.identity.permissions())),
            owner: field(&wanted.owner, before.map(|form| &form.owner), |declared| {
                let same = |name: &&Arc<str>| people.user_id(name) == Some(self.identity.uid);
                let before = before.and_then(|form| form.owner.as_ref());
                [Some(declared), before]
                    .into_iter()
                    .flatten()
                    .find(same)
                    .cloned()
                    .unwrap_or_else(|| people.user(self.identity.uid).into())
            }),
            group: field(&wanted.group, before.map(|form| &form.group), |declared| {
                let same = |name: &&Arc<str>| people.group_id(name) == Some(self.identity.gid);
                let before = before.and_then(|form| form.group.as_ref());
                [Some(declared), before]
                    .into_iter()
                    .flatten()
                    .find(same)
                    .cloned()
                    .unwrap_or_else(|| people.group(self.identity.gid).into())
            }),
        }
    }

    /// The bit that git looks at.
    pub(super) fn is_executable(&self) -> bool {
        self.identity.mode & 0o100 != 0
    }
}

/// The actual value of a field that is declared. `before` is `None` if there is no base to compare with.
fn field<T: PartialEq>(
    wanted: &Option<T>,
    before: Option<&Option<T>>,
    actual: impl FnOnce(&T) -> T,
) -> Option<T> {
    let wanted = wanted.as_ref()?;
    let actual = actual(wanted);
    let is_new = before.is_some_and(Option::is_none);
    (!is_new || actual == *wanted).then_some(actual)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::providers::files::rules::Traits;

    fn found(mode: u32) -> Found {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("f");
        std::fs::write(&path, "hello\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let dir = Dir::open(root.path()).unwrap();
        find(&dir, b"f", Algorithm::Sha1, |_| None).unwrap()
    }

    fn file(executable: bool, traits: Traits) -> Value {
        let id = "ce013625030ba8dba906f756967f9e9ca394464a".parse().unwrap();
        Form::file(id, executable, traits).to_value()
    }

    fn mode(mode: u32) -> Traits {
        Traits { mode: Some(Mode(mode)), ..Traits::default() }
    }

    fn describe(found: &Found, base: Option<&Value>, desired: Option<&Value>) -> Value {
        found.describe(ThreeWay { base, desired, actual: None }, &People::default())
    }

    #[test]
    fn only_declared_bits_are_compared() {
        let plain = file(false, Traits::default());
        for odd in [0o644, 0o664, 0o600, 0o4640] {
            assert_eq!(describe(&found(odd), None, Some(&plain)), plain);
        }
        assert_ne!(describe(&found(0o744), None, Some(&plain)), plain);
        let exact = file(false, mode(0o640));
        assert_eq!(describe(&found(0o640), None, Some(&exact)), exact);
        assert_eq!(describe(&found(0o644), None, Some(&exact)).get("mode").unwrap().as_str(), Some("0644"));
    }

    #[test]
    fn a_field_that_git_began_to_declare_is_no_conflict() {
        let (plain, exact) = (file(false, Traits::default()), file(false, mode(0o640)));
        assert_eq!(describe(&found(0o644), Some(&plain), Some(&exact)).get("mode"), None);
        assert_eq!(describe(&found(0o640), Some(&plain), Some(&exact)), exact);
        // It was declared and was moved in the target: that is seen.
        let other = file(false, mode(0o600));
        assert_eq!(
            describe(&found(0o644), Some(&other), Some(&exact)).get("mode").unwrap().as_str(),
            Some("0644")
        );
    }

    #[test]
    fn what_is_only_in_the_base_is_described_as_the_base() {
        let exact = file(false, mode(0o640));
        assert_eq!(describe(&found(0o640), Some(&exact), None), exact);
        assert_eq!(describe(&found(0o640), None, None), file(false, Traits::default()));
    }

    #[test]
    fn secrets_stay_wrapped() {
        let secret = file(false, Traits { sensitive: true, ..Traits::default() });
        let plain = file(false, Traits::default());
        assert_eq!(describe(&found(0o644), Some(&plain), Some(&secret)), secret);
        assert_eq!(describe(&found(0o644), Some(&secret), None), secret);
        let link = Form::bare(Body::Link("x".into())).to_value();
        assert_eq!(describe(&found(0o644), Some(&secret), Some(&link)), secret);
    }

    #[test]
    fn owners_are_named_as_declared() {
        for name in ["root", "0"] {
            let declared = file(false, Traits { owner: Some(name.into()), ..Traits::default() });
            let mut root_owned = found(0o644);
            root_owned.identity.uid = 0;
            assert_eq!(describe(&root_owned, None, Some(&declared)), declared);
        }
    }
}
