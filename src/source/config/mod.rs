//! trueup.yaml: environments, targets and guards.

use anyhow::Result;
use bstr::{BStr, ByteSlice};

use super::{
    checkout::{Branch, Selected},
    yaml::Node,
};
use crate::{
    exit::Exit,
    model::{sensitive::Sensitive, suggest::nearest, user_error::UserError},
};

mod complaint;
mod file;
mod ignore;
mod read;
mod schema;
#[cfg(test)]
mod tests;

pub use ignore::Ignore;
pub use schema::ProviderSchema;

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
    /// The file with positions.
    root: Node,
}

/// One environment.
#[derive(Clone, Debug, PartialEq)]
pub struct Environment {
    /// Its name; `None` if the file has `targets:` at the top level.
    pub name: Option<String>,
    /// The branch that represents it.
    pub reference: Option<String>,
    /// Of which remote that branch is.
    pub remote: Option<String>,
    /// Its targets, in the order of the file; at least one.
    pub targets: Vec<Target>,
}

/// One target.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// Its name.
    pub name: String,
    /// The word after `provider:`.
    pub provider: String,
    /// Where its declarations are, relative to the root of the checkout; empty for all of it.
    pub path: String,
    /// The provider's own keys.
    pub options: serde_yaml::Mapping,
    /// Its own guards over the environment's over the defaults.
    pub guards: Guards,
    /// What is left to others.
    pub ignore: Ignore,
    /// What no output may show.
    pub sensitive: Sensitive,
    /// Where it stands in the file: line and column, counted from 1.
    pub at: (u32, u32),
}

/// What an apply may do without being told twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guards {
    /// How many objects one apply may delete.
    pub max_delete: usize,
    /// Which share of the owned objects one apply may delete, in percent.
    pub max_delete_percent: u8,
    /// Patterns of addresses that are never deleted or replaced; a target adds to its environment's.
    pub protect: Vec<String>,
    /// Patterns of addresses that are let go and not deleted once they are not declared any more; a target adds to its
    /// environment's.
    pub keep: Vec<String>,
}

impl Default for Guards {
    fn default() -> Self {
        Guards { max_delete: 25, max_delete_percent: 20, protect: Vec::new(), keep: Vec::new() }
    }
}

impl Target {
    /// The text that one of the provider's own keys has.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.options.get(key)?.as_str()
    }
}

impl Config {
    /// Finds trueup.yaml in `folder` (relative to the root) or the nearest folder above it, and reads it.
    ///
    /// # Errors
    /// There is none (66), or something in it is wrong (78, with file, line and column).
    pub fn find(selected: &Selected, folder: &BStr) -> Result<Config> {
        let start = folder.to_str_lossy();
        let mut folder: &str = &start;
        loop {
            let file = if folder.is_empty() { FILE.to_owned() } else { format!("{folder}/{FILE}") };
            if let Some(content) = selected.file(&file)? {
                return Ok(Config::parse(&file, &content)?);
            }
            if folder.is_empty() {
                return Err(absent(&start).into());
            }
            folder = folder.rsplit_once('/').map_or("", |(above, _)| above);
        }
    }

    /// Reads the content of a trueup.yaml that lies at `file`, relative to the root.
    ///
    /// # Errors
    /// Something in it is wrong (78, with file, line and column).
    pub fn parse(file: &str, content: &[u8]) -> Result<Config, UserError> {
        read::read(file, content)
    }

    /// Line and column of what `keys` lead to, counted from 1; keys of lists are numbers.
    pub fn locate(&self, keys: &[&str]) -> Option<(u32, u32)> {
        complaint::locate(&self.root, keys)
    }

    /// A complaint about what `keys` lead to, or the nearest thing above it that is there.
    pub fn complaint(&self, keys: &[&str], message: &str) -> UserError {
        let at = (0..=keys.len()).rev().find_map(|len| self.locate(&keys[..len]));
        complaint::located(&self.file, at.unwrap_or((1, 1)), message)
    }

    /// The environment called `name`, or the only one.
    ///
    /// # Errors
    /// Several and none named (64); no such (66).
    pub fn environment(&self, name: Option<&str>) -> Result<&Environment> {
        let names: Vec<&str> = self.environments.iter().filter_map(|found| found.name.as_deref()).collect();
        let Some(name) = name else {
            return match &self.environments[..] {
                [only] => Ok(only),
                _ => Err(UserError::new(
                    Exit::Usage,
                    format!("`{}` has several environments: {}", self.file, names.join(", ")),
                )
                .hint(format!("name one: `--env {}`", names[0]))
                .into()),
            };
        };
        let found = self.environments.iter().find(|found| found.name.as_deref() == Some(name));
        Ok(found.ok_or_else(|| match names.is_empty() {
            true => UserError::new(
                Exit::NoInput,
                format!("`{}` has no environment `{name}`, only targets", self.file),
            )
            .hint("leave `--env` away"),
            false => no_such("environment", name, &names),
        })?)
    }
}

impl Environment {
    /// The branch that represents it.
    pub fn branch(&self) -> Option<Branch<'_>> {
        Some(Branch { name: self.reference.as_deref()?, remote: self.remote.as_deref() })
    }

    /// The targets called `names`, in the order of the file; all for an empty slice.
    ///
    /// # Errors
    /// No such target (66).
    pub fn targets(&self, names: &[String]) -> Result<Vec<&Target>> {
        let known: Vec<&str> = self.targets.iter().map(|target| target.name.as_str()).collect();
        if let Some(unknown) = names.iter().find(|name| !known.contains(&name.as_str())) {
            return Err(no_such("target", unknown, &known).into());
        }
        Ok(self.targets.iter().filter(|target| names.is_empty() || names.contains(&target.name)).collect())
    }

    /// The keys that lead to `target` in the file, for [`Config::locate`].
    pub fn keys<'a>(&'a self, target: &'a str) -> Vec<&'a str> {
        match &self.name {
            Some(name) => vec!["environments", name, "targets", target],
            None => vec!["targets", target],
        }
    }
}

fn absent(folder: &str) -> UserError {
    let place = if folder.is_empty() {
        "the root of the checkout".to_owned()
    } else {
        format!("`{folder}` or above it")
    };
    UserError::new(Exit::NoInput, format!("no `{FILE}` in {place}")).hint("`trueup init` writes one")
}

fn no_such(what: &str, name: &str, known: &[&str]) -> UserError {
    let hint = match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there is: {}", known.join(", ")),
    };
    UserError::new(Exit::NoInput, format!("no {what} `{name}`")).hint(hint)
}
