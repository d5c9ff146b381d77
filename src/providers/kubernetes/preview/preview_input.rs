//! One object that may differ, with what has to be known to look at it closely.

use std::sync::Arc;

use globset::GlobSet;

use crate::{
    model::{diff::Candidate, ignore::Rule, value::Value},
    providers::kubernetes::{
        client::{
            discovery::Discovery,
            failure::Failure,
            transport::{Answer, ReadClient},
        },
        manifest::names::{Kind, kinds_of},
        observe::cluster::{Cluster, Seen},
        ownership::{
            fields::Fields,
            ignore_rules::Declared,
            ownership_labels::{self, child, ownership_mismatch, with_ownership_labels},
            takeover::Predecessors,
        },
    },
};

/// One candidate with what is known of it.
pub struct PreviewInput {
    pub seen: Seen,
    pub base: Option<Value>,
    /// Ours, but nobody remembers what it was given.
    pub lost: bool,
    pub set: String,
    /// The other targets of the checkout that may have applied it, with the labels of their sets.
    pub siblings: Arc<[(String, String)]>,
    /// The name of the record.
    pub record: String,
    pub discovery: Arc<Discovery>,
    pub human_field_managers: Arc<GlobSet>,
    pub predecessors: Arc<Predecessors>,
    pub rules: Vec<Arc<Rule>>,
    /// The namespace is declared as well.
    pub namespace_comes: bool,
    /// The kind is declared as well.
    pub kind_comes: bool,
}

/// What the declared objects bring that others need.
pub struct Coming {
    namespaces: Vec<String>,
    kinds: Vec<Kind>,
}

impl Coming {
    /// What the objects that were asked for bring.
    pub fn of(cluster: &Cluster) -> Coming {
        let declared = || cluster.seen.values().filter_map(|seen| Some((&seen.name, seen.config.as_ref()?)));
        Coming {
            namespaces: declared()
                .filter(|(name, _)| name.kind.is_core("Namespace"))
                .map(|(name, _)| name.name.clone())
                .collect(),
            kinds: declared()
                .filter(|(name, _)| name.kind.is_crd())
                .flat_map(|(_, definition)| kinds_of(definition))
                .collect(),
        }
    }
}

/// The case of a candidate; none if there is nothing to find out.
pub fn case(cluster: &Cluster, coming: &Coming, candidate: &Candidate) -> Option<PreviewInput> {
    let seen = cluster.seen.get(&candidate.address)?.clone();
    // What could not be read stays unknown; only a lost base can be made up for.
    let lost = candidate.unknown.is_some();
    if lost && seen.live.is_none() {
        return None;
    }
    let namespace = seen.name.namespace.clone().unwrap_or_default();
    Some(PreviewInput {
        base: seen.base.clone(),
        lost,
        set: cluster.place.label().to_owned(),
        siblings: cluster.siblings.clone(),
        record: cluster.place.name.clone(),
        discovery: cluster.about.as_ref()?.discovery.clone(),
        human_field_managers: cluster.human_field_managers.clone(),
        predecessors: cluster.predecessors.clone(),
        rules: cluster.ignoring.about(
            &candidate.address,
            &seen.name,
            seen.config.as_ref().or(seen.base.as_ref()),
        ),
        namespace_comes: coming.namespaces.contains(&namespace),
        kind_comes: coming.kinds.contains(&seen.name.kind),
        seen,
    })
}

impl PreviewInput {
    /// The other target of the checkout that applied an object.
    pub fn sibling_of(&self, live: &Value) -> Option<&str> {
        let applied = |label: &str| ownership_mismatch(&self.seen.name, live, label).is_none();
        self.siblings.iter().find(|(_, label)| applied(label)).map(|(name, _)| name.as_str())
    }

    /// What Git declares, and what is left to others there.
    pub fn declared(&self) -> Declared<'_> {
        Declared { rules: &self.rules, was: self.base.as_ref(), is: self.seen.config.as_ref(), left: &[] }
    }

    /// What goes with our declaration although predecessors own it too.
    pub fn dropped(&self, live: &Value, config: &Value, shape: &Fields) -> Fields {
        let sent = self.declared().effective(live);
        let with_ownership_labels =
            with_ownership_labels(sent.as_ref().unwrap_or(config), &self.set, &self.seen.name.identity());
        self.predecessors.dropped(live, &shape.keyed(&with_ownership_labels))
    }

    /// Asks what an apply to what is there would do.
    pub async fn ask(
        &self,
        looking: &ReadClient,
        path: &str,
        config: &Value,
        live: Option<&Value>,
    ) -> Result<Answer, Failure> {
        let sent = live.and_then(|live| self.declared().effective(live));
        let mut body =
            with_ownership_labels(sent.as_ref().unwrap_or(config), &self.set, &self.seen.name.identity());
        if let Some(live) = live {
            ownership_labels::expect_version(&mut body, live);
        }
        looking.dry_apply(path, &body).await
    }

    /// Asks whether the server would take what is declared as a new object. One of another name stands for it, since
    /// a dry run knows of the object that is there.
    pub async fn ask_anew(&self, looking: &ReadClient, path: &str, config: &Value, live: &Value) -> bool {
        let Some(uid) = ownership_labels::metadata(live, "uid") else { return false };
        let Some((collection, _)) = path.rsplit_once('/') else { return false };
        let name = format!("trueup-{uid}");
        let mut body = with_ownership_labels(config, &self.set, &self.seen.name.identity());
        if let Value::Map(map) = &mut body {
            child(Arc::make_mut(map), "metadata").insert("name".into(), Value::string(&*name));
        }
        looking.dry_apply(&format!("{collection}/{name}"), &body).await.is_ok()
    }
}
