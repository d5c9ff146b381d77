//! Proof that what reads cannot write: the system calls of `plan`, `diff`, `drift` and `log`.

use std::collections::BTreeSet;

use super::traced;
use crate::{sandbox::Sandbox, skip};

/// Calls that change something by their name alone.
const CHANGING: &[&str] = &[
    "creat",
    "rename",
    "renameat",
    "renameat2",
    "unlink",
    "unlinkat",
    "rmdir",
    "mkdir",
    "mkdirat",
    "symlink",
    "symlinkat",
    "link",
    "linkat",
    "mknod",
    "mknodat",
    "truncate",
    "ftruncate",
    "fallocate",
    "chmod",
    "fchmod",
    "fchmodat",
    "fchmodat2",
    "chown",
    "fchown",
    "lchown",
    "fchownat",
    "utime",
    "utimes",
    "utimensat",
    "futimesat",
    "setxattr",
    "lsetxattr",
    "fsetxattr",
    "removexattr",
    "lremovexattr",
    "fremovexattr",
    "copy_file_range",
    "sendfile",
    "splice",
    "fsync",
    "fdatasync",
    "syncfs",
    "execve",
];

/// Calls that write to a descriptor.
const WRITING: &[&str] = &["write", "writev", "pwrite64", "pwritev", "pwritev2"];

/// The name of the call in a line of the trace, and its arguments.
fn call(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_start_matches(|char: char| char.is_ascii_digit() || char == ' ');
    let (name, arguments) = line.split_once('(')?;
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_').then_some((name, arguments))
}

/// Whether a line of the trace changes something other than what the process says.
fn changes(line: &str) -> bool {
    let Some((name, arguments)) = call(line) else { return false };
    // The descriptor stands with what it leads to: `1<pipe:[5]>`, `4<anon_inode:[eventfd]>`. Both streams are pipes.
    let leads_to = arguments.split_once('<').map_or("", |(_, leads_to)| leads_to);
    let to_nobodys_file = ["pipe:", "anon_inode:"].iter().any(|start| leads_to.starts_with(start));
    let opens = name.starts_with("open")
        && ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC"].iter().any(|flag| arguments.contains(flag));
    CHANGING.contains(&name) || opens || (WRITING.contains(&name) && !to_nobodys_file)
}

/// A target with every kind of difference.
fn everything_differs() -> Sandbox {
    let sandbox = Sandbox::with_files(&[
        ("motd", "one\n"),
        ("both", "one\n"),
        ("gone", "gone\n"),
        ("missing", "missing\n"),
        ("conf.d/a", "a\n"),
        (".trueup-files.yaml", "directories: {conf.d: {exclusive: true}}\n"),
    ]);
    sandbox.trueup(&["apply", "--yes", "-q"]).expect(0);
    sandbox.sh("echo two > site/both; rm site/gone; echo new > site/new; commit 'Change'").expect(0);
    sandbox
        .sh("cd ../target; echo drift > motd; echo three > both; rm missing; echo extra > conf.d/b")
        .expect(0);
    sandbox.sh("echo dirty > site/dirty; echo staged > site/staged; git add site/staged").expect(0);
    sandbox
}

/// Inode, times and mode of everything in the checkout and the target.
fn stamps(sandbox: &Sandbox) -> BTreeSet<String> {
    let found = sandbox.sh("find ../checkout ../target ../home -printf '%p %i %T@ %C@ %m\\n'").expect(0);
    found.stdout.lines().map(str::to_owned).collect()
}

#[test]
fn plan_diff_drift_and_log_create_write_rename_and_delete_nothing() {
    if skip::lacks_strace() {
        return;
    }
    let sandbox = everything_differs();
    let before = stamps(&sandbox);
    let commands: &[&[&str]] = &[
        &["plan"],
        &["plan", "--verify", "-o", "json"],
        &["plan", "--ref", "HEAD"],
        &["plan", "--merge-into", "HEAD~1"],
        &["diff"],
        &["diff", "HEAD~1..HEAD"],
        &["drift"],
        &["drift", "--adopt", "--patch"],
        &["log"],
        &["log", "--missing"],
    ];
    let trace = sandbox.path("trace");
    for args in commands {
        let mut command = traced(&sandbox, &["-y", "-o", trace.to_str().unwrap()], args);
        let ran: crate::sandbox::Ran = command.output().unwrap().into();
        assert!(ran.exit <= 5, "{args:?}: {ran:?}");
        let lines = sandbox.read("trace");
        let calls = lines.lines().filter(|line| call(line).is_some()).count();
        assert!(calls > 50, "{args:?}: only {calls} calls were traced");
        // The first call is the start of the program itself.
        let found: Vec<&str> = lines.lines().skip(1).filter(|line| changes(line)).collect();
        assert!(found.is_empty(), "{args:?}:\n{}", found.join("\n"));
    }
    let after = stamps(&sandbox);
    let changed: Vec<_> = after.symmetric_difference(&before).collect();
    assert!(changed.is_empty(), "{changed:?}");
}

#[test]
fn the_scan_tells_writes_from_reads() {
    let cases = [
        (r#"12 openat(AT_FDCWD</x>, "a", O_RDONLY|O_CLOEXEC) = 3</x/a>"#, false),
        (r#"12 openat(AT_FDCWD</x>, "a", O_WRONLY|O_CREAT|O_EXCL, 0600) = 3</x/a>"#, true),
        (r#"openat2(3</x>, "a", {flags=O_RDWR, resolve=RESOLVE_BENEATH}, 24) = 4</x/a>"#, true),
        (r#"12 write(1<pipe:[5]>, "text", 4) = 4"#, false),
        (r#"12 write(4<anon_inode:[eventfd]>, "\1", 8) = 8"#, false),
        (r#"12 write(5</x/a>, "text", 4) = 4"#, true),
        (r#"12 renameat2(3</x>, "a", 3</x>, "b", RENAME_NOREPLACE) = 0"#, true),
        ("12 exit_group(0) = ?", false),
    ];
    for (line, wanted) in cases {
        assert_eq!(changes(line), wanted, "{line}");
    }
}
