//! The keys of a target in trueup.yaml.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use anyhow::Result;
use reqwest::Url;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    declare::address::normal_scope,
    definition::{Definition, embedded, load},
    template::{self, Variables},
};
use crate::{
    exit::Exit,
    model::user_error::UserError,
    providers::{BadOption, Programs, Target, options::parse},
};

/// What a target of this provider may say.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// Where the server is, for example `https://git.example.org`.
    pub url: String,
    /// A definition file of the checkout, relative to trueup.yaml; for `provider: rest` only.
    #[serde(default)]
    pub definition: Option<String>,
    /// What all objects of the target live in, for example `{owner: acme, repo: web}`.
    #[serde(default)]
    pub scope: BTreeMap<String, String>,
    /// File that remembers what was applied, relative to trueup.yaml, where the server has no place for it.
    #[serde(default)]
    pub state: Option<PathBuf>,
    /// Where the secret comes from; the environment variables of the definition without it.
    #[serde(default)]
    pub credentials: Credentials,
    /// Where the key comes from that fingerprints of secrets are made with, so that nobody who reads what the
    /// target remembers can guess at them.
    #[serde(default)]
    pub fingerprint_key: Option<Source>,
    /// How the server proves who it is, and we do.
    #[serde(default)]
    pub tls: Tls,
    /// Further keys that the definition asks for.
    #[serde(default)]
    pub with: BTreeMap<String, String>,
    /// Reads at a time, instead of what the definition says.
    #[serde(default)]
    pub concurrent_reads: Option<usize>,
    /// Seconds that one request may take, instead of what the definition says.
    #[serde(default)]
    pub timeout_s: Option<u64>,
}

/// Where a secret comes from.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Credentials {
    /// A file that holds it, relative to trueup.yaml.
    pub file: Option<PathBuf>,
    /// An environment variable that holds it.
    pub env: Option<String>,
    /// A program, with its arguments, that prints it.
    pub command: Option<Vec<String>>,
    /// The entry of the server in the netrc file.
    pub netrc: bool,
    /// The user that it belongs to, where the server asks for user and password.
    pub user: Option<String>,
}

impl Credentials {
    /// Where they come from, if that is not the netrc file.
    pub fn source(&self) -> Source {
        Source { file: self.file.clone(), env: self.env.clone(), command: self.command.clone() }
    }
}

/// Where a key comes from.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Source {
    /// A file that holds it, relative to trueup.yaml.
    pub file: Option<PathBuf>,
    /// An environment variable that holds it.
    pub env: Option<String>,
    /// A program, with its arguments, that prints it.
    pub command: Option<Vec<String>>,
}

/// How the server proves who it is, and we do. Paths are relative to trueup.yaml.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Tls {
    /// Certificates to trust besides those of the system, PEM.
    pub ca_file: Option<PathBuf>,
    /// Our certificate, followed by its key, PEM.
    pub client_file: Option<PathBuf>,
}

/// A target with its definition.
#[derive(Clone, Debug)]
pub struct TargetConfig {
    /// What the target says.
    pub options: Options,
    /// How its API works.
    pub definition: Arc<Definition>,
    /// Names for templates: `url`, `target`, the options and the scope.
    pub variables: Variables,
    /// Where the API starts.
    pub base: Url,
    /// The folder that relative paths start from.
    pub folder: PathBuf,
    /// Remarks for the person who reads the plan.
    pub notes: Vec<String>,
    /// Whether programs may give credentials.
    pub programs: Programs,
}

impl TargetConfig {
    /// Reads the keys of `target`.
    ///
    /// # Errors
    /// A key that is not known or makes no sense.
    pub fn of(target: &Target) -> Result<TargetConfig, BadOption> {
        let options: Options = parse(target)?;
        let (definition, notes) = definition(target, &options)?;
        TargetConfig::made(target, options, definition, notes)
    }

    /// The same with another definition than the target's own.
    ///
    /// # Errors
    /// As [`TargetConfig::open`].
    pub fn with_definition(target: &Target, definition: Arc<Definition>) -> Result<TargetConfig> {
        let made =
            parse(target).and_then(|options| TargetConfig::made(target, options, definition, Vec::new()));
        made.map_err(|bad| in_target(target, &bad).into())
    }

