//! One change: its precondition and its requests.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::write_error::Trouble;
use crate::{
    model::{
        change::{Action, Change},
        report::Verdict,
    },
    providers::rest::{
        client::{
            json,
            request::{self, WriteSides},
            session::Session,
            transport::{Answer, Content, Request, Sender},
        },
        compare::{projection::Projection, secret_fingerprints},
        declare::{
            address::{Collection, Place},
            references, secrets,
        },
        definition::{Call, ErrorClass as Class, Kind, Write},
        read::{
            collection_reader::{Found, Gathered},
            envelope,
        },
        template::{Ingredients, Variables},
    },
};

/// What became of a change: what the server says of the object now, if it does.
pub type Made = Result<Option<Json>, Trouble>;

/// What a write says of the version that it means.
#[derive(Clone, Default)]
pub struct Precondition {
    /// Its headers.
    pub headers: Vec<(String, String)>,
    /// Its part of the query.
    pub query: Option<(String, String)>,
}

/// What an object lives in, if a server may have made the object together with that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Within {
    /// Something that this run made: what is there came with it.
    Made,
    /// Something that was there.
    Old,
}

/// One change on its way.
pub struct Job<'a> {
    /// The target.
    pub session: &'a Session,
    sender: &'a Sender,
    /// The change.
    pub change: &'a Change,
    /// Where its object is.
    pub place: &'a Place,
    /// The kind of that.
    pub kind: &'a Kind,
    /// What the server holds right now.
    pub now: Found,
    /// Whether it lives in something that this run made.
    pub within: Within,
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
        within: Within,
    ) -> Self {
        let kind = &session.definition().kinds[&place.kind];
        let answers = fresh.get(&place.collection());
        let old = session.seen.get(&change.address).and_then(|raw| Projection::of(kind).identity(raw));
        let keys = old.unwrap_or_else(|| place.keys.clone());
        let now = answers.map_or(Found::Absent, |answers| answers.get(&keys));
        let desired = desired(session, change);
        Job { session, sender, change, place, kind, now, within, desired }
    }

    /// Makes the change.
    pub fn run(&self) -> Made {
        let raw = self.check()?;
        match self.change.action {
            // Nothing here has owners of single fields to claim.
            Action::Keep | Action::Claim | Action::Release => Ok(None),
            Action::Update if raw.is_none() && self.change.sides.actual.is_none() => {
                Err(Trouble::new(Verdict::Stale, "it is gone since it was written in this run"))
            }
            Action::Create | Action::Update | Action::Adopt if raw.is_none() => self.create(),
            Action::Create | Action::Update | Action::Adopt => self.update(raw.as_ref()),
            Action::Delete => self.delete(raw.as_ref()).map(|()| None),
            Action::Replace => {
                self.delete(raw.as_ref())?;
                self.create().map_err(Trouble::after_delete)
            }
        }
    }

    /// Makes sure that the object still is what the plan saw.
    pub fn check(&self) -> Result<Option<Json>, Trouble> {
        let stale =
            |what: &str| Trouble::new(Verdict::Stale, format!("{what} since the plan; it was left alone"));
        match (&self.now, &self.change.sides.actual) {
            (Found::Unknown(failure), _) => Err(Trouble::before(failure)),
            (Found::Absent | Found::NoParent, None) => Ok(None),
            (Found::Absent | Found::NoParent, Some(_)) if self.change.action == Action::Delete => Ok(None),
            // It went along with what this run replaced, or came along with that.
            (Found::Absent | Found::NoParent, Some(_)) if self.within == Within::Made => Ok(None),
            (Found::Here(raw), _) if self.within == Within::Made => Ok(Some(raw.clone())),
            (Found::Absent | Found::NoParent, Some(_)) => Err(stale("it is gone")),
            (Found::Here(_), None) => Err(stale("somebody made it")),
            (Found::Here(raw), Some(actual)) => {
                let actual_json = json::from_model(actual);
                let declared = self.change.sides.desired.as_ref().or(self.change.sides.base.as_ref());
                let shape = declared.map_or_else(|| Projection::of(self.kind).export(raw), json::from_model);
                let now = self.session.projected(&Projection::of(self.kind), raw, &shape, Some(&actual_json));
                let same =
                    now == *actual || self.visible(&json::from_model(&now)) == self.visible(&actual_json);
                if same { Ok(Some(raw.clone())) } else { Err(stale("it changed")) }
            }
        }
    }

    /// `object` without what the server never answers.
    fn visible(&self, object: &Json) -> Json {
        let mut object = object.clone();
        let hidden = self.kind.fields.iter().filter(|(_, field)| !field.access.is_answered());
        hidden.for_each(|(pointer, _)| _ = json::remove(&mut object, pointer));
        object
    }

    /// What is to be written.
    pub fn desired(&self) -> Result<&Json, Trouble> {
        self.desired.as_ref().map_err(|message| Trouble::new(Verdict::Failed, message.clone()))
    }

    /// The names that its templates may use.
    pub fn variables(&self, raw: Option<&Json>) -> Result<Variables, Trouble> {
        match self.session.variables(self.kind, &self.place.collection()) {
            Ok(variables) => {
                let mut variables = request::of_object(variables, self.kind, self.place, raw);
                if let (None, Ok(desired)) = (raw, &self.desired) {
                    // What is made gets the name that is declared, in the case of that.
                    variables.extend(request::names(self.kind, desired));
                }
                Ok(variables)
            }
            Err(Found::Unknown(failure)) => Err(Trouble::before(&failure)),
            Err(_) => Err(Trouble::new(Verdict::Failed, "what it lives in is not there")),
        }
    }

    fn update(&self, raw: Option<&Json>) -> Made {
        let desired = self.desired()?;
        let came_along = || Projection::of(self.kind).project(raw?, desired, None).into();
        let planned = self.change.sides.actual.as_ref().filter(|_| self.within == Within::Old);
        let mut actual = planned.map(json::from_model).or_else(came_along);
        if let Some(actual) = &mut actual {
            references::replace(actual, &|reference| self.session.resolve(reference));
            // An unchanged secret is no reason to write; filled in, it equals what is desired.
            secrets::fill_known(actual, &self.session.setup.folder);
        }
        let sides = WriteSides { desired, actual: actual.as_ref(), raw };
        let write = self.kind.update.as_ref();
        let answer = write.map_or(Ok(None), |write| self.differing(write, &sides))?;
        let asked = self.fields(desired, actual.as_ref(), raw)?;
        if let (true, Some(ready)) = (asked || answer.is_some(), self.ready()?) {
            return Ok(Some(ready));
        }
        let told = write.zip(answer).and_then(|(write, answer)| self.returned(write, &answer));
        Ok(told.filter(|_| !asked))
    }

    /// Sends an update, if anything differs besides fields with requests of their own.
    pub fn differing(&self, write: &Write, sides: &WriteSides<'_>) -> Result<Option<Answer>, Trouble> {
        if !self.differs_besides_own(sides.desired, sides.actual) {
            return Ok(None);
        }
        let variables = self.variables(sides.raw)?;
        match request::content(self.kind, write, sides, &variables) {
            Some(content) => {
                self.send(&write.call(), &content, &variables, &self.versioned(sides.raw)).map(Some)
            }
            None => Ok(None),
        }
    }

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
    pub fn fields(&self, desired: &Json, actual: Option<&Json>, raw: Option<&Json>) -> Result<bool, Trouble> {
        let mut asked = false;
        for action in &self.kind.actions {
            let (want, have) =
                (desired.pointer(&action.field), actual.and_then(|actual| actual.pointer(&action.field)));
            if want.is_none() || want == have {
                continue;
            }
            let variables = self.variables(raw)?;
            let with = Ingredients { actual: raw, ..Ingredients::of(desired, &variables) };
            let body = action.request.template.as_ref().and_then(|template| template.fill(&with));
            let content = body.map_or(Content::Nothing, Content::Json);
            // The version that was seen went with the update before.
            self.send(&action.request.call(), &content, &variables, &Precondition::default())?;
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
        let variables = self.variables(raw)?;
        let names = self.names();
        let with = Ingredients { actual: raw, ..Ingredients::of(&names, &variables) };
        let body = delete.template.as_ref().and_then(|template| template.fill(&with));
        let content = body.map_or(Content::Nothing, Content::Json);
        match self.send(&delete.call(), &content, &variables, &self.versioned(raw)) {
            // Gone is gone.
            Err(trouble) if trouble.class == Some(Class::Absent) => Ok(()),
            Err(trouble) => Err(trouble),
            Ok(_) => self.gone(),
        }
    }

    /// The names of the object at their places, as the server packs them.
    pub fn names(&self) -> Json {
        let mut names = Json::Null;
        for (key, value) in self.kind.identity.keys.iter().zip(&self.place.keys) {
            json::set(&mut names, key, Json::String(value.clone()));
        }
        Projection::of(self.kind).encode(&mut names);
        names
    }

    /// What says that the version of `raw` is meant.
    fn versioned(&self, raw: Option<&Json>) -> Precondition {
        let Some(version) = &self.kind.version else { return Precondition::default() };
        let value = raw.and_then(|raw| json::text(raw.pointer(&version.from)?));
        let sent = |name: &Option<String>| name.clone().zip(value.as_ref().map(|value| version.sent(value)));
        Precondition { headers: sent(&version.header).into_iter().collect(), query: sent(&version.query) }
    }

    /// Sends a request of this change.
    pub fn send(
        &self,
        call: &Call<'_>,
        content: &Content,
        variables: &Variables,
        expected: &Precondition,
    ) -> Result<Answer, Trouble> {
        let mut url =
            request::url(&self.session.setup, call.path, call.query, variables).map_err(Trouble::of)?;
        if let Some((name, value)) = &expected.query {
            url.query_pairs_mut().append_pair(name, value);
        }
        let hidden = self.secrets();
        let request = Request {
            method: call.method.into(),
            url,
            content,
            content_type: call.content_type,
            headers: expected.headers.clone(),
            success: call.success,
            hidden: &hidden,
        };
        self.sender.send(&request).map_err(Trouble::of)
    }

    /// What no error text may show, though a server may say it back: also what it has itself, some of which is sent
    /// along.
    fn secrets(&self) -> Vec<String> {
        let here = match &self.now {
            Found::Here(raw) => Some(raw),
            _ => None,
        };
        let objects = self.desired.as_ref().ok().into_iter().chain(here);
        objects.flat_map(|object| request::secrets(self.kind, object)).collect()
    }

    /// The object in an answer, in normal form.
    pub fn returned(&self, write: &Write, answer: &Answer) -> Option<Json> {
        let mut object =
            answer.body.pointer(write.returns.as_ref()?).filter(|object| object.is_object())?.clone();
        envelope::join(self.kind, &mut object, &answer.body);
        let form = Projection::of(self.kind);
        form.decode(&mut object);
        form.normalize(&mut object);
        Some(object)
    }
}

/// What is to be written, with references and secrets in their places.
fn desired(session: &Session, change: &Change) -> Result<Json, String> {
    let mut desired = change.after.as_ref().map(json::from_model).unwrap_or(Json::Null);
    secret_fingerprints::leave_out(&mut desired);
    references::replace(&mut desired, &|reference| session.resolve(reference));
    if let Some(left) = references::all(&desired).first() {
        return Err(format!("what it needs of `{left}` is not known"));
    }
    secrets::fill(&mut desired, &session.setup.folder)?;
    Ok(desired)
}
