//! Paths below a directory, resolved so that no link and no `..` leads out of it.

use std::{
    fs::File,
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::Path,
};

use rustix::{
    fs::{AtFlags, FileType, Mode, OFlags, Stat},
    io::Errno,
};

use super::names;

pub mod writable;

/// How directories are opened to look things up in them. `O_PATH` needs no
/// permission to read the directory.
#[cfg(target_os = "linux")]
const LOOKUP: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
#[cfg(not(target_os = "linux"))]
const LOOKUP: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// How a path is resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolver {
    /// By the kernel in one call (`openat2`), where it can.
    Kernel,
    /// Component by component, never following a link.
    Walk,
}

/// A directory below the root. Nothing here can write: a [`Dir`] is all that
/// the reading side of the provider has.
#[derive(Debug)]
pub struct Dir {
    fd: OwnedFd,
    resolver: Resolver,
}

/// Why a directory could not be reached.
#[derive(Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// It, or one above it, is not there.
    Missing,
    /// This path on the way is a symbolic link.
    Link(Vec<u8>),
    /// This path on the way is something else than a directory.
    NotDirectory(Vec<u8>),
    /// The system says no, at this path.
    Failed(Errno, Vec<u8>),
}

impl Dir {
    /// Opens a root. Links in `path` itself are followed: the user named it.
    pub fn open(path: &Path) -> io::Result<Dir> {
        let fd = rustix::fs::open(path, LOOKUP, Mode::empty())?;
        // An old kernel lacks the call, and a sandbox may forbid it.
        let resolver =
            if in_one_call(fd.as_fd(), b".").is_some() { Resolver::Kernel } else { Resolver::Walk };
        Ok(Dir { fd, resolver })
    }

    /// Opens the directory at `path` below this one; empty for itself.
    pub fn beneath(&self, path: &[u8]) -> Result<Dir, Obstacle> {
        if path.is_empty() {
            return self.step(b".").map_err(|errno| Obstacle::Failed(errno, Vec::new()));
        }
        if !path.split(|byte| *byte == b'/').all(is_plain) {
            return Err(Obstacle::Failed(Errno::XDEV, path.to_vec()));
        }
        if self.resolver == Resolver::Kernel
            && let Some(fd) = in_one_call(self.fd.as_fd(), path)
        {
            return Ok(Dir { fd, resolver: self.resolver });
        }
        // If something is in the way, the walk finds out what and where.
        self.walk(path)
    }

    fn walk(&self, path: &[u8]) -> Result<Dir, Obstacle> {
        let mut reached = self.step(b".").map_err(|errno| Obstacle::Failed(errno, Vec::new()))?;
        let mut end = 0;
        for name in path.split(|byte| *byte == b'/') {
            end += name.len() + usize::from(end > 0);
            reached = reached.step(name).map_err(|errno| reached.obstacle(errno, name, &path[..end]))?;
        }
        Ok(reached)
    }

    fn step(&self, name: &[u8]) -> Result<Dir, Errno> {
        let fd = rustix::fs::openat(&self.fd, name, LOOKUP | OFlags::NOFOLLOW, Mode::empty())?;
        Ok(Dir { fd, resolver: self.resolver })
    }

    fn obstacle(&self, errno: Errno, name: &[u8], path: &[u8]) -> Obstacle {
        match errno {
            Errno::NOENT => Obstacle::Missing,
            Errno::NOTDIR | Errno::LOOP => match self.stat(name).map(|stat| kind(&stat)) {
                Ok(FileType::Symlink) => Obstacle::Link(path.to_vec()),
                _ => Obstacle::NotDirectory(path.to_vec()),
            },
            other => Obstacle::Failed(other, path.to_vec()),
        }
    }

