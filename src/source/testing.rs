//! Small real repositories for tests, made with git itself.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::{Command, Output},
};

use tempfile::TempDir;

use super::checkout::{Checkout, Selection, Snapshot};
use crate::{
    exit::Exit,
    model::{digest::Digest, tree::EntryKind, user_error::UserError},
};

/// A repository in a folder of its own that ends with it.
pub(crate) struct Repo {
    sandbox: TempDir,
    pub(crate) root: PathBuf,
}

impl Repo {
    /// An empty repository with the branch `main`.
    pub(crate) fn new() -> Self {
        Repo::init(&[])
    }

    /// An empty repository made by `git init` with `options`.
    pub(crate) fn init(options: &[&str]) -> Self {
        let repo = Repo::nowhere();
        fs::create_dir(&repo.root).unwrap();
        repo.git(&[&["init", "--quiet", "--initial-branch=main"], options].concat());
        repo
    }

    /// What `git clone` with `options` makes of `from`.
    pub(crate) fn clone_of(from: &Repo, options: &[&str]) -> Self {
        let repo = Repo::nowhere();
        let url = format!("file://{}", from.root.display());
        let to = repo.root.display().to_string();
        let args = [&["clone", "--quiet"], options, &[url.as_str(), to.as_str()]].concat();
        git(repo.sandbox.path(), &args, repo.sandbox.path());
        repo
    }

    fn nowhere() -> Self {
        let sandbox = tempfile::tempdir().unwrap();
        let root = sandbox.path().canonicalize().unwrap().join("checkout");
        Repo { sandbox, root }
    }

    /// Runs git in the root; answers what it prints, trimmed.
    pub(crate) fn git(&self, args: &[&str]) -> String {
        self.git_in("", args)
    }

    /// The same in a folder below the root.
    pub(crate) fn git_in(&self, folder: &str, args: &[&str]) -> String {
        git(&self.root.join(folder), args, self.sandbox.path())
    }

    /// Runs git in the root; answers whether it succeeds.
    pub(crate) fn succeeds(&self, args: &[&str]) -> bool {
        output(&self.root, args, self.sandbox.path()).status.success()
    }

    /// Writes a file, and the folders that it lies in.
    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) -> &Self {
        let place = self.root.join(path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, content).unwrap();
        self
    }

    /// Makes a symbolic link.
    pub(crate) fn link(&self, path: &str, target: &str) -> &Self {
        fs::create_dir_all(self.root.join(path).parent().unwrap()).unwrap();
        symlink(target, self.root.join(path)).unwrap();
        self
    }

    /// Sets the mode of a file.
    pub(crate) fn chmod(&self, path: &str, mode: u32) -> &Self {
        fs::set_permissions(self.root.join(path), fs::Permissions::from_mode(mode)).unwrap();
        self
    }

    /// Removes a file or a folder.
    pub(crate) fn remove(&self, path: &str) -> &Self {
        let place = self.root.join(path);
        match place.symlink_metadata().unwrap().is_dir() {
            true => fs::remove_dir_all(place).unwrap(),
            false => fs::remove_file(place).unwrap(),
        }
        self
    }

    /// Commits everything, one minute after the commit before.
    pub(crate) fn commit(&self, message: &str) -> Digest {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message]);
        self.head()
    }

    /// The commit of HEAD, as git says.
    pub(crate) fn head(&self) -> Digest {
        self.rev("HEAD")
    }

    /// The id of a revision, as git says.
    pub(crate) fn rev(&self, rev: &str) -> Digest {
        self.git(&["rev-parse", rev]).parse().unwrap()
    }

    /// Opens it.
    pub(crate) fn open(&self) -> Checkout {
        Checkout::open(&self.root).unwrap()
    }

    /// The work tree as it lies on disk.
    pub(crate) fn work_tree(&self) -> Snapshot {
        self.open().snapshot(&Selection::WorkTree).unwrap()
    }
}

/// The files below `path` of a snapshot, a line each: kind, path.
pub(crate) fn lines(snapshot: &Snapshot, path: &str) -> Vec<String> {
    let line = |entry: &crate::model::tree::Entry| {
        let kind = match entry.kind {
            EntryKind::File => "file",
            EntryKind::Executable => "exec",
            EntryKind::Link => "link",
            EntryKind::Submodule => "submodule",
        };
        format!("{kind} {}", entry.path)
    };
    snapshot.tree(path).unwrap().entries.iter().map(line).collect()
}

/// The text of the file at `path`.
pub(crate) fn text(snapshot: &Snapshot, path: &str) -> String {
    String::from_utf8(snapshot.file(path).unwrap().unwrap()).unwrap()
}

/// The fault that an error is: code and message.
pub(crate) fn fault<T>(result: anyhow::Result<T>) -> (Exit, String) {
    let error = result.err().expect("it fails");
    let fault = error.downcast_ref::<UserError>().unwrap_or_else(|| panic!("no fault: {error:#}"));
    (fault.exit, fault.message.clone())
}

/// The hint of the fault that an error is.
pub(crate) fn hint<T>(result: anyhow::Result<T>) -> String {
    let error = result.err().expect("it fails");
    error.downcast_ref::<UserError>().unwrap().hint.clone().expect("there is a way out")
}

fn git(dir: &Path, args: &[&str], home: &Path) -> String {
    let output = output(dir, args, home);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {args:?}: {error}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn output(dir: &Path, args: &[&str], home: &Path) -> Output {
    let count = fs::read_to_string(home.join("clock")).map_or(0, |text| text.parse::<u64>().unwrap()) + 60;
    fs::write(home.join("clock"), count.to_string()).unwrap();
    let date = format!("{} +0200", 1_700_000_000 + count);
    Command::new("git")
        .args(["-c", "protocol.file.allow=always", "-c", "commit.gpgSign=false"])
        .args(args)
        .current_dir(dir)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_AUTHOR_NAME", "Ada")
        .env("GIT_AUTHOR_EMAIL", "ada@example.org")
        .env("GIT_AUTHOR_DATE", &date)
        .env("GIT_COMMITTER_NAME", "Bob")
        .env("GIT_COMMITTER_EMAIL", "bob@example.org")
        .env("GIT_COMMITTER_DATE", &date)
        .output()
        .unwrap()
}
