//! Any API that speaks JSON over HTTP, by definition file.

use std::sync::{Arc, OnceLock};

use super::{BadOption, DiffStyle as DiffForm, Provider, Reader, Taken, Target, Writer};
use crate::model::address::Address;

pub mod client;
mod compare;
mod declare;
pub mod definition;
pub mod live_check;
mod options;
mod read;
pub mod record;
mod template;
mod write;

use definition::embedded;

/// The word after `provider:` for an API whose definition the checkout brings.
pub const ANY: &str = "rest";

/// The kind of target called `name`, if a definition is called so.
pub fn find(name: &str) -> Option<&'static Provider> {
    static MADE: [OnceLock<Provider>; 32] = [const { OnceLock::new() }; 32];
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

fn kind(name: &'static str, about: &'static str) -> Provider {
    Provider {
        name,
        about,
        form: DiffForm::Document,
        schema: |generator| generator.subschema_for::<options::Options>(),
        check,
        folder: |_| Ok(None),
        declare: declare::files::declare,
        open: |target| {
            Ok(Box::new(client::session::Session::open(options::TargetConfig::open(target)?)?)
                as Box<dyn Reader>)
        },
        open_for_apply: |target| {
            Ok(Box::new(write::writer::RestWriter::open(options::TargetConfig::open(target)?)?)
                as Box<dyn Writer>)
        },
        adopt: |target, all, current| declare::adopt::adopt(target, Taken::alone(all)?, current),
        lines: None,
        import: Some(declare::import::import),
        protected_by_default,
        access_fields,
        names: |_| None,
        rules: Vec::new,
        place: |_| Ok(None),
        spelling: |target| {
            let definition = options::TargetConfig::of(target)?.definition;
            Ok(Arc::new(move |pattern| declare::address::spelled(&definition, pattern)))
        },
        collection: |address: &Address| {
            let parts: Vec<&str> = address.as_str().split('/').collect();
            parts[..parts.len().saturating_sub(1).max(1)].join("/")
        },
    }
}

fn check(target: &Target) -> Result<(), BadOption> {
    let setup = options::TargetConfig::of(target)?;
    record::Store::check(&setup).map_err(|message| BadOption { path: Vec::new(), message })
}

/// What only goes with a consent of its own: kinds whose loss Git cannot bring back or that are
/// somebody's access, and single objects.
fn protected_by_default(target: &Target) -> anyhow::Result<Vec<String>> {
    let setup = options::TargetConfig::of(target)?;
    let kinds = setup.definition.kinds.iter();
    Ok(kinds
        .flat_map(|(name, kind)| match kind.risk {
            definition::Risk::Low => {
                kind.protect.iter().map(|pattern| protected(&setup, name, kind, pattern)).collect()
            }
            _ => vec![name.clone()],
        })
        .collect())
}

/// Fields with a risk, of every object of their kinds.
fn access_fields(target: &Target) -> anyhow::Result<Vec<String>> {
    let setup = options::TargetConfig::of(target)?;
    let of_kind = |(name, kind): (&String, &definition::Kind)| {
        let names = "/*".repeat(setup.definition.params(kind).len() + kind.identity.keys.len());
        let protected_by_default =
            kind.fields.iter().filter(|(_, field)| field.risk != definition::Risk::Low);
        protected_by_default.map(|(pointer, _)| format!("{name}{names}{pointer}")).collect::<Vec<_>>()
    };
    Ok(setup.definition.kinds.iter().flat_map(of_kind).collect())
}

/// The addresses that a `protect:` means; a scope that the target does not name may be any.
fn protected(setup: &options::TargetConfig, name: &str, kind: &definition::Kind, pattern: &str) -> String {
    let params = setup.definition.params(kind);
    let known = |param: &String| {
        setup.options.scope.get(param).map_or_else(|| "*".to_owned(), |name| declare::address::encoded(name))
    };
    let scope = params.iter().map(known);
    let pattern = params
        .iter()
        .fold(pattern.to_owned(), |pattern, param| pattern.replace(&format!("{{{param}}}"), &known(param)));
    let parts: Vec<String> = std::iter::once(name.to_owned()).chain(scope).chain([pattern]).collect();
    parts.join("/")
}
