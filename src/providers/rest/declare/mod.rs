//! Declarations of the checkout: parsing, addresses, and writing live values back into them.

pub mod address;
pub mod adopt;
pub mod declaration;
pub mod emit;
pub mod files;
pub mod import;
pub mod references;
pub mod remarks;
pub mod secrets;
pub mod validate;
pub mod yaml;
