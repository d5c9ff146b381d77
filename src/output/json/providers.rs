//! `trueup.providers/v1`: the answer of `providers`.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::writer::write;
use crate::output::{KindInfo, ProviderInfo, Providers};

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
    /// What it was tried with, where a definition describes it.
    tested_with: &'a [String],
    /// What can be declared, where a definition says so.
    kinds: Vec<KindEntry<'a>>,
}

/// One kind of object.
#[derive(Serialize, JsonSchema)]
struct KindEntry<'a> {
    /// Its name in declarations.
    name: &'a str,
    /// What it is.
    about: &'a str,
    /// What names the scope that it lives in, from the outside in.
    scope: &'a [String],
    /// Pointers to what tells two of them apart.
    identity: &'a [String],
    /// What is lost when one is deleted, if that is not little.
    #[serde(skip_serializing_if = "Option::is_none")]
    risk: Option<&'a str>,
    /// The fields that can be declared, by pointer, with what is special about each.
    fields: &'a BTreeMap<String, String>,
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
    let ProviderInfo { name, about, schema, rules, tested_with, kinds } = info;
    let rules = rules.iter().map(|(rule, reason)| (rule.as_str(), reason.as_str()));
    Entry {
        name,
        about,
        schema,
        ignore_builtin: rules.collect(),
        tested_with,
        kinds: kinds.iter().map(kind).collect(),
    }
}

fn kind(info: &KindInfo) -> KindEntry<'_> {
    let KindInfo { name, about, scope, identity, risk, fields } = info;
    KindEntry { name, about, scope, identity, risk: risk.as_deref(), fields }
}
