//! Requests to the API: transport, credentials, retries and errors.

pub mod credentials;
pub mod failure;
pub mod json;
pub mod oauth;
pub mod probe;
pub mod request;
pub mod session;
pub mod size_limit;
pub mod strict_json;
pub mod transport;
