//! Patches, really applied with `git apply` and `patch`.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    os::unix::{
        ffi::{OsStrExt as _, OsStringExt as _},
        fs::{PermissionsExt as _, symlink},
    },
    path::Path,
    process::{Command, Stdio},
};

use proptest::prelude::*;
use serde_json::json;

use super::samples::*;
use crate::{
    model::{
        address::quote,
        diff_style::DiffStyle,
        digest::{Algorithm, Digest},
        redact::Shown,
    },
    output::{Bytes, Look, PlanView, style::Paint, unified},
};

/// What stands below a directory, by path.
type Tree = BTreeMap<Vec<u8>, Entry>;

#[derive(Clone, Debug, PartialEq)]
enum Entry {
    File { bytes: Vec<u8>, executable: bool },
    Link(Vec<u8>),
}

fn shown(entry: &Entry) -> Shown {
    match entry {
        Entry::File { bytes, executable: true } => executable(bytes),
        Entry::File { bytes, .. } => file(bytes),
        Entry::Link(target) => link(target),
    }
}

fn diff(before: &Tree, after: &Tree) -> Vec<u8> {
    let names: std::collections::BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let changes = names
        .into_iter()
        .map(|name| change(&quote(name), before.get(name).map(shown), after.get(name).map(shown)))
        .filter(|change| change.before != change.after)
        .collect();
    patch(vec![sheet("site", changes)], Look::default())
}

fn patch(sheets: Vec<PlanView>, look: Look) -> Vec<u8> {
    let mut out = Vec::new();
    unified::plans(&plans(&sheets), &look, &mut out).unwrap();
    out
}

fn text(changes: Vec<crate::model::redact::ShownChange>) -> String {
    String::from_utf8(patch(vec![sheet("site", changes)], Look::default())).unwrap()
}

fn write(tree: &Tree, root: &Path) {
    for (name, entry) in tree {
        let path = root.join(OsStr::from_bytes(name));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        match entry {
            Entry::File { bytes, executable } => {
                fs::write(&path, bytes).unwrap();
                let mode = if *executable { 0o755 } else { 0o644 };
                fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            }
            Entry::Link(target) => symlink(OsStr::from_bytes(target), &path).unwrap(),
        }
    }
}

fn read(root: &Path) -> Tree {
    let mut tree = Tree::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for item in fs::read_dir(folder).unwrap() {
            let path = item.unwrap().path();
            let meta = path.symlink_metadata().unwrap();
            let name = path.strip_prefix(root).unwrap().as_os_str().as_bytes().to_vec();
            if name == b".git" {
                continue;
            }
            if meta.is_dir() {
                folders.push(path);
            } else if meta.is_symlink() {
                tree.insert(name, Entry::Link(fs::read_link(&path).unwrap().into_os_string().into_vec()));
            } else {
                let executable = meta.permissions().mode() & 0o100 != 0;
                tree.insert(name, Entry::File { bytes: fs::read(&path).unwrap(), executable });
            }
        }
    }
    tree
}

