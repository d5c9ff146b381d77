//! Reads the objects asked for, in parallel.

use std::{
    borrow::Cow,
    collections::HashSet,
    sync::{
        LazyLock, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::SystemTime,
};

use anyhow::Result;
use rayon::prelude::*;

use super::{
    confined_dir::{Dir, Obstacle},
    describe::{self, Found, Unread},
    errno,
    fingerprint::Fingerprint,
    inventory::{Entry, Ledger},
    names, strangers,
    target::{FilesTarget, Seen},
    users::People,
    value::Body,
};
use crate::{
    model::{
        address::Address,
        change::ThreeWay,
        event::Event,
        explain::{Basis, Reason},
        object::{Actual, Cause, Observed, State},
        value::Value,
    },
    providers::{Query, evidence},
};

/// How many objects one thread takes at a time.
const BATCH: usize = 256;

/// Reads what `query` asks for.
pub(super) fn observe(site: &mut FilesTarget, query: &Query<'_>) -> Result<Actual> {
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
    site.hashed = hashed;
    site.unwanted = unwanted(query, &strangers);
    site.seen.clear();
    let answers = answers.into_iter().chain(strangers).map(|answer| {
        if let Some(seen) = answer.seen {
            site.seen.insert(answer.address.clone(), *seen);
        }
        (answer.address, answer.observed)
    });
    actual.objects = answers.collect();
    site.reasons = evidence::explain(query, &actual, |_| vec![how_read(query)]);
    Ok(actual)
}

/// How content becomes known.
fn how_read(query: &Query<'_>) -> Reason {
    Basis::Read.says(match query.verify {
        true => "every byte of it was read",
        false => "its content was read now, or when it last had the same size, times and inode",
    })
}

/// What must not be there although it is not ours: strangers, and what is declared absent.
fn unwanted(query: &Query<'_>, strangers: &[Answer]) -> HashSet<Address> {
    let neither = |sides: &ThreeWay<&Value>| sides.base.is_none() && sides.desired.is_none();
    let absent =
        query.objects.iter().filter(|(_, sides)| neither(sides)).map(|(address, _)| (*address).clone());
    absent.chain(strangers.iter().map(|answer| answer.address.clone())).collect()
}

/// What a look at one object answers.
pub(super) struct Answer {
    pub address: Address,
    pub observed: Observed,
    pub seen: Option<Box<Seen>>,
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
    /// What is found is kept.
    keeps: bool,
    device: u64,
    started: SystemTime,
    hashed: AtomicUsize,
    /// The directories that something declared lies in, once somebody asked.
    pub needed: OnceLock<HashSet<Vec<u8>>>,
}

/// One object to look at.
pub(super) struct Item<'a> {
    pub address: &'a Address,
    pub path: Cow<'a, [u8]>,
    pub sides: &'a ThreeWay<&'a Value>,
    entry: Option<&'a Entry>,
}

/// What a thread finds of one object.
enum Finding {
    Found(Found),
    Absent,
    Unknown(Cause, String),
}

impl Item<'_> {
    fn directory(&self) -> &[u8] {
        names::split(&self.path).0
    }
}

