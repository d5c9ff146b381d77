//! The objects of a collection as its list shows them.

use std::collections::BTreeSet;

use rayon::prelude::*;
use serde_json::Value as Json;

use super::{
    collection_reader::{Around, Extent, Found, Gathered, Gatherer, Part},
    pages::{self, Listing},
};
use crate::providers::rest::{
    client::{failure::Failure, json},
    compare::projection::Projection,
    definition::{Completeness, ErrorClass as Class, List},
};

type Names = BTreeSet<Vec<String>>;

impl Gatherer<'_> {
    /// Reads the list, and by themselves those that it may not show, or not all of.
    pub fn listed(&self, list: &List, part: &Part) -> Gathered {
        let (form, wanted) = (Projection::of(self.kind), &part.names);
        let listing = match self.pages(list, wanted, &form) {
            Ok(listing) => listing,
            Err(failure) => {
                let found = match failure.class {
                    Class::Absent | Class::Hidden => self.without_list(failure.clone()),
                    _ => Found::Unknown(failure.clone()),
                };
                return Gathered { incomplete: Some(failure), ..Gathered::nothing(wanted, &found) };
            }
        };
        let mut gathered = self.sorted(list, listing, wanted, &form);
        self.detail(&mut gathered, list, part);
        if (gathered.incomplete.is_some() || list.read_unlisted) && self.kind.is_read_by_name() {
            let missing: Vec<_> = wanted.iter().filter(|keys| !gathered.found.contains_key(*keys)).collect();
            let read: Vec<_> =
                missing.into_par_iter().map(|keys| (keys.clone(), self.checked(keys))).collect();
            gathered.found.extend(read);
        }
        gathered
    }

    /// All pages of the list, wherever it is.
    fn pages(&self, list: &List, wanted: &Names, form: &Projection<'_>) -> Result<Listing, Failure> {
        let name = |item: &Json| form.identity(&self.shaped(list, item, form)?);
        let read = |list| pages::list(self.getter, self.setup, list, &self.variables, &name, wanted);
        let nowhere = |failure: &Failure| failure.class == Class::Absent;
        match (read(list), &list.fallback) {
            (Err(failure), Some(path)) if nowhere(&failure) => {
                read(&List { path: path.clone(), ..list.clone() })
            }
            (Err(failure), None) if nowhere(&failure) && list.absent_is_empty => match self.around()? {
                Around::Seen => Ok(Listing::default()),
                Around::Gone | Around::Nothing => Err(failure),
            },
            (listing, _) => listing,
        }
    }

    /// An item in normal form.
    fn shaped(&self, list: &List, item: &Json, form: &Projection<'_>) -> Option<Json> {
        let mut object = self.mapped(list.map.as_ref(), item, Some(item))?;
        // What is called so here is another field, which stands in the object.
        self.kind.envelope.iter().for_each(|beside| _ = json::remove(&mut object, &beside.field));
        form.decode(&mut object);
        form.normalize(&mut object);
        Some(object)
    }

    /// The items that belong to the collection, by name.
    fn sorted(&self, list: &List, listing: Listing, wanted: &Names, form: &Projection<'_>) -> Gathered {
        let mut gathered = Gathered { listed: true, ..Gathered::default() };
        let mut nameless = None;
        let look = |item: Json| {
            let kept = list.filter.as_ref().is_none_or(|keep| keep.holds(&item));
            let object = self.shaped(list, &item, form)?;
            Some((kept, form.identity(&object), object))
        };
        let looked: Vec<_> = listing.items.into_par_iter().map(look).collect();
        let mut named = Vec::with_capacity(looked.len());
        for (kept, keys, object) in looked.into_iter().flatten() {
            let Some(keys) = keys else {
                nameless = nameless.or(kept.then(|| "an item of the list has no name".to_owned()));
                continue;
            };
            // What the list leaves out and the server protects is there all the same for those who ask for it.
            let protected = || self.kind.protected_when.as_ref().is_some_and(|rule| rule.holds(&object));
            if !(kept || wanted.contains(&keys) && protected()) {
                continue;
            }
            named.push((keys, Found::Here(object)));
        }
        named.par_sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        named.dedup_by(|(keys, _), (first, found)| {
            let twice = keys == first;
            if twice {
                let message = format!("the server has more than one `{}`", keys.join("/"));
                *found = Found::Unknown(Failure::new(Class::Other, message));
            }
            twice
        });
        gathered.found = named.into_iter().collect();
        self.leave_out_own(&mut gathered, wanted);
        let filtered = listing.filtered || list.completeness == Completeness::Filtered;
        let filtered = || filtered.then(|| "the list shows only what these credentials may see".to_owned());
        let why = listing.truncated.or(nameless).or_else(filtered);
        gathered.incomplete = why.map(|why| Failure::new(Class::Other, why));
        gathered
    }

    /// Reads each object by itself of which the list does not show enough.
    fn detail(&self, gathered: &mut Gathered, list: &List, part: &Part) {
        let imported = || self.kind.envelope.as_ref().is_some_and(|beside| beside.imported);
        let needed = |keys: &Vec<String>| match part.extent {
            _ if part.apart.contains(keys) => true,
            Extent::Named => list.detail && part.names.contains(keys),
            Extent::Whole => list.detail,
            Extent::Import => list.detail || imported(),
        };
        let here = |(keys, found): (&Vec<String>, &Found)| match found {
            Found::Here(item) if needed(keys) => Some((keys.clone(), item.clone())),
            _ => None,
        };
        let needed: Vec<(Vec<String>, Json)> = gathered.found.iter().filter_map(here).collect();
        let read: Vec<_> = needed
            .into_par_iter()
            .map(|(keys, item)| (keys.clone(), self.read(&keys, Some(&item))))
            .collect();
        gathered.found.extend(read);
    }
}
