//! Markdown for comments, within a budget of bytes.
//!
//! Layers are added as long as they fit: the verdict with the counts (always),
//! what is dangerous, remarks, one line for each object, and diffs, the
//! smallest first. What did not fit is counted at the end.

mod apply;
mod page;
mod plan;
mod span;

pub use apply::reports;
pub use plan::plans;

/// What fits a comment on GitHub, with room for what a poster adds.
pub const GITHUB: usize = 60_000;

/// The smallest budget: below it not even the counts fit.
pub const SMALLEST: usize = 1024;

/// The budgets by the name of the host.
pub const PRESETS: [(&str, usize); 4] =
    [("github", GITHUB), ("gitlab", 900_000), ("azure", 140_000), ("bitbucket", 30_000)];

/// Takes `--max-bytes`: a number, or the name of a host.
///
/// # Errors
/// A sentence that says what is expected.
pub fn budget(text: &str) -> Result<usize, String> {
    if let Some((_, bytes)) = PRESETS.iter().find(|(name, _)| *name == text) {
        return Ok(*bytes);
    }
    match text.parse() {
        Ok(bytes) if bytes >= SMALLEST => Ok(bytes),
        _ => {
            let names: Vec<_> = PRESETS.iter().map(|(name, _)| format!("`{name}`")).collect();
            Err(format!("expected a number of bytes, {SMALLEST} or more, or one of {}", names.join(", ")))
        }
    }
}
