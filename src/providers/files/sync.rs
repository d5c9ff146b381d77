//! Waits until names are on disk.

use std::collections::BTreeSet;

use rustix::io::Errno;

use super::{confined_dir::Dir, work::Work};

/// Up to so many directories are synced one by one.
const FEW: usize = 16;

/// Waits until the names in these directories are on disk.
pub(super) fn names(work: &Work<'_>, dirty: &BTreeSet<Vec<u8>>) -> Result<(), Errno> {
    let device = |dir: &Dir| dir.own_stat().map(|stat| stat.st_dev);
    // One sync of the file system instead of many of directories, see `batch`.
    let at_once = dirty.len() > FEW && work.root.sync_file_system()?;
    let root = device(&work.root)?;
    for path in dirty {
        // One that is gone has no names that could be lost.
        let Ok(dir) = work.root.writable(path) else { continue };
        if !at_once || device(&dir)? != root {
            dir.sync()?;
        }
    }
    Ok(())
}
