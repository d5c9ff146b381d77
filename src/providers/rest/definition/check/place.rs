//! The places of a definition, and what may stand in templates there.

use std::collections::BTreeMap;

use super::Wrong;
use crate::providers::rest::template::{self, Template};

/// The keys that lead to a part of the definition.
pub struct Place(Vec<String>);

impl Place {
    /// The place that `steps` lead to.
    pub fn new(steps: &[&str]) -> Self {
        Place(steps.iter().map(|step| (*step).to_owned()).collect())
    }

    /// The place of the key `step` here.
    pub fn under(&self, step: &str) -> Self {
        Place(self.0.iter().cloned().chain([step.to_owned()]).collect())
    }

    /// What is wrong with the key `key` here.
    ///
    /// # Errors
    /// Always.
    pub fn wrong(&self, key: &str, message: String) -> Result<(), Wrong> {
        let path = self.under(key).0;
        Err((path.clone(), format!("{}: {message}", path.join("."))))
    }

    /// Holds the path and the query of a request against the names that are known.
    ///
    /// # Errors
    /// A name that nothing fills.
    pub fn address(&self, path: &str, query: &BTreeMap<String, String>, known: &[&str]) -> Result<(), Wrong> {
        self.names("path", path, known)?;
        query.iter().try_for_each(|(name, value)| self.under("query").names(name, value, known))
    }

    /// Holds the template of a body against the names that are known.
    ///
    /// # Errors
    /// A name that nothing fills.
    pub fn template(&self, key: &str, template: Option<&Template>, known: &[&str]) -> Result<(), Wrong> {
        template.map_or(Ok(()), |template| template.check(known)).or_else(|message| self.wrong(key, message))
    }

    /// Holds a template of text against the names that are known.
    ///
    /// # Errors
    /// A name that nothing fills.
    pub fn names(&self, key: &str, template: &str, known: &[&str]) -> Result<(), Wrong> {
        let used = match template::names(template) {
            Ok(used) => used,
            Err(message) => return self.wrong(key, message),
        };
        match used.into_iter().find(|name| !known.contains(name)) {
            Some(name) => {
                let known = known.join(", ");
                self.wrong(
                    key,
                    format!("`{template}` uses `{name}`, which is not known here; there is {known}"),
                )
            }
            None => Ok(()),
        }
    }
}
