//! The namespace of the record, made first where the same set declares it.

use std::sync::Arc;

use anyhow::Result;

use super::{record::Place, write};
use crate::{
    exit::Exit,
    model::{address::Address, change::Action, record::Record, report::Verdict, user_error::UserError},
    providers::kubernetes::{
        client::transport::WriteClient, manifest::names::Name, observe::cluster::Cluster,
        ownership::ownership_labels::with_ownership_labels,
    },
};

/// Makes the namespace that the record goes to, if the apply that begins creates it anyway.
///
/// # Errors
/// It is neither there nor to be created (78), or could not be.
pub fn make(cluster: &mut Cluster, writing: &WriteClient, record: &Record) -> Result<()> {
    let Some(address) = coming(&cluster.place, record) else { return Err(missing(&cluster.place).into()) };
    let Some((path, body)) = request(cluster, &address) else { return Err(missing(&cluster.place).into()) };
    let runtime = cluster.runtime.clone();
    let found = runtime.block_on(async {
        let ended = write::create(writing, &path, body).await;
        match (ended.verdict, ended.error) {
            (Verdict::Done, _) => Ok(writing.looking().get(&path).await),
            (_, error) => Err(error.map(|(_, message)| message).unwrap_or_default()),
        }
    });
    let doing = format!("creating the namespace `{}` of the record", cluster.place.namespace);
    let live = found
        .map_err(|message| {
            UserError::new(Exit::Error, format!("{doing}: {message}")).hint("plan and apply again")
        })?
        .map_err(|failure| failure.fault(&doing))?;
    if let Some(seen) = cluster.seen.get_mut(&address) {
        seen.live = Some(Arc::new(live.value));
    }
    Ok(())
}

/// The namespace of the record among what an apply is about to create.
fn coming(place: &Place, record: &Record) -> Option<Address> {
    let changes = record.attempting.iter().flat_map(|attempt| &attempt.changes);
    let mut created = changes.filter(|(_, action)| *action == Action::Create).map(|(address, _)| address);
    created
        .find(|address| {
            Name::parse(address)
                .is_some_and(|name| name.kind.is_core("Namespace") && name.name == place.namespace)
        })
        .cloned()
}

fn request(cluster: &Cluster, address: &Address) -> Option<(String, crate::model::value::Value)> {
    let seen = cluster.seen.get(address)?;
    let body = with_ownership_labels(seen.config.as_ref()?, cluster.place.label(), &seen.name.identity());
    Some((seen.path.clone()?, body))
}

/// The error for a record without a place to go.
pub fn missing(place: &Place) -> UserError {
    let message = format!("the namespace `{}` of the record is not there", place.namespace);
    UserError::new(Exit::BadConfig, message)
        .hint("create or declare it, or set `record-namespace` in trueup.yaml to one that is there")
}