    fn made(
        target: &Target,
        mut options: Options,
        definition: Arc<Definition>,
        notes: Vec<String>,
    ) -> Result<TargetConfig, BadOption> {
        let mut variables = Variables::from([
            ("url".to_owned(), options.url.trim_end_matches('/').to_owned()),
            ("target".to_owned(), target.name.clone()),
        ]);
        variables.extend(with(&definition, &options)?);
        let base =
            template::text(&definition.base_url, &variables).map_err(|message| bad(&["url"], message))?;
        let base = base_url(&base)?;
        let known = |name: &String| definition.scopes.values().any(|scope| scope.params.contains(name));
        if let Some(name) = options.scope.keys().find(|name| !known(name)) {
            let params = definition.scopes.values().flat_map(|scope| &scope.params).map(String::as_str);
            let params: std::collections::BTreeSet<&str> = params.collect();
            let params: Vec<&str> = params.into_iter().collect();
            let message =
                format!("no scope of this provider is named by `{name}`; there is {}", params.join(", "));
            return Err(bad(&["scope", name], message));
        }
        normalize(&definition, &mut options.scope);
        variables.extend(options.scope.clone());
        Ok(TargetConfig {
            options,
            definition,
            variables,
            base,
            folder: target.base_dir.clone(),
            notes,
            programs: target.programs,
        })
    }

    /// As [`TargetConfig::of`], for those who have no use for the path of the key.
    ///
    /// # Errors
    /// As [`TargetConfig::of`], with exit 78.
    pub fn open(target: &Target) -> Result<TargetConfig> {
        TargetConfig::of(target).map_err(|bad| in_target(target, &bad).into())
    }

    /// A path of the target on this machine.
    pub fn path(&self, path: &std::path::Path) -> PathBuf {
        self.folder.join(path)
    }
}

fn in_target(target: &Target, bad: &BadOption) -> UserError {
    UserError::new(
        Exit::BadConfig,
        format!("target `{}`: {}: {}", target.name, bad.path.join("."), bad.message),
    )
}

/// The definition of `target`, with a remark if the checkout brought it: it decides where credentials go.
fn definition(target: &Target, options: &Options) -> Result<(Arc<Definition>, Vec<String>), BadOption> {
    match (&options.definition, embedded::find(&target.provider)) {
        (None, Some(definition)) => Ok((definition.clone(), Vec::new())),
        (Some(_), Some(_)) => {
            let message = format!("`{}` has its own definition; say `provider: rest`", target.provider);
            Err(bad(&["definition"], message))
        }
        (None, None) => Err(bad(&[], "`definition` names the file that describes the API".to_owned())),
        (Some(file), None) => {
            let absent = || bad(&["definition"], format!("there is no file `{file}` in this revision"));
            let text = target.definition.as_deref().ok_or_else(absent)?;
            let parsed = load::parse(text).map_err(|error| bad(&["definition"], error.within(file)))?;
            let note = format!(
                "the API is described by `{file}` of this checkout, which decides where credentials are sent"
            );
            let posts = parsed.safe_posts();
            let posts = (!posts.is_empty())
                .then(|| format!("`{file}` says that a POST to {} only reads", posts.join(" and ")));
            Ok((Arc::new(parsed), std::iter::once(note).chain(posts).collect()))
        }
    }
}

/// Writes the names of scopes as the kinds that make them do.
fn normalize(definition: &Definition, names: &mut BTreeMap<String, String>) {
    for (name, scope) in &definition.scopes {
        let known: Option<Vec<String>> = scope.params.iter().map(|param| names.get(param).cloned()).collect();
        let normal = known.map(|known| normal_scope(definition, name, known)).unwrap_or_default();
        names.extend(scope.params.iter().cloned().zip(normal));
    }
}

fn with(definition: &Definition, options: &Options) -> Result<Variables, BadOption> {
    if let Some(name) = options.with.keys().find(|name| !definition.options.contains_key(*name)) {
        let known: Vec<&str> = definition.options.keys().map(String::as_str).collect();
        return Err(bad(
            &["with", name],
            format!("not a key of this provider; there is {}", known.join(", ")),
        ));
    }
    let mut variables = Variables::new();
    for (name, option) in &definition.options {
        match options.with.get(name).or(option.default.as_ref()) {
            Some(value) => _ = variables.insert(name.clone(), value.clone()),
            None => return Err(bad(&["with"], format!("`{name}` is missing: {}", option.about))),
        }
    }
    Ok(variables)
}

fn base_url(text: &str) -> Result<Url, BadOption> {
    let url = Url::parse(text).map_err(|error| bad(&["url"], format!("`{text}` is no address: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(bad(&["url"], format!("`{text}` is no address of a server: say `https://…`")));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(bad(
            &["url"],
            "credentials do not belong into an address; say `credentials:`".to_owned(),
        ));
    }
    Ok(url)
}

fn bad(path: &[&str], message: String) -> BadOption {
    BadOption { path: path.iter().map(|step| (*step).to_owned()).collect(), message }
}
