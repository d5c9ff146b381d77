//! Comparing the work tree with the index, in one pass.

use std::sync::atomic::AtomicBool;

use bstr::{BStr, BString, ByteSlice};
use gix::{
    Result,
    status::plumbing::{
        index_as_worktree::{
            Change, EntryStatus,
            traits::{CompareBlobs, ReadData, SubmoduleStatus},
        },
        index_as_worktree_with_renames::{Entry, VisitEntry},
    },
};

use super::scope::Scope;

/// How a path of the work tree differs from the index.
#[derive(Debug)]
pub(super) enum Difference {
    /// Other content or another mode, of the same type.
    Content {
        /// Id and length of the content, if it is another.
        content: Option<Content>,
        /// Whether the executable bit is another.
        executable: bool,
    },
    /// A submodule stands at another commit.
    Submodule(gix::ObjectId),
    /// It is no longer there.
    Removed,
    /// Something else: what stands there has to be looked at.
    Other,
    /// Perhaps nothing: what stands there has to be looked at.
    Perhaps,
}

/// Id and length of content.
pub(super) type Content = (gix::ObjectId, u64);

/// What differs between the work tree and the index, in no order.
pub(super) type Differences = Vec<(BString, Difference)>;

/// Compares the part `scope` of the work tree with `index`, untracked files included, ignored files not.
pub(super) fn compare(
    repo: &gix::Repository,
    index: &gix::index::State,
    scope: &Scope,
) -> Result<Differences> {
    let mut found = Collect(Vec::new());
    let walk = repo.dirwalk_options()?.emit_untracked(gix::dir::walk::EmissionMode::Matching);
    let options = gix::status::index_worktree::Options { dirwalk_options: Some(walk), ..Default::default() };
    repo.index_worktree_status(
        index,
        scope.pathspecs(),
        &mut found,
        Hash,
        Heads(repo.clone().into_sync()),
        &mut gix::progress::Discard,
        &AtomicBool::new(false),
        options,
    )?;
    Ok(found.0)
}

struct Collect(Differences);

impl<'index> VisitEntry<'index> for Collect {
    type ContentChange = Option<Content>;
    type SubmoduleStatus = gix::ObjectId;

    fn visit_entry(&mut self, entry: Entry<'index, Self::ContentChange, Self::SubmoduleStatus>) {
        let difference = match entry {
            Entry::Modification { rela_path, status, .. } => {
                difference(status).map(|difference| (rela_path.to_owned(), difference))
            }
            Entry::DirectoryContents { entry, .. } => {
                is_new(&entry).then_some((entry.rela_path, Difference::Other))
            }
            Entry::Rewrite { dirwalk_entry, .. } => Some((dirwalk_entry.rela_path, Difference::Other)),
        };
        self.0.extend(difference);
    }
}

fn difference(status: EntryStatus<Option<Content>, gix::ObjectId>) -> Option<Difference> {
    match status {
        EntryStatus::NeedsUpdate(_) => None,
        EntryStatus::Conflict { .. } | EntryStatus::IntentToAdd => Some(Difference::Other),
        EntryStatus::Change(Change::Type { .. }) => Some(Difference::Other),
        EntryStatus::Change(Change::Removed) => Some(Difference::Removed),
        EntryStatus::Change(Change::SubmoduleModification(head)) => Some(Difference::Submodule(head)),
        EntryStatus::Change(Change::Modification { content_change: Some(None), .. }) => {
            Some(Difference::Perhaps)
        }
        EntryStatus::Change(Change::Modification { executable_bit_changed, content_change, .. }) => {
            Some(Difference::Content {
                content: content_change.flatten(),
                executable: executable_bit_changed,
            })
        }
    }
}

/// Nested repositories, sockets and the like are nothing that git would add here.
fn is_new(entry: &gix::dir::Entry) -> bool {
    use gix::dir::entry::{Kind, Status};
    entry.status == Status::Untracked && matches!(entry.disk_kind, Some(Kind::File | Kind::Symlink))
}

/// Compares by id, and answers the id and length of what differs; `None` for what it did not look at.
#[derive(Clone)]
struct Hash;

impl CompareBlobs for Hash {
    type Output = Option<Content>;

    fn compare_blobs<'a, 'b>(
        &mut self,
        entry: &gix::index::Entry,
        _size: u64,
        data: impl ReadData<'a>,
        buffer: &mut Vec<u8>,
    ) -> Result<Option<Self::Output>> {
        // The library takes a link or a fifo in the place of an executable for
        // a file, and would open what it points to, or wait for somebody to write.
        if entry.mode == gix::index::entry::Mode::FILE_EXECUTABLE {
            return Ok(Some(None));
        }
        let mut stream = data.stream_worktree_file()?;
        let kind = entry.id.kind();
        let (id, len) = match (stream.as_bytes(), stream.size()) {
            (Some(bytes), _) => (blob_id(kind, bytes)?, bytes.len() as u64),
            (None, Some(len)) => (super::files::stream_id(kind, &mut stream, len)?, len),
            (None, None) => {
                std::io::copy(&mut stream, buffer).map_err(gix::Error::from_error)?;
                (blob_id(kind, buffer)?, buffer.len() as u64)
            }
        };
        Ok((entry.id != id).then_some(Some((id, len))))
    }
}

pub(super) fn blob_id(kind: gix::hash::Kind, bytes: &[u8]) -> Result<gix::ObjectId> {
    gix::objs::compute_hash(kind, gix::objs::Kind::Blob, bytes)
}

/// Looks only at which commit a submodule stands at: its files are not ours.
#[derive(Clone)]
struct Heads(gix::ThreadSafeRepository);

impl SubmoduleStatus for Heads {
    type Output = gix::ObjectId;

    fn status(&mut self, entry: &gix::index::Entry, path: &BStr) -> Result<Option<gix::ObjectId>> {
        let Some(root) = self.0.work_dir() else { return Ok(None) };
        let Ok(path) = gix::path::from_bstr(path.as_bstr()) else { return Ok(None) };
        let options = self.0.to_thread_local().open_options().clone();
        let Ok(submodule) = gix::open_opts(root.join(path), options) else { return Ok(None) };
        let head = submodule.head_id().ok().map(|id| id.detach());
        Ok(head.filter(|head| *head != entry.id))
    }
}
