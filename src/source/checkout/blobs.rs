//! The content of blobs: from the object database, or from the work tree.

use std::{
    collections::HashMap,
    io::Write,
    path::Path,
    sync::{Mutex, PoisonError},
};

use anyhow::{Context, Result};
use bstr::ByteSlice;

use super::{
    files::{WorkTree, changed, hashed, is_absent},
    flat::Found,
    object_id,
    objects::Objects,
    overlay::Loose,
    stream,
};
use crate::{
    exit::Exit,
    model::{digest::Digest, tree::Contents, user_error::UserError},
};

/// The largest file that is read as a whole to be understood.
const LARGEST: u64 = 64 * 1024 * 1024;

/// Blobs longer than this are not read into memory if there is another way.
const LARGE: u64 = 1 << 20;

/// The content of every file of a snapshot.
pub(super) struct Blobs {
    pub(super) objects: Objects,
    /// What lies on disk and need not be in the object database.
    loose: HashMap<gix::ObjectId, Loose>,
    /// Readers of the work tree that nobody uses at the moment.
    idle: Mutex<Vec<WorkTree>>,
}

impl Contents for Blobs {
    fn size(&self, id: &Digest) -> Result<u64> {
        let id = object_id(id);
        match self.loose.get(&id) {
            Some(loose) => Ok(loose.len),
            None => Ok(self.objects.size(&id)?),
        }
    }

    fn read(&self, id: &Digest) -> Result<Vec<u8>> {
        let id = object_id(id);
        let mut content = Vec::new();
        match self.loose.get(&id) {
            Some(loose) => self.copy_loose(&id, loose, &mut content)?,
            None => drop(self.objects.read(&id, &mut content)?),
        }
        Ok(content)
    }

    fn copy(&self, id: &Digest, out: &mut dyn Write) -> Result<u64> {
        let id = object_id(id);
        if let Some(loose) = self.loose.get(&id) {
            self.copy_loose(&id, loose, out)?;
            return Ok(loose.len);
        }
        let len = self.objects.size(&id)?;
        if len > LARGE && self.copy_large(&id, len, out)? {
            return Ok(len);
        }
        let mut content = Vec::new();
        self.objects.read(&id, &mut content)?;
        out.write_all(&content)?;
        Ok(len)
    }
}

impl Blobs {
    pub(super) fn new(objects: Objects, loose: HashMap<gix::ObjectId, Loose>) -> Self {
        Blobs { objects, loose, idle: Mutex::default() }
    }

    /// Copies content that lies on disk, and checks that it is what it was.
    fn copy_loose(&self, id: &gix::oid, loose: &Loose, out: &mut dyn Write) -> Result<()> {
        let path = loose.path.as_bstr();
        let copied =
            self.with_work_tree(|work_tree| work_tree.copy(path, loose.kind, Some(loose.len), out))?;
        match copied.is_some_and(|copied| copied == id) {
            true => Ok(()),
            false => Err(changed(path).into()),
        }
    }

    fn with_work_tree<R>(&self, job: impl FnOnce(&mut WorkTree) -> Result<R>) -> Result<R> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut work_tree = match idle {
            Some(work_tree) => work_tree,
            None => WorkTree::new(self.objects.pool.shared.to_thread_local())?,
        };
        let answer = job(&mut work_tree);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(work_tree);
        answer
    }

    /// Copies a committed blob piece by piece; answers whether that was possible.
    fn copy_large(&self, id: &gix::oid, len: u64, out: &mut dyn Write) -> Result<bool> {
        let streamed = stream::copy(&self.objects.pool.shared.objects, id, len, out);
        if streamed.with_context(|| format!("reading object `{id}`"))? {
            return Ok(true);
        }
        self.copy_clean(id, len, out)
    }

    /// Copies the file of the work tree that holds the blob `id`, if there is one that nobody touched.
    fn copy_clean(&self, id: &gix::oid, len: u64, out: &mut dyn Write) -> Result<bool> {
        if self.objects.pool.shared.work_dir().is_none() {
            return Ok(false);
        }
        let Some((path, mut file)) = self.with_work_tree(|work_tree| Ok(work_tree.clean(id, len)))? else {
            return Ok(false);
        };
        let copied = hashed(id.kind(), &mut file, len, out).with_context(|| format!("reading `{path}`"))?;
        match copied.is_some_and(|copied| copied == id) {
            true => Ok(true),
            false => Err(changed(path.as_bstr()).into()),
        }
    }
}

/// A file of a tree whose content is asked for by path.
pub(super) fn read_text(objects: &Objects, found: &Found, path: &str) -> Result<Vec<u8>> {
    if !found.mode.is_blob() {
        return Err(no_file(path).into());
    }
    if objects.size(&found.id)? > LARGEST {
        return Err(too_large(path, LARGEST).into());
    }
    let mut content = Vec::new();
    objects.read(&found.id, &mut content)?;
    Ok(content)
}

/// The largest file of configuration.
const CONFIGURATION: u64 = 4 << 20;

/// A file of configuration of a tree; never what a link leads to.
pub(super) fn read_committed(objects: &Objects, found: &Found, path: &str) -> Result<Vec<u8>> {
    if found.mode.is_link() {
        return Err(linked(path).into());
    }
    if found.mode.is_blob() && objects.size(&found.id)? > CONFIGURATION {
        return Err(too_large(path, CONFIGURATION).into());
    }
    read_text(objects, found, path)
}

/// A file of configuration below `root`; `None` if there is none. Never what a link leads to.
pub(super) fn read_own(root: &Path, path: &str) -> Result<Option<Vec<u8>>> {
    let mut place = root.to_owned();
    for part in path.split('/') {
        place.push(part);
        match place.symlink_metadata() {
            Ok(found) if found.is_symlink() => return Err(linked(path).into()),
            Ok(found) if found.is_file() && found.len() > CONFIGURATION => {
                return Err(too_large(path, CONFIGURATION).into());
            }
            Ok(_) => {}
            Err(error) if is_absent(&error) => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("reading `{path}`")),
        }
    }
    read_disk(&place, path)
}

fn linked(path: &str) -> UserError {
    UserError::new(Exit::BadConfig, format!("`{path}` is a link or lies below one, and no link is followed"))
        .hint("put the file itself in its place")
}

/// A file on disk; `None` if there is none.
pub(super) fn read_disk(place: &Path, path: &str) -> Result<Option<Vec<u8>>> {
    let read = || {
        // Reading a device or a fifo may never end.
        let meta = place.metadata()?;
        match meta.is_file() && meta.len() <= LARGEST {
            true => std::fs::read(place).map(Some),
            false => Ok(None),
        }
    };
    match read() {
        Ok(None) if place.is_file() => Err(too_large(path, LARGEST).into()),
        Ok(None) => Err(no_file(path).into()),
        Ok(content) => Ok(content),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(error).with_context(|| format!("reading `{path}`")),
    }
}

fn too_large(path: &str, most: u64) -> UserError {
    UserError::new(Exit::BadConfig, format!("`{path}` is larger than {most} bytes"))
}

fn no_file(path: &str) -> UserError {
    UserError::new(Exit::NoInput, format!("`{path}` is not a file"))
}
