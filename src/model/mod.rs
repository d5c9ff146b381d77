//! Pure values and decisions: no I/O, clock, environment, terminal or async in here.

pub mod address;
pub mod attached;
pub mod change;
pub mod diff;
pub mod diff_style;
pub mod digest;
pub mod event;
pub mod explain;
pub mod forbidden_names;
pub mod guard;
pub mod ignore;
pub mod object;
pub mod path;
pub mod plan;
pub mod record;
pub mod redact;
pub mod report;
pub mod resolve;
pub mod revision;
pub mod saved;
pub mod selector;
pub mod sensitive;
pub mod suggest;
#[cfg(test)]
pub mod testing;
pub mod text;
pub mod tree;
pub mod user_error;
pub mod value;
