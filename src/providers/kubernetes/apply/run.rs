//! Carries out changes along their dependencies, several at a time.

use std::{
    collections::BTreeMap,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use futures_util::{StreamExt as _, stream::FuturesUnordered};

use super::{
    apply_manifest,
    order::{self, Step, Way},
    queue::{Before, Queue},
    ready, wait,
    write::{self, About, WriteResult},
};
use crate::{
    model::{
        address::Address,
        change::{Action, Change},
        event::{Event, Observer},
        report::{Outcome, Verdict},
        value::Value,
    },
    providers::{
        Run,
        kubernetes::{
            client::{
                discovery::{self, Known},
                transport::WriteClient,
            },
            observe::cluster::{Cluster, Seen},
            ownership::{
                ignore_rules::{Declared, Manifest},
                ownership_labels::is_deleting,
            },
        },
    },
};

/// How many writes are under way at once.
pub const PARALLEL: usize = 16;

/// How long a new definition may take until its kind is served.
const ESTABLISHED: Duration = Duration::from_secs(30);

/// One change with what its write needs.
struct Task<'a> {
    change: &'a Change,
    seen: Seen,
    /// What is sent.
    config: Option<Value>,
    way: Way,
}

/// Makes the changes; one outcome for each, in the same order.
pub fn apply(
    cluster: &Cluster,
    writing: &WriteClient,
    changes: &[&Change],
    run: &Run<'_>,
    lost: &dyn Fn() -> Option<String>,
    until: &mut Option<Instant>,
) -> Vec<Outcome> {
    let tasks: Vec<Option<Task<'_>>> = changes.iter().map(|change| task(cluster, change)).collect();
    let known: Vec<usize> = (0..tasks.len()).filter(|index| tasks[*index].is_some()).collect();
    let steps: Vec<Step<'_>> = known
        .iter()
        .filter_map(|index| tasks[*index].as_ref())
        .map(|task| Step { name: &task.seen.name, way: task.way, value: task.value() })
        .collect();
    let before = order::before(&steps);
    let before: Before = known
        .iter()
        .zip(before)
        .map(|(index, before)| (*index, before.into_iter().map(|position| known[position]).collect()))
        .collect();
    let mut shift = ApplyRun {
        cluster,
        writing,
        tasks: &tasks,
        run,
        lost,
        ended: BTreeMap::new(),
        failed: false,
        unreachable: false,
    };
    cluster.runtime.block_on(shift.work_through(before, until));
    let ApplyRun { mut ended, .. } = shift;
    let mut left = || WriteResult::left(lost().filter(|_| !run.stop.load(Ordering::SeqCst)));
    let outcome = |(index, change)| outcome(change, ended.remove(&index).unwrap_or_else(&mut left));
    changes.iter().copied().enumerate().map(outcome).collect()
}

pub fn outcome(change: &Change, ended: WriteResult) -> Outcome {
    let WriteResult { verdict, error, .. } = ended;
    Outcome { address: change.address.clone(), action: change.action, class: change.class, verdict, error }
}

impl Task<'_> {
    fn value(&self) -> &Value {
        static NOTHING: Value = Value::Null;
        self.config.as_ref().or(self.seen.live.as_deref()).unwrap_or(&NOTHING)
    }
}

fn task<'a>(cluster: &'a Cluster, change: &'a Change) -> Option<Task<'a>> {
    let seen = cluster.seen.get(&change.address)?.clone();
    let config = match (change.action, &change.after) {
        (Action::Delete, _) | (_, None) => None,
        (_, Some(after)) => {
            Some(apply_manifest::for_change(change, after, seen.config.as_ref()?, seen.base.as_ref()))
        }
    };
    let way = if change.action == Action::Delete { Way::Goes } else { Way::Comes };
    Some(Task { change, seen, config, way })
}

/// The changes of one apply, on their way.
struct ApplyRun<'a> {
    cluster: &'a Cluster,
    writing: &'a WriteClient,
    tasks: &'a [Option<Task<'a>>],
    run: &'a Run<'a>,
    /// Why the lock is not ours any more.
    lost: &'a dyn Fn() -> Option<String>,
    ended: BTreeMap<usize, WriteResult>,
    failed: bool,
    /// There is nobody to write to any more.
    unreachable: bool,
}

