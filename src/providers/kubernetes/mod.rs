//! Kubernetes: objects of one cluster, applied on the server and owned field by field.

mod apply;
mod audit;
mod client;
mod manifest;
mod observe;
mod options;
mod ownership;
mod preview;

use super::{DiffStyle, Provider, Reader, Target, Writer};

/// The Kubernetes provider.
pub const PROVIDER: Provider = Provider {
    name: "kubernetes",
    about: "objects of a Kubernetes cluster, by server-side apply",
    form: DiffStyle::Document,
    schema: |generator| generator.subschema_for::<options::Options>(),
    check: options::check,
    folder: |_| Ok(None),
    declare: manifest::declare::declare,
    open,
    open_for_apply,
    adopt: manifest::adopt::adopt,
    lines: Some(manifest::adopt::lines),
    import: None,
    protected_by_default: |_| Ok(RISKY.map(str::to_owned).into()),
    access_fields: |_| Ok(Vec::new()),
    names: manifest::names::names,
    spelling: super::as_typed,
    place: options::place,
    rules: ownership::builtin::rules,
    collection: manifest::names::collection,
};

/// What takes more with it than itself.
const RISKY: [&str; 5] = [
    "v1/Namespace/*",
    "v1/PersistentVolume/*",
    "v1/PersistentVolumeClaim/*/*",
    "apiextensions.k8s.io/*/CustomResourceDefinition/*",
    "apps/*/StatefulSet/*/*",
];

fn open(target: &Target) -> anyhow::Result<Box<dyn Reader>> {
    Ok(Box::new(observe::cluster::Cluster::open(target)?))
}

fn open_for_apply(target: &Target) -> anyhow::Result<Box<dyn Writer>> {
    Ok(Box::new(apply::writer::Applier::open(target)?))
}

/// Whether applying `config` leaves `live` exactly as it is, both as JSON, if `was` was applied last; the
/// reason why it may not. For tests that hold the verdict against a server.
///
/// # Errors
/// Why it may change something, or what is no JSON.
pub fn unchanged(config: &[u8], live: &[u8], was: &[u8]) -> Result<(), String> {
    let read = |bytes| client::json::read(bytes).map_err(|error| error.to_string());
    let (config, live, was) = (read(config)?, read(live)?, read(was)?);
    let api_version = config.get("apiVersion").and_then(|version| version.as_str()).unwrap_or_default();
    ownership::managed::unchanged(
        &config,
        &live,
        api_version,
        ownership::managed::From::of(Some(&was), &config),
    )
    .map_err(|found| format!("{}: {}", found.path, found.why))
}

#[cfg(test)]
mod testing {
    use crate::providers::Target;

    /// A target with these options.
    pub(super) fn target(name: &str, options: &str) -> Target {
        Target {
            name: name.into(),
            provider: "kubernetes".into(),
            path: "k8s".into(),
            base_dir: ".".into(),
            options: serde_yaml::from_str(options).unwrap(),
            programs: Default::default(),
            definition: None,
            siblings: Vec::new(),
        }
    }
}
