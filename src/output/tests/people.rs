//! Text for people.

use std::sync::Arc;

use serde_json::json;

use super::samples::*;
use crate::{
    exit::Exit,
    model::{
        change::{Action, Class},
        object::Cause,
        record::Attempted,
        redact::{Shown, ShownChange},
    },
    output::{
        Detail, Explain, Format, Logs, Look, Plans, ProviderInfo, Providers, Reports, Verb, phrases,
        style::Paint,
    },
};

fn shown<V: crate::output::View>(view: &V, look: &Look) -> String {
    let mut out = Vec::new();
    view.write(Format::Human, look, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn objects() -> Look {
    Look { detail: Detail::Objects, ..Look::default() }
}

/// One of everything.
fn everything() -> Vec<ShownChange> {
    let motd = change("etc/motd", Some(file(b"a\nc\n")), Some(file(b"a\nb\n")));
    let api = change("etc/api.conf", Some(file(b"1\n")), Some(file(b"2\n")));
    let hosts = change("etc/hosts", Some(file(b"1\n")), Some(file(b"2\n")));
    let lost = change("lost", None, Some(file(b"")));
    let closed = change("closed", None, None);
    let stray = change("stray", Some(file(b"")), None);
    vec![
        ShownChange {
            unknown: Some((Cause::NoPermission, "permission denied".to_owned())),
            ..classed(closed, Class::Unknown)
        },
        ShownChange {
            fields: vec![
                field(
                    "/content:1",
                    Class::Pending,
                    [Some(json!("1\n")), Some(json!("2\n")), Some(json!("1\n"))],
                ),
                field("/executable", Class::Pending, [None, Some(json!(true)), Some(json!(false))]),
            ],
            commits: vec![
                commit("Raise the limit (#812)"),
                commit("Second"),
                commit("Third"),
                commit("Fourth"),
            ],
            ..api
        },
        ShownChange {
            fields: vec![field(
                "/content:1",
                Class::Conflict,
                [Some(json!("0")), Some(json!("2")), Some(json!("1"))],
            )],
            ..classed(hosts, Class::Conflict)
        },
        ShownChange {
            fields: vec![field(
                "/content:2",
                Class::Drift,
                [Some(json!("b")), Some(json!("b")), Some(json!("c"))],
            )],
            writer: Some(writer("owner alice")),
            notes: vec!["3 hard links: replacing it breaks them".to_owned()],
            ..classed(motd, Class::Drift)
        },
        ShownChange { commits: vec![commit("Drop it")], ..change("job/migrate-41", Some(file(b"x")), None) },
        classed(lost, Class::Missing),
        ShownChange { action: Action::Keep, after: Some(file(b"")), ..classed(stray, Class::Extra) },
    ]
}

#[test]
fn every_kind_of_change_has_its_line() {
    let sheets = [sheet("site", everything())];
    assert_eq!(
        shown(&plans(&sheets), &objects()),
        "\
target site (files /srv/www)   environment prod   applied main@9d0e77c (2026-11-20T14:02:11Z)   desired main@9d0e77c
DP   object           what
??   closed           unknown: permission denied   site/closed:1
.P   etc/api.conf     pending /content:1 \"1\" → \"2\", /executable false → true   site/etc/api.conf:1
       9d0e77c Alice Example: Raise the limit (#812)
       9d0e77c Alice Example: Second (#812)
       9d0e77c Alice Example: Third (#812)
       and 1 earlier commit
DP!  etc/hosts        conflict: both moved /content:1 \"1\" → \"2\"   site/etc/hosts:1
D.   etc/motd         drift /content:2 \"b\" → \"c\"   site/etc/motd:1
       by owner alice at 2026-11-22T15:00:00Z (owner and time of the last modification)
       note: 3 hard links: replacing it breaks them
.-   job/migrate-41   delete   site/job/migrate-41:1
       9d0e77c Alice Example: Drop it (#812)
D+   lost             create: it is gone from the target   site/lost:1
D.   stray            extra: only the target has it   site/stray:1
note: not complete: something could not be read, or was not asked for
to delete: job/migrate-41
Plan: 2 create, 3 update, 0 replace, 1 delete; 2 pending, 1 drifted, 1 missing, 1 extra, 1 in conflict, 1 unknown; 41 unchanged.
Digest sha256:5b1c5b1c5b1c5b1c5b1c5b1c5b1c5b1c5b1c5b1c5b1c5b1c5b1c5b1c5b1c5b1c.
Exit 5 (conflict).
next: `trueup apply -e prod site --overwrite ADDRESS` lets Git win, `trueup apply -e prod site --keep ADDRESS` leaves an object as it is
"
    );
}

#[test]
fn the_diff_stands_between_the_list_and_the_counts() {
    let sheets = [sheet("site", vec![change("motd", Some(file(b"a\n")), Some(file(b"b\n")))])];
    let text = shown(&plans(&sheets), &Look::default());
    let parts = [
        ".P   motd",
        "\n\ndiff --git a/motd b/motd\n",
        "\n-a\n+b\n\nPlan: ",
        "next: `trueup apply -e prod site`",
    ];
    let places: Vec<_> = parts.iter().map(|part| text.find(part).expect(part)).collect();
    assert!(places.is_sorted(), "{text}");
}

#[test]
fn a_target_in_sync_is_one_line() {
    let sheets = [sheet("site", Vec::new())];
    let expected = "target site (files /srv/www): in sync with main@9d0e77c, 41 objects\n";
    assert_eq!(shown(&plans(&sheets), &Look::default()), expected);
}

#[test]
fn several_targets_are_added_up() {
    let one = || vec![change("motd", Some(file(b"a\n")), Some(file(b"b\n")))];
    let sheets = [sheet("a", one()), sheet("b", Vec::new()), sheet("c", one())];
    let look = Look { detail: Detail::Counts, ..Look::default() };
    let digest = format!("Digest sha256:{}.", "5b1c".repeat(16));
    let all = crate::model::redact::totals(sheets.iter().map(|sheet| &sheet.plan)).digest;
    assert_eq!(
        shown(&plans(&sheets), &look),
        format!(
            "Plan a: 0 create, 1 update, 0 replace, 0 delete; 1 pending; 41 unchanged.\n{digest}\n\
             target b (files /srv/www): in sync with main@9d0e77c, 41 objects\n\
             Plan c: 0 create, 1 update, 0 replace, 0 delete; 1 pending; 41 unchanged.\n{digest}\n\n\
             All 3 targets: 0 create, 2 update, 0 replace, 0 delete; 2 pending; 123 unchanged.\nDigest {all}.\n\
             Exit 2 (pending).\n"
        )
    );
}

#[test]
fn the_hint_fits_the_command_and_the_state() {
    let drifted = || classed(change("motd", Some(file(b"a\n")), Some(file(b"b\n"))), Class::Drift);
    let sheets = [sheet("site", vec![drifted()])];
    let hint = |verb, exit| {
        let text = shown(&Plans { verb, exit, ..plans(&sheets) }, &objects());
        text.lines().last().unwrap().to_owned()
    };
    assert!(
        hint(Verb::Drift, Exit::Drift)
            .starts_with("next: `trueup apply -e prod site --only-drift` puts back")
    );
    assert!(hint(Verb::Plan, Exit::Drift).starts_with("next: `trueup apply -e prod site` puts back"));
    assert!(hint(Verb::Apply, Exit::Drift).starts_with("Digest "), "apply answers when it is done");
}

#[test]
fn colours_add_nothing_to_the_words() {
    let sheets = [sheet("site", everything())];
    let plain = shown(&plans(&sheets), &Look::default());
    let painted = shown(&plans(&sheets), &Look { paint: Paint::Ansi, ..Look::default() });
    let mut stripped = String::new();
    let mut rest = painted.as_str();
    while let Some((before, after)) = rest.split_once("\x1b[") {
        stripped.push_str(before);
        rest = after.split_once('m').unwrap().1;
    }
    assert_ne!(painted, plain);
    assert_eq!(stripped + rest, plain);
}

#[test]
fn an_apply_names_what_it_did_and_what_is_left() {
    let targets = [super::machines::applied()];
    let reports = Reports { targets: &targets, exit: Exit::Partial };
    assert_eq!(
        shown(&reports, &Look::default()),
        "\
target site (files /srv/www)   main@9d0e77c
done           update   etc/motd
failed         create   new   no space left on device
not attempted  delete   old
Applied: 1 done, 1 not attempted, 1 failed.
Exit 7 (partial).
next: `trueup apply -e prod site` does what is left
"
    );
    let counts = shown(&reports, &Look { detail: Detail::Counts, ..Look::default() });
    assert!(!counts.contains("etc/motd") && counts.contains("no space left"), "{counts}");
}

#[test]
fn a_whole_that_fits_its_line_is_shown_and_no_secret_in_it() {
    let text = |value: &str| Shown::Plain(json!(value));
    let what = |inner: Vec<(Arc<str>, Shown)>| {
        let mut field = field("/data", Class::Extra, [None, None, None]);
        field.sides.actual = Some(Shown::Map(inner));
        phrases::what(&ShownChange {
            fields: vec![field],
            ..classed(change("o", Some(file(b"")), Some(file(b"x"))), Class::Drift)
        })
    };
    assert_eq!(
        what(vec![("a".into(), text("1")), ("b".into(), Shown::List(vec![Shown::Hidden(3)]))]),
        "extra /data nothing → {a: \"1\", b: [(sensitive) #3]}"
    );
    assert_eq!(what(vec![("a".into(), text(&"x".repeat(40)))]), "extra /data");
}

#[test]
fn the_heading_says_how_the_last_apply_ended() {
    let mut sheet = sheet("site", vec![classed(change("o", None, Some(file(b""))), Class::Pending)]);
    let who = super::machines::past().who;
    let mut heading = |result| {
        sheet.plan.base = None;
        let started = "2026-11-22T14:10:00Z".to_owned();
        sheet.plan.attempted =
            Some(Attempted { revision: revision("main"), started, who: who.clone(), result });
        let text = shown(&plans(std::slice::from_ref(&sheet)), &objects());
        text.lines().next().unwrap().to_owned()
    };
    let partial = heading(Some(Exit::Partial));
    assert!(partial.contains("   nothing applied as a whole   last attempt main@"), "{partial}");
    assert!(partial.contains(" at 2026-11-22T14:10:00Z by alice: applied in part   desired"), "{partial}");
    assert!(heading(None).contains(" by alice: it did not end   "));
}

#[test]
fn the_log_says_when_what_why_and_who() {
    let mut targets = super::machines::logs();
    assert_eq!(
        shown(&Logs { targets: &targets, exit: Exit::InSync }, &Look::default()),
        "\
target site (files /srv/www)
2026-11-22 14:10Z applied prod main@9d0e77c \"Right-size web (#812)\" and 1 more commit by alice via gitlab-ci \
https://ci.example.org/991 · +1 ~2 -0 · --yes
    failed         update   etc/motd   denied
    and 3 more objects
target other (files /srv/www): 1 commit of main@9d0e77c not applied, and nothing recorded as applied
  9d0e77c 2026-11-22 Alice Example: Never applied (#812)
"
    );
    targets[0].applies[0].finished = None;
    let text = shown(&Logs { targets: &targets[..1], exit: Exit::InSync }, &objects());
    assert!(text.contains("2026-11-22 14:10Z did not end prod"), "{text}");
    targets[0].applies.clear();
    let text = shown(&Logs { targets: &targets[..1], exit: Exit::InSync }, &objects());
    assert_eq!(text, "target site (files /srv/www): nothing was ever applied\n");
}

#[test]
fn providers_explain_their_keys() {
    let schema = json!({
        "properties": {
            "root": {"type": "string", "description": "Where the files are."},
            "mode": {"enum": ["x-bit", "exact"]},
            "owner": {"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "null"}]},
            "state": {"type": ["string", "null"]},
            "other": {"$ref": "#/$defs/Other"},
        },
        "required": ["root"],
    });
    let info = ProviderInfo {
        name: "files".to_owned(),
        about: "files below a directory".to_owned(),
        schema,
        rules: Vec::new(),
        tested_with: vec!["files 1".to_owned()],
        kinds: vec![kind("label")],
    };
    let text = |explain| shown(&Providers { providers: std::slice::from_ref(&info), explain }, &objects());
    assert_eq!(text(Explain::Names), "files   files below a directory\n");
    assert_eq!(
        text(Explain::Keys),
        "\
files   files below a directory
  root: string, required
      Where the files are.
  mode: \"x-bit\" or \"exact\"
  owner: string or integer
  state: string
  other: Other
  tried with files 1
  declares:
  label   a label, in owner, named by /name, deleting it is low
      /name: required
"
    );
}
