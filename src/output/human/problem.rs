//! Errors for people.

use crate::output::{
    Problem,
    style::{Paint, Role},
    visible::visible,
};

/// The lines that say what went wrong: `error:`, `caused by:`, `hint:`.
pub fn problem(problem: &Problem, paint: Paint) -> String {
    let mut lines = line(&paint.apply(Role::Error, "error:"), &problem.message);
    for cause in &problem.causes {
        lines.push_str(&line(&paint.apply(Role::Aside, "caused by:"), cause));
    }
    if let Some(hint) = &problem.hint {
        lines.push_str(&line(&paint.apply(Role::Good, "hint:"), hint));
    }
    lines
}

/// Further lines of a message begin with a bar, so that none can pass for a line of ours.
fn line(word: &str, message: &str) -> String {
    let mut lines = message.trim_end().split('\n').map(visible);
    let first = lines.next().unwrap_or_default();
    lines.fold(format!("{word} {first}\n"), |all, line| all + &format!("  | {line}\n"))
}
