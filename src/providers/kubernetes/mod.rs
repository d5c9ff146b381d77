//! Kubernetes: objects of one cluster, applied on the server and owned field by field.

mod adopt;
mod apply;
mod asked;
mod attribution;
mod audit;
mod builtin;
mod cascade;
mod case;
mod cluster;
mod connect;
mod declare;
mod declared;
mod discovery;
mod examine;
mod explain;
mod extras;
mod failure;
mod fields;
mod foresee;
mod forms;
mod home;
mod ignoring;
mod json;
mod listing;
mod lock;
mod managed;
mod marks;
mod memory;
mod names;
mod normal;
mod observe;
mod obstacle;
mod options;
mod order;
mod orders;
mod owners;
mod page;
mod persons;
mod pods;
mod quantity;
mod queue;
mod ready;
mod references;
mod refused;
mod scaling;
mod selection;
mod sent;
mod sides;
mod sieve;
mod strangers;
mod takeover;
mod transport;
mod wait;
mod write;
mod writer;

use super::{Form, Kind, Reader, Target, Writer};

/// The Kubernetes provider.
pub const KIND: Kind = Kind {
    name: "kubernetes",
    about: "objects of a Kubernetes cluster, by server-side apply",
    form: Form::Document,
    schema: |generator| generator.subschema_for::<options::Options>(),
    check: options::check,
    folder: |_| Ok(None),
    declare: declare::declare,
    open,
    open_for_apply,
    adopt: adopt::adopt,
    lines: Some(adopt::lines),
    import: None,
    risky: |_| Ok(RISKY.map(str::to_owned).into()),
    grants: |_| Ok(Vec::new()),
    names: names::names,
    spelling: super::as_typed,
    rules: builtin::rules,
    collection: names::collection,
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
    Ok(Box::new(cluster::Cluster::open(target)?))
}

fn open_for_apply(target: &Target) -> anyhow::Result<Box<dyn Writer>> {
    Ok(Box::new(writer::Applier::open(target)?))
}

/// Whether applying `config` leaves `live` exactly as it is, both as JSON, if `was` was applied last; the
/// reason why it may not. For tests that hold the verdict against a server.
///
/// # Errors
/// Why it may change something, or what is no JSON.
pub fn unchanged(config: &[u8], live: &[u8], was: &[u8]) -> Result<(), String> {
    let read = |bytes| json::read(bytes).map_err(|error| error.to_string());
    let (config, live, was) = (read(config)?, read(live)?, read(was)?);
    let api_version = config.get("apiVersion").and_then(|version| version.as_str()).unwrap_or_default();
    managed::unchanged(&config, &live, api_version, managed::From::of(Some(&was), &config))
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
        }
    }
}
