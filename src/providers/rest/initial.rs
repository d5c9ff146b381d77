//! Fields that say how an object is made, and mean nothing once it is there.

use serde_json::Value as Json;

use super::{definition::Access, json, session::Session};
use crate::{
    model::{address::Address, value::Value},
    providers::{Query, Sides},
};

impl Session {
    /// Remarks on such fields where Git changed them too late.
    pub(super) fn too_late(&self, query: &Query<'_>) -> Vec<String> {
        query.objects.iter().flat_map(|(address, sides)| self.late_fields(address, sides, query)).collect()
    }

    fn late_fields(&self, address: &Address, sides: &Sides<&Value>, query: &Query<'_>) -> Vec<String> {
        let fields = self.kind_of(address).into_iter().flat_map(|kind| &kind.fields);
        let initial: Vec<&String> =
            fields.filter(|(_, field)| field.access == Access::Initial).map(|(pointer, _)| pointer).collect();
        let (Some(base), Some(desired), false) = (sides.base, sides.desired, initial.is_empty()) else {
            return Vec::new();
        };
        if !self.seen.contains_key(address) {
            return Vec::new();
        }
        let (base, desired) = (json::from_model(base), json::from_model(desired));
        let origin = query.declared.and_then(|declared| declared.get(address)).map(|object| &object.origin);
        let late = |pointer: &&String| {
            let value: Option<&Json> = desired.pointer(pointer);
            value.is_some() && value != base.pointer(pointer)
        };
        let remark = |pointer: &String| {
            let at = origin.map_or_else(String::new, |origin| format!("`{}`: ", origin.at(pointer)));
            format!("{at}`{address}` is there already, and `{pointer}` only counts when one is made")
        };
        initial.into_iter().filter(late).map(remark).collect()
    }
}
