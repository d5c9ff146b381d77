//! A temporary folder in which programs run with nothing of the machine around them.

use std::{
    fmt::Write as _,
    fs,
    os::unix::{
        ffi::OsStrExt as _,
        fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _},
        process::ExitStatusExt as _,
    },
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use tempfile::TempDir;

/// The binary under test.
pub const TRUEUP: &str = env!("CARGO_BIN_EXE_trueup");

/// Shell functions that every script may call.
const FUNCTIONS: &str = include_str!("functions.sh");

/// A folder with `checkout`, `target` and `home`, gone when dropped.
pub struct Sandbox {
    _dir: TempDir,
    root: PathBuf,
}

/// What a program left behind.
#[derive(Debug)]
pub struct Ran {
    /// The exit code; 128 + signal if it was killed.
    pub exit: i32,
    /// Standard output, bytes that are not UTF-8 replaced.
    pub stdout: String,
    /// Standard error, likewise.
    pub stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Ran {
        let killed = || 128 + output.status.signal().expect("it ended by itself or by a signal");
        Ran {
            exit: output.status.code().unwrap_or_else(killed),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Ran {
    /// Fails the test unless the program ended with `exit`.
    #[track_caller]
    pub fn expect(self, exit: i32) -> Ran {
        assert_eq!(self.exit, exit, "\n--- stdout\n{}--- stderr\n{}", self.stdout, self.stderr);
        self
    }
}

impl Sandbox {
    /// An empty sandbox with a Git repository that has no commit.
    pub fn new() -> Sandbox {
        let dir = TempDir::new().unwrap();
        let root = dir.path().canonicalize().unwrap();
        for folder in ["checkout", "target", "home"] {
            fs::create_dir(root.join(folder)).unwrap();
        }
        let sandbox = Sandbox { _dir: dir, root };
        sandbox.sh("git init -q -b main").expect(0);
        sandbox
    }

    /// A sandbox whose `target` belongs to the files below `checkout/site`.
    pub fn with_files(files: &[(&str, &str)]) -> Sandbox {
        let sandbox = Sandbox::new();
        let config = "version: 1\ntargets:\n  site: {provider: files, path: site, root: ../target}\n";
        sandbox.write("checkout/trueup.yaml", config);
        for (path, content) in files {
            sandbox.write(&format!("checkout/site/{path}"), content);
        }
        sandbox.sh("commit 'Start'").expect(0);
        sandbox
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A path below it.
    pub fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.root.join(relative)
    }

    /// Writes a file below it, with its parents.
    pub fn write(&self, relative: &str, content: impl AsRef<[u8]>) {
        let path = self.path(relative);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// The text of a file below it.
    pub fn read(&self, relative: &str) -> String {
        fs::read_to_string(self.path(relative)).unwrap_or_else(|error| panic!("{relative}: {error}"))
    }

    /// `program`, about to run in `checkout` with a cleared environment.
    pub fn command(&self, program: &str) -> Command {
        let home = self.path("home");
        let programs = Path::new(TRUEUP).parent().unwrap();
        let mut command = Command::new(program);
        command
            .current_dir(self.path("checkout"))
            .stdin(Stdio::null())
            .env_clear()
            .env("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", programs.display()))
            .env("HOME", &home)
            .env("XDG_CONFIG_HOME", home.join(".config"))
            .env("SANDBOX", &self.root)
            .env("USER", "alice")
            .env("LC_ALL", "C.UTF-8")
            .env("TZ", "UTC")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_DATE", "2001-02-03T04:05:06Z")
            .env("GIT_COMMITTER_DATE", "2001-02-03T04:05:06Z")
            .env("GIT_AUTHOR_NAME", "Alice")
            .env("GIT_AUTHOR_EMAIL", "alice@example.org")
            .env("GIT_COMMITTER_NAME", "Alice")
            .env("GIT_COMMITTER_EMAIL", "alice@example.org");
        command
    }

    /// The binary under test, about to run.
    pub fn command_trueup(&self, args: &[&str]) -> Command {
        let mut command = self.command(TRUEUP);
        command.args(args);
        command
    }

    /// Runs the binary under test.
    pub fn trueup(&self, args: &[&str]) -> Ran {
        self.command_trueup(args).output().unwrap().into()
    }

    /// Runs a shell script that may call the functions of `functions.sh`.
    pub fn sh(&self, script: &str) -> Ran {
        let whole = format!("umask 022\n{FUNCTIONS}\n{script}");
        self.command("sh").arg("-c").arg(whole).output().unwrap().into()
    }

    /// What a folder below it holds, in words: see [`list`].
    pub fn list(&self, relative: &str) -> String {
        list(&self.path(relative))
    }
}

/// What `folder` holds: one line for each entry with its mode, text below it.
/// The inside of `.trueup` is left out, since it differs from run to run.
pub fn list(folder: &Path) -> String {
    let mut lines = String::new();
    list_into(folder, 1, &mut lines);
    lines
}

fn list_into(folder: &Path, depth: usize, lines: &mut String) {
    let indent = "  ".repeat(depth);
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap().as_bytes().escape_ascii();
        let found = fs::symlink_metadata(&path).unwrap();
        let mode = format!("{:04o}", found.mode() & 0o7777);
        let kind = found.file_type();
        if kind.is_symlink() {
            let to = fs::read_link(&path).unwrap();
            writeln!(lines, "{indent}{name} -> {}", to.as_os_str().as_bytes().escape_ascii()).unwrap();
        } else if kind.is_dir() {
            writeln!(lines, "{indent}{name}/ {mode}").unwrap();
            if path.file_name().is_none_or(|name| name != ".trueup") {
                list_into(&path, depth + 1, lines);
            }
        } else if kind.is_file() {
            writeln!(lines, "{indent}{name} {mode}").unwrap();
            show_content(&fs::read(&path).unwrap(), &indent, lines);
        } else {
            let word = if kind.is_fifo() { "fifo" } else { "special" };
            writeln!(lines, "{indent}{name} {mode} {word}").unwrap();
        }
    }
}

fn show_content(bytes: &[u8], indent: &str, lines: &mut String) {
    const LONGEST: usize = 20;
    let text = std::str::from_utf8(bytes).ok().filter(|text| !text.contains('\0'));
    match text.filter(|text| text.lines().count() <= LONGEST) {
        Some(text) => {
            text.lines().for_each(|line| writeln!(lines, "{indent}  | {line}").unwrap());
            if !text.is_empty() && !text.ends_with('\n') {
                writeln!(lines, "{indent}  (no newline at the end)").unwrap();
            }
        }
        None => writeln!(lines, "{indent}  ({} bytes)", bytes.len()).unwrap(),
    }
}

/// Copies a folder of a fixture; files get the modes that Git can keep, whatever the umask of the clone was.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let copied = to.join(path.file_name().unwrap());
        let found = fs::symlink_metadata(&path).unwrap();
        if found.is_dir() {
            copy(&path, &copied);
        } else if found.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(&path).unwrap(), &copied).unwrap();
        } else {
            fs::copy(&path, &copied).unwrap();
            let mode = if found.mode() & 0o100 == 0 { 0o644 } else { 0o755 };
            fs::set_permissions(&copied, fs::Permissions::from_mode(mode)).unwrap();
        }
    }
}
