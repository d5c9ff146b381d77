//! Which manager owns which field of an object, and which objects belong to the target.

pub mod builtin;
pub mod claim;
pub mod field_removal;
pub mod fields;
pub mod ignore_rules;
pub mod managed;
pub mod owners;
pub mod ownership_labels;
pub mod scaling;
pub mod takeover;
pub mod unmanaged;
