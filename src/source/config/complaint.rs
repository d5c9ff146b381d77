//! Complaints about trueup.yaml, with the place that they are about.

use crate::{
    exit::Exit,
    model::{suggest::nearest, user_error::UserError},
    source::yaml::{Node, Problem},
};

/// Line and column of what `keys` lead to: of the value if it is on the line of its key, else of the key.
pub(super) fn locate(root: &Node, keys: &[&str]) -> Option<(u32, u32)> {
    let mut at = (root, root.span.line, root.span.column);
    for key in keys {
        at = match at.0.entry(key) {
            Some((name, value)) if name.span.line == value.span.line => {
                (value, value.span.line, value.span.column)
            }
            Some((name, value)) => (value, name.span.line, name.span.column),
            None => {
                let item = at.0.items().get(key.parse::<usize>().ok()?)?;
                (item, item.span.line, item.span.column)
            }
        };
    }
    Some((at.1, at.2))
}

/// Where every key is explained.
const HINT: &str = "`trueup schema config` prints every key with its meaning";

/// A complaint at a place.
pub(super) fn located(file: &str, (line, column): (u32, u32), message: &str) -> UserError {
    UserError::new(Exit::BadConfig, format!("{file}:{line}:{column}: {message}")).hint(HINT)
}

/// A complaint about the text of the file.
pub(super) fn unreadable(file: &str, problem: &Problem) -> UserError {
    located(file, (problem.line, problem.column), &problem.message)
}

/// Complains about every key of `node` that is not in `known`.
pub(super) fn unknown_keys(node: &Node, known: &[&str], found: &mut Vec<Problem>) {
    for (key, _) in node.entries() {
        let name = key.text().unwrap_or("?");
        if known.contains(&name) {
            continue;
        }
        let message = match nearest(name, known.iter().copied()) {
            Some(near) => format!("unknown key `{name}`, did you mean `{near}`?"),
            None => format!("unknown key `{name}`, valid keys are {}", known.join(", ")),
        };
        found.push(Problem { line: key.span.line, column: key.span.column, message });
    }
}

/// Complains about the key of a target that was meant to be `provider`: the
/// other keys are the provider's own, so nothing else tells.
pub(super) fn mistyped_provider(target: &Node, found: &mut Vec<Problem>) {
    if target.entry("provider").is_some() {
        return;
    }
    for (key, _) in target.entries() {
        let name = key.text().unwrap_or("?");
        if nearest(name, ["provider"]).is_some() {
            let message = format!("unknown key `{name}`, did you mean `provider`?");
            found.push(Problem { line: key.span.line, column: key.span.column, message });
        }
    }
}

/// All complaints in one, in the order of the file.
pub(super) fn all(file: &str, mut problems: Vec<Problem>) -> Option<UserError> {
    problems.sort_by_key(|problem| (problem.line, problem.column));
    let lines: Vec<_> = problems
        .iter()
        .map(|problem| format!("{file}:{}:{}: {}", problem.line, problem.column, problem.message))
        .collect();
    (!lines.is_empty()).then(|| {
        UserError::new(
            Exit::BadConfig,
            lines.join(
                "
",
            ),
        )
        .hint(HINT)
    })
}
