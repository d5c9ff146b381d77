//! One change: its precondition, its requests, and what the server made of it.

use std::{
    collections::BTreeMap,
    thread,
    time::{Duration, Instant},
};

use serde_json::Value as Json;

use super::{
    address::{Collection, Place},
    definition::{self, Access, Kind},
    failure::{self, Failure},
    form::Form,
    gather::{Found, Gathered, Gatherer},
    json, memory,
    reader::Session,
    references,
    request::{self, Sides},
    secrets,
    template::{self, Ingredients, Variables},
    transport::{Answer, Request, Sender},
};
use crate::model::{
    change::{Action, Change},
    report::{FailureKind, Verdict},
};

/// A change that was not made, or not as it should be.
#[derive(Debug)]
pub struct Trouble {
    /// How it ended.
    pub verdict: Verdict,
    /// What the exit code depends on.
    pub kind: FailureKind,
    /// What went wrong.
    pub message: String,
    /// Whether the server says that there is no such object.
    absent: bool,
}

impl Trouble {
    fn new(verdict: Verdict, message: impl Into<String>) -> Self {
        Trouble { verdict, kind: FailureKind::Other, message: message.into(), absent: false }
    }

    fn of(failure: Failure) -> Self {
        let verdict = match failure.kind {
            failure::Kind::Conflict | failure::Kind::Exists => Verdict::Stale,
            _ if failure.sent => Verdict::Uncertain,
            _ => Verdict::Failed,
        };
        Trouble {
            verdict,
            kind: failure.report(),
            absent: failure.kind == failure::Kind::Absent,
            message: failure.message,
        }
    }
}

/// One change on its way.
pub struct Job<'a> {
    session: &'a Session,
    sender: &'a Sender,
    /// The change.
    pub change: &'a Change,
    place: &'a Place,
    kind: &'a Kind,
    now: Found,
    desired: Result<Json, String>,
}

impl<'a> Job<'a> {
    /// Prepares a change. `fresh` is what the server holds right now.
    pub fn new(
        session: &'a Session,
        sender: &'a Sender,
        change: &'a Change,
        place: &'a Place,
        fresh: &BTreeMap<Collection, Gathered>,
    ) -> Self {
        let kind = &session.setup.definition.kinds[&place.kind];
        let answers = fresh.get(&place.collection());
        let old = session.seen.get(&change.address).and_then(|raw| Form::of(kind).identity(raw));
        let keys = old.unwrap_or_else(|| place.keys.clone());
        let now = answers.map_or(Found::Absent, |answers| answers.get(&keys));
        let desired = desired(session, change);
        Job { session, sender, change, place, kind, now, desired }
    }

    /// Whether it goes with others in one request.
    pub fn is_batched(&self) -> bool {
        self.kind.batch.is_some()
    }

    /// Makes the change; answers what the server says of the object now, if it does.
    pub fn run(&self) -> Result<Option<Json>, Trouble> {
        let raw = self.check()?;
        match self.change.action {
            // Nothing here has owners of single fields to claim.
            Action::Keep | Action::Claim => Ok(None),
            Action::Create => self.create(),
            Action::Update | Action::Adopt => self.update(raw.as_ref()),
            Action::Delete => self.delete(raw.as_ref()).map(|()| None),
            Action::Replace => {
                self.delete(raw.as_ref())?;
                self.create()
            }
        }
    }

    /// Makes sure that the object still is what the plan saw.
    fn check(&self) -> Result<Option<Json>, Trouble> {
        let stale =
            |what: &str| Trouble::new(Verdict::Stale, format!("{what} since the plan; it was left alone"));
        match (&self.now, &self.change.sides.actual) {
            (Found::Unknown(failure), _) => Err(Trouble {
                verdict: Verdict::Failed,
                kind: failure.report(),
                message: format!("reading it before the write: {}", failure.message),
                absent: false,
            }),
            (Found::Absent | Found::NoParent, None) => Ok(None),
            (Found::Absent | Found::NoParent, Some(_)) if self.change.action == Action::Delete => Ok(None),
            (Found::Absent | Found::NoParent, Some(_)) => Err(stale("it is gone")),
            (Found::Here(_), None) => Err(stale("somebody made it")),
            (Found::Here(raw), Some(actual)) => {
                let actual_json = json::from_model(actual);
                let shape = self
                    .change
                    .sides
                    .desired
                    .as_ref()
                    .or(self.change.sides.base.as_ref())
                    .map(json::from_model);
                let whole = || Form::of(self.kind).export(raw);
                let shape = shape.unwrap_or_else(whole);
                let now = self.session.projected(self.kind, raw, &shape, Some(&actual_json));
                let same =
                    now == *actual || self.visible(&json::from_model(&now)) == self.visible(&actual_json);
                if same { Ok(Some(raw.clone())) } else { Err(stale("it changed")) }
            }
        }
    }

