//! Owner, group, permissions and extended attributes of what is written.

use std::fs::File;

use rustix::{
    fs::{Gid, Mode, Uid, XattrFlags},
    io::Errno,
};

use super::{
    fingerprint::Identity,
    users::People,
    value::{Body, Form},
    write_result::Ending,
};

/// What a file or directory is to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Attributes {
    /// The owner; `None` leaves it to the system.
    pub uid: Option<u32>,
    /// The group; `None` leaves it to the system.
    pub gid: Option<u32>,
    /// The permissions.
    pub mode: u32,
}

impl Attributes {
    /// What is declared by `form`, and where that says nothing, what `before`
    /// had; where nothing was before, what the umask leaves.
    pub(super) fn of(
        form: &Form,
        before: Option<&Identity>,
        people: &People,
        umask: u32,
    ) -> Result<Self, Ending> {
        let uid = form.owner.as_ref().map(|name| {
            people.user_id(name).ok_or_else(|| Ending::wrong(&format!("there is no user `{name}` here")))
        });
        let gid = form.group.as_ref().map(|name| {
            people.group_id(name).ok_or_else(|| Ending::wrong(&format!("there is no group `{name}` here")))
        });
        Ok(Attributes {
            uid: uid.transpose()?.or(before.map(|identity| identity.uid)),
            gid: gid.transpose()?.or(before.map(|identity| identity.gid)),
            mode: permissions(form, before, umask),
        })
    }

    /// Gives them to an open file. Owner first: a change of owner takes the set-id bits away.
    pub(super) fn give(&self, file: &File) -> Result<(), Ending> {
        let now =
            Identity::of(&rustix::fs::fstat(file).map_err(|errno| Ending::failed("reading it back", errno))?);
        let uid = self.uid.filter(|uid| *uid != now.uid);
        let gid = self.gid.filter(|gid| *gid != now.gid);
        if uid.is_some() || gid.is_some() {
            rustix::fs::fchown(file, uid.map(Uid::from_raw), gid.map(Gid::from_raw))
                .map_err(|errno| Ending::failed("giving it its owner and group", errno))?;
        }
        rustix::fs::fchmod(file, Mode::from_raw_mode(self.mode as _))
            .map_err(|errno| Ending::failed("giving it its permissions", errno))
    }

    /// Whether `identity` has them.
    pub(super) fn are_of(&self, identity: &Identity) -> bool {
        identity.permissions() == self.mode
            && self.uid.is_none_or(|uid| uid == identity.uid)
            && self.gid.is_none_or(|gid| gid == identity.gid)
    }
}

fn permissions(form: &Form, before: Option<&Identity>, umask: u32) -> u32 {
    if let Some(mode) = form.mode {
        return mode.0;
    }
    if form.body == Body::Directory {
        return before.map_or(0o755 & !umask, Identity::permissions);
    }
    let executable = form.executable.unwrap_or_default();
    match before.map(Identity::permissions) {
        Some(mode) if executable == (mode & 0o100 != 0) => mode,
        // Who may read it may run it.
        Some(mode) if executable => mode | 0o100 | (mode & 0o444) >> 2,
        // Set-id bits mean nothing without the right to run it.
        Some(mode) => mode & 0o666,
        // No umask can take from the owner what is declared, or reading it back.
        None if executable => 0o777 & !umask | 0o700,
        None => 0o666 & !umask | 0o600,
    }
}

/// Copies extended attributes (SELinux context, access control list, those of
/// users) from the file that is replaced, as far as the system lets.
pub(super) fn copy_extended(from: &File, to: &File) {
    let Ok(names) = read_growing(|buffer| rustix::fs::flistxattr(from, buffer)) else { return };
    for name in names.split(|byte| *byte == 0).filter(|name| is_worth_keeping(name)) {
        if let Ok(value) = read_growing(|buffer| rustix::fs::fgetxattr(from, name, buffer)) {
            let _ = rustix::fs::fsetxattr(to, name, &value, XattrFlags::empty());
        }
    }
}

