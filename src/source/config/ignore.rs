//! Ignore rules: from what trueup.yaml says to what it means.

use std::{collections::BTreeMap, sync::Arc};

use jiff::civil::Date;

use super::{
    file::{IgnoreFile, MatchFile, PlacesFile, SensitiveFile},
    read::{Reader, join},
};
use crate::model::{
    ignore::{From, Match, Rule},
    path::{Path, Pattern},
    selector::Selector,
    sensitive::Sensitive,
    user_error::UserError,
};

/// What an environment or a target leaves to others.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ignore {
    /// Its rules, in the order of the file; those of the environment first.
    pub rules: Vec<Arc<Rule>>,
    /// Built-in rules by id, and whether they are on.
    pub built_in: BTreeMap<String, bool>,
}

impl Reader<'_> {
    /// What is left to others below `keys`, besides what `outer` leaves to them.
    pub(super) fn ignore(
        &self,
        outer: &Ignore,
        rules: Vec<IgnoreFile>,
        built_in: BTreeMap<String, bool>,
        from: From,
        keys: &[&str],
    ) -> Result<Ignore, UserError> {
        let mut ignore = outer.clone();
        ignore.built_in.extend(built_in);
        for (number, file) in rules.into_iter().enumerate() {
            let keys = join(keys, &["ignore"]);
            let number = number.to_string();
            let keys = join(&keys, &[&number]);
            if ignore.rules.iter().any(|rule| *rule.id == *file.id) {
                let message = format!("a second ignore rule `{}`; give it another `id`", file.id);
                return Err(self.complain(&join(&keys, &["id"]), &message));
            }
            ignore.rules.push(Arc::new(self.rule(file, from, &keys)?));
        }
        Ok(ignore)
    }

    fn rule(&self, file: IgnoreFile, from: From, keys: &[&str]) -> Result<Rule, UserError> {
        self.check_name("ignore rule", &file.id, &join(keys, &["id"]))?;
        if file.reason.trim().is_empty() {
            return Err(self.complain(&join(keys, &["reason"]), "`reason` is empty; say why"));
        }
        if file.paths.is_empty() && file.managers.is_empty() {
            return Err(
                self.complain(keys, "missing key `paths` or `managers`: the rule leaves nothing to others")
            );
        }
        if let Some(expires) = &file.expires
            && (expires.len() != "2027-01-31".len() || expires.parse::<Date>().is_err())
        {
            let message = format!("`{expires}` is no day; write it as `2027-01-31`");
            return Err(self.complain(&join(keys, &["expires"]), &message));
        }
        Ok(Rule {
            id: file.id.into(),
            matches: self.matches(file.matches, &join(keys, &["match"]))?,
            paths: self.paths(&file.paths, &join(keys, &["paths"]))?,
            managers: file.managers.into_iter().map(Pattern::new).collect(),
            when: file.when,
            reason: file.reason,
            expires: file.expires,
            from,
        })
    }

    /// Reads paths; complaints name the one that is none.
    pub(super) fn paths(&self, paths: &[String], keys: &[&str]) -> Result<Vec<Path>, UserError> {
        let path = |(number, text): (usize, &String)| {
            text.parse().map_err(|bad| self.complain(&join(keys, &[&number.to_string()]), &format!("{bad}")))
        };
        paths.iter().enumerate().map(path).collect()
    }

    /// What no output may show.
    pub(super) fn sensitive(&self, files: Vec<SensitiveFile>, keys: &[&str]) -> Result<Sensitive, UserError> {
        let one = |(number, file): (usize, SensitiveFile)| {
            let number = number.to_string();
            let keys = join(keys, &["sensitive", &number]);
            match file {
                SensitiveFile::Path(path) => {
                    let path = path.parse().map_err(|bad| self.complain(&keys, &format!("{bad}")))?;
                    Ok((Match::default(), vec![path]))
                }
                SensitiveFile::Some(PlacesFile { matches, paths }) => Ok((
                    self.matches(matches, &join(&keys, &["match"]))?,
                    self.paths(&paths, &join(&keys, &["paths"]))?,
                )),
            }
        };
        files.into_iter().enumerate().map(one).collect::<Result<_, _>>().map(Sensitive)
    }

    /// For which objects.
    pub(super) fn matches(&self, file: MatchFile, keys: &[&str]) -> Result<Match, UserError> {
        let patterns = |texts: Vec<String>| texts.into_iter().map(Pattern::new).collect();
        let address = Selector::new(&file.address.list())
            .map_err(|fault| self.complain(&join(keys, &["address"]), &fault.message))?;
        Ok(Match {
            address,
            group: patterns(file.group.list()),
            kind: patterns(file.kind.list()),
            namespace: patterns(file.namespace.list()),
            name: patterns(file.name.list()),
            labels: self.labels(&file.labels, &join(keys, &["labels"]))?,
            declares: None,
            fact: None,
        })
    }

    fn labels(&self, text: &str, keys: &[&str]) -> Result<Vec<(String, Option<String>)>, UserError> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let label = |part: &str| {
            let (key, value) = match part.split_once('=') {
                Some((key, value)) => (key, Some(value.trim_start_matches('='))),
                None => (part, None),
            };
            match key.is_empty() || key.ends_with('!') || part.contains(' ') {
                true => Err(self.complain(keys, &format!("`{part}` is no label; write `app=web` or `app`"))),
                false => Ok((key.to_owned(), value.map(str::to_owned))),
            }
        };
        parts.map(label).collect()
    }
}
