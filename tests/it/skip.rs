//! What a test needs of the machine beyond Git.

use std::{
    env,
    io::Write as _,
    path::Path,
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
};

static SKIPPED: AtomicUsize = AtomicUsize::new(0);

/// Whether `program` is here; says in one line that the test is skipped if not.
///
/// # Panics
/// It is not here although `CI` is set: there, what the README installs has to be installed.
#[track_caller]
pub fn lacks(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path).any(|folder| folder.join(program).is_file());
    if !found {
        assert!(env::var_os("CI").is_none(), "`{program}` is missing; `tests/it/parts/install base`");
        skip(&format!("`{program}` is not installed"));
    }
    !found
}

/// Whether this process may not act as root; says that the test is skipped if so.
pub fn lacks_root() -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        skip("only root can do this");
    }
    !root
}

/// Whether `strace` may look at other processes here; says that the test is skipped if not.
pub fn lacks_strace() -> bool {
    if lacks("strace") {
        return true;
    }
    let works = Command::new("strace").args(["-qq", "-e", "trace=none", "true"]).status();
    let works = works.is_ok_and(|status| status.success());
    if !works {
        skip("`strace` may not trace here");
    }
    !works
}

/// Mounts a file system of `size` in memory at `place`; says that the test is skipped if that is not possible.
pub fn lacks_small_disk(place: &Path, size: &str) -> bool {
    if lacks_root() {
        return true;
    }
    let options = format!("size={size},mode=0755");
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(place).output();
    let mounted = mounted.is_ok_and(|output| output.status.success());
    if !mounted {
        skip("no file system can be mounted here");
    }
    !mounted
}

/// Says on the real stderr, past the harness, that a test is left out.
fn skip(why: &str) {
    let count = SKIPPED.fetch_add(1, Ordering::SeqCst) + 1;
    let name = std::thread::current().name().unwrap_or("a test").to_owned();
    writeln!(std::io::stderr(), "skipped ({count}): {name}: {why}").unwrap();
}
