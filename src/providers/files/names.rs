//! Names that a target cannot hold, and names that are trueup's own.

use sha2::{Digest as _, Sha256};

use crate::model::address::quote;

/// The manifest of a directory of declarations; never deployed.
pub(super) const MANIFEST: &[u8] = b".trueup-files.yaml";

/// trueup's own configuration; not deployed from the top of a target's path.
pub(super) const CONFIGURATION: &[u8] = b"trueup.yaml";

/// Where the memory of the target is, below its root, unless told otherwise.
pub(super) const STATE: &str = ".trueup";

/// The longest name of a file that file systems take.
const LONGEST: usize = 255;

/// Says why no target can hold `path`, if that is so.
pub(super) fn refusal(path: &[u8]) -> Option<String> {
    let shown = quote(path);
    if path.is_empty() {
        return Some("an empty path".to_owned());
    }
    if path.starts_with(b"/") {
        return Some(format!("`{shown}` is an absolute path"));
    }
    if path.contains(&0) {
        return Some(format!("`{shown}` holds a NUL byte"));
    }
    path.split(|byte| *byte == b'/').enumerate().find_map(|(depth, name)| {
        let what = match name {
            b"" => "has an empty component",
            b"." | b".." => "has a component `.` or `..`",
            _ if name.len() > LONGEST => "has a component of more than 255 bytes",
            // File systems that ignore case take `.GIT` for `.git`.
            _ if name.eq_ignore_ascii_case(b".git") => "would write into a git repository",
            _ if depth == 0 && name.eq_ignore_ascii_case(STATE.as_bytes()) => {
                "is where trueup keeps its own memory"
            }
            _ if is_temporary(name) => "has a name that trueup uses for temporary files",
            _ => return None,
        };
        Some(format!("`{shown}` {what}"))
    })
}

/// The name under which the object called `name` is prepared by the apply `run`.
///
/// It is the same every time, so that what an interrupted apply left behind is
/// found from the names in its record and nothing else is touched.
pub(super) fn temporary(name: &[u8], run: &str) -> Vec<u8> {
    let run = if is_plain(run) { run.to_owned() } else { short_hash(run.as_bytes()) };
    let suffix = format!(".trueup-{run}");
    match name.len() + 1 + suffix.len() > LONGEST {
        true => [b".", short_hash(name).as_bytes(), suffix.as_bytes()].concat(),
        false => [b".", name, suffix.as_bytes()].concat(),
    }
}

/// Whether `name` is of the kind that [`temporary`] makes.
pub(super) fn is_temporary(name: &[u8]) -> bool {
    const MARK: &[u8] = b".trueup-";
    name.starts_with(b".")
        && name != MANIFEST
        && name.windows(MARK.len()).skip(1).any(|window| window == MARK)
}

/// The directory that holds `path`, and its name there.
pub(super) fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(slash) => (&path[..slash], &path[slash + 1..]),
        None => (b"", path),
    }
}

/// The path of `name` in `directory`.
pub(super) fn join(directory: &[u8], name: &[u8]) -> Vec<u8> {
    match directory.is_empty() {
        true => name.to_vec(),
        false => [directory, b"/", name].concat(),
    }
}

/// The directories that `path` lies in, nearest first, without the root.
pub(super) fn ancestors(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::successors(Some(split(path).0), |directory| Some(split(directory).0))
        .take_while(|directory| !directory.is_empty())
}

fn is_plain(run: &str) -> bool {
    (1..=64).contains(&run.len()) && run.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn short_hash(text: &[u8]) -> String {
    Sha256::digest(text).iter().take(12).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_leave_the_root_or_hit_something_special_are_refused() {
        let long = "x".repeat(256);
        let refused: [(&str, &str); 13] = [
            ("", "empty path"),
            ("/etc/passwd", "absolute"),
            ("a//b", "empty component"),
            ("a/", "empty component"),
            ("..", "`..`"),
            ("a/../../b", "`..`"),
            ("./a", "`.`"),
            ("a\0b", "NUL"),
            (&long, "255"),
            ("a/.git/config", "git repository"),
            ("a/.GIT/config", "git repository"),
            (".trueup/memory", "memory"),
            ("a/.b.trueup-42", "temporary"),
        ];
        for (path, why) in refused {
            assert!(refusal(path.as_bytes()).is_some_and(|text| text.contains(why)), "{path}");
        }
        for path in
            ["a", "a/b.c", "...", "a/.trueup/x", ".gitignore", "a/.gitattributes", "a\nb", ".trueup-x"]
        {
            assert_eq!(refusal(path.as_bytes()), None, "{path}");
        }
    }

    #[test]
    fn temporary_names_fit_and_are_recognized() {
        for name in [b"a".to_vec(), vec![b'x'; 255], b"\xff\n".to_vec()] {
            for run in ["20240101-abc", "../../etc", &"9".repeat(300)] {
                let temporary = temporary(&name, run);
                assert!(temporary.len() <= LONGEST && !temporary.contains(&b'/'));
                assert!(is_temporary(&temporary));
            }
        }
    }

    #[test]
    fn ancestors_go_from_near_to_far() {
        let found: Vec<&[u8]> = ancestors(b"a/b/c").collect();
        assert_eq!(found, [&b"a/b"[..], b"a"]);
        assert_eq!(ancestors(b"a").count(), 0);
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..Default::default() })]
        #[test]
        fn accepted_paths_stay_below(path in proptest::collection::vec(
            proptest::sample::select(b"./a\0\n-tG".to_vec()), 0..12)) {
            if refusal(&path).is_none() {
                let path = std::str::from_utf8(&path).unwrap();
                let plain = std::path::Path::new(path).components()
                    .all(|part| matches!(part, std::path::Component::Normal(_)));
                proptest::prop_assert!(plain && !path.ends_with('/') && !path.contains("//"));
            }
        }
    }
}
