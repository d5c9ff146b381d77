//! What a test needs of the machine beyond Git.

use std::{
    env,
    io::Write as _,
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

/// Says that the tests of a part are skipped.
///
/// # Panics
/// With `CI` set: there, `how` has to have been run.
pub fn missing(part: &str, how: &str) {
    assert!(env::var_os("CI").is_none(), "`{part}` is missing; `{how}`");
    skip(&format!("`{part}` is not installed; `{how}`"));
}

/// Whether this process may not act as root; says that the test is skipped if so.
pub fn lacks_root() -> bool {
    let lacks = !rustix::process::geteuid().is_root();
    if lacks {
        skip("only root can do this");
    }
    lacks
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

/// Whether nothing can be mounted here; says that the test is skipped if so.
pub fn lacks_mounts() -> bool {
    let script = "mount -t tmpfs tmpfs /tmp && mount -o remount,size=1m /tmp";
    let works = Command::new("unshare").args(["-m", "sh", "-c", script]).output();
    let works = works.is_ok_and(|output| output.status.success());
    if !works {
        skip("no file system can be mounted here");
    }
    !works
}

/// Says on the real stderr, past the harness, that a test is left out.
pub fn skip(why: &str) {
    let count = SKIPPED.fetch_add(1, Ordering::SeqCst) + 1;
    let name = std::thread::current().name().unwrap_or("a test").to_owned();
    let line = format!("skipped ({count}): {name}: {why}\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}
