//! The binary: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    trueup::main(std::env::args_os()).into()
}
