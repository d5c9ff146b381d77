//! How declared and live objects are compared: projection, normal form, patches and secret fingerprints.

pub mod base64_field;
pub mod fast_equal;
pub mod fingerprint;
pub mod items;
pub mod normal;
pub mod patch;
pub mod projection;
pub mod secret_fingerprints;
