//! JSON in a place that limits how much it takes: gzip (RFC 1952) in base64 (RFC 4648, section 4).

use std::io::{Read as _, Write as _};

use anyhow::{Context as _, Result};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use serde::{Serialize, de::DeserializeOwned};

/// The most bytes that are unpacked.
const LARGEST: u64 = 64 << 20;

/// The form in which `value` is kept.
///
/// # Errors
/// It has no form in JSON.
pub fn pack(value: &impl Serialize) -> Result<String> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::new(6));
    packed.write_all(&serde_json::to_vec(value)?)?;
    Ok(STANDARD.encode(packed.finish()?))
}

/// What is kept as `text`.
///
/// # Errors
/// It is damaged, or something else.
pub fn unpack<T: DeserializeOwned>(text: &str) -> Result<T> {
    let bytes = STANDARD.decode(text).context("it is no base64")?;
    let mut json = Vec::new();
    GzDecoder::new(&*bytes).take(LARGEST).read_to_end(&mut json).context("it is damaged")?;
    serde_json::from_slice(&json).context("it was written by another version")
}
