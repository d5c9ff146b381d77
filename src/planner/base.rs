//! What Git says of the commits that a target's memory names.

use std::{collections::BTreeMap, rc::Rc};

use anyhow::Result;

use super::session::{ResolvedTarget, Session};
use crate::{
    exit::Exit,
    model::{
        address::Address,
        change::Action,
        diff::{Base, Bases},
        digest::Digest,
        object::{Desired, Object, Origin},
        path,
        record::{Owned, StoredRecord},
        revision::Revision,
        user_error::UserError,
        value::Value,
    },
};

/// Declarations of past commits, each read once.
pub struct BaseHistory<'a> {
    /// The checkout.
    pub session: &'a Session,
    /// The target.
    pub chosen: &'a ResolvedTarget,
    /// By commit: what it declares, or why that cannot be told.
    declared: BTreeMap<Digest, Result<Rc<Desired>, String>>,
}

impl<'a> BaseHistory<'a> {
    /// The past of a target of which `present` is declared now.
    pub fn of(
        session: &'a Session,
        chosen: &'a ResolvedTarget,
        present: Option<&Rc<Desired>>,
    ) -> BaseHistory<'a> {
        let mut declared = BTreeMap::new();
        let Revision { commit, dirty, merged, .. } = session.revision();
        if let (Some(desired), Some(commit), false) = (present, commit, *dirty || *merged) {
            declared.insert(*commit, Ok(desired.clone()));
        }
        BaseHistory { session, chosen, declared }
    }

    /// What `commit` declares for the target, or why that cannot be told.
    pub fn at(&mut self, commit: &Digest) -> Result<Rc<Desired>, String> {
        let read = || {
            self.session.declared_at(commit, self.chosen).map(Rc::new).map_err(|error| {
                format!(
                    "what was applied cannot be told, since commit {} is not readable here: {error:#}; fetch it, or call \
                     the target otherwise if another repository applies to one of this name",
                    commit.short()
                )
            })
        };
        self.declared.entry(*commit).or_insert_with(read).clone()
    }

    /// What was applied last, object by object: from the memory of the target
    /// where it says, else from the commit that it names.
    /// Takes the values out of the memory.
    pub fn bases(&mut self, memory: &mut StoredRecord) -> Bases {
        let kept = memory.record.as_ref().map(|record| record.kept.clone()).unwrap_or_default();
        let base = |(address, owned): (&Address, &mut Owned)| {
            let base = match (owned.base.take(), &owned.commit) {
                (Some(value), _) => Base::Known(value),
                (None, Some(commit)) => self.applied_value(commit, address, kept.get(address)),
                // It was applied from uncommitted files, and the target does not remember it.
                (None, None) => Base::Unremembered,
            };
            (address.clone(), base)
        };
        memory.owned.iter_mut().map(base).collect()
    }

    /// What Git declared when an object was applied last, if that can be told.
    pub fn declared(&mut self, memory: &StoredRecord, address: &Address) -> Option<Value> {
        let commit = memory.owned.get(address)?.commit?;
        self.applied_value(&commit, address, memory.kept(address)).value().cloned()
    }

    /// What `commit` declares, with the fields that were `kept` then as the commits declare them that they are at.
    fn applied_value(
        &mut self,
        commit: &Digest,
        address: &Address,
        kept: Option<&BTreeMap<String, Digest>>,
    ) -> Base {
        let mut base = self.declared_value(commit, address);
        for (path, commit) in kept.into_iter().flatten() {
            match (&mut base, self.declared_value(commit, address)) {
                (Base::Known(base), Base::Known(then)) => {
                    path::copy_at(base, &path::place(path), Some(&then))
                }
                (Base::Known(_), lost) => return lost,
                (Base::Lost(_) | Base::Unremembered, _) => return base,
            }
        }
        base
    }

    fn declared_value(&mut self, commit: &Digest, address: &Address) -> Base {
        match self.at(commit) {
            Ok(desired) => match desired.objects.get(address).and_then(|object| object.value.clone()) {
                Some(value) => Base::Known(value),
                None => Base::Lost(format!("commit {} does not declare it", commit.short())),
            },
            Err(why) => Base::Lost(why),
        }
    }

    /// What an interrupted apply was about to write.
    pub fn attempted(&mut self, memory: &StoredRecord) -> BTreeMap<Address, Value> {
        let attempt = memory.record.as_ref().and_then(|record| record.attempting.as_ref());
        let Some((attempt, commit)) = attempt.and_then(|attempt| Some((attempt, attempt.revision.commit?)))
        else {
            return BTreeMap::new();
        };
        let Ok(desired) = self.at(&commit) else { return BTreeMap::new() };
        attempt
            .changes
            .iter()
            .filter(|(_, action)| *action != Action::Delete)
            .filter_map(|(address, _)| Some((address.clone(), desired.objects.get(address)?.value.clone()?)))
            .collect()
    }

    /// The revision that the record names, with its exclusive collections; its
    /// objects follow with [`BaseHistory::restore`].
    ///
    /// # Errors
    /// Nothing was ever applied (66).
    pub fn recorded(&mut self, memory: &StoredRecord) -> Result<(Revision, Rc<Desired>)> {
        let record = memory.record.as_ref();
        let applied = record.and_then(|record| record.applied.as_ref()).map(|applied| &applied.revision);
        let attempted = record.and_then(|record| record.attempting.as_ref()).map(|attempt| &attempt.revision);
        // A first apply that was done in part has left objects behind all the same.
        let partly = record.filter(|_| !memory.owned.is_empty()).and_then(|record| record.history.first());
        let Some(revision) = applied.or(attempted).or(partly.map(|past| &past.revision)) else {
            let message = format!("nothing was ever applied to target `{}`", self.chosen.target.name);
            let hint = "`trueup plan` compares it with Git; `trueup apply` starts the record";
            return Err(UserError::new(Exit::NoInput, message).hint(hint).into());
        };
        let mut desired = Desired::default();
        if let Some(commit) = &revision.commit {
            match self.at(commit) {
                Ok(then) => desired.exclusive = then.exclusive.clone(),
                Err(why) => desired.notes.push(format!("{why}; exclusive collections were not listed")),
            }
        }
        Ok((revision.clone(), Rc::new(desired)))
    }

    /// Declares what was applied last.
    pub fn restore(&mut self, bases: &Bases, revision: &Revision) -> BTreeMap<Address, Object> {
        let then = revision.commit.as_ref().and_then(|commit| self.at(commit).ok());
        let origin = |address: &Address| Some(then.as_ref()?.objects.get(address)?.origin.clone());
        let object = |(address, base): (&Address, &Base)| {
            let Base::Known(value) = base else { return None };
            let origin = origin(address).unwrap_or_else(|| Origin::new(address.as_str(), None));
            Some((address.clone(), Object { value: Some(value.clone()), origin }))
        };
        bases.iter().filter_map(object).collect()
    }
}
