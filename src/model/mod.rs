//! Pure values and decisions: no I/O, clock, environment, terminal or async in here.

pub mod address;
pub mod along;
pub mod change;
pub mod diff;
pub mod digest;
pub mod event;
pub mod explain;
pub mod fault;
pub mod form;
pub mod guard;
pub mod ignore;
pub mod names;
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
pub mod value;
