//! Files that are committed as something else than what they are: pointers of Git LFS, and what git-crypt encrypted.

use bstr::ByteSlice;
use rayon::prelude::*;

use super::{blobs::Blobs, snapshot::Snapshot};
use crate::{
    exit::Exit,
    model::{
        tree::{Contents, Entry, EntryKind},
        user_error::UserError,
    },
};

/// The file that tells git which filters apply.
const ATTRIBUTES: &str = ".gitattributes";

/// How long a pointer may be, by the specification of Git LFS.
const POINTER: u64 = 1024;

/// Refuses files below `path` that the target cannot be brought to, because
/// their content is not in the repository.
///
/// Content is read only where some `.gitattributes` names one of the filters.
pub fn refuse(snapshot: &Snapshot, path: &str, files: &[Entry]) -> anyhow::Result<()> {
    let filters = filters(snapshot, path, files)?;
    if !filters.lfs && !filters.crypt {
        return Ok(());
    }
    let fault = |entry: &Entry| fault(&snapshot.blobs, path, entry, &filters).transpose();
    let found = files.par_iter().filter(|entry| is_file(entry)).find_map_first(fault);
    found.map_or(Ok(()), |fault| Err(fault?.into()))
}

/// Which filters are named anywhere.
struct Filters {
    lfs: bool,
    crypt: bool,
}

fn filters(snapshot: &Snapshot, path: &str, files: &[Entry]) -> anyhow::Result<Filters> {
    let mut found = Filters { lfs: false, crypt: false };
    let mut note = |content: &[u8]| {
        found.lfs |= content.contains_str("filter=lfs");
        found.crypt |= content.contains_str("filter=git-crypt");
    };
    let above = path.match_indices('/').map(|(end, _)| &path[..end]);
    for folder in std::iter::once("").chain(above).filter(|folder| *folder != path) {
        let file = if folder.is_empty() { ATTRIBUTES.to_owned() } else { format!("{folder}/{ATTRIBUTES}") };
        snapshot.attributes(&file)?.iter().for_each(|content| note(content));
    }
    for entry in files.iter().filter(|entry| is_file(entry)) {
        if entry.path == ATTRIBUTES || entry.path.ends_with(b"/.gitattributes") {
            note(&snapshot.blobs.read(&entry.id)?);
        }
    }
    Ok(found)
}

fn fault(blobs: &Blobs, path: &str, entry: &Entry, filters: &Filters) -> anyhow::Result<Option<UserError>> {
    let small = filters.lfs && blobs.size(&entry.id)? < POINTER;
    if !small && !filters.crypt {
        return Ok(None);
    }
    let content = blobs.read(&entry.id)?;
    let (is, hint) = if small && content.starts_with(b"version https://git-lfs.github.com/spec/v1\n") {
        (
            "a pointer of Git LFS",
            "commit the file itself (`git lfs migrate export`), or keep it out of the folder",
        )
    } else if filters.crypt && content.starts_with(b"\0GITCRYPT\0") {
        ("encrypted by git-crypt", "keep it out of the folder, trueup does not decrypt")
    } else {
        return Ok(None);
    };
    let place = if path.is_empty() { entry.path.to_string() } else { format!("{path}/{}", entry.path) };
    Ok(Some(
        UserError::new(Exit::BadDesired, format!("`{place}` is {is}, its content is not in git")).hint(hint),
    ))
}

fn is_file(entry: &Entry) -> bool {
    matches!(entry.kind, EntryKind::File | EntryKind::Executable)
}
