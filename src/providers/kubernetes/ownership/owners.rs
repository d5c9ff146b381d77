//! Who owns what of one object, and so what it was given last.

use globset::GlobSet;

use super::{
    fields::Fields,
    managed::{self, applied},
    ownership_labels::{ownership_mismatch, stripped},
    unmanaged,
};
use crate::{
    model::{
        path::{self, Place},
        value::{Map, Value},
    },
    providers::kubernetes::{manifest::names::Name, preview::preview_input::PreviewInput},
};

/// What was applied last: as remembered, else what is still owned by us.
pub fn base(case: &PreviewInput, live: &Value, owners: &Owners) -> Option<Value> {
    if case.base.is_some() && !case.lost {
        return case.base.clone();
    }
    let mismatch = ownership_mismatch(&case.seen.name, live, &case.set);
    let proven = mismatch.is_none() || case.sibling_of(live).is_some();
    if !case.lost && !proven {
        return None;
    }
    let ours = applied(live)?.fields();
    let keyed = owners.shape.keyed(&stripped(&case.seen.name, live));
    Some(within(&keyed, &ours, true))
}

/// The part of a value that a set of fields names.
fn within(value: &Value, fields: &Fields, top: bool) -> Value {
    let Value::Map(map) = value else { return value.clone() };
    if fields.is_empty() {
        return value.clone();
    }
    let mut kept = Map::new();
    for (key, value) in map.iter() {
        let always = top && matches!(&**key, "apiVersion" | "kind")
            || matches!(&**key, "name" | "namespace") && fields.get("labels").is_some();
        match fields.get(key) {
            Some(fields) => _ = kept.insert(key.clone(), within(value, fields, false)),
            None if always => _ = kept.insert(key.clone(), value.clone()),
            None => {}
        }
    }
    Value::from(kept)
}

/// An object without what only programs own, which note things there of their own accord, some moment after each edit.
pub fn settled(name: &Name, live: &Value, human_field_managers: &GlobSet) -> Value {
    let (mut programs, mut others, mut shape) = (Fields::default(), Fields::default(), Fields::default());
    for entry in managed::entries(live) {
        let fields = entry.fields();
        shape.add(fields.clone());
        match entry.is_by_us() || unmanaged::is_by_hand(&entry, live, human_field_managers) {
            true => others.add(fields),
            false => programs.add(fields),
        }
    }
    programs.subtract(&others);
    let mut rest = shape.keyed(&stripped(name, live));
    programs.each(&mut Vec::new(), &mut |path| {
        let place: Place = path.iter().map(|step| step.as_str().into()).collect();
        path::copy_at(&mut rest, &place, None);
    });
    rest
}

/// Who owns what of one object.
pub struct Owners {
    /// Everything that anybody owns: it tells which lists have keys.
    pub shape: Fields,
    /// What trueup applied and nobody took over since.
    pub ours: Fields,
    /// What others than trueup own.
    pub foreign: Fields,
    /// What people wrote since the last apply.
    pub human: Fields,
    /// What programs own, trueup among them.
    pub programs: Fields,
}

impl Owners {
    /// Takes what goes with our declaration for nobody's who could keep it.
    pub fn drop(&mut self, dropped: Fields) {
        self.foreign.subtract(&dropped);
        self.programs.subtract(&dropped);
        self.human.add(dropped);
    }

    pub fn of(live: &Value, preview: &Value, human_field_managers: &GlobSet) -> Owners {
        let mut owners = Owners {
            shape: Fields::default(),
            ours: Fields::default(),
            foreign: Fields::default(),
            human: Fields::default(),
            programs: Fields::default(),
        };
        for entry in managed::entries(preview) {
            owners.shape.add(entry.fields());
        }
        for entry in managed::entries(live) {
            let by_hand = unmanaged::is_by_hand(&entry, live, human_field_managers);
            let fields = entry.fields();
            owners.shape.add(fields.clone());
            if entry.is_ours() {
                owners.ours.add(fields.clone());
            }
            if !entry.is_by_us() {
                owners.foreign.add(fields.clone());
            }
            match by_hand {
                true => owners.human.add(fields),
                false => owners.programs.add(fields),
            }
        }
        owners
    }
}
