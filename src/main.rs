//! The binary: everything is in the library.

use std::process::ExitCode;

/// Several times faster than the system's where threads make and drop many small values.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    trueup::main(std::env::args_os()).into()
}
