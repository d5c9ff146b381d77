//! Writes: order, locks, readiness and the record.

pub mod apply_manifest;
pub mod lock;
pub mod order;
pub mod pods;
pub mod queue;
pub mod ready;
pub mod record;
pub mod record_namespace;
pub mod release;
pub mod run;
pub mod wait;
pub mod write;
pub mod writer;
