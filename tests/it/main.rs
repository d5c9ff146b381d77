//! The suite that runs the binary and looks at the repository as a whole.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cases;
mod documents;
mod faults;
mod generated;
mod generators;
mod hostile;
mod kubernetes;
mod layering;
mod parts;
mod properties;
mod readme;
mod rest;
mod sandbox;
mod session;
mod skip;
mod swallowed;
mod vocabulary;
