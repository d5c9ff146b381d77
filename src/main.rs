//! The binary: everything is in the library.

use std::process::ExitCode;

/// Several times faster than the system's where threads make and drop many small values.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // In huge pages, the heap of a short run takes twice the memory, most of it cleared for nothing.
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(true);
    trueup::main(std::env::args_os()).into()
}
