//! trueup.yaml: environments, targets and guards.

use anyhow::Result;

use super::checkout::Selected;
use crate::model::fault::Fault;

/// The name of the file.
pub const FILE: &str = "trueup.yaml";

/// What trueup.yaml says.
#[derive(Clone, Debug)]
pub struct Config {
    /// Path of the file relative to the root of the checkout.
    pub file: String,
    /// Its folder relative to the root of the checkout; empty at the root.
    pub folder: String,
    /// The environments, in the order of the file; exactly one without a name for `targets:` at the top level.
    pub environments: Vec<Environment>,
}

/// One environment.
#[derive(Clone, Debug)]
pub struct Environment {
    /// Its name; `None` if the file has `targets:` at the top level.
    pub name: Option<String>,
    /// The branch or tag that represents it.
    pub reference: Option<String>,
    /// Its targets, in the order of the file.
    pub targets: Vec<Target>,
}

/// One target.
#[derive(Clone, Debug)]
pub struct Target {
    /// Its name.
    pub name: String,
    /// The word after `provider:`.
    pub provider: String,
    /// Where its declarations are, relative to the root of the checkout; empty for all of it.
    pub path: String,
    /// The provider's own keys.
    pub options: serde_yaml::Mapping,
    /// Its guards: its own over the environment's over the defaults.
    pub guards: Guards,
    /// Where it stands in the file: line and column, counted from 1.
    pub at: (u32, u32),
}

/// What the schema of the file has to know of a provider.
pub struct ProviderSchema<'a> {
    /// The word after `provider:`.
    pub name: &'a str,
    /// Schema of its own keys.
    pub options: fn(&mut schemars::SchemaGenerator) -> schemars::Schema,
}

/// What an apply may do without being told twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guards {
    /// How many objects one apply may delete.
    pub max_delete: usize,
    /// Which share of the owned objects one apply may delete, in percent.
    pub max_delete_percent: u8,
    /// Globs of addresses that are never deleted or replaced; a target adds to its environment's.
    pub protect: Vec<String>,
}

impl Config {
    /// Finds trueup.yaml in `folder` (relative to the root) or the nearest folder above it, and reads it.
    ///
    /// # Errors
    /// There is none (66), or something in it is wrong (78, with file, line and column).
    pub fn find(_selected: &Selected, _folder: &str) -> Result<Config> {
        unimplemented!()
    }

    /// Reads the content of a trueup.yaml that lies at `file`.
    ///
    /// # Errors
    /// Something in it is wrong (78, with file, line and column).
    pub fn parse(_file: &str, _content: &[u8]) -> Result<Config, Fault> {
        unimplemented!()
    }

    /// Line and column of what `keys` lead to, counted from 1. Keys of sequences are numbers.
    pub fn locate(&self, _keys: &[&str]) -> Option<(u32, u32)> {
        unimplemented!()
    }

    /// A complaint about what `keys` lead to, with file, line and column.
    pub fn complaint(&self, _keys: &[&str], _message: &str) -> Fault {
        unimplemented!()
    }

    /// The environment called `name`, or the only one.
    ///
    /// # Errors
    /// Several and none named (64); no such (66).
    pub fn environment(&self, _name: Option<&str>) -> Result<&Environment> {
        unimplemented!()
    }

    /// JSON Schema of the file, with the keys of every provider.
    pub fn schema(_providers: &[ProviderSchema<'_>]) -> schemars::Schema {
        unimplemented!()
    }
}

impl Environment {
    /// The targets called `names`; all for an empty slice.
    ///
    /// # Errors
    /// No such target (66).
    pub fn targets(&self, _names: &[String]) -> Result<Vec<&Target>> {
        unimplemented!()
    }

    /// The keys that lead to `target` in the file, for [`Config::locate`].
    pub fn keys<'a>(&'a self, _target: &'a str) -> Vec<&'a str> {
        unimplemented!()
    }
}
