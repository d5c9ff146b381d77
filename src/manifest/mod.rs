//! Manifests: bytes of a file to documents, as kubectl reads them, with the place of every value.

mod build;
mod intern;
mod merge;
mod node;
mod object;
mod scalar;
mod warning;

pub use build::nodes;
pub use node::{Content, Entry, Node};
pub use object::{Manifest, manifests};
pub use scalar::{Reading, resolve};
pub use warning::Warning;

#[cfg(test)]
mod tests;
