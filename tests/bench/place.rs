//! A checkout, and a target of files beside it.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use crate::measure::Side;

/// A temporary folder with `checkout` and `target`. It lies below the build
/// folder, on a disk, since a file system in memory makes durable writes free.
pub struct Place {
    dir: TempDir,
}

impl Place {
    /// An empty repository with this trueup.yaml, and an empty target.
    pub fn new(config: &str) -> Place {
        let place = Place { dir: TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap() };
        place.write("checkout/trueup.yaml", config);
        fs::create_dir(place.path("target")).unwrap();
        place.git(&["init", "-q", "-b", "main"]);
        place
    }

    /// Declares `count` files of 4.4 KB on average, 100 in a folder.
    pub fn with_files(count: usize) -> Place {
        let place =
            Place::new("version: 1\ntargets:\n  site: {provider: files, path: site, root: ../target}\n");
        for number in 0..count {
            let path = format!("checkout/site/folder-{:04}/file-{:02}", number / 100, number % 100);
            place.write(&path, &content(number));
        }
        place.commit();
        place
    }

    /// Declares a file of `size` bytes, all zero, and commits it.
    pub fn declare_big_file(&self, size: u64) {
        File::create(self.path("checkout/site/big")).unwrap().set_len(size).unwrap();
        self.commit();
    }

    /// Empties the target, and lets the disk come to rest.
    pub fn empty_target(&self) {
        let target = self.path("target");
        fs::remove_dir_all(&target).unwrap();
        fs::create_dir(&target).unwrap();
        assert!(Command::new("sync").status().unwrap().success());
    }

    /// A path below it.
    pub fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.dir.path().join(relative)
    }

    /// Writes a file, its folders made.
    pub fn write(&self, relative: &str, content: &str) {
        let path = self.path(relative);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// trueup, run in the checkout.
    pub fn trueup(&self, args: &[&str]) -> Side<'_> {
        self.run(env!("CARGO_BIN_EXE_trueup"), args)
    }

    /// Another program, run in the checkout.
    pub fn run(&self, program: &str, args: &[&str]) -> Side<'_> {
        Side::new(program, args, self.path("checkout"))
    }

    /// Makes the target what is declared.
    pub fn apply(&self) {
        assert_eq!(self.trueup(&["apply", "--yes", "-q"]).run(), Some(0), "the target could not be prepared");
    }

    /// Commits everything.
    pub fn commit(&self) {
        self.git(&["add", "-A"]);
        let who = ["-c", "user.name=Bench", "-c", "user.email=bench@example.org"];
        self.git(&[&who[..], &["-c", "gc.auto=0", "commit", "-q", "-m", "Declare"]].concat());
    }

    /// Puts the objects of Git in one pack, as a clone has them.
    pub fn pack(&self) {
        self.git(&["gc", "-q"]);
    }

    fn git(&self, args: &[&str]) {
        let status = Command::new("git").args(args).current_dir(self.path("checkout")).status();
        assert!(status.unwrap().success(), "git {args:?}");
    }
}

/// Lines that differ from file to file and do not compress to nothing.
fn content(number: usize) -> String {
    let mut state = number as u64 + 1;
    let lines = 40 + number % 80;
    (0..lines).fold(String::new(), |text, line| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        text + &format!(
            "setting-{line:03} = {state:016x}-{:016x}-{:08x}\n",
            state.rotate_left(17),
            state >> 32
        )
    })
}
