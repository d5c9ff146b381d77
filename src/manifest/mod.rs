//! Manifests: bytes of a file to documents, as kubectl reads them, with the place of every value.

mod events;
mod node;
mod object;
mod scalar;
mod trouble;

pub use events::nodes;
pub use node::{Content, Entry, Node, Place};
pub use object::{Manifest, manifests};
pub use scalar::{Reading, resolve};
pub use trouble::{Trouble, Warning};

#[cfg(test)]
mod tests;
