//! Views against small plans made by hand.

mod machines;
mod patches;
mod people;
mod samples;