impl<'a> Look<'a> {
    fn new(site: &'a FilesTarget, root: &'a Dir, query: &'a Query<'a>) -> Look<'a> {
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
            keeps: site.keeps,
            device: root.own_stat().map_or(0, |stat| Fingerprint::of(&stat).device),
            started,
            hashed: AtomicUsize::new(0),
            needed: OnceLock::new(),
        }
    }

    fn at_objects(&self) -> Vec<Answer> {
        let items = self.items();
        let batches: Vec<&[Item<'_>]> = items
            .chunk_by(|one, other| one.directory() == other.directory())
            .flat_map(|same| same.chunks(BATCH))
            .collect();
        let findings: Vec<Finding> = batches
            .par_iter()
            .flat_map_iter(|batch| {
                let dir = self.root.beneath(batch.first().map_or(b"", Item::directory));
                self.query.observer.on(Event::Step(batch.len()));
                batch.iter().map(move |item| match &dir {
                    Ok(dir) => self.at(dir, item),
                    Err(obstacle) => self.behind(obstacle, item),
                })
            })
            .collect();
        // Values share the names of their fields. From one thread counting
        // those references costs next to nothing, from several it costs most
        // of the time.
        items.iter().zip(findings).map(|(item, finding)| self.answer(item, finding)).collect()
    }

    /// What is asked for, next to what is remembered of it. Both are sorted.
    fn items(&self) -> Vec<Item<'_>> {
        let mut entries = self.ledger.entries.iter().peekable();
        let objects = self.query.objects.iter().map(|(address, sides)| {
            while entries.next_if(|(known, _)| known < address).is_some() {}
            let entry = entries.peek().filter(|(known, _)| known == *address).map(|(_, entry)| entry);
            Item { address, path: address.to_bytes(), sides, entry }
        });
        objects.collect()
    }

    fn at(&self, dir: &Dir, item: &Item<'_>) -> Finding {
        let name = names::split(&item.path).1;
        if !super::confined_dir::is_plain(name) && *item.path != b"."[..] {
            return Finding::Unknown(Cause::Other, "it is no path below the root".to_owned());
        }
        match self.find(dir, name, item.entry) {
            Ok(found) => Finding::Found(found),
            Err(Unread::Gone) => Finding::Absent,
            Err(Unread::Unknown(cause, message)) => Finding::Unknown(cause, message),
        }
    }

    /// Finds `name` in `dir`, without reading it where the ledger knows its content.
    pub(super) fn find(&self, dir: &Dir, name: &[u8], entry: Option<&Entry>) -> Result<Found, Unread> {
        let entry = entry.filter(|_| self.trusting);
        describe::find(dir, name, self.query.algorithm, |print| {
            let known = entry.and_then(|entry| entry.content(print));
            let known = known.filter(|id| id.algorithm() == self.query.algorithm);
            if known.is_none() {
                self.hashed.fetch_add(1, Ordering::Relaxed);
            }
            known
        })
    }

    fn answer(&self, item: &Item<'_>, finding: Finding) -> Answer {
        let address = item.address.clone();
        match finding {
            Finding::Found(found) if self.makes_way(&found, item) || self.is_released(&found, item) => {
                Answer::absent(address)
            }
            Finding::Found(found) => self.present(address, found, item.sides),
            Finding::Absent => Answer::absent(address),
            Finding::Unknown(cause, message) => Answer::unknown(address, cause, message),
        }
    }

    /// The answer for something that is there.
    pub(super) fn present(&self, address: Address, found: Found, sides: &ThreeWay<&Value>) -> Answer {
        let value = match sides.desired {
            Some(desired) if found.is_as(desired, self.people) => desired.clone(),
            _ => found.describe(*sides, self.people),
        };
        let moved = sides.desired != Some(&value) || sides.base.is_some_and(|base| *base != value);
        let writer = moved.then(|| self.people.writer(&found.identity));
        let is_file = matches!(found.body, Body::File(_));
        let notes = match found.links {
            2.. if is_file && moved => {
                vec![format!("{} hard links: replacing it leaves the others as they are", found.links)]
            }
            _ => Vec::new(),
        };
        let seen = self.keeps.then(|| {
            let print = &found.identity.print;
            let settled = self.reliable && print.device == self.device && print.settled(self.started);
            Box::new(Seen::new(found, value.clone(), sides.desired, settled))
        });
        Answer {
            address,
            observed: Observed::Present(Box::new(State { writer, notes, ..State::new(value) })),
            seen,
        }
    }

    /// The finding for something whose directory cannot be reached.
    fn behind(&self, obstacle: &Obstacle, item: &Item<'_>) -> Finding {
        match errno::obstacle(obstacle) {
            None => Finding::Absent,
            Some(_) if self.is_ruled_out(obstacle, item) => Finding::Absent,
            Some((cause, message)) => Finding::Unknown(cause, message),
        }
    }

    /// Whether what is in the way proves that the object is not there: it is to
    /// become a directory or nothing itself, or nothing is wanted behind it.
    fn is_ruled_out(&self, obstacle: &Obstacle, item: &Item<'_>) -> bool {
        let (Obstacle::Link(path) | Obstacle::NotDirectory(path)) = obstacle else { return false };
        let in_the_way = self.query.objects.get(&Address::from_bytes(path)).map(|sides| sides.desired);
        match (in_the_way, item.sides.desired) {
            (Some(None), _) => true,
            (Some(Some(desired)), Some(_)) => {
                desired.get("type").and_then(Value::as_str) == Some("directory")
            }
            // Behind a link that nobody declared there may well be something.
            (None, None) => matches!(obstacle, Obstacle::NotDirectory(_)),
            (Some(Some(_)), None) => true,
            (None, Some(_)) => false,
        }
    }
}