    /// `object` without what the server never answers.
    fn visible(&self, object: &Json) -> Json {
        let mut object = object.clone();
        let hidden = self.kind.fields.iter().filter(|(_, field)| field.access == Access::WriteOnly);
        hidden.for_each(|(pointer, _)| _ = json::remove(&mut object, pointer));
        object
    }

    fn desired(&self) -> Result<&Json, Trouble> {
        self.desired.as_ref().map_err(|message| Trouble::new(Verdict::Failed, message.clone()))
    }

    fn variables(&self, raw: Option<&Json>) -> Variables {
        request::of_object(&self.session.setup, self.kind, self.place, raw)
    }

    fn create(&self) -> Result<Option<Json>, Trouble> {
        let cannot = || Trouble::new(Verdict::Failed, "this API cannot make one");
        let write = self.kind.create.as_ref().ok_or_else(cannot)?;
        let desired = self.desired()?;
        let sides = Sides { desired, actual: None, raw: None };
        let absent = self.kind.version.as_ref().and_then(|version| version.absent.clone());
        let body = request::body(self.kind, write, &sides, &self.variables(None)).unwrap_or(Json::Null);
        let sent = self.send(write, &body, &self.variables(None), absent.clone().into_iter().collect());
        let answer = match sent {
            Err(trouble) if trouble.verdict == Verdict::Uncertain => {
                self.again(write, &body, absent, trouble)?
            }
            other => Some(other?),
        };
        let made = answer.and_then(|answer| self.returned(write, &answer));
        let made = match (made, &self.kind.wait) {
            (made, None) => made,
            (_, Some(wait)) => self.wait(wait)?,
        };
        self.fields(desired, None, made.as_ref())?;
        if !write.follow_up {
            return Ok(if self.kind.actions.is_empty() { made } else { None });
        }
        match made {
            Some(made) => self.follow_up(desired, &made),
            None => Ok(None),
        }
    }

    /// A create without an answer is sent once more if the object is not there; never blindly.
    fn again(
        &self,
        write: &definition::Write,
        body: &Json,
        absent: Option<(String, String)>,
        trouble: Trouble,
    ) -> Result<Option<Answer>, Trouble> {
        match self
            .gatherer()
            .gather(&[self.place.keys.clone()].into(), super::gather::Extent::Named)
            .get(&self.place.keys)
        {
            Found::Absent => {
                self.send(write, body, &self.variables(None), absent.into_iter().collect()).map(Some)
            }
            Found::Here(_) => Ok(None),
            _ => Err(trouble),
        }
    }

    fn collection(&self) -> Collection {
        self.place.collection()
    }

