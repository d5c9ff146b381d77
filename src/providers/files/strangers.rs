//! What lies in exclusive directories and is declared by nobody.

use anyhow::{Context as _, Result};
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use rustix::{fs::FileType, io::Errno};

use super::{
    confined_dir::{Dir, Obstacle, kind},
    declare::directory_path,
    describe::Unread,
    errno,
    fingerprint::Fingerprint,
    names,
    observe::{Answer, Look},
};
use crate::model::{
    address::{Address, quote},
    change::ThreeWay,
    object::{Actual, Cause, Scope},
};

/// Lists the exclusive directories. What could not be listed goes to `actual`.
pub(super) fn list(look: &Look<'_>, actual: &mut Actual) -> Result<Vec<Answer>> {
    let mut search = Search { look, ignored: GlobSet::empty(), found: Vec::new(), actual };
    for scope in look.query.exclusive {
        search.scope(scope)?;
    }
    Ok(search.found)
}

struct Search<'a, 'b> {
    look: &'a Look<'a>,
    ignored: GlobSet,
    found: Vec<Answer>,
    actual: &'b mut Actual,
}

impl Search<'_, '_> {
    fn scope(&mut self, scope: &Scope) -> Result<()> {
        self.ignored =
            globs(&scope.ignore).with_context(|| format!("reading the rules of `{}`", scope.origin.file))?;
        let path = directory_path(&scope.collection);
        match self.look.root.beneath(&path) {
            Ok(dir) => {
                let device = dir.own_stat().map_or(0, |stat| Fingerprint::of(&stat).device);
                self.directory(scope, &dir, &path, device);
            }
            Err(Obstacle::Missing) => {}
            Err(obstacle) => {
                if let Some((cause, message)) = errno::obstacle(&obstacle) {
                    self.actual.incomplete.push((scope.collection.clone(), cause, message));
                }
            }
        }
        Ok(())
    }

    /// Lists `path`; says whether nothing of what is in it has to stay.
    fn directory(&mut self, scope: &Scope, dir: &Dir, path: &[u8], device: u64) -> bool {
        let names = match dir.list() {
            Ok(names) => names,
            Err(errno) => {
                self.unlisted(scope, path, errno);
                return false;
            }
        };
        let mut nothing_stays = true;
        for name in names {
            let inner = names::join(path, &name);
            nothing_stays &= self.entry(scope, dir, &name, &inner, device);
        }
        nothing_stays
    }

    /// Looks at one entry; says whether it does not have to stay.
    fn entry(&mut self, scope: &Scope, dir: &Dir, name: &[u8], path: &[u8], device: u64) -> bool {
        use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _};
        let own = self.look.state == Some(path) || names::is_temporary(name);
        if own || self.ignored.is_match(OsStr::from_bytes(path)) {
            return false;
        }
        let address = Address::from_bytes(path);
        let asked = self.look.query.objects.get(&address);
        let stat = match dir.stat(name) {
            Ok(stat) => stat,
            Err(Errno::NOENT) => return true,
            Err(errno) => {
                self.unlisted(scope, path, errno);
                return false;
            }
        };
        if kind(&stat) == FileType::Directory {
            if Fingerprint::of(&stat).device != device {
                self.actual.notes.push(format!("`{address}` is another file system; left alone"));
                return false;
            }
            if !self.inside(scope, path, device) {
                return false;
            }
        }
        match asked {
            Some(sides) => sides.desired.is_none(),
            None if self.look.needed().contains(path) => false,
            // It goes by itself once it is empty.
            None if self.look.ledger.made.contains(path) => true,
            None => self.stranger(dir, name, address),
        }
    }

    fn inside(&mut self, scope: &Scope, path: &[u8], device: u64) -> bool {
        match self.look.root.beneath(path) {
            Ok(dir) => self.directory(scope, &dir, path, device),
            Err(Obstacle::Missing) => true,
            Err(obstacle) => {
                if let Some((cause, message)) = errno::obstacle(&obstacle) {
                    self.actual.incomplete.push((scope.collection.clone(), cause, message));
                }
                false
            }
        }
    }

    fn stranger(&mut self, dir: &Dir, name: &[u8], address: Address) -> bool {
        match self.look.find(dir, name, None) {
            Ok(found) => {
                self.found.push(self.look.present(
                    address,
                    found,
                    &ThreeWay { base: None, desired: None, actual: None },
                ));
                true
            }
            Err(Unread::Gone) => true,
            Err(Unread::Unknown(Cause::Other, message)) => {
                self.actual.notes.push(format!("`{address}`: {message}"));
                false
            }
            Err(Unread::Unknown(cause, message)) => {
                self.actual.incomplete.push((address, cause, message));
                false
            }
        }
    }

    fn unlisted(&mut self, scope: &Scope, path: &[u8], errno: Errno) {
        let place = if path.is_empty() { "the root".into() } else { quote(path) };
        let message = format!("listing `{place}`: {}", errno::errno(errno));
        self.actual.incomplete.push((scope.collection.clone(), errno::cause(errno), message));
    }
}

fn globs(patterns: &[String]) -> Result<GlobSet, globset::Error> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        set.add(GlobBuilder::new(pattern).literal_separator(true).backslash_escape(true).build()?);
    }
    set.build()
}
