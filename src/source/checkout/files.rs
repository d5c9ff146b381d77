//! Files of the work tree as `git add` would store them.

use std::{
    fs::File,
    io::{self, Read, Write},
    os::unix::fs::PermissionsExt,
    path::PathBuf,
};

use anyhow::{Context, Result};
use bstr::{BStr, BString, ByteSlice};
use gix::{filter::plumbing::pipeline::convert::ToGitOutcome, objs::Find};

use super::faults::trouble;
use crate::{
    exit::Exit,
    model::{tree::EntryKind, user_error::UserError},
};

/// What stands at a path of the work tree.
pub(super) struct Stored {
    pub(super) kind: EntryKind,
    pub(super) id: gix::ObjectId,
    pub(super) len: u64,
}

/// Reads files of a work tree through the filters of git.
pub(super) struct WorkTree {
    repo: gix::Repository,
    root: PathBuf,
    index: gix::worktree::Index,
    filters: gix::filter::plumbing::Pipeline,
    attributes: gix::worktree::Stack,
    /// Whether the file system knows executable bits.
    modes: bool,
    /// Whether the file system knows symbolic links.
    links: bool,
}

impl WorkTree {
    pub(super) fn new(repo: gix::Repository) -> Result<Self> {
        let doing = |error| trouble(&repo, "reading the work tree", error);
        let root = repo.workdir().ok_or_else(|| super::faults::bare(repo.git_dir()))?.to_owned();
        let (pipeline, index) = repo.filter_pipeline(None).map_err(doing)?;
        let (filters, attributes) = pipeline.into_parts();
        let index = match index {
            gix::worktree::IndexPersistedOrInMemory::Persisted(index) => index,
            gix::worktree::IndexPersistedOrInMemory::InMemory(_) => repo.index_or_empty().map_err(doing)?,
        };
        let capabilities = repo.filesystem_options().map_err(doing)?;
        let (modes, links) = (capabilities.executable_bit, capabilities.symlink);
        Ok(WorkTree { repo, root, index, filters, attributes, modes, links })
    }

    /// What `git add` would store for `path`, given what the index has there; `None` for nothing.
    pub(super) fn stored(&mut self, path: &BStr, known: Option<EntryKind>) -> Result<Option<Stored>> {
        let meta = match self.place(path)?.symlink_metadata() {
            Ok(meta) => meta,
            Err(error) if is_absent(&error) => return Ok(None),
            Err(error) => return Err(error).with_context(|| reading(path)),
        };
        let kind = match meta.file_type() {
            kind if kind.is_dir() => return Ok(None),
            kind if kind.is_symlink() => EntryKind::Link,
            kind if kind.is_file() => self.file_kind(meta.permissions().mode(), known),
            _ => {
                return Err(UserError::new(
                    Exit::BadDesired,
                    format!("`{path}` is neither a file nor a link"),
                )
                .hint("remove it, or add it to `.gitignore`")
                .into());
            }
        };
        let mut count = Count { len: 0 };
        let id = self.copy(path, kind, None, &mut count)?.ok_or_else(|| changed(path))?;
        Ok(Some(Stored { kind, id, len: count.len }))
    }

    /// Copies what `git add` would store for `path`; answers its id, or `None` for
    /// a file that is not `len` bytes long, which is what it was when its id was taken.
    pub(super) fn copy(
        &mut self,
        path: &BStr,
        kind: EntryKind,
        len: Option<u64>,
        out: &mut dyn Write,
    ) -> Result<Option<gix::ObjectId>> {
        let place = self.place(path)?;
        let hash = self.repo.object_hash();
        if kind == EntryKind::Link && place.is_symlink() {
            let target = place.read_link().with_context(|| reading(path))?;
            let target =
                gix::path::into_bstr(target).map_err(|error| trouble(&self.repo, &reading(path), error))?;
            return whole(hash, &target, out).map(Some).with_context(|| reading(path));
        }
        let file = File::open(&place).with_context(|| reading(path))?;
        let len =
            len.map_or_else(|| file.metadata().map(|meta| meta.len()), Ok).with_context(|| reading(path))?;
        match self.convert(file, path)? {
            ToGitOutcome::Unchanged(mut file) => hashed(hash, &mut file, len, out),
            ToGitOutcome::Buffer(bytes) => whole(hash, bytes, out).map(Some),
            ToGitOutcome::Process(mut stream) => {
                let mut bytes = Vec::new();
                stream.read_to_end(&mut bytes).and_then(|_| whole(hash, &bytes, out)).map(Some)
            }
        }
        .with_context(|| reading(path))
    }

