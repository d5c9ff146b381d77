//! What trueup made to keep its record in: it is there, and nobody's to declare.

use std::collections::BTreeSet;

use reqwest::Url;

use super::collection_reader::{Gathered, Gatherer};
use crate::providers::rest::client::request;

impl Gatherer<'_> {
    /// Takes the places of the record out of a list, unless they are asked for.
    pub fn leave_out_own(&self, gathered: &mut Gathered, wanted: &BTreeSet<Vec<String>>) {
        let (Some(memory), Some(read)) = (&self.setup.definition.record, &self.kind.read) else { return };
        let depth = |path: &str| path.matches('/').count();
        let same = memory.prepare.iter().filter(|request| depth(&request.path) == depth(&read.path));
        let made = same.filter_map(|place| {
            request::url(self.setup, &place.path, &place.query, &self.setup.variables).ok()
        });
        let made: Vec<Url> = made.collect();
        if !made.is_empty() {
            let is_own = |keys: &[String]| self.url(read, keys).is_ok_and(|url| made.contains(&url));
            gathered.found.retain(|keys, _| wanted.contains(keys) || !is_own(keys));
        }
    }
}
