//! The identity of content: git's blob id.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The hash function of a repository, and so of every [`Digest`] in one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Algorithm {
    /// SHA-1 with collision detection, as git itself computes it.
    #[default]
    Sha1,
    /// SHA-256, for repositories of the `sha256` object format.
    Sha256,
}

impl Algorithm {
    /// Length of a digest in bytes.
    pub fn digest_len(self) -> usize {
        match self {
            Algorithm::Sha1 => 20,
            Algorithm::Sha256 => 32,
        }
    }
}

/// The identity of a git object. For content it is the blob id, so that what
/// Git declares is compared without being read.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest {
    algorithm: Algorithm,
    bytes: [u8; 32],
}

/// A digest that is neither 40 nor 64 hexadecimal digits.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no object id")]
pub struct BadDigest(String);

impl Digest {
    /// Takes the raw bytes of a hash: 20 for SHA-1, 32 for SHA-256.
    ///
    /// # Errors
    /// Any other length.
    pub fn from_bytes(raw: &[u8]) -> Result<Self, BadDigest> {
        let algorithm = match raw.len() {
            20 => Algorithm::Sha1,
            32 => Algorithm::Sha256,
            _ => return Err(BadDigest(format!("{raw:02x?}"))),
        };
        let mut bytes = [0; 32];
        bytes[..raw.len()].copy_from_slice(raw);
        Ok(Digest { algorithm, bytes })
    }

    /// All zeros: content whose id was not computed.
    pub fn null(algorithm: Algorithm) -> Self {
        Digest { algorithm, bytes: [0; 32] }
    }

    /// Whether it is [`Digest::null`].
    pub fn is_null(&self) -> bool {
        self.bytes == [0; 32]
    }

    /// The hash function that made it.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The raw bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.algorithm.digest_len()]
    }

    /// The first seven hexadecimal digits, as people quote commits.
    pub fn short(&self) -> String {
        self.to_string()[..7].to_owned()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = BadDigest;

    fn from_str(text: &str) -> Result<Self, BadDigest> {
        let bad = || BadDigest(text.to_owned());
        if !text.is_ascii() {
            return Err(bad());
        }
        let raw: Vec<u8> = (0..text.len())
            .step_by(2)
            .map(|at| text.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok()))
            .collect::<Option<_>>()
            .ok_or_else(bad)?;
        Digest::from_bytes(&raw).map_err(|_| bad())
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::Digest;

    #[test]
    fn hexadecimal_digits_round_trip() {
        for text in ["e69de29bb2d1d6434b8b29ae775ad8c2e48c5391", &"ab".repeat(32)] {
            assert_eq!(text.parse::<Digest>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn other_text_is_refused() {
        for text in ["", "e69de2", "zz9de29bb2d1d6434b8b29ae775ad8c2e48c5391", "ß".repeat(20).as_str()] {
            assert!(text.parse::<Digest>().is_err(), "{text}");
        }
    }
}
