//! Writes: order, requests, retries and verification.

pub mod batch;
pub mod create;
pub mod job;
pub mod lock_fields;
pub mod order;
pub mod ready;
pub mod verify;
pub mod wait;
pub mod write_error;
pub mod writer;
