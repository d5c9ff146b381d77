//! What a list tells of each object: as declared, or worth a closer look. Nothing else is kept of it.

use std::{collections::BTreeSet, sync::Arc};

use globset::GlobSet;

use super::{
    asked::{Asked, Group, key},
    explain,
    ignoring::{Declared, Ignoring},
    managed,
    marks::{self, doubt, is_deleting, marked, whole},
    names::{Kind, Name},
    strangers,
};
use crate::model::{address::Address, explain::Reason, ignore::Ignored, value::Value};

/// What is asked about the objects of one kind.
pub(super) struct Sieve {
    pub kind: Kind,
    pub group: Group,
    /// The label of the set.
    pub label: String,
    pub humans: Arc<GlobSet>,
    pub ignoring: Arc<Ignoring>,
    /// What is to be explained.
    pub explained: BTreeSet<Address>,
    /// Nothing is taken to be as declared without asking: what the server makes of an apply can be another thing since
    /// somebody brought a webhook or a policy.
    pub verify: bool,
    /// What is as it was applied and not declared any more is kept: it will be deleted.
    pub keeps_leaving: bool,
}

/// What was found out about an object of a list.
pub(super) struct Found {
    pub what: What,
    /// The programs that own fields which nobody declares, each with how many.
    pub external: Vec<(String, usize)>,
    /// Why, where that is to be explained.
    pub reasons: Vec<Reason>,
}

/// What an object of a list is.
pub(super) enum What {
    /// As declared. By key, with what rules left to others, and where it is needed, what the server has.
    Same(String, Vec<Ignored>, Option<Value>),
    /// It may differ. By key, with what the server has.
    Candidate(String, Value),
    /// Ours by every mark, and nobody asked for it.
    Stranger(Name, Value),
}

impl Sieve {
    /// Looks at an object of a list. `None` if it is nobody's business.
    pub(super) fn sift(&self, item: Value) -> Option<Found> {
        let live = whole(&self.kind, item);
        let (namespace, name) = (marks::metadata(&live, "namespace"), marks::metadata(&live, "name")?);
        let key = key(namespace, name);
        match self.group.asked.get(&key) {
            Some(asked) => Some(self.judge(&self.ignoring, key, asked, live)),
            None => self.stranger(live),
        }
    }

    /// Whether an object is as declared, with a reason why or why not.
    pub(super) fn judge(&self, ignoring: &Ignoring, key: String, asked: &Asked, live: Value) -> Found {
        let external = strangers::external(&live, &self.humans).into_iter();
        let external = external.map(|(manager, fields)| (manager.to_owned(), fields)).collect();
        let mut reasons = Vec::new();
        let what = match self.ignored(ignoring, asked, &live, &mut reasons) {
            Some(ignored) => {
                let keeps = self.keeps_leaving && asked.desired.is_none();
                What::Same(key, ignored, keeps.then_some(live))
            }
            None => What::Candidate(key, live),
        };
        Found { what, external, reasons }
    }

    /// What rules leave to others in an object that is as declared; none if it may not be.
    fn ignored(
        &self,
        ignoring: &Ignoring,
        asked: &Asked,
        live: &Value,
        reasons: &mut Vec<Reason>,
    ) -> Option<Vec<Ignored>> {
        let wanted = asked.wanted()?;
        let rules = ignoring.about(&asked.address, &asked.name, Some(wanted));
        let was = asked.desired.as_ref().and(asked.base.as_ref());
        let declared = Declared { rules: &rules, was, is: Some(wanted), left: &[] };
        let sent = declared.effective(live);
        let config = marked(sent.as_ref().unwrap_or(wanted), &self.label, &asked.name.identity());
        let from = managed::From::of(asked.base.as_ref(), wanted);
        let verdict = managed::unchanged(&config, live, &self.kind.api_version(), from);
        if self.explained.contains(&asked.address) {
            reasons.extend(explain::verdict(live, &verdict));
        }
        if verdict.is_err() || self.verify || is_deleting(live) {
            return None;
        }
        let by_hand = strangers::by_hand(live, &self.humans);
        let ignored = declared.effects(live, &by_hand);
        (!strangers::has_more(&by_hand, &ignored)).then_some(ignored)
    }

    /// A member of the set that nobody asked for: of note if it is ours, not if a controller made a copy of one that is.
    fn stranger(&self, live: Value) -> Option<Found> {
        let name = marks::metadata(&live, "name")?.to_owned();
        let namespace = marks::metadata(&live, "namespace").map(str::to_owned);
        let name = Name { kind: self.kind.clone(), namespace, name };
        let is_ours = doubt(&name, &live, &self.label).is_none();
        is_ours.then(|| Found { what: What::Stranger(name, live), external: Vec::new(), reasons: Vec::new() })
    }
}
