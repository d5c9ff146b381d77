//! Waits until objects are ready: one list for each kind, again and again.

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use futures_util::future::join_all;

use super::{
    pods,
    ready::{self, Around, State},
};
use crate::{
    model::{address::Address, event::Event, value::Value},
    providers::{
        Run,
        kubernetes::{
            client::{
                discovery::{self, Discovery, Known, Resource},
                failure::Failure,
                listing::{self, Wanted},
            },
            manifest::names::{Kind, Name},
            observe::cluster::Cluster,
            ownership::ownership_labels::{self, whole},
        },
        options::Period,
    },
};

/// How long a wait takes at most if nobody says.
const USUAL: Duration = Duration::from_secs(300);

/// The pause after the first look, and the longest one.
const PAUSES: (Duration, Duration) = (Duration::from_millis(300), Duration::from_secs(2));

/// How long a controller may take to report a first status.
const SETTLED: Duration = Duration::from_secs(10);

/// How long to wait; none if the target does not want it and the command line neither.
pub fn patience(cluster: &Cluster, run: &Run<'_>) -> Option<Duration> {
    let wanted = run.waiting.wanted.unwrap_or(cluster.options.wait);
    let configured = cluster.options.timeout.map(|Period(timeout)| timeout);
    wanted.then(|| run.waiting.timeout.or(configured).unwrap_or(USUAL))
}

/// Waits until `until` for objects to be ready. Answers those that are not, with what is missing.
pub async fn wait<'a>(
    cluster: &Cluster,
    addresses: impl Iterator<Item = &'a Address>,
    until: Instant,
    run: &Run<'_>,
) -> Vec<(Address, String)> {
    let mut names: BTreeMap<Address, Name> =
        addresses.filter_map(|address| Some((address.clone(), Name::parse(address)?))).collect();
    let discovery = match discovered(cluster, &names).await {
        Ok(discovery) => discovery,
        Err(failure) => {
            let why = format!("asking whether it is ready: {failure}");
            return names.into_keys().map(|address| (address, why.clone())).collect();
        }
    };
    names.retain(|_, name| matches!(discovery.find(&name.kind), Known::Yes(resource) if resource.has_status));
    run.observer.on(Event::Phase { what: "waiting", total: names.len() });
    let mut watch = Watch {
        cluster,
        discovery: &discovery,
        run,
        begun: Instant::now(),
        classes: None,
        failed: Vec::new(),
    };
    let mut pause = PAUSES.0;
    loop {
        let states = watch.look(&names).await;
        let lacking = watch.sort_out(&mut names, states);
        if names.is_empty() || Instant::now() >= until || run.stop.load(Ordering::SeqCst) {
            let mut lacking = [watch.failed, lacking].concat();
            pods::explain(cluster, &discovery, &mut lacking).await;
            run.observer.on(Event::Done);
            return lacking;
        }
        tokio::time::sleep(pause.min(until.saturating_duration_since(Instant::now()))).await;
        pause = (pause * 2).min(PAUSES.1);
    }
}

/// The items of a list by namespace and name.
fn by_name(kind: &Kind, items: Vec<Value>) -> BTreeMap<(Option<String>, String), Value> {
    let key = |item: &Value| {
        let of = |field| ownership_labels::metadata(item, field).map(str::to_owned);
        (of("namespace"), of("name").unwrap_or_default())
    };
    items.into_iter().map(|item| (key(&item), whole(kind, item))).collect()
}

/// The kinds of the server; asked again if one of those wanted is new.
async fn discovered(cluster: &Cluster, names: &BTreeMap<Address, Name>) -> Result<Arc<Discovery>, Failure> {
    let known = cluster.about.as_ref().map(|about| &about.discovery);
    let has = |discovery: &Discovery, name: &Name| matches!(discovery.find(&name.kind), Known::Yes(_));
    match known.filter(|known| names.values().all(|name| has(known, name))) {
        Some(known) => Ok(known.clone()),
        None => discovery::discover(&cluster.looking).await.map(Arc::new),
    }
}

struct Watch<'a> {
    cluster: &'a Cluster,
    discovery: &'a Discovery,
    run: &'a Run<'a>,
    begun: Instant,
    /// The storage classes, once a claim was seen.
    classes: Option<Value>,
    /// What will never be ready.
    failed: Vec<(Address, String)>,
}

impl Watch<'_> {
    /// The state of each object.
    async fn look(&mut self, names: &BTreeMap<Address, Name>) -> BTreeMap<Address, State> {
        let mut kinds: BTreeMap<&Kind, Vec<(&Address, &Name)>> = BTreeMap::new();
        for (address, name) in names {
            kinds.entry(&name.kind).or_default().push((address, name));
        }
        if self.classes.is_none() && kinds.keys().any(|kind| kind.is_core("PersistentVolumeClaim")) {
            let found = self.cluster.looking.get("/apis/storage.k8s.io/v1/storageclasses").await;
            self.classes = found.ok().map(|answer| answer.value);
        }
        let looks = kinds.into_iter().filter_map(|(kind, names)| match self.discovery.find(kind) {
            Known::Yes(resource) => Some(self.look_at(kind, resource, names)),
            _ => None,
        });
        join_all(looks).await.into_iter().flatten().collect()
    }

    async fn look_at(
        &self,
        kind: &Kind,
        resource: &Resource,
        names: Vec<(&Address, &Name)>,
    ) -> Vec<(Address, State)> {
        let default = self.cluster.options.default_namespace();
        let place = |name: &Name| {
            resource.namespaced.then(|| name.namespace.as_deref().unwrap_or(default).to_owned())
        };
        let wanted = Wanted {
            kind: kind.clone(),
            resource: resource.clone(),
            namespaces: names.iter().filter_map(|(_, name)| place(name)).collect(),
            set: self.cluster.place.label().to_owned(),
        };
        let listed = listing::members(&self.cluster.looking, &wanted).await;
        let around = Around { classes: self.classes.as_ref(), settled: self.begun.elapsed() > SETTLED };
        let listed = match listed {
            Ok(listed) => listed,
            Err(failure) => {
                let state = State::Waiting(format!("listing {kind}: {failure}"));
                return names.into_iter().map(|(address, _)| (address.clone(), state.clone())).collect();
            }
        };
        let unseen = |place: &Option<String>| {
            listed.namespaces.as_ref().zip(place.as_ref()).is_some_and(|(seen, place)| !seen.contains(place))
        };
        let objects = by_name(kind, listed.items);
        let state = |name: &Name| match (place(name), name.name.clone()) {
            (place, _) if unseen(&place) => State::Waiting(format!("listing {kind} is forbidden")),
            key => match objects.get(&key) {
                Some(object) => ready::state(object, around),
                None => State::Failed("it is gone".to_owned()),
            },
        };
        names.into_iter().map(|(address, name)| (address.clone(), state(name))).collect()
    }

    /// Takes out of `names` what is settled. Answers what the others lack.
    fn sort_out(
        &mut self,
        names: &mut BTreeMap<Address, Name>,
        states: BTreeMap<Address, State>,
    ) -> Vec<(Address, String)> {
        let mut lacking = Vec::new();
        for (address, state) in states {
            match state {
                State::Ready => {
                    names.remove(&address);
                    self.run.observer.on(Event::Ready(&address));
                }
                State::Failed(why) => {
                    names.remove(&address);
                    self.run.observer.on(Event::Unready(&address, &why));
                    self.failed.push((address, why));
                }
                State::Waiting(why) => {
                    self.run.observer.on(Event::Awaiting(&address, &why));
                    lacking.push((address, why));
                }
            }
        }
        lacking
    }
}
