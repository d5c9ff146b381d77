//! trueup.yaml as it is written. The comments are the descriptions in its JSON Schema.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::model::ignore::When;

/// What trueup brings to the state that this repository declares, and how.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, expecting = "a mapping")]
#[schemars(title = "trueup.yaml")]
pub(super) struct File {
    /// The version of this format.
    #[schemars(range(min = 1, max = 1))]
    #[expect(
        dead_code,
        reason = "checked before anything else, because another version may have other keys"
    )]
    pub(super) version: u32,
    /// Environments by name. A small repository writes `targets` here instead.
    pub(super) environments: Option<BTreeMap<String, EnvironmentFile>>,
    /// Targets by name, of the one environment that has no name.
    #[schemars(with = "Option<BTreeMap<String, TargetFile>>")]
    pub(super) targets: Option<BTreeMap<String, serde_yaml::Mapping>>,
    /// What an apply may do without being told twice; only beside `targets`.
    pub(super) guards: Option<GuardsFile>,
    /// What is left to others; only beside `targets`.
    #[serde(default)]
    pub(super) ignore: Vec<IgnoreFile>,
    /// Built-in ignore rules, switched off by `false`; only beside `targets`.
    #[serde(default)]
    pub(super) ignore_builtin: BTreeMap<String, bool>,
}

/// One environment.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, expecting = "a mapping")]
#[schemars(rename = "Environment")]
pub(super) struct EnvironmentFile {
    /// The branch that represents it: `apply` refuses a commit that is not on it. A full name, `refs/tags/v1`, may
    /// name something else.
    #[serde(rename = "ref")]
    pub(super) reference: Option<String>,
    /// The remote whose branch `ref` is; `origin`, or the only remote, if not given. Without remotes, it is the local
    /// branch.
    pub(super) remote: Option<String>,
    /// Targets by name.
    #[schemars(with = "BTreeMap<String, TargetFile>")]
    pub(super) targets: BTreeMap<String, serde_yaml::Mapping>,
    /// What an apply may do without being told twice.
    pub(super) guards: Option<GuardsFile>,
    /// What is left to others, in every target of the environment.
    #[serde(default)]
    pub(super) ignore: Vec<IgnoreFile>,
    /// Built-in ignore rules, switched off by `false`; `trueup providers NAME` lists them.
    #[serde(default)]
    pub(super) ignore_builtin: BTreeMap<String, bool>,
}

/// One target: the keys that every provider shares.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, expecting = "a mapping")]
#[schemars(rename = "Target")]
pub(super) struct TargetFile {
    /// What kind of system it is; `trueup providers` lists them.
    pub(super) provider: String,
    /// The folder of its declarations, relative to the folder of this file; all of it by default.
    pub(super) path: Option<String>,
    /// Its own guards, over those of its environment.
    pub(super) guards: Option<GuardsFile>,
    /// What is left to others, besides what its environment leaves to them.
    #[serde(default)]
    pub(super) ignore: Vec<IgnoreFile>,
    /// Built-in ignore rules, switched off by `false`, over those of its environment.
    #[serde(default)]
    pub(super) ignore_builtin: BTreeMap<String, bool>,
    /// Places whose values no output may show, by paths as in `ignore`, besides what the provider knows to be sensitive.
    #[serde(default)]
    pub(super) sensitive: Vec<SensitiveFile>,
}

/// Places whose values no output may show.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "a path, or a mapping with `paths` and `match`")]
#[schemars(rename = "Sensitive")]
pub(super) enum SensitiveFile {
    /// A path, in every object.
    Path(String),
    /// Paths, in some objects.
    Some(PlacesFile),
}

/// Places of some objects.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Places")]
pub(super) struct PlacesFile {
    /// In which objects; in all of the target if not given.
    #[serde(default, rename = "match")]
    pub(super) matches: MatchFile,
    /// Which places.
    pub(super) paths: Vec<String>,
}

/// A rule that leaves places of the target to others: they are not compared, and apply does not move them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, expecting = "a mapping")]
#[schemars(rename = "Ignore")]
pub(super) struct IgnoreFile {
    /// Its name, printed wherever it hides something.
    pub(super) id: String,
    /// For which objects; for all of the target if not given.
    #[serde(default, rename = "match")]
    pub(super) matches: MatchFile,
    /// Which places: JSON pointers with `*`, and `[key=value]` for an item of a list.
    #[serde(default)]
    pub(super) paths: Vec<String>,
    /// Only what these writers own, where the target knows writers; `*` for anything.
    #[serde(default)]
    pub(super) managers: Vec<String>,
    /// `live` (default): the target may move, what Git changes is applied; `always`: nothing of Git is applied to
    /// what is there.
    #[serde(default)]
    pub(super) when: When,
    /// Why.
    pub(super) reason: String,
    /// The last day of the rule, `2027-01-31`: after it, `drift` refuses to run and `plan` warns.
    pub(super) expires: Option<String>,
}

/// For which objects a rule is; every key that is given has to match.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default, expecting = "a mapping")]
#[schemars(rename = "Match")]
pub(super) struct MatchFile {
    /// Patterns of addresses: `*` within a component, `**` across.
    pub(super) address: Texts,
    /// API groups of a cluster; the empty text is the core group.
    pub(super) group: Texts,
    /// Kinds of a cluster.
    pub(super) kind: Texts,
    /// Names of objects of a cluster; `*` for anything.
    pub(super) name: Texts,
    /// Namespaces of a cluster; `*` for anything.
    pub(super) namespace: Texts,
    /// Labels that Git declares: `app=web,tier`.
    pub(super) labels: String,
}

/// One text or several.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "a text or a list of texts")]
pub(super) enum Texts {
    /// One.
    One(String),
    /// Several.
    Several(Vec<String>),
}

impl Default for Texts {
    fn default() -> Self {
        Texts::Several(Vec::new())
    }
}

impl Texts {
    pub(super) fn list(self) -> Vec<String> {
        match self {
            Texts::One(text) => vec![text],
            Texts::Several(texts) => texts,
        }
    }
}

/// What an apply may do without being told twice.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, expecting = "a mapping")]
#[schemars(rename = "Guards")]
pub(super) struct GuardsFile {
    /// How many objects one apply may delete; 25 by default.
    pub(super) max_delete: Option<usize>,
    /// Which share of the owned objects one apply may delete, in percent; 20 by default.
    #[schemars(range(max = 100))]
    pub(super) max_delete_percent: Option<u8>,
    /// Patterns of addresses that are never deleted or replaced: `*` within a component, `**` across. A target adds to
    /// those of its environment.
    pub(super) protect: Option<Vec<String>>,
    /// Patterns of addresses that are let go and not deleted once they are not declared any more. A target adds to those
    /// of its environment.
    pub(super) keep: Option<Vec<String>>,
}

/// The keys of the top level.
pub(super) const TOP: &[&str] = &["version", "environments", "targets", "guards", "ignore", "ignore-builtin"];

/// The keys of an environment.
pub(super) const ENVIRONMENT: &[&str] = &["ref", "remote", "targets", "guards", "ignore", "ignore-builtin"];

/// The keys of an ignore rule.
pub(super) const IGNORE: &[&str] = &["id", "match", "paths", "managers", "when", "reason", "expires"];

/// The keys of `match`.
pub(super) const MATCH: &[&str] = &["address", "group", "kind", "name", "namespace", "labels"];

/// The keys of guards.
pub(super) const GUARDS: &[&str] = &["max-delete", "max-delete-percent", "protect", "keep"];
