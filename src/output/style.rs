//! What a piece of text is, and the colour it gets for that.

use std::{borrow::Cow, sync::Once};

use colored::Colorize as _;

/// What a piece of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Nothing in particular.
    Plain,
    /// A heading.
    Heading,
    /// A line or an object that comes.
    Added,
    /// A line or an object that goes.
    Removed,
    /// Something that changes in place, or is pending.
    Changed,
    /// The position of a hunk.
    Hunk,
    /// Something that moved in the target.
    Drift,
    /// Something that stops an apply.
    Conflict,
    /// Something that went well.
    Good,
    /// The word `error`.
    Error,
    /// The words `warning` and `note`.
    Warning,
    /// Something that helps, but is not the matter.
    Aside,
}

/// Whether a stream gets colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Paint {
    /// No.
    #[default]
    Plain,
    /// Yes, as ANSI escape sequences.
    Ansi,
}

impl Paint {
    /// The text in the colour of `role`. It must not hold control characters of others.
    pub fn apply(self, role: Role, text: &str) -> Cow<'_, str> {
        match self {
            Paint::Plain => Cow::Borrowed(text),
            _ if text.is_empty() || role == Role::Plain => Cow::Borrowed(text),
            Paint::Ansi => Cow::Owned(ansi(role, text)),
        }
    }
}

/// The crate decides by the environment and by stdout alone; here each stream
/// decides for itself, so its switch is set once and for all.
fn ansi(role: Role, text: &str) -> String {
    static FORCED: Once = Once::new();
    FORCED.call_once(|| colored::control::set_override(true));
    match role {
        Role::Plain => text.clear(),
        Role::Heading => text.bold(),
        Role::Added | Role::Good => text.green(),
        Role::Removed => text.red(),
        Role::Changed => text.cyan(),
        Role::Hunk | Role::Aside => text.dimmed(),
        Role::Drift => text.magenta(),
        Role::Conflict | Role::Error => text.red().bold(),
        Role::Warning => text.yellow(),
    }
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_stays_as_it_is() {
        assert_eq!(Paint::Plain.apply(Role::Error, "error"), "error");
    }

    #[test]
    fn colours_do_not_depend_on_the_environment() {
        assert_eq!(Paint::Ansi.apply(Role::Removed, "-x"), "\x1b[31m-x\x1b[0m");
    }
}
