//! Manifests of the checkout: parsing, normal form, and writing live values back into them.

pub mod adopt;
pub mod declare;
pub mod declared;
pub mod defaulting;
pub mod derived;
pub mod names;
pub mod normal;
pub mod quantity;
pub mod references;
