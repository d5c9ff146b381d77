//! Views against small plans made by hand.

mod patches;
mod people;
mod samples;
