//! A target as a plan sees it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use super::collection_reader::{Found, Gathered};
use crate::{
    exit::Exit,
    model::{
        address::Address,
        attached::Attached,
        change::Change,
        diff::Candidate,
        explain::{Basis, Cost, Reason},
        object::{Actual, Cause, Observed},
        record::StoredRecord,
        tree::Contents,
        user_error::UserError,
    },
    providers::{
        Query, Reader, evidence,
        rest::{
            client::session::Session,
            declare::address::{Collection, Place},
            definition::ErrorClass as Class,
            options::TargetConfig,
        },
    },
};

impl Reader for Session {
    fn id(&self) -> String {
        let scope: Vec<&str> = self.setup.options.scope.values().map(String::as_str).collect();
        let scope = if scope.is_empty() { String::new() } else { format!(" {}", scope.join("/")) };
        format!("{} {}{scope}", self.setup.definition.provider, self.setup.base)
    }

    fn memory(&mut self) -> Result<StoredRecord> {
        let id = self.id();
        let (mut memory, prints) = self.store.load(&self.setup, &self.getter, &id)?;
        self.prints = prints;
        rename(&self.setup, &mut memory);
        let applied = memory.record.as_ref().and_then(|record| record.applied.as_ref());
        self.applied_at = applied.and_then(|applied| applied.at.parse().ok());
        Ok(memory)
    }

    fn prefetch(&mut self, memory: &StoredRecord) {
        self.begin(memory);
    }

    fn observe(&mut self, query: &Query<'_>) -> Result<Actual> {
        self.against_record = query.declared.is_none();
        self.adopting = query.adopting;
        let (wanted, strangers) = self.wanted(query);
        self.getter.settle();
        let early = query.declared.is_some_and(|declared| self.is_bounded(declared));
        let probe = || early.then(|| self.probe()).flatten();
        let (server, mut gathered) = rayon::join(probe, || self.gather(&wanted));
        self.getter.forget();
        unreachable(&gathered)?;
        let mut actual = Actual { notes: self.setup.notes.clone(), ..Actual::default() };
        actual.notes.extend(self.meet(server));
        self.check_release(query.declared.unwrap_or(&BTreeMap::new()))?;
        self.see(query, &wanted, &mut gathered);
        self.look(query, &gathered, &mut actual);
        for address in strangers {
            let message = "the definition knows no object of that kind any more".to_owned();
            actual.objects.insert(address, Observed::Unknown { cause: Cause::Other, message });
        }
        self.strangers(query, &wanted, &gathered, &mut actual)?;
        if !early && evidence::differs(query, &actual) {
            let server = self.probe();
            actual.notes.extend(self.meet(server));
        }
        actual.notes.extend(self.unseen(query));
        actual.notes.extend(self.without_effect(query));
        self.kinds = gathered.keys().map(|collection| &collection.kind).collect::<BTreeSet<_>>().len();
        self.reasons = evidence::explain(query, &actual, |address| how_read(&self.setup, &gathered, address));
        Ok(actual)
    }

    fn complete(&mut self, candidates: &mut [Candidate], _: &dyn Contents) -> Result<()> {
        candidates.iter_mut().try_for_each(|candidate| self.complete_one(candidate))
    }

    fn attached(&mut self, changes: &[Change], in_sync: &[Address]) -> Result<Vec<Attached>> {
        Ok(Session::attached(self, changes, in_sync))
    }

    fn explain(&self, address: &Address) -> Vec<Reason> {
        self.reasons.get(address).cloned().unwrap_or_default()
    }

    fn cost(&self) -> Option<Cost> {
        Some(self.getter.meter().cost(self.kinds))
    }
}

/// Calls what is ours by its address of today, which the definition may have changed: names with wildcards once stood
/// there as they are, and case may have counted.
fn rename(setup: &TargetConfig, memory: &mut StoredRecord) {
    let may_be_old = |text: &str| {
        text.bytes().any(|byte| byte.is_ascii_uppercase()) || text.contains(['*', '?', '{', '}'])
    };
    let old = |address: &&Address| may_be_old(address.as_str());
    let old: Vec<Address> = memory.owned.keys().filter(old).cloned().collect();
    for address in old {
        if let Some(place) = Place::meant(&setup.definition, &address).map(|place| place.address())
            && place != address
            && let Some(owned) = memory.owned.remove(&address)
        {
            memory.owned.entry(place).or_insert(owned);
        }
    }
}

/// Which request an object is from, and what that request shows.
fn how_read(
    setup: &TargetConfig,
    gathered: &BTreeMap<Collection, Gathered>,
    address: &Address,
) -> Vec<Reason> {
    let Some(place) = Place::parse(&setup.definition, address) else { return Vec::new() };
    let Some(answers) = gathered.get(&place.collection()) else { return Vec::new() };
    let (kind, scope) = (&place.kind, place.scope.join("/"));
    let of = if scope.is_empty() { String::new() } else { format!(" of {scope}") };
    vec![Basis::Read.says(match (answers.listed, &answers.incomplete) {
        (false, _) => "asked for by itself".to_owned(),
        (true, None) => format!("by the list of {kind}{of}, which was read to its end and shows everything"),
        (true, Some(why)) => {
            format!("by the list of {kind}{of}, which does not show everything: {}", why.message)
        }
    })]
}

/// A target that answers nothing at all is an error of the whole.
fn unreachable(gathered: &BTreeMap<Collection, Gathered>) -> Result<()> {
    let mut failures = Vec::new();
    for found in gathered.values().flat_map(|answers| answers.found.values()) {
        match found {
            Found::Unknown(failure) if matches!(failure.class, Class::Unavailable) => failures.push(failure),
            _ => return Ok(()),
        }
    }
    match failures.first() {
        Some(failure) => Err(UserError::new(Exit::Unavailable, failure.message.clone()).into()),
        None => Ok(()),
    }
}
