//! Errors in words and exit codes.

use std::{any::Any, panic, sync::OnceLock};

use crate::{
    exit::Exit,
    model::user_error::UserError,
    output::{Problem, terminal::Terminal},
};

/// Prints help or a complaint about the command line, and answers 0 or 64:
/// clap's own code 2 would be taken for an answer.
pub fn usage(error: &clap::Error) -> Exit {
    // Nobody is left to be told if the stream is closed.
    let _ = error.print();
    if error.use_stderr() { Exit::Usage } else { Exit::InSync }
}

/// Says what went wrong on stderr and answers with the code of the fault behind it.
pub fn report(error: &anyhow::Error, terminal: &mut Terminal) -> Exit {
    let fault = UserError::behind(error.as_ref());
    terminal.problem(&problem(error, fault.and_then(|fault| fault.hint.clone())));
    fault.map_or(Exit::Error, |fault| fault.exit)
}

/// Where the first panic of this process was; a later one follows from it.
static PANICKED: OnceLock<String> = OnceLock::new();

/// The panic hook: keeps the place for [`bug`] and says nothing.
pub fn note_panic(info: &panic::PanicHookInfo<'_>) {
    let place = info.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
    // The first one stays.
    let _ = PANICKED.set(place);
}

/// Turns a panic into an error that says where.
pub fn bug(payload: &(dyn Any + Send)) -> anyhow::Error {
    let text = payload.downcast_ref::<&str>().copied();
    let words = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let place = PANICKED.get().map_or("an unknown place", String::as_str);
    let version = env!("CARGO_PKG_VERSION");
    let message = format!(
        "trueup {version} met a state that it does not expect, at {place}: {}",
        words.unwrap_or("no words")
    );
    UserError::new(Exit::Error, message)
        .hint("this is a bug: report this line with the command line, `trueup.yaml` without secrets, and what the target holds; nothing may be concluded about the target")
        .into()
}

fn problem(error: &anyhow::Error, hint: Option<String>) -> Problem {
    let mut lines = UserError::causes(error.as_ref());
    let message = lines.remove(0);
    Problem { message, causes: lines, hint }
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    #[test]
    fn a_cause_that_was_said_already_is_left_out() {
        let error = anyhow::anyhow!("inner").context("outer: inner").context("doing");
        let problem = problem(&error, None);
        assert_eq!((problem.message.as_str(), problem.causes), ("doing", vec!["outer: inner".to_owned()]));
    }

    #[test]
    fn a_fault_below_context_keeps_its_code_and_hint() {
        let fault: anyhow::Result<()> = Err(UserError::new(Exit::Locked, "locked").hint("wait").into());
        let error = fault.context("applying").unwrap_err();
        let found = UserError::behind(error.as_ref()).unwrap();
        assert_eq!((found.exit, found.hint.as_deref()), (Exit::Locked, Some("wait")));
    }
}
