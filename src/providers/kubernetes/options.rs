//! The keys of a kubernetes target in trueup.yaml.

use std::path::PathBuf;

use anyhow::Result;
use globset::{Glob, GlobSet, GlobSetBuilder};
use schemars::JsonSchema;
use serde::Deserialize;

use super::ownership::takeover::Predecessors;
use crate::{
    exit::Exit,
    model::user_error::UserError,
    providers::{
        BadOption, Target, TargetPlace,
        options::{self, Period, refused},
    },
};

/// Keys of a target with `provider: kubernetes`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Options {
    /// The context of the kubeconfig. May be left out if the kubeconfig has only one.
    #[serde(default)]
    pub context: Option<String>,
    /// The kubeconfig, relative to the folder of trueup.yaml; otherwise `KUBECONFIG`, then
    /// `~/.kube/config`, then the service account of the pod.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub kubeconfig: Option<PathBuf>,
    /// The namespace of objects that name none, `default` if not given, and of the record.
    #[serde(default)]
    pub namespace: Option<String>,
    /// The namespace of the record and the lock, where that is another.
    #[serde(default)]
    pub record_namespace: Option<String>,
    /// The name of the set of objects, for a record of its own; the name of the target if not given.
    #[serde(default)]
    pub set: Option<String>,
    /// Refuse a cluster whose `kube-system` namespace has another uid.
    #[serde(default)]
    pub expect_id: Option<String>,
    /// Globs of the files that are manifests, relative to `path`; all YAML and JSON files if not given.
    #[serde(default)]
    pub include: Vec<String>,
    /// Globs of the files that are none, relative to `path`.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// Globs over field managers that stand for people: what they add by hand is drift.
    #[serde(default)]
    pub human_field_managers: Option<Vec<String>>,
    /// Globs over field managers that trueup takes over from: what they and Git declare is ours alone, so that it is
    /// removed once Git does not declare it any more; the usual tools if not given.
    #[serde(default)]
    pub take_over_from: Option<Vec<String>>,
    /// After an apply, wait until what was written is ready.
    #[serde(default)]
    pub wait: bool,
    /// How long to wait at most: seconds, or a text like `5m`; 5 minutes if not given.
    #[serde(default)]
    pub timeout: Option<Period>,
}

/// Field managers through which people write.
const HUMANS: [&str; 12] = [
    "kubectl*",
    "k9s",
    "Lens*",
    "OpenLens*",
    "Mozilla*",
    "node-fetch",
    "rancher",
    "dashboard",
    "argocd-server",
    "headlamp*",
    "Octant",
    "freelens*",
];

/// Field managers of the tools that an object may have been made with before.
const PREDECESSORS: [&str; 9] = [
    "kubectl-client-side-apply",
    "kubectl",
    "kubectl-create",
    "before-first-apply",
    "helm",
    "kustomize-controller",
    "helm-controller",
    "argocd-controller",
    "argocd-application-controller",
];

/// Checks the options without touching the target.
pub(super) fn check(target: &Target) -> Result<(), BadOption> {
    parse(target).map(|_| ())
}

/// The options of a target.
pub(super) fn of(target: &Target) -> Result<Options> {
    Ok(parse(target).map_err(|bad| UserError::new(Exit::BadConfig, bad.message))?)
}

fn parse(target: &Target) -> Result<Options, BadOption> {
    let options: Options = options::parse(target)?;
    let names = [
        ("context", &options.context),
        ("namespace", &options.namespace),
        ("record-namespace", &options.record_namespace),
        ("set", &options.set),
        ("expect-id", &options.expect_id),
    ];
    for (key, value) in names {
        if value.as_ref().is_some_and(String::is_empty) {
            return Err(refused(key, format!("`{key}` is empty; leave it out instead")));
        }
    }
    for (key, name) in [("namespace", &options.namespace), ("record-namespace", &options.record_namespace)] {
        if name.as_ref().is_some_and(|name| !is_label(name)) {
            return Err(refused(key, format!("`{key}` is no name of a namespace")));
        }
    }
    if options.set.as_ref().is_some_and(|set| !is_label(set)) {
        return Err(refused("set", "`set` takes lower case letters, digits and `-`".to_owned()));
    }
    let human_field_managers = options.human_field_managers.clone().unwrap_or_default();
    let predecessors = options.take_over_from.clone().unwrap_or_default();
    let patterns = [
        ("include", &options.include),
        ("exclude", &options.exclude),
        ("human-field-managers", &human_field_managers),
        ("take-over-from", &predecessors),
    ];
    for (key, patterns) in patterns {
        globs(patterns).map_err(|error| refused(key, error.to_string()))?;
    }
    Ok(options)
}

/// The cluster of a target and its record, as far as its options tell.
pub(super) fn place(target: &Target) -> Result<Option<TargetPlace>, BadOption> {
    let options = parse(target)?;
    let server = format!("{:?} {:?} {:?}", options.kubeconfig, options.context, options.expect_id);
    let set = options.set.as_ref().unwrap_or(&target.name);
    Ok(Some(TargetPlace { server, record: format!("{}/{set}", options.record_namespace()) }))
}

impl Options {
    /// The namespace of objects that name none.
    pub(super) fn default_namespace(&self) -> &str {
        self.namespace.as_deref().unwrap_or("default")
    }

    /// The namespace of the record.
    pub(super) fn record_namespace(&self) -> &str {
        self.record_namespace.as_deref().unwrap_or(self.default_namespace())
    }

    /// Which field managers stand for people.
    ///
    /// # Errors
    /// A pattern that is no glob.
    pub(super) fn human_field_managers(&self) -> Result<GlobSet, globset::Error> {
        given_or(&self.human_field_managers, &HUMANS)
    }

    /// Whose fields become ours.
    ///
    /// # Errors
    /// A pattern that is no glob.
    pub(super) fn predecessors(&self) -> Result<Predecessors, globset::Error> {
        let managers = given_or(&self.take_over_from, &PREDECESSORS)?;
        Ok(Predecessors { managers, human_field_managers: self.human_field_managers()? })
    }
}

fn given_or(given: &Option<Vec<String>>, usual: &[&str]) -> Result<GlobSet, globset::Error> {
    let patterns = match given {
        Some(patterns) => patterns.clone(),
        None => usual.iter().map(|&pattern| pattern.to_owned()).collect(),
    };
    globs(&patterns)
}

/// Whether a name may stand for a namespace (RFC 1123 label).
pub(super) fn is_label(name: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&name.len())
        && name.bytes().all(inner)
        && !name.starts_with('-')
        && !name.ends_with('-')
}

/// A set of globs.
pub(super) fn globs(patterns: &[String]) -> Result<GlobSet, globset::Error> {
    let mut builder = GlobSetBuilder::new();
    for pattern in patterns {
        builder.add(Glob::new(pattern)?);
    }
    builder.build()
}
