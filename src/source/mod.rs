//! The checkout: what Git declares.

pub mod checkout;
pub mod config;
pub mod history;
pub use crate::yaml;

#[cfg(test)]
pub(crate) mod testing;
