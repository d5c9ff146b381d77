//! Large blobs out of the object database without holding them in memory.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use gix::zlib::{Decompress, stream::inflate};

/// Copies the blob `id` of `len` bytes to `out` if it is a loose object, or
/// stored whole in a pack; answers whether it was.
pub(super) fn copy(
    store: &gix::odb::Store,
    id: &gix::oid,
    len: u64,
    out: &mut dyn Write,
) -> io::Result<bool> {
    for folder in folders(store) {
        if let Some(data) = loose(&folder, id)?.or(packed(&folder, id)?) {
            return inflate_to(data, len, out).map(|()| true);
        }
    }
    Ok(false)
}

/// Where objects lie: the repository's own folder and those it borrows from.
fn folders(store: &gix::odb::Store) -> Vec<PathBuf> {
    let mut folders = vec![store.path().to_owned()];
    folders.extend(store.alternate_db_paths().unwrap_or_default());
    folders
}

/// Compressed bytes, and whether a header comes before the content.
struct Compressed {
    data: BufReader<File>,
    header: bool,
}

fn loose(folder: &Path, id: &gix::oid) -> io::Result<Option<Compressed>> {
    let hex = id.to_hex().to_string();
    match File::open(folder.join(&hex[..2]).join(&hex[2..])) {
        Ok(file) => Ok(Some(Compressed { data: BufReader::with_capacity(64 * 1024, file), header: true })),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Finds a blob that is not stored as a delta; a pack that cannot be read is for the library to complain about.
fn packed(folder: &Path, id: &gix::oid) -> io::Result<Option<Compressed>> {
    let Ok(packs) = folder.join("pack").read_dir() else { return Ok(None) };
    for file in packs.flatten() {
        let path = file.path();
        if path.extension().is_none_or(|extension| extension != "idx") {
            continue;
        }
        let Ok(index) = gix::odb::pack::index::File::at(&path, id.kind()) else { continue };
        let Some(at) = index.lookup(id) else { continue };
        let mut data = BufReader::with_capacity(64 * 1024, File::open(path.with_extension("pack"))?);
        data.seek(SeekFrom::Start(index.pack_offset_at_index(at)))?;
        if entry_type(&mut data)? == BLOB {
            return Ok(Some(Compressed { data, header: false }));
        }
    }
    Ok(None)
}

/// What an entry of a pack says of itself if it is a blob, and no delta.
const BLOB: u8 = 3;

/// Reads the header of a pack entry: three bits of type, then the length in groups of seven bits.
fn entry_type(data: &mut impl Read) -> io::Result<u8> {
    let mut byte = [0];
    data.read_exact(&mut byte)?;
    let kind = byte[0] >> 4 & 0b111;
    while byte[0] & 0x80 != 0 {
        data.read_exact(&mut byte)?;
    }
    Ok(kind)
}

fn inflate_to(mut from: Compressed, len: u64, out: &mut dyn Write) -> io::Result<()> {
    let mut state = Decompress::new();
    let mut buffer = vec![0; 64 * 1024];
    let mut skip = from.header;
    let mut written = 0;
    loop {
        let read = inflate::read(&mut from.data, &mut state, &mut buffer)?;
        if read == 0 {
            break;
        }
        let mut bytes = &buffer[..read];
        if std::mem::take(&mut skip) {
            bytes = after_header(bytes).ok_or_else(|| damaged("it has no header"))?;
        }
        out.write_all(bytes)?;
        written += bytes.len() as u64;
    }
    match written == len {
        true => Ok(()),
        false => Err(damaged("its length is wrong")),
    }
}

/// What follows the header `blob 12\0` of a loose object.
fn after_header(mut bytes: &[u8]) -> Option<&[u8]> {
    bytes.skip_until(0).ok().filter(|skipped| *skipped <= 32)?;
    Some(bytes)
}

fn damaged(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("an object is damaged: {what}"))
}
