//! Errors that are thrown away: `.ok()` and `let Ok(…)`. Each place is known, with the reason why nothing is decided by
//! what it hides. A new one needs a reason, or an error.

use std::{fs, path::Path};

/// A text that is not of this form is another one; there is no error behind it.
const FORM: &str = "a text, number or position that is not of this form is something else";
/// Only shown.
const SHOWN: &str = "only shown to people, decides nothing";
/// A quicker or gentler way.
const SLOW: &str =
    "a way that is tried first; the one that follows tells the error, or nothing depends on it";
/// More is refused.
const CLOSED: &str = "without the answer more is refused or left alone, never less";
/// Cannot fail any more.
const CHECKED: &str = "checked before, where the error is told with its place";

/// Files below `src`, how often at most they throw an error away, and why that is right.
const KNOWN: &[(&str, usize, &str)] = &[
    ("commands/adopt.rs", 1, CLOSED),
    ("planner/commits.rs", 1, SHOWN),
    ("commands/actor.rs", 1, SHOWN),
    ("planner/blame.rs", 1, SHOWN),
    ("planner/lines.rs", 3, SHOWN),
    ("planner/base.rs", 2, CLOSED),
    ("commands/why.rs", 3, SHOWN),
    ("manifest/node.rs", 1, FORM),
    ("manifest/scalar.rs", 2, FORM),
    ("model/address.rs", 1, FORM),
    ("model/digest.rs", 1, FORM),
    ("model/guard.rs", 1, CHECKED),
    ("model/path.rs", 1, FORM),
    ("model/sensitive.rs", 2, FORM),
    ("model/value.rs", 1, FORM),
    ("output/patch.rs", 1, SHOWN),
    ("output/progress.rs", 2, SHOWN),
    ("output/save.rs", 2, SHOWN),
    ("providers/files/apply.rs", 1, SLOW),
    ("providers/files/attributes.rs", 2, SLOW),
    ("providers/files/batch.rs", 2, CLOSED),
    ("providers/files/confined_dir.rs", 1, SLOW),
    ("providers/files/complete.rs", 6, SHOWN),
    ("providers/files/confirm.rs", 1, CLOSED),
    ("providers/files/emptied.rs", 2, CLOSED),
    ("providers/files/keep.rs", 1, SLOW),
    ("providers/files/inventory.rs", 4, FORM),
    ("providers/files/lock.rs", 3, SHOWN),
    ("providers/files/manifest.rs", 1, FORM),
    ("providers/files/memory.rs", 4, FORM),
    ("providers/files/options.rs", 3, SLOW),
    ("providers/files/users.rs", 3, FORM),
    ("providers/files/stage.rs", 2, SHOWN),
    ("providers/files/storage.rs", 1, SLOW),
    ("providers/files/sync.rs", 1, SLOW),
    ("providers/files/value.rs", 1, FORM),
    ("providers/files/work.rs", 1, CLOSED),
    ("providers/kubernetes/manifest/adopt.rs", 2, SHOWN),
    ("providers/kubernetes/audit/log.rs", 1, FORM),
    ("providers/kubernetes/observe/cluster.rs", 1, CLOSED),
    ("providers/kubernetes/client/connect.rs", 3, FORM),
    ("providers/kubernetes/client/failure.rs", 2, SHOWN),
    ("providers/kubernetes/ownership/fields.rs", 2, CLOSED),
    ("providers/kubernetes/ownership/managed.rs", 1, SHOWN),
    ("providers/kubernetes/apply/pods.rs", 2, SHOWN),
    ("providers/kubernetes/manifest/quantity.rs", 2, FORM),
    ("providers/kubernetes/ownership/scaling.rs", 1, CLOSED),
    ("providers/kubernetes/client/transport.rs", 1, SHOWN),
    ("providers/kubernetes/apply/wait.rs", 1, CLOSED),
    ("providers/options.rs", 3, FORM),
    ("providers/rest/declare/adopt.rs", 1, CLOSED),
    ("providers/rest/read/prefetch.rs", 2, SLOW),
    ("providers/rest/read/complete.rs", 6, CLOSED),
    ("providers/rest/client/credentials.rs", 1, FORM),
    ("providers/rest/definition/embedded.rs", 1, CHECKED),
    ("providers/rest/definition/release.rs", 1, FORM),
    ("providers/rest/client/failure.rs", 1, SHOWN),
    ("providers/rest/write/job.rs", 1, CLOSED),
    ("providers/rest/client/json.rs", 1, FORM),
    ("providers/rest/record/place.rs", 2, CLOSED),
    ("providers/rest/mod.rs", 1, CHECKED),
    ("providers/rest/read/observe.rs", 2, SHOWN),
    ("providers/rest/read/record_objects.rs", 1, CHECKED),
    ("providers/rest/compare/base64_field.rs", 2, FORM),
    ("providers/rest/read/pages.rs", 4, SLOW),
    ("providers/rest/read/reader.rs", 1, SHOWN),
    ("providers/rest/compare/secret_fingerprints.rs", 4, CLOSED),
    ("providers/rest/declare/secrets.rs", 1, CLOSED),
    ("providers/rest/client/transport/ahead.rs", 2, SLOW),
    ("providers/rest/client/transport/client.rs", 1, CLOSED),
    ("providers/rest/client/transport/mod.rs", 2, CLOSED),
    ("providers/rest/write/wait.rs", 5, SLOW),
    ("providers/rest/declare/yaml.rs", 3, FORM),
    ("source/checkout/compare.rs", 3, CLOSED),
    ("source/checkout/files.rs", 5, SLOW),
    ("source/checkout/names.rs", 3, CLOSED),
    ("source/checkout/open.rs", 3, FORM),
    ("source/checkout/overlay.rs", 1, FORM),
    ("source/checkout/select.rs", 2, CLOSED),
    ("source/checkout/snapshot.rs", 1, FORM),
    ("source/checkout/stream.rs", 3, SLOW),
    ("source/config/complaint.rs", 1, FORM),
    ("source/config/read.rs", 1, CHECKED),
    ("source/history/pull_request.rs", 2, SHOWN),
    ("source/history/walk.rs", 1, SLOW),
    ("yaml/fast_path/mod.rs", 4, SLOW),
];

#[test]
fn no_error_is_thrown_away_without_a_reason() {
    let mut found = Vec::new();
    visit(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut |path, text| {
        let count = thrown_away(text);
        let known = KNOWN.iter().find(|(file, ..)| path.ends_with(file)).map_or(0, |(_, count, _)| *count);
        if count > known {
            found.push(format!("{}: {count} times, {known} are known", path.display()));
        }
    });
    assert!(found.is_empty(), "say why in tests/it/swallowed.rs, or answer the error:\n{}", found.join("\n"));
    assert!(KNOWN.iter().all(|(.., reason)| !reason.is_empty()));
}

/// How often the code outside of tests throws an error away.
fn thrown_away(text: &str) -> usize {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.map(|line| line.matches(".ok()").count() + line.matches("let Ok(").count()).sum()
}

fn visit(folder: &Path, each: &mut dyn FnMut(&Path, &str)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        match path.is_dir() {
            true if name != "tests" => visit(&path, each),
            false if name.ends_with(".rs") && !["tests.rs", "testing.rs"].contains(&&*name) => {
                each(&path, &fs::read_to_string(&path).unwrap());
            }
            _ => {}
        }
    }
}
