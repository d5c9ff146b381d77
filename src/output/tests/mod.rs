//! Views against small plans made by hand.

mod comments;
mod machines;
mod patches;
mod people;
mod samples;
