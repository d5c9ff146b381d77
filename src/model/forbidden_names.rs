//! Names of files that must not come into a checkout from outside.

/// Says why a file of the checkout called `path` must not be written with what a target holds, if that is so.
pub fn adopted(path: &[u8]) -> Option<&'static str> {
    if path.is_empty() || path.starts_with(b"/") || path.contains(&0) {
        return Some("is no path of a checkout");
    }
    let parts = path.split(|byte| *byte == b'/');
    parts.map(plain).find_map(|name| match name.as_str() {
        "" | "." | ".." => Some("has a component that leads elsewhere"),
        ".git" => Some("would be inside of a git repository"),
        name if is_short(name) => Some("is another name of a git repository on some file systems"),
        ".gitmodules" | ".gitattributes" => Some("decides what git does with other files"),
        "trueup.yaml" | ".trueup-files.yaml" => Some("decides what trueup does"),
        _ => None,
    })
}

/// The name as file systems compare it: HFS leaves out what nobody sees, NTFS the end from a colon on and dots and
/// blanks before that, and both ignore case.
fn plain(name: &[u8]) -> String {
    let text = String::from_utf8_lossy(name).to_lowercase();
    let seen: String = text.chars().filter(|character| !is_ignored(*character)).collect();
    match seen.as_str() {
        "." | ".." => seen,
        _ => {
            let stem = seen.split(':').next().unwrap_or_default();
            stem.trim_end_matches(['.', ' ']).to_owned()
        }
    }
}

/// The code points that HFS+ leaves out when it compares names.
fn is_ignored(character: char) -> bool {
    matches!(character,
        '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}')
}

/// `git~1` and the like, the short names that NTFS gives.
fn is_short(name: &str) -> bool {
    name.strip_prefix("git~")
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::adopted;

    #[test]
    fn every_spelling_of_a_git_folder_is_refused() {
        for wrong in [
            ".git/config",
            "site/.GIT/config",
            "a/.gi\u{200c}t/x",
            "\u{feff}.git/x",
            "git~1/config",
            "GIT~2/x",
            ".git./x",
            ".git /x",
            ".git . /x",
            ".git::$INDEX_ALLOCATION/x",
            "../x",
            "/etc/passwd",
            "a//b",
            "site/trueup.yaml",
            "site/TRUEUP.yaml",
            "site/.trueup-files.yaml",
            "site/.gitattributes",
        ] {
            assert!(adopted(wrong.as_bytes()).is_some(), "{wrong}");
        }
        for fine in ["a", "a/b.c", ".gitignore", "git", ".github/x", "a/git~x", "...x", "caf\u{e9}"] {
            assert_eq!(adopted(fine.as_bytes()), None, "{fine}");
        }
    }
}
