//! Text for people.

use std::io::{self, Write};

use super::{Logs, Look, Plans, Problem, Providers, Reports, style::Paint};

/// Writes plans.
///
/// # Errors
/// `out` refused.
pub fn plans(_: &Plans<'_>, _: &Look, _: &mut dyn Write) -> io::Result<()> {
    Ok(())
}

/// Writes what an apply did.
///
/// # Errors
/// `out` refused.
pub fn reports(_: &Reports<'_>, _: &Look, _: &mut dyn Write) -> io::Result<()> {
    Ok(())
}

/// Writes past applies.
///
/// # Errors
/// `out` refused.
pub fn logs(_: &Logs<'_>, _: &Look, _: &mut dyn Write) -> io::Result<()> {
    Ok(())
}

/// Writes what providers there are.
///
/// # Errors
/// `out` refused.
pub fn providers(_: &Providers<'_>, _: &Look, _: &mut dyn Write) -> io::Result<()> {
    Ok(())
}

/// The lines that say what went wrong.
pub fn problem(problem: &Problem, _: Paint) -> String {
    format!("error: {}\n", problem.message)
}

/// Where something is declared, as `file:line`.
pub(super) fn place(origin: &crate::model::object::Origin) -> String {
    let file = super::visible::visible(&origin.file);
    origin.line.map_or_else(|| file.to_string(), |line| format!("{file}:{line}"))
}