    fn gatherer(&self) -> GathererOf<'_> {
        GathererOf { job: self, collection: self.collection() }
    }

    /// Sends again what creation ignored.
    fn follow_up(&self, desired: &Json, made: &Json) -> Result<Option<Json>, Trouble> {
        let Some(update) = &self.kind.update else { return Ok(Some(made.clone())) };
        let actual = Form::of(self.kind).project(made, desired, Some(desired));
        let sides = Sides { desired, actual: Some(&actual), raw: Some(made) };
        let variables = self.variables(Some(made));
        match request::body(self.kind, update, &sides, &variables) {
            Some(body) => {
                self.send(update, &body, &variables, self.versioned(Some(made)))?;
                Ok(None)
            }
            None if self.kind.actions.is_empty() => Ok(Some(made.clone())),
            None => Ok(None),
        }
    }

    fn update(&self, raw: Option<&Json>) -> Result<Option<Json>, Trouble> {
        let desired = self.desired()?;
        let mut actual = self.change.sides.actual.as_ref().map(json::from_model);
        if let Some(actual) = &mut actual {
            references::replace(actual, &|reference| self.session.resolve(reference));
            // An unchanged secret is no reason to write; filled in, it equals what is desired.
            _ = secrets::fill(actual, &self.session.setup.folder);
        }
        let mut answer = None;
        if let Some(write) = &self.kind.update {
            let sides = Sides { desired, actual: actual.as_ref(), raw };
            let variables = self.variables(raw);
            let differs = self.differs_besides_own(desired, actual.as_ref());
            if let Some(body) = request::body(self.kind, write, &sides, &variables).filter(|_| differs) {
                let got = self.send(write, &body, &variables, self.versioned(raw))?;
                answer = self.returned(write, &got);
            }
        }
        let asked = self.fields(desired, actual.as_ref(), raw)?;
        Ok(if asked { None } else { answer })
    }

    /// Whether anything differs besides fields with requests of their own.
    fn differs_besides_own(&self, desired: &Json, actual: Option<&Json>) -> bool {
        let Some(actual) = actual else { return true };
        let (mut desired, mut actual) = (desired.clone(), actual.clone());
        for action in &self.kind.actions {
            json::remove(&mut desired, &action.field);
            json::remove(&mut actual, &action.field);
        }
        desired != actual
    }

    /// Sends the fields that have requests of their own, where they differ.
    fn fields(&self, desired: &Json, actual: Option<&Json>, raw: Option<&Json>) -> Result<bool, Trouble> {
        let mut asked = false;
        for action in &self.kind.actions {
            let (want, have) =
                (desired.pointer(&action.field), actual.and_then(|actual| actual.pointer(&action.field)));
            if want.is_none() || want == have {
                continue;
            }
            let variables = self.variables(raw);
            let with = Ingredients { object: desired, actual: raw, variables: &variables };
            let body = action.request.template.as_ref().and_then(|template| template::body(template, &with));
            self.send(&action.request, &body.unwrap_or(Json::Null), &variables, Vec::new())?;
            asked = true;
        }
        Ok(asked)
    }

    fn delete(&self, raw: Option<&Json>) -> Result<(), Trouble> {
        let cannot = || Trouble::new(Verdict::Failed, "this API cannot delete one");
        let delete = self.kind.delete.as_ref().ok_or_else(cannot)?;
        if matches!(self.now, Found::Absent | Found::NoParent) {
            return Ok(());
        }
        let write = definition::Write {
            method: definition::kind::Method::Delete,
            path: delete.path.clone(),
            query: delete.query.clone(),
            success: delete.success.clone(),
            ..empty()
        };
        match self.send(&write, &Json::Null, &self.variables(raw), self.versioned(raw)) {
            Ok(_) => Ok(()),
            // Gone is gone.
            Err(trouble) if trouble.absent => Ok(()),
            Err(trouble) => Err(trouble),
        }
    }

    /// The header that says which version is meant.
    fn versioned(&self, raw: Option<&Json>) -> Vec<(String, String)> {
        let header = || {
            let version = self.kind.version.as_ref()?;
            let value = json::text(raw?.pointer(&version.from)?)?;
            let value = version.format.as_deref().unwrap_or("{version}").replace("{version}", &value);
            Some((version.header.clone()?, value))
        };
        header().into_iter().collect()
    }

    fn send(
        &self,
        write: &definition::Write,
        body: &Json,
        variables: &Variables,
        headers: Vec<(String, String)>,
    ) -> Result<Answer, Trouble> {
        let mut query = write.query.clone();
        if let Some(name) = self.kind.version.as_ref().and_then(|version| version.query.clone())
            && variables.contains_key("version")
        {
            query.insert(name, "{version}".to_owned());
        }
        let url = request::url(&self.session.setup, &write.path, &query, variables).map_err(Trouble::of)?;
        let mut hidden =
            self.desired.as_ref().map(|desired| request::secrets(self.kind, desired)).unwrap_or_default();
        hidden.extend(request::secrets(self.kind, body));
        let request = Request { method: memory::method(write.method), url, body, headers, hidden: &hidden };
        let answer = self.sender.send(&request).map_err(Trouble::of)?;
        let expected = write.success.is_empty() || write.success.contains(&answer.status.as_u16());
        let meant = write.success_when.as_ref().is_none_or(|success| success.holds(&answer.body));
        match (expected, meant) {
            (true, true) => Ok(answer),
            (false, _) => Err(Trouble::new(
                Verdict::Uncertain,
                format!("the server answered {}, which is not expected", answer.status),
            )),
            (true, false) => Err(Trouble::new(Verdict::Stale, "the server did not take the write")),
        }
    }

    /// The object in an answer, in normal form.
    fn returned(&self, write: &definition::Write, answer: &Answer) -> Option<Json> {
        let mut object =
            answer.body.pointer(write.returns.as_ref()?).filter(|object| object.is_object())?.clone();
        Form::of(self.kind).normalize(&mut object);
        Some(object)
    }

    /// Reads until the object is ready.
    fn wait(&self, wait: &definition::kind::Wait) -> Result<Option<Json>, Trouble> {
        let end = Instant::now() + Duration::from_secs(wait.timeout_s);
        let collection = self.collection();
        let gatherer = Gatherer {
            setup: &self.session.setup,
            getter: self.sender.getter(),
            kind: self.kind,
            collection: &collection,
        };
        let mut pause = Duration::from_millis(100);
        loop {
            match gatherer.read(&self.place.keys, None) {
                Found::Here(raw) if wait.until.holds(&raw) => return Ok(Some(raw)),
                _ if Instant::now() >= end => {
                    let message = format!(
                        "it was made, and is not ready after {} s (`{}`)",
                        wait.timeout_s, wait.until
                    );
                    return Err(Trouble::new(Verdict::Uncertain, message));
                }
                _ => thread::sleep(pause),
            }
            pause = (pause * 2).min(Duration::from_secs(5));
        }
    }
}

