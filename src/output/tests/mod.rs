//! Views against small plans made by hand.

mod comments;
mod hostile;
mod machines;
mod patches;
mod people;
pub mod samples;
mod streams;
