//! How an object is made: where, at most once, and with what creation ignores.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::{
    job::{Job, Made, Precondition},
    write_error::Trouble,
};
use crate::{
    model::report::Verdict,
    providers::rest::{
        client::{
            json,
            request::{self, WriteSides},
            transport::{Answer, Content},
        },
        compare::projection::Projection,
        definition::{Call, ErrorClass as Class, NameCase, Write, write::Provided},
        read::collection_reader::Found,
        template::{self, Variables},
    },
};

impl Job<'_> {
    /// Makes the object, and says again what its creation ignored.
    pub fn create(&self) -> Made {
        let cannot = || Trouble::new(Verdict::Failed, "this API cannot make one");
        let write = self.kind.create.as_ref().ok_or_else(cannot)?;
        let desired = self.desired()?;
        let variables = self.variables(None)?;
        let content =
            request::content(self.kind, write, &WriteSides { desired, actual: None, raw: None }, &variables);
        let content = content.unwrap_or_default();
        let headers = self.kind.version.iter().filter_map(|version| version.absent.clone()).collect();
        let absent = Precondition { headers, query: None };
        let send = || self.send_somewhere(write, &content, &variables, &absent);
        let answer = match send() {
            // A create without an answer is sent once more if the object is not there; never blindly.
            Err(trouble) if trouble.verdict == Verdict::Uncertain => match self.session.read(self.place) {
                Found::Absent => Some(send()?),
                Found::Here(_) => None,
                _ => return Err(trouble),
            },
            other => Some(other?),
        };
        let made = match self.ready()? {
            None => answer.and_then(|answer| self.returned(write, &answer)),
            ready => ready,
        };
        let asked = self.fields(desired, None, made.as_ref())?;
        match made {
            Some(made) if write.update_after_create => self.follow_up(desired, &made, asked),
            made => Ok(made.filter(|_| !asked)),
        }
    }

    /// Sends a create to its path, or to the first of the others where there is no such place.
    fn send_somewhere(
        &self,
        write: &Write,
        content: &Content,
        variables: &Variables,
        absent: &Precondition,
    ) -> Result<Answer, Trouble> {
        let mut sent = self.send(&write.call(), content, variables, absent);
        for other in &write.fallback {
            let nowhere = matches!(&sent, Err(trouble) if trouble.class == Some(Class::Absent));
            let provided = other.when.as_ref();
            if nowhere && provided.map_or(Ok(true), |provided| self.provided(provided, variables))? {
                let call = Call { path: &other.path, ..write.call() };
                let instead = format!("at `{}`, as there is no such place as `{}`", other.path, write.path);
                sent = self.send(&call, content, variables, absent);
                sent = sent.map_err(|trouble| trouble.with(&instead));
            }
        }
        sent
    }

    /// Whether the server says what has to hold.
    fn provided(&self, provided: &Provided, variables: &Variables) -> Result<bool, Trouble> {
        let wrong = |message| Trouble::new(Verdict::Failed, message);
        let is = template::text(&provided.is, variables).map_err(wrong)?;
        let url = request::url(&self.session.setup, &provided.get, &BTreeMap::new(), variables);
        let answer = url.and_then(|url| self.session.getter.get(&url));
        let answer = answer.map_err(|failure| Trouble::before(&failure))?;
        let said = answer.body.pointer(&provided.pointer).and_then(json::text);
        let scope = self.kind.scope.as_ref();
        let insensitive = scope.is_some_and(|scope| self.session.definition().is_insensitive(scope));
        let fold = if insensitive { NameCase::Insensitive } else { NameCase::None };
        Ok(said.is_some_and(|said| fold.same(&said, &is)))
    }

    /// Sends again what creation ignored.
    fn follow_up(&self, desired: &Json, made: &Json, asked: bool) -> Made {
        let actual = Projection::of(self.kind).project(made, desired, Some(desired));
        let sides = WriteSides { desired, actual: Some(&actual), raw: Some(made) };
        let sent = match &self.kind.update {
            Some(update) => self.differing(update, &sides)?.is_some(),
            None => false,
        };
        Ok((!sent && !asked).then(|| made.clone()))
    }
}
