//! What tells without reading that a file is still the same.

use std::{
    fmt,
    str::FromStr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rustix::fs::{FileType, Stat};

/// A time stamp of this or a coarser step may stand still while a file changes
/// twice. Kernels take the time for local file systems from a clock that ticks
/// at least every 10 ms; this is twice as much.
pub(super) const TICK: Duration = Duration::from_millis(20);

/// The same in nanoseconds.
pub(super) const TICK_NANOS: i64 = TICK.as_nanos() as i64;

/// Identity, size and times of a file.
///
/// The change time cannot be set by anyone. So a file whose fingerprint was
/// taken more than a [`TICK`] after its change time is unchanged as long as
/// the fingerprint is; see [`Fingerprint::settled`]. Git lives with the same
/// race in its index, and calls an entry within it racy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fingerprint {
    pub device: u64,
    pub inode: u64,
    pub size: u64,
    /// Nanoseconds since 1970.
    pub modified: i64,
    /// Nanoseconds since 1970.
    pub changed: i64,
}

/// A fingerprint together with what a change of owner or permissions alters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    pub print: Fingerprint,
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
}

impl Fingerprint {
    /// The fingerprint of what `stat` describes.
    pub(super) fn of(stat: &Stat) -> Fingerprint {
        // Enough until the year 2262; what claims to be later is all the same.
        let nanos = |seconds: i64, nanos: i64| seconds.saturating_mul(1_000_000_000).saturating_add(nanos);
        Fingerprint {
            device: stat.st_dev as _,
            inode: stat.st_ino as _,
            size: stat.st_size as _,
            modified: nanos(stat.st_mtime as _, stat.st_mtime_nsec as _),
            changed: nanos(stat.st_ctime as _, stat.st_ctime_nsec as _),
        }
    }

    /// Whether a change after `now` must show in the change time.
    pub(super) fn settled(&self, now: SystemTime) -> bool {
        // Whole seconds mean a file system that keeps no finer time.
        self.changed % 1_000_000_000 != 0 && self.changed.saturating_add(TICK_NANOS) < nanos(now)
    }

    /// The same file with the same content, whatever else changed.
    pub(super) fn is_same_content(&self, other: &Fingerprint) -> bool {
        Fingerprint { changed: 0, ..*self } == Fingerprint { changed: 0, ..*other }
    }
}

impl Identity {
    /// The identity of what `stat` describes.
    pub(super) fn of(stat: &Stat) -> Identity {
        Identity { print: Fingerprint::of(stat), mode: stat.st_mode as _, uid: stat.st_uid, gid: stat.st_gid }
    }

    /// Whether it is a regular file.
    pub(super) fn is_file(&self) -> bool {
        FileType::from_raw_mode(self.mode as _).is_file()
    }

    /// The permission bits.
    pub(super) fn permissions(&self) -> u32 {
        self.mode & 0o7777
    }

    /// Whether this is still the object that `other` was, even if it was renamed since.
    pub(super) fn is_moved(&self, other: &Identity) -> bool {
        let still = |identity: &Identity| (identity.mode, identity.uid, identity.gid);
        self.print.is_same_content(&other.print) && still(self) == still(other)
    }
}

/// Nanoseconds since 1970.
pub(super) fn nanos(time: SystemTime) -> i64 {
    let saturate = |duration: Duration| i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => saturate(after),
        Err(before) => -saturate(before.duration()),
    }
}

/// Whether the times of the file system below `root` can be relied on.
///
/// A network file system takes times from a clock that is not ours, so there
/// every byte is read every time.
pub(super) fn has_reliable_times(root: impl std::os::fd::AsFd) -> bool {
    reliable(root)
}

#[cfg(target_os = "linux")]
fn reliable(root: impl std::os::fd::AsFd) -> bool {
    const EXT: u64 = 0xef53;
    const XFS: u64 = 0x5846_5342;
    const BTRFS: u64 = 0x9123_683e;
    const TMPFS: u64 = 0x0102_1994;
    const OVERLAY: u64 = 0x794c_7630;
    const F2FS: u64 = 0xf2f5_2010;
    const ZFS: u64 = 0x2fc1_2fc1;
    const BCACHEFS: u64 = 0xca45_1a4e;
    let local = [EXT, XFS, BTRFS, TMPFS, OVERLAY, F2FS, ZFS, BCACHEFS];
    rustix::fs::fstatfs(root).is_ok_and(|system| local.contains(&(system.f_type as u64)))
}

#[cfg(not(target_os = "linux"))]
fn reliable(_: impl std::os::fd::AsFd) -> bool {
    false
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fingerprint { device, inode, size, modified, changed } = self;
        write!(f, "{device}:{inode}:{size}:{modified}:{changed}")
    }
}

impl FromStr for Fingerprint {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.split(':');
        let mut next = || parts.next().ok_or(());
        let number = |text: &str| text.parse::<u64>().map_err(|_| ());
        let time = |text: &str| text.parse::<i64>().map_err(|_| ());
        let print = Fingerprint {
            device: number(next()?)?,
            inode: number(next()?)?,
            size: number(next()?)?,
            modified: time(next()?)?,
            changed: time(next()?)?,
        };
        parts.next().is_none().then_some(print).ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(changed: i64) -> Fingerprint {
        Fingerprint { device: 1, inode: 2, size: 3, modified: 4, changed }
    }

    #[test]
    fn a_fresh_change_is_not_settled() {
        let at = |nanos: u64| UNIX_EPOCH + Duration::from_nanos(nanos);
        let changed = 5_000_000_123;
        assert!(!print(changed).settled(at(5_000_000_123)));
        assert!(!print(changed).settled(at(5_019_000_000)));
        assert!(print(changed).settled(at(5_021_000_000)));
        // The clock went back, or the file is from the future.
        assert!(!print(changed).settled(at(1_000_000_000)));
        // A file system that counts in seconds.
        assert!(!print(5_000_000_000).settled(at(9_000_000_000)));
    }

    #[test]
    fn fingerprints_round_trip() {
        let found = Fingerprint { modified: -7, ..print(1_700_000_000_123_456_789) };
        assert_eq!(found.to_string().parse(), Ok(found));
        for text in ["", "1:2:3:4", "1:2:3:4:5:6", "1:2:3:4:x", "-1:2:3:4:5"] {
            assert!(text.parse::<Fingerprint>().is_err(), "{text}");
        }
    }
}
