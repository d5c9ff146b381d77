//! Reads the objects asked for, in parallel.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    sync::{
        LazyLock, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::SystemTime,
};

use anyhow::Result;
use rayon::prelude::*;

use super::{
    beneath::{Dir, Obstacle},
    describe::{self, Found, Unread},
    fingerprint::Fingerprint,
    ledger::Ledger,
    names,
    people::People,
    site::{Seen, Site},
    strangers,
    value::Body,
    words,
};
use crate::{
    model::{
        address::Address,
        change::Sides,
        digest::{Algorithm, Digest},
        event::Event,
        object::{Actual, Cause, Observed, State},
        value::Value,
    },
    providers::Query,
};

/// How many objects one thread takes at a time.
const BATCH: usize = 256;

/// Reads what `query` asks for.
pub(super) fn observe(site: &mut Site, query: &Query<'_>) -> Result<Actual> {
    site.stored()?;
    query.observer.on(Event::Phase { what: "reading", total: query.objects.len() });
    let mut actual = Actual::default();
    let (answers, strangers, hashed) = match &site.root {
        None => {
            actual.notes.push(format!("`{}` does not exist yet; apply creates it", site.shown()));
            let absent = query.objects.keys().map(|address| Answer::absent((*address).clone()));
            (absent.collect(), Vec::new(), 0)
        }
        Some(root) => {
            let look = Look::new(site, root, query);
            let answers = look.at_objects();
            let strangers = strangers::list(&look, &mut actual)?;
            (answers, strangers, look.hashed.into_inner())
        }
    };
    query.observer.on(Event::Done);
    let neither = |address: &Address| {
        query.objects.get(address).is_some_and(|sides| sides.base.is_none() && sides.desired.is_none())
    };
    site.hashed = hashed;
    site.unwanted = strangers.iter().map(|answer| answer.address.clone()).collect();
    site.unwanted
        .extend(query.objects.keys().filter(|address| neither(address)).map(|address| (*address).clone()));
    site.seen = HashMap::with_capacity(answers.len());
    let mut objects = Vec::with_capacity(answers.len() + strangers.len());
    for answer in answers.into_iter().chain(strangers) {
        if let Some(seen) = answer.seen {
            site.seen.insert(answer.address.clone(), seen);
        }
        objects.push((answer.address, answer.observed));
    }
    actual.objects = objects.into_iter().collect();
    Ok(actual)
}

/// What a look at one object answers.
pub(super) struct Answer {
    pub address: Address,
    pub observed: Observed,
    pub seen: Option<Seen>,
}

impl Answer {
    fn absent(address: Address) -> Answer {
        Answer { address, observed: Observed::Absent, seen: None }
    }

    fn unknown(address: Address, cause: Cause, message: String) -> Answer {
        Answer { address, observed: Observed::Unknown { cause, message }, seen: None }
    }
}

/// One look at a target, with everything that it needs.
pub(super) struct Look<'a> {
    pub root: &'a Dir,
    pub query: &'a Query<'a>,
    pub state: Option<&'a [u8]>,
    pub ledger: &'a Ledger,
    people: &'a People,
    /// The ledger's fingerprints hold.
    trusting: bool,
    /// Fingerprints that are taken now may hold.
    reliable: bool,
    device: u64,
    started: SystemTime,
    hashed: AtomicUsize,
    needed: OnceLock<HashSet<Vec<u8>>>,
}

/// One object to look at.
struct Item<'a> {
    address: &'a Address,
    path: Cow<'a, [u8]>,
    sides: Sides<&'a Value>,
}

