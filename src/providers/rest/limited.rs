//! Files that are read up to a size, which no honest one of their kind reaches.

use std::{
    fs::File,
    io::{self, Read as _},
    path::Path,
};

/// The largest file that holds one secret, or certificates.
pub const SECRET: u64 = 1024 * 1024;

/// What `path` holds.
///
/// # Errors
/// It cannot be read, or is larger than `most` bytes.
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > most {
        true => Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it is larger than {most} bytes"))),
        false => Ok(bytes),
    }
}

/// The text that `path` holds.
///
/// # Errors
/// As [`read`], or it holds no text.
pub fn text(path: &Path, most: u64) -> io::Result<String> {
    let no_text = |_| io::Error::new(io::ErrorKind::InvalidData, "it holds no text");
    String::from_utf8(read(path, most)?).map_err(no_text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_an_end_is_refused() {
        let error = read(Path::new("/dev/zero"), 10).unwrap_err();
        assert_eq!(error.to_string(), "it is larger than 10 bytes");
    }
}