/// A gatherer that keeps the collection it is for.
struct GathererOf<'a> {
    job: &'a Job<'a>,
    collection: Collection,
}

impl GathererOf<'_> {
    fn gather(
        &self,
        wanted: &std::collections::BTreeSet<Vec<String>>,
        extent: super::gather::Extent,
    ) -> Gathered {
        let Job { session, sender, kind, .. } = self.job;
        Gatherer { setup: &session.setup, getter: sender.getter(), kind, collection: &self.collection }
            .gather(wanted, extent)
    }
}

fn empty() -> definition::Write {
    definition::Write {
        method: definition::kind::Method::Delete,
        path: String::new(),
        query: BTreeMap::new(),
        body: definition::Body::Nothing,
        template: None,
        wrap: String::new(),
        always_send: Vec::new(),
        send_together: Vec::new(),
        success: Vec::new(),
        success_when: None,
        returns: None,
        follow_up: false,
    }
}

/// What is to be written, with references and secrets in their places.
fn desired(session: &Session, change: &Change) -> Result<Json, String> {
    let mut desired = change.after.as_ref().map(json::from_model).unwrap_or(Json::Null);
    references::replace(&mut desired, &|reference| session.resolve(reference));
    if let Some(left) = references::all(&desired).first() {
        return Err(format!("what it needs of `{left}` is not known"));
    }
    secrets::fill(&mut desired, &session.setup.folder)?;
    Ok(desired)
}