impl<'a> Look<'a> {
    fn new(site: &'a Site, root: &'a Dir, query: &'a Query<'a>) -> Look<'a> {
        static NOTHING: LazyLock<Ledger> = LazyLock::new(Ledger::default);
        let started = SystemTime::now();
        let stored = site.remembered();
        let reliable = root.has_reliable_times();
        let from_the_future = stored.is_some_and(|stored| stored.is_from_the_future(started));
        Look {
            root,
            query,
            state: site.state.as_deref(),
            ledger: stored.map_or(&NOTHING, |stored| &stored.ledger),
            people: &site.people,
            trusting: reliable && !from_the_future && !query.verify,
            reliable,
            device: root.own_stat().map_or(0, |stat| Fingerprint::of(&stat).device),
            started,
            hashed: AtomicUsize::new(0),
            needed: OnceLock::new(),
        }
    }

    fn at_objects(&self) -> Vec<Answer> {
        let mut directories: HashMap<&[u8], Vec<Item<'_>>> = HashMap::new();
        let items: Vec<Item<'_>> = self
            .query
            .objects
            .iter()
            .map(|(address, sides)| Item { address, path: address.to_bytes(), sides: sides.clone() })
            .collect();
        for item in &items {
            directories.entry(names::split(&item.path).0).or_default().push(Item {
                address: item.address,
                path: Cow::Borrowed(&item.path),
                sides: item.sides.clone(),
            });
        }
        let batches: Vec<(&[u8], &[Item<'_>])> = directories
            .iter()
            .flat_map(|(directory, items)| items.chunks(BATCH).map(|batch| (*directory, batch)))
            .collect();
        batches
            .par_iter()
            .flat_map_iter(|(directory, batch)| {
                let dir = self.root.beneath(directory);
                self.query.observer.on(Event::Step(batch.len()));
                batch.iter().map(move |item| match &dir {
                    Ok(dir) => self.at(dir, item),
                    Err(obstacle) => self.behind(obstacle, item),
                })
            })
            .collect()
    }

    fn at(&self, dir: &Dir, item: &Item<'_>) -> Answer {
        let address = item.address.clone();
        let name = names::split(&item.path).1;
        if !super::beneath::is_plain(name) && *item.path != b"."[..] {
            return Answer::unknown(address, Cause::Other, "it is no path below the root".to_owned());
        }
        match self.find(dir, name, item.address) {
            Ok(found) if self.makes_way(&found, item) || self.is_released(&found, item) => {
                Answer::absent(address)
            }
            Ok(found) => self.present(address, found, item.sides.clone()),
            Err(Unread::Gone) => Answer::absent(address),
            Err(Unread::Unknown(cause, message)) => Answer::unknown(address, cause, message),
        }
    }

    /// Finds `name` in `dir`, without reading it where the ledger knows its content.
    pub(super) fn find(&self, dir: &Dir, name: &[u8], address: &Address) -> Result<Found, Unread> {
        let entry = self.trusting.then(|| self.ledger.entries.get(address)).flatten();
        describe::find(dir, name, self.query.algorithm, |print| {
            let known = entry.and_then(|entry| entry.content(print)).filter(|id| self.understands(id));
            if known.is_none() {
                self.hashed.fetch_add(1, Ordering::Relaxed);
            }
            known
        })
    }

    fn understands(&self, id: &Digest) -> bool {
        let algorithm: Algorithm = id.algorithm();
        algorithm == self.query.algorithm
    }

    /// The answer for something that is there.
    pub(super) fn present(&self, address: Address, found: Found, sides: Sides<&Value>) -> Answer {
        let value = found.describe(sides.clone(), self.people);
        let moved = sides.desired != Some(&value) || sides.base.is_some_and(|base| *base != value);
        let writer = moved.then(|| self.people.writer(&found.identity));
        let is_file = matches!(found.body, Body::File(_));
        let notes = match found.links {
            2.. if is_file && moved => {
                vec![format!("{} hard links: replacing it leaves the others as they are", found.links)]
            }
            _ => Vec::new(),
        };
        let print = &found.identity.print;
        let settled = self.reliable && print.device == self.device && print.settled(self.started);
        let seen = Some(Seen::new(found, value.clone(), sides, settled));
        Answer { address, observed: Observed::Present(Box::new(State { value, writer, notes })), seen }
    }

    /// The answer for something whose directory cannot be reached.
    fn behind(&self, obstacle: &Obstacle, item: &Item<'_>) -> Answer {
        let address = item.address.clone();
        match words::obstacle(obstacle) {
            None => Answer::absent(address),
            Some(_) if self.goes_away(obstacle) => Answer::absent(address),
            Some((cause, message)) => Answer::unknown(address, cause, message),
        }
    }

    /// Whether what is in the way is itself asked for, and is to become a directory or nothing.
    fn goes_away(&self, obstacle: &Obstacle) -> bool {
        let (Obstacle::Link(path) | Obstacle::NotDirectory(path)) = obstacle else { return false };
        self.query.objects.get(&Address::from_bytes(path)).is_some_and(|sides| match sides.desired {
            None => true,
            Some(desired) => desired.get("type").and_then(Value::as_str) == Some("directory"),
        })
    }

    /// Whether a directory stands where a file is declared, and is one that
    /// trueup made and that will be empty by then.
    fn makes_way(&self, found: &Found, item: &Item<'_>) -> bool {
        let wants_file = |value: &&Value| value.get("type").and_then(Value::as_str) != Some("directory");
        found.body == Body::Directory
            && item.sides.base.is_none()
            && item.sides.desired.as_ref().is_some_and(wants_file)
            && self.will_be_empty(&item.path)
    }

    fn will_be_empty(&self, path: &[u8]) -> bool {
        self.ledger.made.contains(path) && self.loses_all(path)
    }

    /// Whether everything in the directory at `path` is to be deleted.
    fn loses_all(&self, path: &[u8]) -> bool {
        let goes = |name: &Vec<u8>| {
            let inner = names::join(path, name);
            match self.query.objects.get(&Address::from_bytes(&inner)) {
                Some(sides) => sides.desired.is_none(),
                None => self.will_be_empty(&inner),
            }
        };
        let names = self.root.beneath(path).ok().and_then(|dir| dir.list().ok());
        names.is_some_and(|names| names.iter().all(goes))
    }

    /// Whether a directory that was declared and is not any more has to stay,
    /// since something else is in it. Nobody deletes a directory that is not
    /// empty, so it is no object any more.
    fn is_released(&self, found: &Found, item: &Item<'_>) -> bool {
        found.body == Body::Directory
            && item.sides.desired.is_none()
            && item.sides.base.is_some()
            && (self.needed().contains(&*item.path) || !self.loses_all(&item.path))
    }

    /// The directories that something declared lies in.
    pub(super) fn needed(&self) -> &HashSet<Vec<u8>> {
        self.needed.get_or_init(|| {
            let mut needed = HashSet::new();
            for (address, _) in self.query.objects.iter().filter(|(_, sides)| sides.desired.is_some()) {
                needed.extend(names::ancestors(&address.to_bytes()).map(<[u8]>::to_vec));
            }
            needed
        })
    }
}
