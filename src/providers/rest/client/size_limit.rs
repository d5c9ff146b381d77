//! Files that are read up to a size, which no honest one of their kind reaches.

use std::{
    fs::File,
    io::{self, Read as _},
    os::unix::fs::FileTypeExt as _,
    path::Path,
};

/// The largest file that holds one secret, or certificates.
pub const SECRET: u64 = 1024 * 1024;

/// Where the kernel shows what is no file.
const KERNEL: [&str; 2] = ["/proc", "/sys"];

/// What `path` holds.
///
/// # Errors
/// It cannot be read, is larger than `most` bytes, or is a device or a file of the kernel, which may never end or
/// which reading may change.
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let whole = path.canonicalize()?;
    let kind = whole.metadata()?.file_type();
    if kind.is_char_device() || kind.is_block_device() || KERNEL.iter().any(|place| whole.starts_with(place))
    {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is a device or a file of the kernel"));
    }
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
    fn what_is_no_ordinary_file_is_refused() {
        for path in ["/dev/zero", "/proc/self/maps"] {
            let error = read(Path::new(path), 10).unwrap_err();
            assert_eq!(error.to_string(), "it is a device or a file of the kernel", "{path}");
        }
        let error = read(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")), 10).unwrap_err();
        assert_eq!(error.to_string(), "it is larger than 10 bytes");
    }
}