/// Groups batched jobs by collection, each group as large as one request may be.
pub fn chunks<'a, 'b>(jobs: Vec<&'a (usize, Job<'b>)>) -> Vec<Vec<&'a (usize, Job<'b>)>> {
    let mut by_collection: BTreeMap<Collection, Vec<&(usize, Job<'_>)>> = BTreeMap::new();
    for job in jobs {
        by_collection.entry(job.1.collection()).or_default().push(job);
    }
    let mut chunks = Vec::new();
    for jobs in by_collection.into_values() {
        let most = jobs[0].1.kind.batch.as_ref().map_or(1, |batch| batch.max.max(1));
        chunks.extend(jobs.chunks(most).map(<[_]>::to_vec));
    }
    chunks
}

/// What became of one job.
type Told = (usize, Result<Option<Json>, Trouble>);

/// Sends several changes in one request. Those that are stale are left out of it.
pub fn batch(jobs: &[&(usize, Job<'_>)]) -> Vec<Told> {
    let mut told: Vec<Told> = Vec::new();
    let mut items = Vec::new();
    let mut carried = Vec::new();
    for (at, job) in jobs {
        match job.check().and_then(|_| job.item()) {
            Ok(item) => {
                items.push(item);
                carried.push((*at, job));
            }
            Err(trouble) => told.push((*at, Err(trouble))),
        }
    }
    let Some((_, first)) = carried.first() else { return told };
    let result = first.send_batch(items);
    for (at, _) in &carried {
        told.push((
            *at,
            result.as_ref().map(|()| None).map_err(|trouble| Trouble {
                verdict: trouble.verdict,
                kind: trouble.kind,
                absent: trouble.absent,
                message: match carried.len() {
                    1 => trouble.message.clone(),
                    count => format!(
                        "{} (in one request with {} others, all or nothing)",
                        trouble.message,
                        count - 1
                    ),
                },
            }),
        ));
    }
    told
}

impl Job<'_> {
    /// Its part of a batch.
    fn item(&self) -> Result<Json, Trouble> {
        let batch =
            self.kind.batch.as_ref().ok_or_else(|| Trouble::new(Verdict::Failed, "it takes no batches"))?;
        let variables = self.variables(None);
        let (template, object) = match self.change.after {
            Some(_) => {
                let mut whole = match &self.now {
                    Found::Here(raw) => raw.clone(),
                    _ => Json::Object(Default::default()),
                };
                if let (Json::Object(whole), Json::Object(desired)) = (&mut whole, self.desired()?.clone()) {
                    whole.extend(desired);
                }
                (&batch.put, whole)
            }
            None => {
                let mut names = Json::Object(Default::default());
                for (key, value) in self.kind.identity.keys.iter().zip(&self.place.keys) {
                    json::set(&mut names, key, Json::String(value.clone()));
                }
                (&batch.remove, names)
            }
        };
        template::body(template, &Ingredients { object: &object, actual: None, variables: &variables })
            .ok_or_else(|| Trouble::new(Verdict::Failed, "the definition makes nothing of it"))
    }

    fn send_batch(&self, items: Vec<Json>) -> Result<(), Trouble> {
        let Some(batch) = &self.kind.batch else { return Ok(()) };
        let mut body = Json::Null;
        json::set(&mut body, &batch.items, Json::Array(items));
        let write = definition::Write { method: batch.method, path: batch.path.clone(), ..empty() };
        let variables = request::of_collection(&self.session.setup, self.kind, &self.collection());
        self.send(&write, &body, &variables, Vec::new()).map(drop)
    }
}

/// Holds what the server has now against what was written.
///
/// # Errors
/// It is something else: `accepted, but different`, field by field.
pub fn verify(
    session: &Session,
    change: &Change,
    place: &Place,
    found: Option<&Found>,
) -> Result<(), Trouble> {
    let Some(kind) = session.setup.definition.kind(&place.kind) else { return Ok(()) };
    let unknown = |why: &str| {
        Err(Trouble::new(Verdict::Uncertain, format!("it was written, but reading it back failed: {why}")))
    };
    match (found, &change.after) {
        (Some(Found::Absent | Found::NoParent) | None, None) => Ok(()),
        (Some(Found::Here(_)), None) => {
            Err(Trouble::new(Verdict::Failed, "it was deleted, and is still there"))
        }
        (Some(Found::Absent | Found::NoParent), Some(_)) => {
            Err(Trouble::new(Verdict::Failed, "it was written, and is not there"))
        }
        (Some(Found::Unknown(failure)), _) => unknown(&failure.message),
        (None, Some(_)) => unknown("nothing was answered"),
        (Some(Found::Here(raw)), Some(after)) => {
            let shape = json::from_model(after);
            let now = session.projected(kind, raw, &shape, Some(&shape));
            if now == *after {
                return Ok(());
            }
            let fields = differences(kind, &json::from_model(&now), &shape);
            Err(Trouble::new(
                Verdict::Failed,
                format!("the server accepted it, but has something different: {fields}"),
            ))
        }
    }
}

/// The fields in which what the server has is not what was written, by name and value.
fn differences(kind: &Kind, now: &Json, written: &Json) -> String {
    let form = Form::of(kind);
    let mut found = Vec::new();
    for (key, wanted) in written.as_object().into_iter().flatten() {
        let path = [key.clone()];
        let hidden = form.is_divided(&path)
            || form.field(&path).is_some_and(|field| field.sensitive || field.access == Access::WriteOnly);
        match now.get(key) {
            Some(has) if has == wanted => {}
            _ if hidden => found.push(format!("`/{key}`")),
            Some(has) => found.push(format!("`/{key}` is {has}, not {wanted}")),
            None => found.push(format!("`/{key}` is not there")),
        }
    }
    found.join(", ")
}
