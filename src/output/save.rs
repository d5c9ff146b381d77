//! Writes files whole or not at all.

use std::{io::Write, path::Path};

/// Replaces `file` by what `write` writes; on failure the old file is intact.
///
/// # Errors
/// What `write` answers, or why the file could not be written.
pub fn replace(file: &Path, write: impl FnOnce(&mut dyn Write) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let mut bytes = Vec::new();
    write(&mut bytes)?;
    Ok(std::fs::write(file, bytes)?)
}
