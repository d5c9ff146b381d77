//! From arguments to plans: what every command compares, and why it differs.

pub mod base;
pub mod blame;
pub mod commits;
pub mod definition;
pub mod diff_revisions;
pub mod explain;
pub mod ignore_rules;
pub mod lines;
pub mod overlap;
pub mod release;
pub mod session;
pub mod three_way;
