//! Kubernetes: objects of one cluster, applied on the server and owned field by field.

mod apply;
mod attribution;
mod cluster;
mod connect;
mod declare;
mod discovery;
mod examine;
mod failure;
mod fields;
mod json;
mod listing;
mod lock;
mod managed;
mod marks;
mod memory;
mod names;
mod normal;
mod observe;
mod options;
mod order;
mod ready;
mod sides;
mod transport;
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
    declare: declare::declare,
    open,
    open_for_apply,
    adopt: |_, _, _| anyhow::bail!("bringing a cluster's values into manifests is not built yet"),
    collection: names::collection,
};

fn open(target: &Target) -> anyhow::Result<Box<dyn Reader>> {
    Ok(Box::new(cluster::Cluster::open(target)?))
}

fn open_for_apply(target: &Target) -> anyhow::Result<Box<dyn Writer>> {
    Ok(Box::new(writer::Applier::open(target)?))
}
