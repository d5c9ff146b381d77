//! Unified diffs: patches for files, YAML for everything else.

use std::io::{self, Write};

use super::{
    Bytes, Look, PlanView, Plans,
    hunks::{CONTEXT, Contents, Pen},
    patch, phrases,
    style::{Paint, Role},
    visible::visible,
    yaml,
};
use crate::model::{
    change::{Action, Class},
    diff_style::DiffStyle,
    redact::{Shown, ShownChange},
};

/// Writes the diffs of every object and nothing else. What a diff cannot
/// express stands in lines that begin with `#`, which `git apply` and `patch` skip.
///
/// # Errors
/// `out` refused.
pub fn plans(plans: &Plans<'_>, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    let mut pen = Pen { out, paint: look.paint, bytes: look.bytes, context: CONTEXT };
    for sheet in plans.sheets {
        if plans.sheets.len() > 1 && !sheet.plan.changes.is_empty() {
            let target = &sheet.plan.target;
            pen.line(Role::Aside, &format!("# target {} ({})", visible(&target.name), visible(&target.id)))?;
        }
        self::sheet(sheet, &mut pen)?;
    }
    Ok(())
}

/// Writes the diffs of one plan.
///
/// # Errors
/// The pen's stream refused.
pub(super) fn sheet(sheet: &PlanView, pen: &mut Pen<'_>) -> io::Result<()> {
    sheet.plan.changes.iter().try_for_each(|shown| change(shown, sheet.form, pen))
}

/// Writes the diff of one object.
///
/// # Errors
/// The pen's stream refused.
pub(super) fn change(change: &ShownChange, form: DiffStyle, pen: &mut Pen<'_>) -> io::Result<()> {
    if let Some(remark) = remark(change) {
        pen.line(Role::Aside, &format!("# {}: {remark}", visible(&change.address)))?;
    }
    match form {
        DiffStyle::File => patch::write(change, pen),
        DiffStyle::Document => document(change, pen),
    }
}

/// What the lines of a diff do not tell.
fn remark(change: &ShownChange) -> Option<String> {
    match (change.class, change.action) {
        (Class::Unknown, _) => Some(phrases::unknown(change)),
        (Class::Conflict, _) => Some("conflict: drifted and changed in Git at the same place".to_owned()),
        (Class::Extra, Action::Keep) => Some("only the target has it; left alone".to_owned()),
        (Class::InSync | Class::Converged, _) => None,
        (class, Action::Keep) => Some(format!("{class}; left alone")),
        _ => None,
    }
}

/// Writes the diff of one object over its YAML form, which no tool applies.
fn document(change: &ShownChange, pen: &mut Pen<'_>) -> io::Result<()> {
    let paint = if pen.bytes == Bytes::Exact { Paint::Plain } else { pen.paint };
    let pen = &mut Pen { out: &mut *pen.out, paint, bytes: Bytes::Visible, context: pen.context };
    let text = |side: &Option<Shown>| side.as_ref().map(yaml::document).unwrap_or_default();
    let (before, after) = (text(&change.before), text(&change.after));
    if before == after {
        return Ok(());
    }
    let address = visible(&change.address);
    let side = |shown: &Option<Shown>, word| if shown.is_some() { word } else { "absent" };
    let origin = change.origin.as_ref().filter(|_| change.after.is_some());
    let origin = origin.map(|origin| format!("  {}", phrases::place(origin))).unwrap_or_default();
    pen.line(Role::Heading, &format!("--- {address} ({})", side(&change.before, "actual")))?;
    pen.line(Role::Heading, &format!("+++ {address} ({}){origin}", side(&change.after, "desired")))?;
    pen.hunks(Contents { before: before.as_bytes(), after: after.as_bytes() })
}
