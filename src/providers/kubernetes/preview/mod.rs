//! What an apply would make of an object: server-side dry runs and their results.

pub mod candidates;
pub mod cascade;
pub mod dry_run_error;
pub mod exchange;
pub mod prediction;
pub mod preview_input;
