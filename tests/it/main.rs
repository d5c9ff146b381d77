//! The suite that runs the binary and looks at the repository as a whole.

mod cases;
mod generated;
mod layering;
mod sandbox;
mod session;
mod skip;