/// Runs a tool in `root` with `patch` on its stdin; answers what it said if it failed.
fn run(root: &Path, words: &[&str], patch: &[u8]) -> Result<(), String> {
    use std::io::Write as _;
    let mut child = Command::new(words[0])
        .args(&words[1..])
        .current_dir(root)
        .env("GIT_CEILING_DIRECTORIES", root.parent().unwrap())
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("LC_ALL", "C")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(patch).unwrap();
    let output = child.wait_with_output().unwrap();
    match output.status.success() {
        true => Ok(()),
        false => Err(format!(
            "{words:?}: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        )),
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Tool {
    GitOutside,
    GitInside,
    Patch,
}

const TOOLS: [Tool; 3] = [Tool::GitOutside, Tool::GitInside, Tool::Patch];

fn applied(tool: Tool, before: &Tree, patch: &[u8]) -> Result<Tree, String> {
    let outer = tempfile::tempdir().unwrap();
    let root = outer.path().join("root");
    fs::create_dir(&root).unwrap();
    write(before, &root);
    match tool {
        Tool::GitOutside => run(&root, &["git", "apply"], patch)?,
        Tool::GitInside => {
            run(&root, &["git", "init", "-q"], b"")?;
            run(&root, &["git", "add", "-A"], b"")?;
            run(&root, &["git", "apply", "--index"], patch)?;
        }
        Tool::Patch => run(&root, &["patch", "-p1", "--silent", "--force"], patch)?,
    }
    Ok(read(&root))
}

fn names() -> impl Strategy<Value = Vec<u8>> {
    prop::sample::select(vec![
        &b"plain"[..],
        b"dir/deep/er",
        b"dir/two words",
        b"ends with ",
        "über/ß.txt".as_bytes(),
        b"new\nline",
        b"tab\there",
        b"quo\"te",
        b"back\\slash",
        b"invalid\xff\xfe",
        "bidi\u{202e}x".as_bytes(),
        b"x b/x",
        b"\x1b[31m",
        b"-n",
        b"#hash",
    ])
    .prop_map(<[u8]>::to_vec)
}

fn lines() -> impl Strategy<Value = Vec<u8>> {
    let line = prop::sample::select(vec![
        &b"a\n"[..],
        b"b\n",
        b"same\n",
        b"\n",
        b"--- x\n",
        b"+++ y\n",
        b"@@ -1 +1 @@\n",
        b"crlf\r\n",
        b"cr\ronly\n",
        b"\\ No newline at end of file\n",
        b"diff --git a/x b/x\n",
        b"caf\xe9\n",
        b"nul\0\n",
        b"no newline",
    ]);
    prop::collection::vec(line, 0..14).prop_map(|lines| lines.concat())
}

fn contents() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![4 => lines(), 1 => prop::collection::vec(any::<u8>(), 0..300)]
}

fn entries() -> impl Strategy<Value = Entry> {
    let target =
        prop::sample::select(vec![&b"to"[..], b"../x y", b"new\nline", b"\xff\"", b"a\tb", b"end\n"]);
    prop_oneof![
        5 => (contents(), any::<bool>()).prop_map(|(bytes, executable)| Entry::File { bytes, executable }),
        1 => target.prop_map(|target| Entry::Link(target.to_vec())),
    ]
}

fn trees() -> impl Strategy<Value = Tree> {
    prop::collection::btree_map(names(), entries(), 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn both_tools_turn_before_into_after(before in trees(), after in trees()) {
        let patch = diff(&before, &after);
        prop_assume!(!patch.is_empty());
        for tool in TOOLS {
            let result = applied(tool, &before, &patch);
            prop_assert_eq!(
                result.as_ref(), Ok(&after), "{:?}\n{}", tool, String::from_utf8_lossy(&patch)
            );
        }
    }

    #[test]
    fn a_long_file_with_scattered_edits(
        before in prop::collection::vec("[a-d]{0,2}", 0..120),
        edits in prop::collection::vec((0..120usize, "[a-d]{0,2}"), 1..6),
        newline in any::<[bool; 2]>(),
    ) {
        let mut after = before.clone();
        for (at, line) in edits {
            match at % 3 {
                0 => after.insert(at.min(after.len()), line),
                1 if at < after.len() => { after.remove(at); }
                _ if at < after.len() => after[at] = line,
                _ => {}
            }
        }
        let join = |lines: &[String], newline| lines.join("\n") + if newline { "\n" } else { "" };
        let tree = |text: String| Tree::from([(b"f".to_vec(), Entry::File { bytes: text.into(), executable: false })]);
        let (before, after) = (tree(join(&before, newline[0])), tree(join(&after, newline[1])));
        let patch = diff(&before, &after);
        prop_assume!(!patch.is_empty());
        for tool in TOOLS {
            prop_assert_eq!(applied(tool, &before, &patch), Ok(after.clone()), "{:?}", tool);
        }
    }
}

#[test]
fn new_changed_and_deleted_files() {
    let changes = vec![
        change("gone", Some(file(b"x\n")), None),
        change("motd", Some(file(b"a\nb\n")), Some(executable(b"a\nc"))),
        change("new", None, Some(file(b""))),
    ];
    let [x, ab, ac, empty] = [b"x\n" as &[u8], b"a\nb\n", b"a\nc", b""].map(id);
    let zero = "0".repeat(40);
    assert_eq!(
        text(changes),
        format!(
            "diff --git a/gone b/gone\ndeleted file mode 100644\nindex {x}..{zero}\n--- a/gone\n+++ /dev/null\n\
             @@ -1 +0,0 @@\n-x\n\
             diff --git a/motd b/motd\nold mode 100644\nnew mode 100755\nindex {ab}..{ac}\n--- a/motd\n+++ b/motd\n\
             @@ -1,2 +1,2 @@\n a\n-b\n+c\n\\ No newline at end of file\n\
             diff --git a/new b/new\nnew file mode 100644\nindex {zero}..{empty}\n"
        )
    );
}

#[test]
fn what_is_hidden_or_not_loaded_is_a_comment_that_tools_skip() {
    let unread = |name: &[u8], size| Shown::Content { id: id(name), size: Some(size), bytes: None };
    let owned = |owner: &str| {
        map([("content", content(b"s\n")), ("mode", plain(json!("0640"))), ("owner", plain(json!(owner)))])
    };
    let changes = vec![
        change("a/dir", Some(directory("root")), Some(directory("www"))),
        change("big.iso", Some(holding(unread(b"1", 4_294_967_296))), Some(holding(unread(b"2", 5)))),
        change("etc/shadow", Some(holding(Shown::Hidden(1))), Some(holding(Shown::Hidden(2)))),
        change("fine", Some(file(b"1\n")), Some(file(b"2\n"))),
        change("key", None, Some(holding(Shown::Hidden(3)))),
        change("old.key", Some(holding(Shown::Hidden(3))), None),
        change("owned", Some(owned("root")), Some(owned("www"))),
        change("sub", None, Some(directory("root"))),
    ];
    let shown = text(changes);
    let comments: Vec<_> = shown.lines().filter(|line| line.starts_with('#')).collect();
    let (one, two) = (id(b"1"), id(b"2"));
    assert_eq!(
        comments,
        [
            "# a/dir: owner root → www",
            &format!(
                "# big.iso: content too large to show changes: 4294967296 bytes, blob {one} → 5 bytes, blob {two}"
            ),
            "# etc/shadow: sensitive content changes: (sensitive) #1 → (sensitive) #2",
            "# key: new file, sensitive content: (sensitive) #3",
            "# old.key: file deleted, sensitive content: (sensitive) #3",
            "# owned: owner root → www",
            "# sub: new directory",
        ]
    );
    let tree =
        |text: &str| Tree::from([(b"fine".to_vec(), Entry::File { bytes: text.into(), executable: false })]);
    for tool in TOOLS {
        assert_eq!(applied(tool, &tree("1\n"), shown.as_bytes()), Ok(tree("2\n")), "{tool:?}");
    }
}

#[test]
fn exact_modes_and_content_without_an_id_make_whole_patches() {
    let exact = |mode: &str| {
        let unnamed = Digest::null(Algorithm::Sha1);
        let content = Shown::Content { id: unnamed, size: Some(2), bytes: Some(mode.as_bytes().into()) };
        map([("content", content), ("mode", plain(json!(mode))), ("type", plain(json!("file")))])
    };
    assert_eq!(
        text(vec![change("f", Some(exact("0640")), Some(exact("0750")))]),
        "# f: mode 0640 → 0750\ndiff --git a/f b/f\nold mode 100644\nnew mode 100755\n--- a/f\n+++ b/f\n\
         @@ -1 +1 @@\n-0640\n\\ No newline at end of file\n+0750\n\\ No newline at end of file\n"
    );
}

#[test]
fn eyes_get_no_control_characters_and_no_binary_content() {
    let look = Look { bytes: Bytes::Visible, ..Look::default() };
    let changes = vec![
        change("bin", Some(file(b"\0old")), Some(file(b"\xffnew!"))),
        change("esc", Some(file(b"x\x1b[31m\n  ::error::no\n")), Some(file(b"y\x1b[31m\r\n  ::error::no\n"))),
    ];
    let shown = String::from_utf8(patch(vec![sheet("site", changes)], look)).unwrap();
    assert!(shown.contains("# bin: binary content: 4 → 5 bytes, blob "), "{shown}");
    assert!(shown.contains("-x\\x1b[31m\n+y\\x1b[31m\\r\n   \\x3a:error::no\n"), "{shown}");
}

#[test]
fn documents_are_compared_as_yaml() {
    let value = |replicas: u32| {
        map([("password", Shown::Hidden(1)), ("spec", plain(json!({"mode": "on", "replicas": replicas})))])
    };
    let changes = vec![
        change("Deployment/web", Some(value(3)), Some(value(5))),
        change("Job/migrate", Some(map([("a", plain(json!(1)))])), None),
    ];
    let sheet = PlanView { form: DiffStyle::Document, ..sheet("cluster", changes) };
    let look = Look { paint: Paint::Plain, ..Look::default() };
    assert_eq!(
        String::from_utf8(patch(vec![sheet], look)).unwrap(),
        "--- Deployment/web (actual)\n+++ Deployment/web (desired)  site/Deployment/web:1\n@@ -1,4 +1,4 @@\n \
         password: (sensitive) #1\n spec:\n   mode: \"on\"\n-  replicas: 3\n+  replicas: 5\n\
         --- Job/migrate (actual)\n+++ Job/migrate (absent)\n@@ -1 +0,0 @@\n-a: 1\n"
    );
}
