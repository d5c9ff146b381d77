//! Makes what runs equal to what Git declares.
//!
//! The library exists for the binary, its tests and its generated files; it is
//! not a public interface and promises nothing to other crates.

pub mod cli;
pub mod commands;
pub mod engine;
pub mod exit;
pub mod model;
pub mod output;
pub mod providers;
pub mod source;
