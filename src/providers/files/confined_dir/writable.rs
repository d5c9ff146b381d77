//! Writes within one directory, each a single system call with its portable fallback.

use std::{fs::File, io, ops::Deref, path::Path};

use rustix::{
    fs::{AtFlags, Gid, Mode, OFlags, Uid},
    io::Errno,
};

use super::{Dir, Obstacle};
use crate::providers::files::lock::Lock;

/// A directory that may be written. There is no way to one but through the
/// lock of the target, which nothing that only reads can take.
#[derive(Debug)]
pub(in crate::providers::files) struct WritableDir(Dir);

impl Deref for WritableDir {
    type Target = Dir;

    fn deref(&self) -> &Dir {
        &self.0
    }
}

impl WritableDir {
    /// Opens `path` for writing, by right of the lock.
    pub(in crate::providers::files) fn claim(path: &Path, _: &Lock) -> io::Result<WritableDir> {
        Dir::open(path).map(WritableDir)
    }

    /// Opens the directory at `path` below this one.
    pub(in crate::providers::files) fn writable(&self, path: &[u8]) -> Result<WritableDir, Obstacle> {
        self.beneath(path).map(WritableDir)
    }

    /// Creates a file that only its owner can open, where nothing is yet.
    pub(in crate::providers::files) fn create(&self, name: &[u8]) -> Result<File, Errno> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        rustix::fs::openat(&self.0.fd, name, flags, Mode::from_raw_mode(0o600)).map(File::from)
    }

    /// Creates a symbolic link, where nothing is yet.
    pub(in crate::providers::files) fn symlink(&self, leads_to: &[u8], name: &[u8]) -> Result<(), Errno> {
        rustix::fs::symlinkat(leads_to, &self.0.fd, name)
    }

    /// Creates a directory, where nothing is yet. The umask applies.
    pub(in crate::providers::files) fn mkdir(&self, name: &[u8], mode: u32) -> Result<(), Errno> {
        rustix::fs::mkdirat(&self.0.fd, name, Mode::from_raw_mode(mode as _))
    }

    /// Renames within this directory, over whatever is there.
    pub(in crate::providers::files) fn rename(&self, from: &[u8], to: &[u8]) -> Result<(), Errno> {
        rustix::fs::renameat(&self.0.fd, from, &self.0.fd, to)
    }

    /// Renames within this directory, if nothing is there yet.
    pub(in crate::providers::files) fn rename_new(&self, from: &[u8], to: &[u8]) -> Result<(), Errno> {
        match rename_with(self, from, to, How::NoReplace) {
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
                // A second name never replaces anything either. For a moment there are two.
                self.link(from, self, to)?;
                self.unlink(from)
            }
            done => done,
        }
    }

    /// Lets two names in this directory change places; not every file system can.
    pub(in crate::providers::files) fn exchange(&self, one: &[u8], other: &[u8]) -> Result<(), Errno> {
        rename_with(self, one, other, How::Exchange)
    }

    /// Gives what is called `name` here a second name in `other`.
    pub(in crate::providers::files) fn link(
        &self,
        name: &[u8],
        other: &WritableDir,
        new: &[u8],
    ) -> Result<(), Errno> {
        rustix::fs::linkat(&self.0.fd, name, &other.0.fd, new, AtFlags::empty())
    }

    /// Removes a name of anything but a directory.
    pub(in crate::providers::files) fn unlink(&self, name: &[u8]) -> Result<(), Errno> {
        rustix::fs::unlinkat(&self.0.fd, name, AtFlags::empty())
    }

    /// Removes an empty directory.
    pub(in crate::providers::files) fn rmdir(&self, name: &[u8]) -> Result<(), Errno> {
        rustix::fs::unlinkat(&self.0.fd, name, AtFlags::REMOVEDIR)
    }

    /// Sets owner and permissions of this directory itself.
    pub(in crate::providers::files) fn set_own(
        &self,
        uid: Option<u32>,
        gid: Option<u32>,
        mode: u32,
    ) -> Result<(), Errno> {
        if uid.is_some() || gid.is_some() {
            let (uid, gid) = (uid.map(Uid::from_raw), gid.map(Gid::from_raw));
            rustix::fs::chownat(&self.0.fd, ".", uid, gid, AtFlags::empty())?;
        }
        rustix::fs::chmodat(&self.0.fd, ".", Mode::from_raw_mode(mode as _), AtFlags::empty())
    }

    /// Waits until the names in this directory are on disk.
    pub(in crate::providers::files) fn sync(&self) -> Result<(), Errno> {
        rustix::fs::fsync(self.0.open_readable()?)
    }

    /// Waits until everything on the file system of this directory is on disk;
    /// false if the system cannot do that.
    pub(in crate::providers::files) fn sync_file_system(&self) -> Result<bool, Errno> {
        sync_file_system(&self.0.open_readable()?)
    }

    /// Bytes that may still be written to the file system of this directory.
    pub(in crate::providers::files) fn free_space(&self) -> Result<u64, Errno> {
        let system = rustix::fs::fstatvfs(&self.0.fd)?;
        let blocks = if rustix::process::geteuid().is_root() { system.f_bfree } else { system.f_bavail };
        // A file system without limits, as some in memory, says zero of zero.
        Ok(if system.f_blocks == 0 { u64::MAX } else { blocks.saturating_mul(system.f_frsize) })
    }
}

enum How {
    NoReplace,
    Exchange,
}

#[cfg(any(target_os = "linux", target_vendor = "apple"))]
fn rename_with(dir: &WritableDir, from: &[u8], to: &[u8], how: How) -> Result<(), Errno> {
    use rustix::fs::RenameFlags;
    let flags = match how {
        How::NoReplace => RenameFlags::NOREPLACE,
        How::Exchange => RenameFlags::EXCHANGE,
    };
    rustix::fs::renameat_with(&dir.0.fd, from, &dir.0.fd, to, flags)
}

#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
fn rename_with(_: &WritableDir, _: &[u8], _: &[u8], _: How) -> Result<(), Errno> {
    Err(Errno::NOSYS)
}

#[cfg(target_os = "linux")]
fn sync_file_system(readable: &std::os::fd::OwnedFd) -> Result<bool, Errno> {
    rustix::fs::syncfs(readable).map(|()| true)
}

#[cfg(not(target_os = "linux"))]
fn sync_file_system(_: &std::os::fd::OwnedFd) -> Result<bool, Errno> {
    Ok(false)
}
