//! A closer look at what differs: what goes with a delete, what the server would refuse, what cannot be changed.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use serde_json::Value as Json;

use super::pages;
use crate::{
    exit::Exit,
    model::{diff::Candidate, object::Cause, user_error::UserError},
    providers::rest::{
        client::{json, request, session::Session},
        compare::projection::Projection,
        declare::address::Place,
        definition::{Access, Kind, List, Rule, kind::Cascade, list::PageStyle},
        template::Variables,
    },
};

impl Session {
    /// Completes what the plan has to know of one object.
    ///
    /// # Errors
    /// A declaration that the server could never hold.
    pub fn complete_one(&self, candidate: &mut Candidate) -> Result<()> {
        let Some(place) = Place::parse(self.definition(), &candidate.address) else { return Ok(()) };
        let Some(kind) = self.definition().kind(&place.kind).filter(|_| candidate.unknown.is_none()) else {
            return Ok(());
        };
        let raw = self.seen.get(&candidate.address);
        if let (Some(raw), None) = (raw, &candidate.sides.desired) {
            self.cascades(kind, &place, raw, candidate);
        }
        let wanted = candidate.sides.desired.as_ref().map(json::from_model);
        if let Some(rule) = &kind.protected_when
            && raw.into_iter().chain(&wanted).any(|object| rule.holds(object))
            && candidate.sides.desired != candidate.sides.actual
        {
            let message = format!(
                "the server protects it (`{rule}`); take it out of the declarations, or lift that there"
            );
            candidate.unknown = Some((Cause::NoPermission, message));
        }
        self.rotate(candidate);
        let Some(desired) = wanted else { return Ok(()) };
        if let Some(message) = self.impossible(kind, &desired, raw, candidate.sides.actual.is_some()) {
            let place = candidate.origin.as_ref().map(|origin| format!("`{}`: ", origin.at("")));
            let message = format!("{}`{}`: {message}", place.unwrap_or_default(), candidate.address);
            return Err(UserError::new(Exit::BadDesired, message).into());
        }
        if let Some(actual) = candidate.sides.actual.as_ref().map(json::from_model) {
            candidate.replace = replacement(kind, &desired, &actual);
            if candidate.replace.is_some()
                && let Some(raw) = raw
            {
                self.cascades(kind, &place, raw, candidate);
            }
            if let Some(base) = &mut candidate.sides.base {
                let (form, mut filled) = (Projection::of(kind), json::from_model(base));
                form.fill_undeclared(&mut filled, &desired, &actual);
                *base = form.to_model(&filled);
            }
        }
        Ok(())
    }

    /// Why the server could never hold `desired`, if so.
    fn impossible(&self, kind: &Kind, desired: &Json, raw: Option<&Json>, there: bool) -> Option<String> {
        if !there {
            let missing = kind.fields.iter().find(|(pointer, field)| {
                field.required && self.has(&field.since, &field.until) && desired.pointer(pointer).is_none()
            });
            if let Some((pointer, _)) = missing {
                let name = if kind.fields[pointer].is_hidden() { NAMED } else { "" };
                return Some(format!("it is not there yet and cannot be made without `{pointer}`{name}"));
            }
            if kind.create.is_none() && kind.batch.is_none() {
                return Some("it is not there, and this API cannot make one".to_owned());
            }
        }
        let mut whole = raw.cloned().unwrap_or(Json::Null);
        merge(&mut whole, desired);
        let broken = |rule: &&Rule| {
            let object = if rule.declared { desired } else { &whole };
            rule.when.holds(object) && !rule.need.holds(object)
        };
        let rule = kind.validate.iter().find(broken)?;
        Some(format!("where `{}`, the server wants `{}`", rule.when, rule.need))
    }

    /// Notes what goes with an object that is to be deleted.
    fn cascades(&self, kind: &Kind, place: &Place, raw: &Json, candidate: &mut Candidate) {
        for cascade in &kind.cascades {
            let count = self.count(cascade, kind, place, raw);
            if cascade.counts {
                // What cannot be counted is one at least: the consent to it is needed all the same.
                candidate.cascade += count.map_or(1, |count| usize::try_from(count).unwrap_or(usize::MAX));
            }
            candidate.notes.extend(match count {
                Some(0) => None,
                Some(count) => Some(format!("deleting it deletes {count} {} with it", cascade.what)),
                None => Some(format!("deleting it deletes its {}, which could not be counted", cascade.what)),
            });
        }
    }

    fn count(&self, cascade: &Cascade, kind: &Kind, place: &Place, raw: &Json) -> Option<u64> {
        let variables = self.variables(kind, &place.collection()).ok()?;
        let variables = request::of_object(variables, kind, place, Some(raw));
        if cascade.page.style != PageStyle::None {
            return self.count_pages(cascade, &variables);
        }
        let url = request::url(&self.setup, &cascade.path, &BTreeMap::new(), &variables).ok()?;
        let answer = self.getter.get(&url).ok()?;
        if let Some(header) = &cascade.total_header {
            return answer.headers.get(header)?.to_str().ok()?.trim().parse().ok();
        }
        match answer.body.pointer(&cascade.count)? {
            Json::Array(items) => Some(items.len() as u64),
            other => other.as_u64(),
        }
    }

    fn count_pages(&self, cascade: &Cascade, variables: &Variables) -> Option<u64> {
        let (path, items, page) = (cascade.path.clone(), cascade.count.clone(), cascade.page.clone());
        let list = List { path, items, page, ..List::default() };
        let all =
            pages::list(&self.getter, &self.setup, &list, variables, &|_| None, &BTreeSet::new()).ok()?;
        all.truncated.is_none().then_some(all.items.len() as u64)
    }
}

/// How a value is declared that Git does not hold.
const NAMED: &str = ", for example `{$env: NAME}`";

/// Why `actual` cannot become `desired` in place, if so.
fn replacement(kind: &Kind, desired: &Json, actual: &Json) -> Option<String> {
    if kind.update.is_none() && kind.batch.is_none() && kind.actions.is_empty() {
        return Some("this API cannot change one in place".to_owned());
    }
    let fixed =
        kind.fields.iter().filter(|(_, field)| matches!(field.access, Access::Immutable | Access::WriteOnce));
    let differs = |pointer: &String| {
        desired.pointer(pointer).is_some_and(|value| actual.pointer(pointer) != Some(value))
    };
    fixed
        .map(|(pointer, _)| pointer)
        .find(|pointer| differs(pointer))
        .map(|pointer| format!("`{pointer}` cannot be changed in place"))
}

fn merge(whole: &mut Json, part: &Json) {
    match (whole, part) {
        (Json::Object(whole), Json::Object(part)) => {
            for (key, value) in part {
                merge(whole.entry(key.clone()).or_insert(Json::Null), value);
            }
        }
        (whole, part) => *whole = part.clone(),
    }
}
