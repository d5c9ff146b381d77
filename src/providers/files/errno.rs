//! What the system's error numbers mean to a person.

use rustix::io::Errno;

use super::confined_dir::Obstacle;
use crate::model::{address::quote, object::Cause, report::FailureKind};

/// Says in words what `errno` means for a file.
pub fn errno(errno: Errno) -> String {
    let words = match errno {
        Errno::ACCESS => "permission denied",
        Errno::PERM => {
            "the system does not permit it (an immutable file, a sticky directory, or another owner)"
        }
        Errno::ROFS => "the file system is read-only",
        Errno::NOSPC => "no space left on the file system",
        Errno::DQUOT => "the disk quota is used up",
        Errno::XDEV => "it lies on another file system",
        Errno::BUSY => "it is in use by the system, for example as a mount point",
        Errno::TXTBSY => "it is a program that is running",
        Errno::LOOP => "a symbolic link is in the way",
        Errno::NOTDIR => "a directory on its way is something else",
        Errno::NOTEMPTY => "the directory is not empty",
        Errno::NAMETOOLONG => "its name is too long for the file system",
        Errno::NOENT => "it is gone",
        Errno::EXIST => "it is there already",
        Errno::ISDIR => "it is a directory",
        Errno::MFILE | Errno::NFILE => "too many files are open",
        Errno::IO => "the disk reports an error",
        Errno::STALE => "the file server forgot it",
        other => return std::io::Error::from(other).to_string(),
    };
    words.to_owned()
}

/// The kind of a failed read.
pub fn cause(errno: Errno) -> Cause {
    match errno {
        Errno::ACCESS | Errno::PERM => Cause::NoPermission,
        Errno::IO | Errno::STALE | Errno::NODEV | Errno::NXIO | Errno::TIMEDOUT => Cause::Unavailable,
        _ => Cause::Other,
    }
}

/// The kind of a failed write.
pub fn failure(errno: Errno) -> FailureKind {
    match errno {
        Errno::ACCESS | Errno::PERM | Errno::ROFS => FailureKind::NoPermission,
        Errno::IO | Errno::STALE | Errno::NODEV | Errno::NXIO | Errno::TIMEDOUT => FailureKind::Unavailable,
        _ => FailureKind::Other,
    }
}

/// Says what is in the way; `None` if the directory is not there.
pub fn obstacle(obstacle: &Obstacle) -> Option<(Cause, String)> {
    match obstacle {
        Obstacle::Missing => None,
        Obstacle::Link(path) => Some((
            Cause::Other,
            format!("`{}` is a symbolic link; trueup does not write through links", quote(path)),
        )),
        Obstacle::NotDirectory(path) => {
            Some((Cause::Other, format!("`{}` is not a directory, and would have to be one", quote(path))))
        }
        Obstacle::Failed(number, path) => {
            let place = if path.is_empty() { "the root".into() } else { quote(path) };
            Some((cause(*number), format!("opening `{place}`: {}", errno(*number))))
        }
    }
}
