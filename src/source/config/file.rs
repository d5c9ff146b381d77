//! trueup.yaml as it is written. The comments are the descriptions in its JSON Schema.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

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
}

/// One environment.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, expecting = "a mapping")]
#[schemars(rename = "Environment")]
pub(super) struct EnvironmentFile {
    /// The branch or tag that represents it: `apply` refuses a commit that is not on it.
    #[serde(rename = "ref")]
    pub(super) reference: Option<String>,
    /// Targets by name.
    #[schemars(with = "BTreeMap<String, TargetFile>")]
    pub(super) targets: BTreeMap<String, serde_yaml::Mapping>,
    /// What an apply may do without being told twice.
    pub(super) guards: Option<GuardsFile>,
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
    /// Globs of addresses that are never deleted or replaced. A target adds to those of its environment.
    pub(super) protect: Option<Vec<String>>,
}

/// The keys of the top level.
pub(super) const TOP: &[&str] = &["version", "environments", "targets", "guards"];

/// The keys of an environment.
pub(super) const ENVIRONMENT: &[&str] = &["ref", "targets", "guards"];

/// The keys that every target has; the others are its provider's.
pub(super) const TARGET: &[&str] = &["provider", "path", "guards"];

/// The keys of guards.
pub(super) const GUARDS: &[&str] = &["max-delete", "max-delete-percent", "protect"];