    /// Opens a file of the work tree that holds the blob `id`, byte for byte, if there is one that nobody touched.
    pub(super) fn clean(&mut self, id: &gix::oid, len: u64) -> Option<(BString, File)> {
        let options = self.repo.stat_options().ok()?;
        let index = self.index.clone();
        let time = index.timestamp();
        for entry in index.entries().iter().filter(|entry| entry.id == id) {
            let path = entry.path(&index);
            let place = self.place(path).ok()?;
            let Ok(meta) = gix::index::fs::Metadata::from_path_no_follow(&place) else { continue };
            let Ok(stat) = gix::index::entry::Stat::from_fs(&meta) else { continue };
            if meta.len() != len || !entry.stat.matches(&stat, options) || entry.stat.is_racy(time, options) {
                continue;
            }
            if let Ok(ToGitOutcome::Unchanged(file)) =
                File::open(place).map_err(Into::into).and_then(|file| self.convert(file, path))
            {
                return Some((path.to_owned(), file));
            }
        }
        None
    }

    /// Applies the filters that git would apply when it adds `path`.
    fn convert(&mut self, file: File, path: &BStr) -> Result<ToGitOutcome<'_, File>> {
        let WorkTree { repo, index, filters, attributes, .. } = self;
        let name = gix::path::from_bstr(path);
        let name = name.map_err(|error| trouble(repo, &reading(path), error))?;
        let entry = attributes.at_path(name.as_ref(), None, &repo.objects).with_context(|| reading(path))?;
        let converted = filters.convert_to_git(
            file,
            &name,
            &mut |_, found| {
                entry.matching_attributes(found);
            },
            &mut |buffer| match index.entry_by_path(path) {
                Some(entry) => Ok(repo.objects.try_find(&entry.id, buffer)?.map(drop)),
                None => Ok(None),
            },
        );
        Ok(converted.map_err(|error| trouble(repo, &reading(path), error))?)
    }

    fn place(&self, path: &BStr) -> Result<PathBuf> {
        let path = gix::path::from_bstr(path).map_err(|error| trouble(&self.repo, &reading(path), error))?;
        Ok(self.root.join(path))
    }

    fn file_kind(&self, mode: u32, known: Option<EntryKind>) -> EntryKind {
        match known {
            Some(EntryKind::Link) if !self.links => EntryKind::Link,
            Some(EntryKind::Executable) if !self.modes => EntryKind::Executable,
            _ if self.modes && mode & 0o100 != 0 => EntryKind::Executable,
            _ => EntryKind::File,
        }
    }
}

/// The content of `path` is not what it was a moment ago.
pub(super) fn changed(path: &BStr) -> UserError {
    UserError::new(Exit::Error, format!("`{path}` changed while it was being read")).hint("run it again")
}

/// The id of a blob of `len` bytes that `data` gives.
pub(super) fn stream_id(kind: gix::hash::Kind, data: &mut dyn Read, len: u64) -> gix::Result<gix::ObjectId> {
    let id = hashed(kind, data, len, &mut io::sink()).map_err(gix::Error::from_error)?;
    id.ok_or_else(|| gix::Error::from_error(io::Error::other("a file changed while it was being read")))
}

/// Copies all of `data`; answers the id of a blob of it, or `None` if it is not `len` bytes long.
pub(super) fn hashed(
    kind: gix::hash::Kind,
    data: &mut dyn Read,
    len: u64,
    out: &mut dyn Write,
) -> io::Result<Option<gix::ObjectId>> {
    let mut hasher = gix::hash::hasher(kind);
    hasher.update(format!("blob {len}\0").as_bytes());
    let mut buffer = vec![0; usize::try_from(len).unwrap_or(usize::MAX).saturating_add(1).min(64 * 1024)];
    let mut seen = 0;
    loop {
        let read = match data.read(&mut buffer) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        seen += read as u64;
        if seen > len || (read == 0 && seen < len) {
            return Ok(None);
        }
        if read == 0 {
            return hasher.try_finalize().map(Some).map_err(io::Error::other);
        }
        hasher.update(&buffer[..read]);
        out.write_all(&buffer[..read])?;
    }
}

fn whole(kind: gix::hash::Kind, bytes: &[u8], out: &mut dyn Write) -> io::Result<gix::ObjectId> {
    let mut hasher = gix::hash::hasher(kind);
    hasher.update(format!("blob {}\0", bytes.len()).as_bytes());
    hasher.update(bytes);
    out.write_all(bytes)?;
    hasher.try_finalize().map_err(io::Error::other)
}

/// Counts what is written to it.
struct Count {
    len: u64,
}

impl Write for Count {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.len += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(super) fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn reading(path: &BStr) -> String {
    format!("reading `{}`", path.to_str_lossy())
}