fn is_worth_keeping(name: &[u8]) -> bool {
    name.starts_with(b"user.") || name == b"security.selinux" || name == b"system.posix_acl_access"
}

fn read_growing(read: impl Fn(&mut [u8]) -> Result<usize, Errno>) -> Result<Vec<u8>, Errno> {
    let mut buffer = vec![0; 1024];
    loop {
        match read(&mut buffer) {
            Ok(length) => {
                buffer.truncate(length);
                return Ok(buffer);
            }
            Err(Errno::RANGE) if buffer.len() < 1 << 20 => buffer.resize(buffer.len() * 4, 0),
            Err(errno) => return Err(errno),
        }
    }
}

/// The process's mask of permissions for new files.
pub(super) fn umask() -> u32 {
    // It cannot be read without being set. In between, another thread would
    // create files that are more private than meant, never less.
    let mask = rustix::process::umask(Mode::from_raw_mode(0o077));
    rustix::process::umask(mask);
    mask.as_raw_mode() as _
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::files::{fingerprint::Fingerprint, manifest};

    fn file(executable: bool) -> Form {
        let blob =
            crate::model::value::Blob::unread("e69de29bb2d1d6434b8b29ae775ad8c2e48c5391".parse().unwrap());
        Form { executable: Some(executable), ..Form::bare(Body::File(blob)) }
    }

    fn had(mode: u32) -> Identity {
        let print = Fingerprint { device: 0, inode: 0, size: 0, modified: 0, changed: 0 };
        Identity { print, mode: mode | 0o100_000, uid: 7, gid: 8 }
    }

    #[test]
    fn the_umask_shapes_what_is_new() {
        let modes = |umask| [permissions(&file(false), None, umask), permissions(&file(true), None, umask)];
        assert_eq!(modes(0), [0o666, 0o777]);
        assert_eq!(modes(0o022), [0o644, 0o755]);
        assert_eq!(modes(0o077), [0o600, 0o700]);
        assert_eq!(modes(0o777), [0o600, 0o700]);
        assert_eq!(permissions(&Form::bare(Body::Directory), None, 0o027), 0o750);
    }

    #[test]
    fn what_is_not_declared_stays() {
        let cases = [
            (false, 0o664, 0o664),
            (false, 0o600, 0o600),
            (true, 0o640, 0o750),
            (true, 0o751, 0o751),
            (false, 0o755, 0o644),
            (false, 0o4755, 0o644),
            (true, 0o4755, 0o4755),
        ];
        for (executable, before, wanted) in cases {
            assert_eq!(
                permissions(&file(executable), Some(&had(before)), 0o022),
                wanted,
                "{executable} {before:o}"
            );
        }
        let kept = Attributes::of(&file(false), Some(&had(0o644)), &People::default(), 0o022).unwrap();
        assert_eq!((kept.uid, kept.gid), (Some(7), Some(8)));
        let exact = Form { mode: Some(manifest::Mode(0o4711)), ..file(false) };
        assert_eq!(permissions(&exact, Some(&had(0o644)), 0o077), 0o4711);
    }

    #[test]
    fn unknown_names_are_refused() {
        let form = Form { owner: Some("no-such-user-here".into()), ..file(false) };
        let ending = Attributes::of(&form, None, &People::default(), 0).unwrap_err();
        assert_eq!(ending.error.unwrap().1, "there is no user `no-such-user-here` here");
    }

    #[test]
    fn extended_attributes_are_carried_over() {
        let directory = tempfile::tempdir_in(".").unwrap();
        let [from, to] = ["from", "to"].map(|name| File::create(directory.path().join(name)).unwrap());
        if rustix::fs::fsetxattr(&from, "user.note", b"kept", XattrFlags::empty()).is_err() {
            return;
        }
        copy_extended(&from, &to);
        assert_eq!(read_growing(|buffer| rustix::fs::fgetxattr(&to, "user.note", buffer)).unwrap(), b"kept");
    }
}