impl ApplyRun<'_> {
    /// Makes everything; what may stop others from coming up, and what goes, only once what comes is ready.
    async fn work_through(&mut self, before: Before, until: &mut Option<Instant>) {
        let (late, early): (Before, Before) = before.into_iter().partition(|(index, _)| self.is_late(*index));
        self.work(early).await;
        if let Some(patience) = wait::patience(self.cluster, self.run) {
            let until = *until.get_or_insert_with(|| Instant::now() + patience);
            self.wait(until).await;
            self.work(late).await;
            self.wait(until).await;
        } else {
            self.work(late).await;
        }
    }

    fn is_late(&self, index: usize) -> bool {
        let is_late = |task: &Task<'_>| task.way == Way::Goes || order::is_admission(&task.seen.name.kind);
        self.tasks[index].as_ref().is_some_and(is_late)
    }

    async fn work(&mut self, before: Before) {
        let mut queue = Queue::of(before);
        let ended: Vec<usize> = self.ended.keys().copied().collect();
        ended.into_iter().for_each(|index| self.settle(&mut queue, index));
        let mut running = FuturesUnordered::new();
        loop {
            while running.len() < PARALLEL && !self.is_over() {
                let Some(index) = self.next(&mut queue, running.is_empty()) else { break };
                let Some(task) = &self.tasks[index] else { continue };
                self.run.observer.on(Event::Applying(&task.change.address, task.change.action));
                let (cluster, writing, observer) = (self.cluster, self.writing, self.run.observer);
                running.push(async move { (index, one(cluster, writing, task, observer).await) });
            }
            let Some((index, ended)) = running.next().await else { break };
            self.end(index, ended);
            self.settle(&mut queue, index);
        }
    }

    /// Whether no further write may begin: somebody said so, or there is nobody to write to.
    fn is_over(&self) -> bool {
        self.run.stop.load(Ordering::SeqCst) || (self.lost)().is_some() || self.unreachable
    }

    /// The next change whose needs are met; any of them if a circle keeps all waiting. Nothing goes any more once
    /// something failed.
    fn next(&self, queue: &mut Queue, idle: bool) -> Option<usize> {
        let goes = |index: usize| self.tasks[index].as_ref().is_some_and(|task| task.way == Way::Goes);
        queue.take(idle, |index| !(self.failed && goes(index)))
    }

    /// Frees what waited for a change that is done. What needs something that failed is not tried, nor what needs that.
    fn settle(&mut self, queue: &mut Queue, index: usize) {
        let mut ended = vec![index];
        while let Some(index) = ended.pop() {
            let good = self.ended.get(&index).is_some_and(|ended| ended.verdict == Verdict::Done);
            for dependant in queue.end(index) {
                match good {
                    true => queue.meet(dependant, index),
                    false if queue.remove(dependant) => {
                        let why = "something that it needs was not written, or is not ready";
                        self.ended.insert(dependant, WriteResult::with(Verdict::NotAttempted, why));
                        ended.push(dependant);
                    }
                    false => {}
                }
            }
        }
    }

    fn end(&mut self, index: usize, ended: WriteResult) {
        if let Some(task) = &self.tasks[index] {
            let Change { address, action, .. } = task.change;
            match &ended.error {
                None => self.run.observer.on(Event::Applied(address, *action)),
                Some((_, message)) => self.run.observer.on(Event::Failed(address, *action, message)),
            }
        }
        self.run.observer.on(Event::Step(1));
        self.failed |= ended.verdict != Verdict::Done;
        self.unreachable |= ended.lost;
        self.ended.insert(index, ended);
    }

    /// Waits until everything that was written is ready.
    async fn wait(&mut self, until: Instant) {
        if self.is_over() {
            return;
        }
        let written: BTreeMap<&Address, usize> = self
            .ended
            .iter()
            .filter(|(_, ended)| ended.verdict == Verdict::Done)
            .filter_map(|(index, _)| Some((self.tasks[*index].as_ref()?, *index)))
            .filter(|(task, _)| task.way == Way::Comes)
            .map(|(task, index)| (&task.change.address, index))
            .collect();
        for (address, why) in wait::wait(self.cluster, written.keys().copied(), until, self.run).await {
            self.failed = true;
            self.ended.insert(written[&address], WriteResult::with(Verdict::Unready, why));
        }
    }
}

