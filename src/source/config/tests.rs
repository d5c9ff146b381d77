//! trueup.yaml, right and wrong.

use proptest::prelude::*;

use super::{Config, Guards, ProviderSchema};
use crate::model::ignore::{From, When};
use crate::{
    exit::Exit,
    source::{
        checkout::Selection,
        testing::{Repo, fault, hint},
    },
};

const FULL: &str = "\
version: 1
environments:
  production:
    ref: main
    targets:
      site: {provider: files, path: site, root: /srv/www}
      api:
        provider: files
        root: /srv/api
        guards: {max-delete: 0, protect: [keys/**], keep: [kept/**]}
    guards:
      max-delete: 5
      protect: ['secret*']
  staging:
    targets:
      site: {provider: files, path: ./staging//site/, root: /tmp/www}
";

fn parse(text: &str) -> Config {
    Config::parse("trueup.yaml", text.as_bytes()).unwrap_or_else(|fault| panic!("{}", fault.message))
}

/// The complaint, which must be located and have exit 78.
fn complaint(text: &str) -> String {
    let fault = Config::parse("trueup.yaml", text.as_bytes()).unwrap_err();
    assert_eq!(fault.exit, Exit::BadConfig);
    fault.message.replace("trueup.yaml:", "")
}

#[test]
fn everything_is_read() {
    let config = parse(FULL);
    let names: Vec<_> = config.environments.iter().map(|found| found.name.as_deref().unwrap()).collect();
    assert_eq!(names, ["production", "staging"]);
    let production = config.environment(Some("production")).unwrap();
    assert_eq!(production.reference.as_deref(), Some("main"));
    let [site, api] = &production.targets[..] else { panic!("two targets") };
    assert_eq!((site.name.as_str(), site.provider.as_str(), site.path.as_str()), ("site", "files", "site"));
    assert_eq!(site.options.get("root").and_then(|root| root.as_str()), Some("/srv/www"));
    assert_eq!(site.options.len(), 1);
    assert_eq!((api.path.as_str(), api.at), ("", (7, 7)));
    assert_eq!(config.environments[1].targets[0].path, "staging/site");
}

#[test]
fn guards_of_a_target_are_over_those_of_its_environment() {
    let config = parse(FULL);
    let [site, api] = &config.environments[0].targets[..] else { panic!("two targets") };
    let secret = "secret*".to_owned();
    assert_eq!(site.guards, Guards { max_delete: 5, protect: vec![secret.clone()], ..Guards::default() });
    let protect = vec![secret, "keys/**".to_owned()];
    assert_eq!(
        api.guards,
        Guards { max_delete: 0, protect, keep: vec!["kept/**".to_owned()], ..Guards::default() }
    );
    assert_eq!(config.environments[1].targets[0].guards, Guards::default());
}

#[test]
fn a_small_repository_has_one_environment_without_a_name() {
    let config =
        parse("version: 1\ntargets:\n  site: {provider: files, root: /x}\nguards: {max-delete: 1}\n");
    let environment = config.environment(None).unwrap();
    assert_eq!((environment.name.as_deref(), environment.targets[0].guards.max_delete), (None, 1));
    assert_eq!(environment.keys("site"), ["targets", "site"]);
    assert_eq!(fault(config.environment(Some("production"))).0, Exit::NoInput);
}

#[test]
fn what_is_wrong_is_located_and_named() {
    let target = "targets: {a: {provider: files}}\n";
    for (text, expected) in [
        ("", "1:1: the file is empty"),
        ("# nothing\n", "1:1: the file is empty"),
        ("null\n", "1:1: invalid type: unit value, expected a mapping"),
        ("[]\n", "1:1: invalid type: sequence, expected a mapping"),
        ("version: 1\n", "1:1: missing key `targets` or `environments`"),
        (target, "1:1: missing key `version`"),
        (
            &format!("version: 2\nnew: x\n{target}"),
            "1:10: version 2 is not known, this build reads version 1",
        ),
        (
            &format!("version: one\n{target}"),
            "1:10: invalid type: string \"one\", expected a whole number, 0 or more",
        ),
        (&format!("version: 1\n---\n{target}"), "3:1: a second document; one file holds one configuration"),
        (
            &format!("version: 1\nversion: 1\n{target}"),
            "2:1: the key `version` is there twice (first at 1:1)",
        ),
        (
            &format!("version: 1\nenvironment: {{}}\n{target}"),
            "2:1: unknown key `environment`, did you mean `environments`?",
        ),
        (
            &format!("version: 1\ncolour: red\n{target}"),
            "2:1: unknown key `colour`, valid keys are version, environments, targets, guards, ignore, ignore-builtin",
        ),
        ("version: 1\ntargets:\n  a: {path: x}\n", "3:6: missing key `provider`"),
        ("version: 1\ntargets:\n  a: {povider: x}\n", "3:7: unknown key `povider`, did you mean `provider`?"),
        ("version: 1\ntargets:\n  a: files\n", "3:6: invalid type: string \"files\", expected a mapping"),
        ("version: 1\ntargets: {}\n", "2:10: there is no target"),
        ("version: 1\nenvironments: {}\n", "2:15: there is no environment"),
        ("version: 1\nenvironments:\n  p: {ref: main}\n", "3:6: missing key `targets`"),
        (
            "version: 1\nenvironments:\n  p:\n    ref: ''\n    targets: {a: {provider: x}}\n",
            "4:10: `ref` is empty",
        ),
        (
            &format!("version: 1\nenvironments: {{}}\n{target}"),
            "3:10: `targets` beside `environments`: every target belongs to an environment",
        ),
        (
            "version: 1\nenvironments: {p: {targets: {a: {provider: x}}}}\nguards: {}\n",
            "3:9: `guards` beside `environments`: it belongs to an environment or a target",
        ),
        (
            "version: 1\ntargets:\n  a:\n    provider: files\n    guards: {max-delet: 1}\n",
            "5:14: unknown key `max-delet`, did you mean `max-delete`?",
        ),
        (
            "version: 1\ntargets:\n  a:\n    provider: files\n    guards:\n      max-delete: many\n",
            "6:19: invalid type: string \"many\", expected a whole number, 0 or more",
        ),
        (
            "version: 1\ntargets: {a: {provider: x}}\nguards: {max-delete: -1}\n",
            "3:22: invalid type: integer `-1`, expected a whole number, 0 or more",
        ),
        (
            "version: 1\ntargets: {a: {provider: x}}\nguards: {max-delete-percent: 101}\n",
            "3:30: a share is at most 100 percent",
        ),
        (
            "version: 1\ntargets: {a: {provider: x}}\nguards: {protect: ['keys/**', '[{]*']}\n",
            "3:31: `[{]*` is no pattern: unclosed alternate group; missing '}' (maybe escape '{' with '[{]'?)",
        ),
        (
            "version: 1\ntargets: {a: {provider: x, path: /etc}}\n",
            "2:34: `path` is absolute, it names a folder at or below the one of trueup.yaml",
        ),
        (
            "version: 1\ntargets: {a: {provider: x, path: a/../../b}}\n",
            "2:34: `path` leads up, it names a folder at or below the one of trueup.yaml",
        ),
        (
            "version: 1\ntargets: {a: {provider: x, path: [b]}}\n",
            "2:34: invalid type: sequence, expected a string",
        ),
        (
            "version: 1\ntargets: {'a b': {provider: x}}\n",
            "2:18: `a b` is no name for targets: letters, digits, `.`, `_` and `-`, a letter or digit first",
        ),
    ] {
        assert_eq!(complaint(text), expected, "{text}");
    }
}

#[test]
fn ignore_rules_of_a_target_follow_those_of_its_environment() {
    let config = parse(
        "version: 1\nignore-builtin: {autoscalers: false}\nignore:\n\
         - {id: hpa, match: {group: apps, kind: [Deployment, StatefulSet], labels: 'app=web,tier'}, paths: [/spec/replicas],\n\
         \x20  managers: [kube-*], when: always, reason: HPA, expires: 2027-01-31}\n\
         targets:\n  a:\n    provider: x\n    ignore: [{id: mine, paths: ['/a/*'], reason: r}]\n",
    );
    let target = &config.environments[0].targets[0];
    let [hpa, mine] = &target.ignore.rules[..] else { panic!("two rules") };
    assert_eq!((&*hpa.id, hpa.when, hpa.from), ("hpa", When::Always, From::Environment));
    assert_eq!(hpa.matches.labels, [("app".to_owned(), Some("web".to_owned())), ("tier".to_owned(), None)]);
    assert_eq!((hpa.matches.kind.len(), hpa.expires.as_deref()), (2, Some("2027-01-31")));
    assert_eq!((&*mine.id, mine.when, mine.from), ("mine", When::Live, From::Target));
    assert_eq!(target.ignore.built_in.get("autoscalers"), Some(&false));
    assert!(!target.options.contains_key("ignore"));
}

#[test]
fn places_are_declared_sensitive_by_path_in_all_or_some_objects() {
    let config = parse(
        "version: 1\ntargets:\n  a:\n    provider: x\n    sensitive: [/spec/token, {match: {kind: ConfigMap}, paths: ['/data/*']}]\n",
    );
    let found = &config.environments[0].targets[0].sensitive.0;
    assert_eq!((found.len(), found[1].0.kind.len(), found[1].1[0].to_string().as_str()), (2, 1, "/data/*"));
    for (text, expected) in [
        ("[spec]", "4:17: `spec` is no path"),
        ("[{paths: [x]}]", "4:26: `x` is no path"),
        ("[{path: x}]", "4:17: a path, or a mapping with `paths` and `match`"),
    ] {
        let text = format!("version: 1\ntargets:\n  a: {{provider: x,\n    sensitive: {text}}}\n");
        assert!(complaint(&text).starts_with(expected), "{}", complaint(&text));
    }
}

#[test]
fn a_wrong_ignore_rule_is_named_with_its_place() {
    let target = "targets: {a: {provider: x}}\n";
    for (rule, expected) in [
        ("{id: a, paths: [/b]}", "4:3: missing key `reason`"),
        ("{id: a, paths: [/b], reason: ' '}", "4:32: `reason` is empty; say why"),
        ("{id: a, reason: r}", "4:3: missing key `paths` or `managers`: the rule leaves nothing to others"),
        (
            "{id: a b, paths: [/b], reason: r}",
            "4:8: `a b` is no name for ignore rules: letters, digits, `.`, `_` and `-`, a letter or digit first",
        ),
        ("{id: a, path: [/b], reason: r}", "4:11: unknown key `path`, did you mean `paths`?"),
        (
            "{id: a, paths: [/b], reason: r, match: {kinds: x}}",
            "4:43: unknown key `kinds`, did you mean `kind`?",
        ),
        (
            "{id: a, paths: [/b], reason: r, match: {labels: 'a!=b'}}",
            "4:51: `a!=b` is no label; write `app=web` or `app`",
        ),
        (
            "{id: a, paths: [/b], reason: r, expires: 2027-02-30}",
            "4:44: `2027-02-30` is no day; write it as `2027-01-31`",
        ),
        (
            "{id: a, paths: [/b], reason: r}\n- {id: a, paths: [/b], reason: r}",
            "5:8: a second ignore rule `a`; give it another `id`",
        ),
    ] {
        assert_eq!(complaint(&format!("version: 1\n{target}ignore:\n- {rule}\n")), expected, "{rule}");
    }
    let path = complaint(&format!("version: 1\n{target}ignore:\n- {{id: a, paths: [/b, c], reason: r}}\n"));
    assert!(path.starts_with("4:23: `c` is no path"), "{path}");
}

#[test]
fn every_unknown_key_is_named_at_once() {
    let text = "version: 1\nenviroments: {}\ntargets:\n  a: {provider: x, guards: {protekt: []}}\n";
    let fault = Config::parse("sub/trueup.yaml", text.as_bytes()).unwrap_err();
    let expected = "\
sub/trueup.yaml:2:1: unknown key `enviroments`, did you mean `environments`?
sub/trueup.yaml:4:29: unknown key `protekt`, did you mean `protect`?";
    assert_eq!(fault.message, expected);
    assert_eq!(fault.hint.as_deref(), Some("`trueup schema config` prints every key with its meaning"));
}

#[test]
fn options_of_a_provider_can_be_located() {
    let config = parse(FULL);
    let mut keys = config.environments[0].keys("site");
    keys.push("root");
    assert_eq!(config.locate(&keys), Some((6, 49)));
    assert_eq!(config.complaint(&keys, "no such folder").message, "trueup.yaml:6:49: no such folder");
    keys.extend(["deeper", "still"]);
    assert_eq!(config.locate(&keys), None);
    assert_eq!(config.complaint(&keys, "wrong").message, "trueup.yaml:6:49: wrong");
}

#[test]
fn one_of_several_environments_has_to_be_named() {
    let config = parse(FULL);
    assert_eq!(
        fault(config.environment(None)),
        (Exit::Usage, "`trueup.yaml` has several environments: production, staging".to_owned())
    );
    assert_eq!(hint(config.environment(None)), "name one: `--env production`");
    assert_eq!(
        fault(config.environment(Some("stagin"))),
        (Exit::NoInput, "no environment `stagin`".to_owned())
    );
    assert_eq!(hint(config.environment(Some("stagin"))), "did you mean `staging`?");
}

#[test]
fn targets_are_named_or_all() {
    let config = parse(FULL);
    let production = &config.environments[0];
    let names = |wanted: &[&str]| {
        let wanted: Vec<_> = wanted.iter().map(|name| (*name).to_owned()).collect();
        production
            .targets(&wanted)
            .map(|found| found.iter().map(|target| target.name.clone()).collect::<Vec<_>>())
    };
    assert_eq!(names(&[]).unwrap(), ["site", "api"]);
    assert_eq!(names(&["api", "site"]).unwrap(), ["site", "api"]);
    assert_eq!(names(&["api"]).unwrap(), ["api"]);
    assert_eq!(fault(names(&["cluster"])), (Exit::NoInput, "no target `cluster`".to_owned()));
    assert_eq!(hint(names(&["cluster"])), "there is: site, api");
}

#[test]
fn the_nearest_file_wins_and_paths_start_from_its_folder() {
    let repo = Repo::new();
    let text = "version: 1\ntargets: {a: {provider: files, path: site}}\n";
    repo.write("trueup.yaml", text)
        .write("team/trueup.yaml", text)
        .write("team/deep/er/x", "")
        .commit("first");
    let checkout = repo.open();
    for selection in [Selection::WorkTree, Selection::Ref("HEAD".into())] {
        let selected = checkout.select(&selection).unwrap();
        for (folder, file, path) in [
            ("", "trueup.yaml", "site"),
            ("other", "trueup.yaml", "site"),
            ("team/deep/er", "team/trueup.yaml", "team/site"),
        ] {
            let config = Config::find(&selected, folder.into()).unwrap();
            assert_eq!((config.file.as_str(), config.environments[0].targets[0].path.as_str()), (file, path));
        }
    }
}

#[test]
fn no_file_is_no_input() {
    let repo = Repo::new();
    repo.write("a", "").commit("first");
    let selected = repo.open().select(&Selection::WorkTree).unwrap();
    let find = |folder: &str| Config::find(&selected, folder.into());
    assert_eq!(fault(find("")), (Exit::NoInput, "no `trueup.yaml` in the root of the checkout".to_owned()));
    assert_eq!(fault(find("x/y")).1, "no `trueup.yaml` in `x/y` or above it");
    assert_eq!(hint(find("")), "`trueup init` writes one");
}

#[test]
fn the_schema_accepts_what_is_accepted_and_refuses_what_is_refused() {
    #[derive(schemars::JsonSchema)]
    #[schemars(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its schema is used")]
    struct Options {
        /// Where the files are.
        root: String,
    }
    let files = ProviderSchema { name: "files", options: |generator| generator.subschema_for::<Options>() };
    let schema = Config::schema(&[files]).to_value();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let valid = |text: &str| validator.is_valid(&serde_yaml::from_str(text).unwrap());
    assert!(valid(FULL));
    assert!(!valid(&FULL.replace("root: /srv/api", "rooot: /srv/api")));
    assert!(!valid(&FULL.replace("provider: files", "provider: other")));
    assert!(!valid(&FULL.replace("version: 1", "version: 2")));
    assert!(!valid(&FULL.replace("ref: main", "branch: main")));
    let text = schema.to_string();
    assert!(text.contains("The branch that represents it"), "{text}");
}

proptest! {
    #[test]
    fn any_bytes_are_a_configuration_or_a_located_complaint(
        content in prop::collection::vec(any::<u8>(), 0..80),
    ) {
        check(&content)?;
    }

    #[test]
    fn a_damaged_configuration_is_a_located_complaint(
        cut in 0..FULL.len(), len in 0..20usize, insert in "[ -~\n]{0,8}",
    ) {
        let mut text = FULL.as_bytes().to_vec();
        let end = (cut + len).min(text.len());
        text.splice(cut..end, insert.bytes());
        check(&text)?;
    }
}

fn check(content: &[u8]) -> Result<(), TestCaseError> {
    if let Err(fault) = Config::parse("f", content) {
        prop_assert_eq!(fault.exit, Exit::BadConfig);
        let mut parts = fault.message.splitn(4, ':');
        prop_assert_eq!(parts.next(), Some("f"));
        for _ in 0..2 {
            let number: u32 = parts.next().and_then(|part| part.parse().ok()).unwrap_or_default();
            prop_assert!(number > 0, "{}", fault.message);
        }
    }
    Ok(())
}
