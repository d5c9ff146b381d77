//! What a tree declares, and what it must not.

use super::*;
use crate::exit::Exit;

fn refused(checkout: &Checkout) -> UserError {
    let target = Place::new().target();
    fault(super::super::declare::declare(&target, &checkout.tree(), checkout).unwrap_err())
}

fn shown(desired: &Desired) -> Vec<String> {
    desired
        .objects
        .iter()
        .map(|(address, object)| {
            let fields = match &object.value {
                Some(Value::Map(map)) => map
                    .iter()
                    .filter(|(key, _)| &***key != "content")
                    .map(|(key, value)| match value {
                        Value::String(text) => format!("{key}={text}"),
                        Value::Bool(flag) => format!("{key}={flag}"),
                        other => format!("{key}={other:?}"),
                    })
                    .collect::<Vec<_>>()
                    .join(" "),
                _ => "absent".to_owned(),
            };
            format!("{address}: {fields} ({})", object.origin.file)
        })
        .collect()
}

#[test]
fn git_says_type_target_and_executable_bit() {
    let checkout = Checkout::of(&[("motd", "hi"), ("a/.gitignore", ""), ("a/.gitattributes", "")])
        .program("bin/run", "#!")
        .link("bin/go", "run")
        .link("bin/odd", b"\xff")
        .file("trueup.yaml", "")
        .file("a/trueup.yaml", "");
    assert_eq!(
        shown(&Place::new().declare(&checkout)),
        [
            "a/.gitattributes: executable=false type=file (site/a/.gitattributes)",
            "a/.gitignore: executable=false type=file (site/a/.gitignore)",
            "a/trueup.yaml: executable=false type=file (site/a/trueup.yaml)",
            "bin/go: target=run type=link (site/bin/go)",
            r#"bin/odd: target="\377" type=link (site/bin/odd)"#,
            "bin/run: executable=true type=file (site/bin/run)",
            "motd: executable=false type=file (site/motd)",
        ]
    );
}

#[test]
fn the_manifest_says_the_rest() {
    let checkout = Checkout::of(&[("a/x.key", "k"), ("a/b/y", "y")]).rules(
        "",
        "files:\n  '*': {mode: '0640', group: 33}\n  '*.key': {mode: '0600', sensitive: true}\n  old: {absent: true}\n\
         directories:\n  .: {mode: '0711'}\n  a: {owner: root}\n  var/empty: {ensure: true}\n",
    );
    let desired = Place::new().declare(&checkout);
    assert_eq!(
        shown(&desired),
        [
            ".: mode=0711 type=directory (site/.trueup-files.yaml)",
            "a: owner=root type=directory (site/.trueup-files.yaml)",
            "a/b/y: group=33 mode=0640 type=file (site/a/b/y)",
            "a/x.key: group=33 mode=0600 type=file (site/a/x.key)",
            "old: absent (site/.trueup-files.yaml)",
            "var/empty: type=directory (site/.trueup-files.yaml)",
        ]
    );
    let secret = desired.objects[&Address::new("a/x.key")].value.as_ref().unwrap();
    assert!(matches!(secret.get("content"), Some(Value::Sensitive(_))));
}

#[test]
fn exclusive_directories_can_have_exceptions() {
    let checkout = Checkout::of(&[("a/x", ""), ("a/b/x", ""), ("a/b/c/x", ""), ("a/d/x", "")])
        .rules("", "directories: {a: {exclusive: true}, a/b: {exclusive: false}, a/b/c: {exclusive: true}, a/d: {exclusive: true}}\nignore: ['*.log']\n")
        .rules("a/b", "ignore: [tmp/*]");
    let scopes: Vec<(String, Vec<String>)> = Place::new()
        .declare(&checkout)
        .exclusive
        .into_iter()
        .map(|scope| (scope.collection.to_string(), scope.ignore))
        .collect();
    let ignore = |more: &[&str]| {
        ["**/*.log", "a/b/tmp/*"].iter().chain(more).map(|text| (*text).to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(scopes, [("a".to_owned(), ignore(&["a/b/**"])), ("a/b/c".to_owned(), ignore(&[]))]);
}

#[test]
fn what_no_target_can_hold_is_refused_with_its_place() {
    let cases = [
        (Checkout::of(&[("../x", "")]), "site/../x: no target can hold it"),
        (Checkout::of(&[("a/.git/x", "")]), "git repository"),
        (Checkout::of(&[(".trueup/memory", "")]), "memory"),
        (Checkout::of(&[("a", ""), ("a/b", "")]), "`a` is declared as a file and as a directory"),
        (Checkout::default().link("l", ""), "leads nowhere"),
        (Checkout::default().with("sub", EntryKind::Submodule, "x"), "site/sub: is a submodule"),
        (
            Checkout::of(&[("x", "")]).rules("", "files: {x: {absent: true}}"),
            "`x` is declared absent, and is there",
        ),
        (
            Checkout::of(&[("x/y", "")]).rules("", "files: {x: {absent: true}}"),
            "`x` is declared as absent and as a directory",
        ),
        (
            Checkout::of(&[("x", "")]).rules("", "directories: {x: {ensure: true}}"),
            "`x` is declared as a directory, and by `site/x`",
        ),
        (Checkout::default().rules("", "directories: {.git: {ensure: true}}"), "git repository"),
        (Checkout::default().rules("a", "nonsense"), "site/a/.trueup-files.yaml:1:1"),
        (Checkout::default().link(".trueup-files.yaml", "x"), "not a regular file"),
    ];
    for (checkout, wanted) in cases {
        let fault = refused(&checkout);
        assert_eq!(fault.exit, Exit::BadDesired);
        assert!(fault.message.contains(wanted), "{wanted}: {}", fault.message);
    }
}

#[test]
fn a_state_directory_below_the_root_cannot_be_declared() {
    let place = Place::new();
    let target = place.target_with("{root: www, state: www/var/state}");
    for (path, refused) in [("var/state/x", true), ("var/state", true), ("var/statement", false)] {
        let checkout = Checkout::of(&[(path, "")]);
        assert_eq!(
            super::super::declare::declare(&target, &checkout.tree(), &checkout).is_err(),
            refused,
            "{path}"
        );
    }
}

#[test]
fn names_that_differ_in_case_are_remarked_on() {
    let desired = Place::new().declare(&Checkout::of(&[("Readme", ""), ("readme", ""), ("other", "")]));
    assert_eq!(desired.notes, ["`readme` and `Readme` are one file where case is ignored"]);
}

#[test]
fn schemas_describe_every_key() {
    for schema in [schemars::schema_for!(super::super::options::Options), super::super::manifest_schema()] {
        let text = serde_json::to_value(&schema).unwrap();
        assert!(jsonschema::meta::is_valid(&text));
        for property in text["properties"].as_object().unwrap().values() {
            assert!(property.get("description").is_some(), "{text}");
        }
    }
}
