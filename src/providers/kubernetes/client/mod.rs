//! Requests to the API server: connection, discovery, lists and errors.

pub mod connect;
pub mod connect_error;
pub mod discovery;
pub mod failure;
pub mod json;
pub mod json_patch;
pub mod listing;
pub mod page;
pub mod selection;
pub mod transport;
