//! Writes files whole or not at all.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use anyhow::Context as _;

/// How many names for the new file are tried before giving up.
const ATTEMPTS: u32 = 100;

/// Replaces `file` by what `write` writes; on failure the old file is intact.
/// What is no regular file, such as a pipe, is written to as it is.
///
/// # Errors
/// What `write` answers, or why the file could not be written.
pub fn replace(file: &Path, write: impl FnOnce(&mut dyn Write) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let context = || format!("writing `{}`", super::visible::visible(&file.to_string_lossy()));
    match fs::metadata(file) {
        Ok(meta) if meta.is_file() => fresh(&fs::canonicalize(file)?, Some(meta.permissions()), write),
        Ok(meta) if meta.is_dir() => Err(io::Error::from(io::ErrorKind::IsADirectory).into()),
        Ok(_) => through(OpenOptions::new().write(true).open(file).with_context(context)?, write),
        Err(error) if error.kind() == io::ErrorKind::NotFound => fresh(file, None, write),
        Err(error) => Err(error.into()),
    }
    .with_context(context)
}

/// Makes sure that `file` can be replaced, and leaves everything as it is.
///
/// # Errors
/// Why it cannot.
pub fn probe(file: &Path) -> anyhow::Result<()> {
    let probe = || -> io::Result<()> {
        let made = match fs::metadata(file) {
            Ok(meta) if meta.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
            Ok(meta) if meta.is_file() => beside(&fs::canonicalize(file)?),
            // A pipe waits for its reader, and that is for later.
            Ok(_) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => beside(file),
            Err(error) => Err(error),
        };
        fs::remove_file(made?.1)
    };
    probe().with_context(|| format!("writing `{}`", super::visible::visible(&file.to_string_lossy())))
}

/// Where a file is, links resolved as far as it exists.
pub fn place(file: &Path) -> PathBuf {
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let whole = fs::canonicalize(file).ok();
    let beside = || Some(fs::canonicalize(parent).ok()?.join(file.file_name()?));
    whole.or_else(beside).unwrap_or_else(|| file.to_owned())
}

/// Writes into an open file, to the last byte.
fn through(file: File, write: impl FnOnce(&mut dyn Write) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let mut out = BufWriter::new(file);
    write(&mut out)?;
    Ok(out.flush()?)
}

/// Writes a new file beside `file` and gives it that name when it is complete.
fn fresh(
    file: &Path,
    permissions: Option<fs::Permissions>,
    write: impl FnOnce(&mut dyn Write) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let (new, path) = beside(file)?;
    let written = new.try_clone().map_err(Into::into).and_then(|copy| through(copy, write));
    let finished = written.and_then(|()| {
        permissions.map_or(Ok(()), |permissions| new.set_permissions(permissions))?;
        new.sync_all()?;
        Ok(fs::rename(&path, file)?)
    });
    if finished.is_err() {
        // The first error is the one to tell.
        let _ = fs::remove_file(&path);
    }
    finished
}

/// Makes a file that did not exist, in the same directory.
fn beside(file: &Path) -> io::Result<(File, PathBuf)> {
    let name = file.file_name().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    for attempt in 0..ATTEMPTS {
        let mut hidden = OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".{}-{attempt}.new", std::process::id()));
        let path = file.with_file_name(hidden);
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            other => return other.map(|file| (file, path)),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|item| item.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn put(text: &'static str) -> impl FnOnce(&mut dyn Write) -> anyhow::Result<()> {
        move |out| Ok(out.write_all(text.as_bytes())?)
    }

    #[test]
    fn files_are_made_and_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("plan.json");
        replace(&file, put("one")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        replace(&file, put("two")).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "two");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(names(folder.path()), ["plan.json"]);
    }

    #[test]
    fn a_failure_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("plan.json");
        replace(&file, put("old")).unwrap();
        let fail = |out: &mut dyn Write| {
            out.write_all(b"half")?;
            anyhow::bail!("no more")
        };
        let error = replace(&file, fail).unwrap_err();
        assert_eq!(format!("{error:#}"), format!("writing `{}`: no more", file.display()));
        assert_eq!(fs::read_to_string(&file).unwrap(), "old");
        assert_eq!(names(folder.path()), ["plan.json"]);
    }

    #[test]
    fn a_link_stays_a_link_and_a_device_a_device() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("real"), folder.path().join("link"));
        fs::write(&file, "old").unwrap();
        symlink("real", &link).unwrap();
        replace(&link, put("new")).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        assert!(link.is_symlink());
        replace(Path::new("/dev/null"), put("gone")).unwrap();
        assert!(fs::metadata("/dev/null").unwrap().permissions().mode() & 0o170000 == 0o020000);
    }

    #[test]
    fn what_cannot_be_written_is_named() {
        let folder = tempfile::tempdir().unwrap();
        for file in
            [folder.path().join("missing/plan.json"), folder.path().to_owned(), PathBuf::from("/dev/full")]
        {
            let error = replace(&file, put("x")).unwrap_err();
            assert!(
                format!("{error:#}").starts_with(&format!("writing `{}`: ", file.display())),
                "{error:#}"
            );
        }
    }
}
