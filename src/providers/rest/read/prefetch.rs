//! Lists that will be asked for in any case, asked for while the files are read.

use itertools::Itertools as _;
use reqwest::Url;

use super::pages;
use crate::{
    model::record::StoredRecord,
    providers::rest::{
        client::session::Session,
        declare::address::{Collection, Place},
    },
};

impl Session {
    /// Begins to read the lists of what is remembered, as many as may be read at a time.
    pub fn begin(&self, memory: &StoredRecord) {
        let mut begun = 0;
        let mut last: Option<String> = None;
        // In their order, those of a collection stand together.
        for (address, next) in memory.owned.keys().tuple_windows() {
            if last.as_ref().is_some_and(|prefix| address.as_str().starts_with(prefix)) {
                continue;
            }
            let Some(place) = Place::parse(self.definition(), address) else { continue };
            let prefix = format!("{}/", place.collection().address());
            // One alone is asked for by itself.
            if next.as_str().starts_with(&prefix)
                && let Some(url) = self.first_page(&place.collection())
            {
                self.getter.begin(url);
                begun += 1;
            }
            last = Some(prefix);
            if begun == self.readers() {
                return;
            }
        }
    }

    /// The address of the first page of a collection's list, where nothing has to be asked to know it.
    fn first_page(&self, collection: &Collection) -> Option<Url> {
        let kind = self.definition().kind(&collection.kind)?;
        let scope = kind.scope.as_ref().and_then(|scope| self.definition().scopes.get(scope));
        let list = kind.list.as_ref().filter(|list| list.query_body.is_none())?;
        if scope.is_some_and(|scope| scope.id.is_some()) {
            return None;
        }
        let variables = self.variables(kind, collection).ok()?;
        pages::first(&self.setup, list, &variables).ok()
    }
}
