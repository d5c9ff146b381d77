//! `trueup.providers/v1`: the answer of `providers`.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::writer::write;
use crate::output::{ProviderInfo, Providers};

/// The version of [`Document`].
pub const SCHEMA: &str = "trueup.providers/v1";

/// The providers that this build has.
#[derive(Serialize, JsonSchema)]
pub struct Document<'a> {
    /// Always `trueup.providers/v1`.
    schema: &'a str,
    /// The providers.
    providers: Vec<Entry<'a>>,
}

/// One provider.
#[derive(Serialize, JsonSchema)]
struct Entry<'a> {
    /// The word after `provider:`.
    name: &'a str,
    /// What it manages, in one line.
    about: &'a str,
    /// JSON Schema of its own keys in a target.
    schema: &'a Value,
    /// Its built-in ignore rules, with the reason of each.
    ignore_builtin: BTreeMap<&'a str, &'a str>,
}

/// Writes what providers there are.
///
/// # Errors
/// `out` refused.
pub fn providers(providers: &Providers<'_>, out: &mut dyn Write) -> io::Result<()> {
    let providers = providers.providers.iter().map(entry).collect();
    write(&Document { schema: SCHEMA, providers }, out)
}

fn entry(info: &ProviderInfo) -> Entry<'_> {
    let ProviderInfo { name, about, schema, rules } = info;
    let rules = rules.iter().map(|(rule, reason)| (rule.as_str(), reason.as_str()));
    Entry { name, about, schema, ignore_builtin: rules.collect() }
}