    /// What `name` in this directory is; a link is not followed.
    pub fn stat(&self, name: &[u8]) -> Result<Stat, Errno> {
        rustix::fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW)
    }

    /// This directory by a handle that can list and sync it.
    fn open_readable(&self) -> Result<OwnedFd, Errno> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        rustix::fs::openat(&self.fd, ".", flags, Mode::empty())
    }

    /// Opens a regular file for reading. Does not hang on a fifo that took its place.
    pub fn open_file(&self, name: &[u8]) -> Result<File, Errno> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        rustix::fs::openat(&self.fd, name, flags, Mode::empty()).map(File::from)
    }

    /// Where the link `name` leads.
    pub fn read_link(&self, name: &[u8]) -> Result<Vec<u8>, Errno> {
        rustix::fs::readlinkat(&self.fd, name, Vec::new()).map(|target| target.into_bytes())
    }

    /// The names in this directory, sorted.
    pub fn list(&self) -> Result<Vec<Vec<u8>>, Errno> {
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::new(self.open_readable()?)? {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if !matches!(name, b"." | b"..") {
                names.push(name.to_vec());
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Whether times on this file system can be relied on, see [`super::fingerprint`].
    pub fn has_reliable_times(&self) -> bool {
        super::fingerprint::has_reliable_times(&self.fd)
    }

    /// What this directory itself is.
    pub fn own_stat(&self) -> Result<Stat, Errno> {
        self.stat(b".")
    }

    /// What lies at `path` below this directory: the directory that holds it, and its name there.
    pub fn parent_of<'p>(&self, path: &'p [u8]) -> Result<(Dir, &'p [u8]), Obstacle> {
        let (directory, name) = names::split(path);
        if !is_plain(name) && path != b"." {
            return Err(Obstacle::Failed(Errno::XDEV, path.to_vec()));
        }
        Ok((self.beneath(directory)?, name))
    }
}

/// The type of what a [`Stat`] describes.
pub fn kind(stat: &Stat) -> FileType {
    FileType::from_raw_mode(stat.st_mode)
}

/// Whether a component names something in its directory, and nothing else.
pub fn is_plain(name: &[u8]) -> bool {
    !matches!(name, b"" | b"." | b"..")
}

#[cfg(target_os = "linux")]
fn in_one_call(root: BorrowedFd<'_>, path: &[u8]) -> Option<OwnedFd> {
    use rustix::fs::ResolveFlags;
    let beneath = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    rustix::fs::openat2(root, path, LOOKUP, Mode::empty(), beneath).ok()
}

#[cfg(not(target_os = "linux"))]
fn in_one_call(_: BorrowedFd<'_>, _: &[u8]) -> Option<OwnedFd> {
    None
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn root() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let path = root.path();
        std::fs::create_dir_all(path.join("a/b/c")).unwrap();
        std::fs::write(path.join("a/file"), "x").unwrap();
        symlink("/etc", path.join("a/out")).unwrap();
        symlink("b", path.join("a/in")).unwrap();
        symlink("nowhere", path.join("dangling")).unwrap();
        root
    }

    fn open(root: &tempfile::TempDir, resolver: Resolver) -> Dir {
        Dir { resolver, ..Dir::open(root.path()).unwrap() }
    }

    #[test]
    fn both_resolvers_see_the_same() {
        let root = root();
        let paths = [
            "",
            "a",
            "a/b/c",
            "a/nothing",
            "nothing/x",
            "a/file",
            "a/file/x",
            "a/out",
            "a/out/ssl",
            "a/in",
            "a/in/c",
            "dangling",
            "dangling/x",
            "..",
            "a/..",
            "a/../a",
            "/etc",
            "a//b",
            "./a",
        ];
        for path in paths {
            let seen = [Resolver::Kernel, Resolver::Walk].map(|resolver| {
                let root = open(&root, resolver);
                root.beneath(path.as_bytes()).map(|dir| dir.own_stat().unwrap().st_ino)
            });
            let [kernel, walk] = seen;
            assert_eq!(kernel, walk, "{path}");
        }
    }

    #[test]
    fn what_is_in_the_way_is_named() {
        let root = root();
        for resolver in [Resolver::Kernel, Resolver::Walk] {
            let root = open(&root, resolver);
            let obstacle = |path: &str| root.beneath(path.as_bytes()).unwrap_err();
            assert_eq!(obstacle("a/out/ssl"), Obstacle::Link(b"a/out".to_vec()));
            assert_eq!(obstacle("a/in"), Obstacle::Link(b"a/in".to_vec()));
            assert_eq!(obstacle("a/file/x/y"), Obstacle::NotDirectory(b"a/file".to_vec()));
            assert_eq!(obstacle("a/none/x"), Obstacle::Missing);
            assert!(matches!(obstacle("../etc"), Obstacle::Failed(..)));
            assert!(
                root.parent_of(b"..").is_err()
                    && root.parent_of(b"a/..").is_err()
                    && root.parent_of(b"a/").is_err()
            );
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..Default::default() })]
        #[test]
        fn no_path_leads_out(parts in proptest::collection::vec(
            proptest::sample::select(vec!["a", "b", "c", "out", "in", "dangling", "file", "..", ".", "", "ssl"]), 0..5)) {
            let root = root();
            let path = parts.join("/");
            let top = root.path().canonicalize().unwrap();
            for resolver in [Resolver::Kernel, Resolver::Walk] {
                let dir = open(&root, resolver);
                if let Ok(found) = dir.beneath(path.as_bytes()) {
                    let real = std::fs::read_link(format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&found.fd))).unwrap();
                    proptest::prop_assert!(real.starts_with(&top), "{path} is {}", real.display());
                }
            }
        }
    }
}
