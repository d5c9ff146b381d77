//! What the server says it is, and what a definition says of such a server.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::{failure::Failure, json, request, session::Session};
use crate::{
    exit::Exit,
    model::{address::Address, object::Object, user_error::UserError},
    providers::rest::definition::{Definition, Kind, release::Release},
};

/// A server, by its own words.
#[derive(Clone, Debug)]
pub struct Server {
    /// The product, where it tells.
    pub product: Option<String>,
    /// The version.
    pub release: Release,
}

impl Session {
    /// Asks the server what it is, by the definition's probe.
    pub fn probe(&self) -> Option<Result<Server, Failure>> {
        let probe = self.definition().probe.as_ref()?;
        let url = request::url(&self.setup, &probe.get, &BTreeMap::new(), &self.setup.variables);
        Some(url.and_then(|url| self.getter.get(&url)).and_then(|answer| {
            let text = |pointer: &str| json::text(answer.body.pointer(pointer)?);
            let product = probe.product.as_deref().and_then(text);
            let release = text(&probe.version).and_then(|version| Release::parse(&version));
            let missing = || {
                Failure::new(
                    crate::providers::rest::definition::ErrorClass::Other,
                    format!("the answer has no version at `{}`", probe.version),
                )
            };
            Ok(Server { product, release: release.ok_or_else(missing)? })
        }))
    }

    /// Takes note of what the server says it is; answers a remark on that.
    pub fn meet(&mut self, server: Option<Result<Server, Failure>>) -> Option<String> {
        let remark = server.as_ref().and_then(|server| remark(self.definition(), server));
        self.server = server.and_then(Result::ok).or(self.server.take());
        remark
    }

    /// Whether something that is declared is of a kind that not every version has as a whole: then the
    /// version has to be known. Else it is of interest only where something differs.
    pub fn is_bounded(&self, declared: &BTreeMap<Address, Object>) -> bool {
        let is_bounded = |kind: &Kind| {
            let mut bounds = kind.fields.values().map(|field| (&field.since, &field.until));
            let bounded = |(since, until): (&Option<_>, &Option<_>)| since.is_some() || until.is_some();
            bounded((&kind.since, &kind.until)) || bounds.any(bounded)
        };
        let kinds = self.definition().kinds.iter().filter(|(_, kind)| is_bounded(kind));
        let bounded: BTreeSet<&str> = kinds.map(|(name, _)| name.as_str()).collect();
        let kind =
            |address: &Address| bounded.contains(address.as_str().split('/').next().unwrap_or_default());
        !bounded.is_empty() && declared.keys().any(kind)
    }

    /// Whether this server has something that is there from `since` on and before `until`.
    pub fn has(&self, since: &Option<Release>, until: &Option<Release>) -> bool {
        let Some(Server { release, .. }) = &self.server else { return true };
        since.as_ref().is_none_or(|since| release.reaches(since))
            && until.as_ref().is_none_or(|until| !release.reaches(until))
    }

    /// Refuses what is declared and cannot be there on this server.
    ///
    /// # Errors
    /// A kind or a field of another version, at the line of the declaration.
    pub fn check_release(&self, declared: &BTreeMap<Address, Object>) -> Result<(), UserError> {
        let Some(server) = &self.server else { return Ok(()) };
        for (address, object) in declared {
            let Some((kind, value)) = self.kind_of(address).zip(object.value.as_ref()) else { continue };
            let foreign = self.foreign(kind, &|| json::from_model(value));
            if let Some((pointer, since, until)) = foreign {
                let what = if pointer.is_empty() { format!("`{address}`") } else { format!("`{pointer}`") };
                let when = match (since, until) {
                    (Some(since), _) if !server.release.reaches(since) => format!("is there from {since} on"),
                    (_, Some(until)) => format!("is there before {until} only"),
                    _ => continue,
                };
                let message = format!(
                    "`{}`: {what} {when}, and the server is {}",
                    object.origin.at(&pointer),
                    server.release
                );
                return Err(UserError::new(Exit::BadDesired, message)
                    .hint("take it out, or bring the server to such a version"));
            }
        }
        Ok(())
    }

    /// The first thing of a declaration that this server does not have, with its bounds.
    fn foreign<'a>(
        &self,
        kind: &'a Kind,
        value: &dyn Fn() -> Json,
    ) -> Option<(String, &'a Option<Release>, &'a Option<Release>)> {
        if !self.has(&kind.since, &kind.until) {
            return Some((String::new(), &kind.since, &kind.until));
        }
        let mut foreign =
            kind.fields.iter().filter(|(_, field)| !self.has(&field.since, &field.until)).peekable();
        foreign.peek()?;
        let value = value();
        let (pointer, field) = foreign.find(|(pointer, _)| value.pointer(pointer).is_some())?;
        Some((pointer.clone(), &field.since, &field.until))
    }
}

/// A remark where the definition was not tried with such a server.
pub fn remark(definition: &Definition, server: &Result<Server, Failure>) -> Option<String> {
    let server = match server {
        Ok(server) => server,
        Err(failure) => return Some(format!("the server does not tell its version: {}", failure.message)),
    };
    let same =
        |product: &str| server.product.as_ref().is_none_or(|other| other.eq_ignore_ascii_case(product));
    let tried = |tested: &crate::providers::rest::definition::Tested| {
        same(&tested.product) && tested.version.hold(&server.release)
    };
    if definition.tested_with.is_empty() || definition.tested_with.iter().any(tried) {
        return None;
    }
    let product = server.product.as_deref().unwrap_or(&definition.provider);
    let tried: Vec<String> = definition
        .tested_with
        .iter()
        .map(|tested| format!("{} {}", tested.product, tested.version))
        .collect();
    Some(format!(
        "the server is {product} {}; the definition was tried with {}",
        server.release,
        tried.join(", ")
    ))
}
