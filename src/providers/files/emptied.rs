//! Which directories will be empty, and so make way, and which have to stay.

use std::collections::HashSet;

use super::{
    describe::Found,
    names,
    observe::{Item, Look},
    value::Body,
};
use crate::model::{address::Address, value::Value};

impl Look<'_> {
    /// Whether a directory stands where a file is declared, and is one that
    /// trueup made and that will be empty by then.
    pub(super) fn makes_way(&self, found: &Found, item: &Item<'_>) -> bool {
        let wants_file = |value: &&Value| value.get("type").and_then(Value::as_str) != Some("directory");
        found.body == Body::Directory
            && item.sides.base.is_none()
            && item.sides.desired.as_ref().is_some_and(wants_file)
            && self.will_be_empty(&item.path)
    }

    fn will_be_empty(&self, path: &[u8]) -> bool {
        self.ledger.made.contains(path) && self.loses_all(path)
    }

    /// Whether everything in the directory at `path` is to be deleted.
    fn loses_all(&self, path: &[u8]) -> bool {
        let goes = |name: &Vec<u8>| {
            let inner = names::join(path, name);
            match self.query.objects.get(&Address::from_bytes(&inner)) {
                Some(sides) => sides.desired.is_none(),
                None => self.will_be_empty(&inner),
            }
        };
        let names = self.root.beneath(path).ok().and_then(|dir| dir.list().ok());
        names.is_some_and(|names| names.iter().all(goes))
    }

    /// Whether a directory that was declared and is not any more has to stay,
    /// since something else is in it. Nobody deletes a directory that is not
    /// empty, so it is no object any more.
    pub(super) fn is_released(&self, found: &Found, item: &Item<'_>) -> bool {
        found.body == Body::Directory
            && item.sides.desired.is_none()
            && item.sides.base.is_some()
            && (self.needed().contains(&*item.path) || !self.loses_all(&item.path))
    }

    /// The directories that something declared lies in.
    pub(super) fn needed(&self) -> &HashSet<Vec<u8>> {
        self.needed.get_or_init(|| {
            let mut needed = HashSet::new();
            for (address, _) in self.query.objects.iter().filter(|(_, sides)| sides.desired.is_some()) {
                needed.extend(names::ancestors(&address.to_bytes()).map(<[u8]>::to_vec));
            }
            needed
        })
    }
}
