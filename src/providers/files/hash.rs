//! Git's blob id of content, computed as it streams by.

use std::io::{self, Read, Write};

use sha2::Digest as _;

use crate::model::digest::{Algorithm, Digest};

/// How much is read at once.
const CHUNK: usize = 1 << 20;

/// Computes the blob id of content whose length is known beforehand.
pub(super) struct BlobHasher {
    state: State,
    missing: u64,
}

enum State {
    Sha1(sha1dc::Hasher),
    Sha256(sha2::Sha256),
}

/// Content that has no trustworthy id.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(super) enum NoDigest {
    /// It is longer or shorter than was announced.
    #[error("its length is not what it was a moment ago")]
    Length,
    /// Two contents with one SHA-1 exist, and this is one of them.
    #[error("it was made to collide with other content of the same SHA-1")]
    Collision,
}

impl BlobHasher {
    /// Starts on content of `length` bytes.
    pub(super) fn new(algorithm: Algorithm, length: u64) -> Self {
        let state = match algorithm {
            Algorithm::Sha1 => State::Sha1(sha1dc::Hasher::new()),
            Algorithm::Sha256 => State::Sha256(sha2::Sha256::new()),
        };
        let mut hasher = BlobHasher { state, missing: length };
        hasher.feed(format!("blob {length}\0").as_bytes());
        hasher
    }

    /// Takes the next part of the content.
    pub(super) fn update(&mut self, part: &[u8]) -> Result<(), NoDigest> {
        self.missing = self.missing.checked_sub(part.len() as u64).ok_or(NoDigest::Length)?;
        self.feed(part);
        Ok(())
    }

    /// The id, if all of the content was seen.
    pub(super) fn finish(self) -> Result<Digest, NoDigest> {
        if self.missing > 0 {
            return Err(NoDigest::Length);
        }
        let digest = match self.state {
            State::Sha1(hasher) => {
                let digest = hasher.finalize().map_err(|_| NoDigest::Collision)?;
                Digest::from_bytes(digest.as_bytes())
            }
            State::Sha256(hasher) => Digest::from_bytes(&hasher.finalize()),
        };
        digest.map_err(|_| NoDigest::Length)
    }

    fn feed(&mut self, part: &[u8]) {
        match &mut self.state {
            State::Sha1(hasher) => hasher.update(part),
            State::Sha256(hasher) => hasher.update(part),
        }
    }
}

/// The blob id of `bytes`.
pub(super) fn hash_bytes(bytes: &[u8], algorithm: Algorithm) -> Result<Digest, NoDigest> {
    let mut hasher = BlobHasher::new(algorithm, bytes.len() as u64);
    hasher.update(bytes)?;
    hasher.finish()
}

/// The blob id of what `source` holds, which must be `length` bytes to its end.
/// Never holds more than a chunk of it.
pub(super) fn hash_stream(
    source: &mut dyn Read,
    length: u64,
    algorithm: Algorithm,
) -> io::Result<Result<Digest, NoDigest>> {
    let mut hasher = BlobHasher::new(algorithm, length);
    // One byte more than is expected, so that one read sees the end of a small file.
    let room = usize::try_from(length).map_or(CHUNK, |length| length.saturating_add(1).min(CHUNK));
    let mut chunk = vec![0; room];
    loop {
        match source.read(&mut chunk) {
            Ok(0) => return Ok(hasher.finish()),
            Ok(count) => {
                if let Err(wrong) = hasher.update(&chunk[..count]) {
                    return Ok(Err(wrong));
                }
                if hasher.missing == 0 && count < chunk.len() {
                    return Ok(hasher.finish());
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Writes through to `out` and computes the blob id of what went by.
pub(super) struct HashingWriter<W> {
    out: W,
    hasher: BlobHasher,
}

impl<W: Write> HashingWriter<W> {
    /// Starts on content of `length` bytes.
    pub(super) fn new(out: W, algorithm: Algorithm, length: u64) -> Self {
        HashingWriter { out, hasher: BlobHasher::new(algorithm, length) }
    }

    /// The id of what was written, if it was all.
    pub(super) fn finish(self) -> Result<Digest, NoDigest> {
        self.hasher.finish()
    }
}

impl<W: Write> Write for HashingWriter<W> {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        let count = self.out.write(part)?;
        self.hasher.update(&part[..count]).map_err(io::Error::other)?;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_those_of_git() {
        // git hash-object, in a repository of either format.
        let cases = [
            ("", Algorithm::Sha1, "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"),
            ("hello\n", Algorithm::Sha1, "ce013625030ba8dba906f756967f9e9ca394464a"),
            ("", Algorithm::Sha256, "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813"),
        ];
        for (content, algorithm, wanted) in cases {
            assert_eq!(hash_bytes(content.as_bytes(), algorithm).unwrap().to_string(), wanted);
            let streamed = hash_stream(&mut content.as_bytes(), content.len() as u64, algorithm);
            assert_eq!(streamed.unwrap().unwrap().to_string(), wanted);
        }
    }

    #[test]
    fn content_of_another_length_has_no_id() {
        for length in [0, 4, 6, 1 << 40] {
            let found = hash_stream(&mut &b"hello"[..], length, Algorithm::Sha1).unwrap();
            assert_eq!(found, Err(NoDigest::Length), "{length}");
        }
    }
}
