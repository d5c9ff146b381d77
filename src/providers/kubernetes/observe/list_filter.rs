//! What a list tells of each object: as declared, or worth a closer look. Nothing else is kept of it.

use std::{collections::BTreeSet, sync::Arc};

use globset::GlobSet;

use super::{
    explain,
    query::{Asked, Group, key},
};
use crate::{
    model::{address::Address, explain::Reason, ignore::Ignored, value::Value},
    providers::kubernetes::{
        manifest::names::{Kind, Name},
        ownership::{
            ignore_rules::{Declared, Ignoring},
            managed,
            ownership_labels::{self, is_deleting, ownership_mismatch, whole, with_ownership_labels},
            unmanaged,
        },
    },
};

/// What is asked about the objects of one kind.
pub struct Sieve {
    pub kind: Kind,
    pub group: Group,
    /// The label of the set.
    pub label: String,
    pub human_field_managers: Arc<GlobSet>,
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
pub struct Found {
    pub what: What,
    /// The programs that own fields which nobody declares, each with how many.
    pub external: Vec<(String, usize)>,
    /// Why, where that is to be explained.
    pub reasons: Vec<Reason>,
}

/// What an object of a list is.
pub enum What {
    /// As declared. By key, with what rules left to others, and where it is needed, what the server has.
    Same(String, Vec<Ignored>, Option<Value>),
    /// It may differ. By key, with what the server has.
    Candidate(String, Value),
    /// Ours by every mark, and nobody asked for it.
    Stranger(Name, Value),
}

impl Sieve {
    /// Looks at an object of a list. `None` if it is nobody's business.
    pub fn classify(&self, item: Value) -> Option<Found> {
        let live = whole(&self.kind, item);
        let (namespace, name) =
            (ownership_labels::metadata(&live, "namespace"), ownership_labels::metadata(&live, "name")?);
        let key = key(namespace, name);
        match self.group.asked.get(&key) {
            Some(asked) => Some(self.judge(&self.ignoring, key, asked, live)),
            None => self.stranger(live),
        }
    }

    /// Whether an object is as declared, with a reason why or why not.
    pub fn judge(&self, ignoring: &Ignoring, key: String, asked: &Asked, live: Value) -> Found {
        let external = unmanaged::external(&live, &self.human_field_managers).into_iter();
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
        let config =
            with_ownership_labels(sent.as_ref().unwrap_or(wanted), &self.label, &asked.name.identity());
        let from = managed::From::of(asked.base.as_ref(), wanted);
        let verdict = managed::unchanged(&config, live, &self.kind.api_version(), from);
        if self.explained.contains(&asked.address) {
            reasons.extend(explain::verdict(live, &verdict));
        }
        if verdict.is_err() || self.verify || is_deleting(live) {
            return None;
        }
        let by_hand = unmanaged::by_hand(live, &self.human_field_managers);
        let ignored = declared.effects(live, &by_hand);
        (!unmanaged::has_more(&by_hand, &ignored)).then_some(ignored)
    }

    /// A member of the set that nobody asked for: of note if it is ours, not if a controller made a copy of one that is.
    fn stranger(&self, live: Value) -> Option<Found> {
        let name = ownership_labels::metadata(&live, "name")?.to_owned();
        let namespace = ownership_labels::metadata(&live, "namespace").map(str::to_owned);
        let name = Name { kind: self.kind.clone(), namespace, name };
        let is_ours = ownership_mismatch(&name, &live, &self.label).is_none();
        is_ours.then(|| Found { what: What::Stranger(name, live), external: Vec::new(), reasons: Vec::new() })
    }
}
