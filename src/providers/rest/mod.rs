//! Any API that speaks JSON over HTTP, by definition file.

use std::sync::OnceLock;

use super::{BadOption, Form as DiffForm, Kind, Reader, Target, Writer};
use crate::model::address::Address;

mod address;
mod adopt;
mod condition;
mod credentials;
mod declare;
pub mod definition;
mod emit;
mod failure;
mod form;
mod gather;
mod import;
mod json;
mod memory;
mod options;
mod pages;
mod reader;
mod references;
mod request;
mod secrets;
mod template;
mod transport;
mod wait;
mod write;
mod writer;
pub mod yaml;

use definition::embedded;

/// The word after `provider:` for an API whose definition the checkout brings.
pub const ANY: &str = "rest";

/// The kind of target called `name`, if a definition is called so.
pub fn find(name: &str) -> Option<&'static Kind> {
    static MADE: [OnceLock<Kind>; 32] = [const { OnceLock::new() }; 32];
    let at = names().position(|known| known == name)?;
    let name = names().nth(at)?;
    let about = embedded::find(name)
        .map_or("any API, by a definition file of the checkout", |definition| &definition.summary);
    Some(MADE.get(at)?.get_or_init(|| kind(name, about)))
}

/// The names of all of them.
pub fn names() -> impl Iterator<Item = &'static str> {
    embedded::names().chain([ANY])
}

fn kind(name: &'static str, about: &'static str) -> Kind {
    Kind {
        name,
        about,
        form: DiffForm::Document,
        schema: |generator| generator.subschema_for::<options::Options>(),
        check,
        declare: declare::declare,
        open: |target| Ok(Box::new(reader::Session::open(options::Setup::open(target)?)?) as Box<dyn Reader>),
        open_for_apply: |target| {
            Ok(Box::new(writer::Writing::open(options::Setup::open(target)?)?) as Box<dyn Writer>)
        },
        adopt: adopt::adopt,
        import: Some(import::import),
        risky,
        names: |_| None,
        rules: Vec::new,
        collection: |address: &Address| {
            let parts: Vec<&str> = address.as_str().split('/').collect();
            parts[..parts.len().saturating_sub(1).max(1)].join("/")
        },
    }
}

fn check(target: &Target) -> Result<(), BadOption> {
    let setup = options::Setup::of(target)?;
    memory::Store::check(&setup).map_err(|message| BadOption { path: Vec::new(), message })
}

/// The kinds whose loss Git cannot bring back, or that are somebody's access.
fn risky(target: &Target) -> Vec<String> {
    let Ok(setup) = options::Setup::of(target) else { return Vec::new() };
    let risky = setup.definition.kinds.iter().filter(|(_, kind)| kind.risk != definition::Risk::Low);
    risky.map(|(name, _)| name.clone()).collect()
}