pub fn path(cluster: &Cluster, seen: &Seen) -> Option<String> {
    seen.path.clone().or_else(|| {
        let about = cluster.about.as_ref()?;
        match about.discovery.find(&seen.name.kind) {
            Known::Yes(resource) => Some(resource.object(&seen.name, cluster.options.default_namespace())),
            _ => None,
        }
    })
}

/// Carries out one change.
async fn one(
    cluster: &Cluster,
    writing: &WriteClient,
    task: &Task<'_>,
    observer: &dyn Observer,
) -> WriteResult {
    let tell = |why: &str| observer.on(Event::Awaiting(&task.change.address, why));
    let path = match path(cluster, &task.seen) {
        Some(path) => path,
        None => match new_path(cluster, writing, &task.seen).await {
            Ok(path) => path,
            Err(ended) => return ended,
        },
    };
    let live = task.seen.live.as_deref();
    let name = &task.seen.name;
    let about = About {
        name,
        human_field_managers: &cluster.human_field_managers,
        predecessors: &cluster.predecessors,
    };
    let Some(config) = &task.config else {
        let Some(live) = live else { return WriteResult::nothing_seen() };
        return write::delete_whole(writing, &path, about, live, &tell).await;
    };
    let rules = cluster.ignoring.about(&task.change.address, name, task.seen.config.as_ref());
    let (was, is) = (task.seen.base.as_ref(), Some(config));
    let declared = Declared { rules: &rules, was, is, left: &task.change.left };
    let manifest = Manifest { declared, about, set: cluster.place.label() };
    let ended = match (task.change.action, live) {
        (Action::Replace, Some(live)) => {
            write::replace(writing, &path, about, live, manifest.body(None), &tell).await
        }
        (_, Some(live)) if is_deleting(live) => {
            write::create_after(writing, &path, live, manifest.body(None), &tell).await
        }
        (_, Some(live)) => write::update(writing, &path, &manifest, live, task.change).await,
        (_, None) => write::create(writing, &path, manifest.body(None)).await,
    };
    if name.kind.is_crd() && ended.verdict == Verdict::Done {
        return established(writing, &path, ended).await;
    }
    ended
}

/// The path of an object whose kind came during this apply.
async fn new_path(cluster: &Cluster, writing: &WriteClient, seen: &Seen) -> Result<String, WriteResult> {
    let begun = Instant::now();
    loop {
        let discovery = discovery::discover(writing.looking()).await;
        let discovery = discovery
            .map_err(|failure| WriteResult::failed(&failure, "asking for the kind of it").unwritten())?;
        if let Known::Yes(resource) = discovery.find(&seen.name.kind) {
            return Ok(resource.object(&seen.name, cluster.options.default_namespace()));
        }
        if begun.elapsed() > ESTABLISHED {
            let why = format!("the server has no kind {}", seen.name.kind);
            return Err(WriteResult::with(Verdict::Failed, why));
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Waits until a definition is taken up.
async fn established(writing: &WriteClient, path: &str, ended: WriteResult) -> WriteResult {
    let begun = Instant::now();
    loop {
        match writing.looking().get(path).await {
            Ok(answer)
                if ready::condition(&answer.value, "Established")
                    .is_some_and(|(status, _)| status == "True") =>
            {
                return ended;
            }
            Ok(_) if begun.elapsed() < ESTABLISHED => tokio::time::sleep(Duration::from_millis(100)).await,
            Ok(answer) => {
                let why = ready::condition(&answer.value, "Established").map(|(_, why)| why);
                let why = format!("it is not established: {}", why.unwrap_or_default());
                return WriteResult::with(Verdict::Unready, why);
            }
            Err(failure) => {
                return WriteResult::with(
                    Verdict::Unready,
                    format!("waiting until it is established: {failure}"),
                );
            }
        }
    }
}
