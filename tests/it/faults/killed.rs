//! SIGKILL at every write, rename, fsync and so on of an apply.

use std::{collections::BTreeMap, fs, os::unix::fs::MetadataExt as _, path::Path};

use super::traced;
use crate::{sandbox::Sandbox, skip};

/// Everything that an apply may do to a file system, and what it reads by.
const CALLS: &[&str] = &[
    "openat,openat2",
    "write,pwrite64,writev,copy_file_range",
    "rename,renameat,renameat2",
    "fsync,fdatasync,syncfs",
    "unlink,unlinkat",
    "mkdir,mkdirat",
    "chmod,fchmod,fchmodat,fchmodat2,fchown,fchownat",
    "symlink,symlinkat,link,linkat",
];

/// What each path holds: its mode, and its content or where it leads.
type Tree = BTreeMap<String, (u32, Vec<u8>)>;

fn tree(folder: &Path) -> Tree {
    let mut found = Tree::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(folder).unwrap().to_string_lossy().into_owned();
            let info = fs::symlink_metadata(&path).unwrap();
            if name == ".trueup" {
                continue;
            } else if info.is_dir() {
                folders.push(path);
                found.insert(name, (info.mode(), Vec::new()));
            } else if info.is_symlink() {
                found.insert(name, (0, fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes()));
            } else {
                found.insert(name, (info.mode(), fs::read(&path).unwrap()));
            }
        }
    }
    found
}

/// A target that was applied once, with a file of somebody else, and a commit
/// that creates, updates, makes executable, links and deletes.
fn second_apply() -> Sandbox {
    let sandbox =
        Sandbox::with_files(&[("a", "a\n"), ("b", "b\n"), ("run", "#!/bin/sh\n"), ("old/gone", "gone\n")]);
    sandbox.sh("ln -s a site/link && commit 'Link'").expect(0);
    sandbox.trueup(&["apply", "--yes", "-q"]).expect(0);
    sandbox.write("target/old/theirs", "not ours\n");
    let big = "0123456789\n".repeat(20_000);
    sandbox.write("checkout/site/a", big);
    sandbox.write("checkout/site/new/deep/c", "c\n");
    sandbox.sh("chmod +x site/run; ln -sfn b site/link; rm -r site/old; commit 'Change'").expect(0);
    sandbox
}

fn first_apply() -> Sandbox {
    let sandbox = Sandbox::with_files(&[("a", "a\n"), ("new/deep/b", "b\n")]);
    sandbox.sh("ln -s a site/link && commit 'Link'").expect(0);
    sandbox.write("target/theirs", "not ours\n");
    sandbox
}

/// Kills an apply at the first call of `calls`, then at the second one and so on, until one gets through.
fn kill_at_each(sandbox: &Sandbox, calls: &str) -> usize {
    const APPLY: [&str; 5] = ["apply", "--yes", "-q", "--max-delete-percent", "100"];
    let target = sandbox.path("target");
    let before = tree(&target);
    sandbox.sh("cp -a ../target ../before").expect(0);
    sandbox.trueup(&APPLY).expect(0);
    let after = tree(&target);
    // A call that this machine does not have is no mistake.
    let known = calls.split(',').map(|call| format!("?{call}")).collect::<Vec<_>>().join(",");
    let inject = format!("inject={known}:signal=KILL:when=");
    for count in 1.. {
        // The content goes back, the directory stays the same one.
        sandbox.sh("find ../target -mindepth 1 -delete && cp -a ../before/. ../target").expect(0);
        let trace = format!("trace={known}");
        let options = ["-o", "/dev/null", "-e", &trace, "-e", &format!("{inject}{count}")];
        let ran: crate::sandbox::Ran = traced(sandbox, &options, &APPLY).output().unwrap().into();
        if ran.exit == 0 {
            assert_eq!(tree(&target), after, "nothing was killed at {calls} {count}");
            return count;
        }
        assert_eq!(ran.exit, 137, "{calls} {count}: {}", ran.stderr);
        check(sandbox, &before, &after, &format!("killed at {calls} {count}"));
        sandbox.trueup(&APPLY).expect(0);
        assert_eq!(tree(&target), after, "converged after {calls} {count}");
        sandbox.trueup(&["plan", "-q"]).expect(0);
    }
    unreachable!("the counter has no end")
}

/// Every file is the old or the new one, and no verb takes the half-done apply for drift.
fn check(sandbox: &Sandbox, before: &Tree, after: &Tree, when: &str) {
    for (path, found) in tree(&sandbox.path("target")) {
        let old = before.get(&path);
        let new = after.get(&path);
        let is_temporary = path.rsplit('/').next().is_some_and(|name| name.contains(".trueup-"));
        let is_new_folder = new.is_some_and(|(mode, _)| mode & 0o170000 == 0o040000) && found.1.is_empty();
        let known = old == Some(&found) || new == Some(&found) || is_new_folder || is_temporary;
        assert!(known, "{when}: `{path}` is neither old nor new: {:o}", found.0);
    }
    let plan = sandbox.trueup(&["plan", "-o", "json"]);
    assert!([0, 2].contains(&plan.exit), "{when}: plan says {}\n{}{}", plan.exit, plan.stdout, plan.stderr);
    let drift = sandbox.trueup(&["drift"]);
    // 66: nothing was ever applied.
    assert!(
        [0, 66].contains(&drift.exit),
        "{when}: drift says {}\n{}{}",
        drift.exit,
        drift.stdout,
        drift.stderr
    );
}

#[test]
fn killed_anywhere_a_file_is_old_or_new_and_the_next_apply_converges() {
    if skip::lacks_strace() {
        return;
    }
    for calls in CALLS {
        assert!(kill_at_each(&second_apply(), calls) > 1, "an apply makes none of the calls {calls}");
    }
}

#[test]
fn killed_anywhere_a_first_apply_is_completed_by_the_next() {
    if skip::lacks_strace() {
        return;
    }
    for calls in
        ["write,pwrite64,writev,copy_file_range", "rename,renameat,renameat2,link,linkat", "mkdir,mkdirat"]
    {
        assert!(kill_at_each(&first_apply(), calls) > 1, "an apply makes none of the calls {calls}");
    }
}
