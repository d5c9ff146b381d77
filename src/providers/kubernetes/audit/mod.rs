//! Who changed what: `managedFields` and the audit log of the API server.

pub mod audit_actors;
pub mod field_writers;
pub mod log;
