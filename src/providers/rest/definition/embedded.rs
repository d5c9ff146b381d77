//! The definitions that come with trueup.

use std::sync::{Arc, LazyLock};

use super::{Definition, load};
use crate::providers::rest::yaml::Complaint;

/// Name and content of each file.
const FILES: &[(&str, &str)] = &[
    ("gitea.yaml", include_str!("../definitions/gitea.yaml")),
    ("github.yaml", include_str!("../definitions/github.yaml")),
    ("kinto.yaml", include_str!("../definitions/kinto.yaml")),
    ("powerdns.yaml", include_str!("../definitions/powerdns.yaml")),
    ("rabbitmq.yaml", include_str!("../definitions/rabbitmq.yaml")),
];

/// Those of them that can be read: all, as a test proves.
static DEFINITIONS: LazyLock<Vec<Arc<Definition>>> =
    LazyLock::new(|| check().into_iter().filter_map(|(_, definition)| Some(Arc::new(definition.ok()?))).collect());

/// Every definition that comes with trueup, by name.
pub fn all() -> &'static [Arc<Definition>] {
    &DEFINITIONS
}

/// The definition called `name`.
pub fn find(name: &str) -> Option<&'static Arc<Definition>> {
    all().iter().find(|definition| definition.provider == name)
}

/// The text of the definition called `name`.
pub fn text(name: &str) -> Option<&'static str> {
    let position = all().iter().position(|definition| definition.provider == name)?;
    FILES.get(position).map(|(_, text)| *text)
}

/// Every file with what became of reading it.
fn check() -> Vec<(&'static str, Result<Definition, Complaint>)> {
    FILES.iter().map(|(name, text)| (*name, load::parse(text.as_bytes()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_a_definition_of_its_own_name() {
        for (file, definition) in check() {
            let definition =
                definition.unwrap_or_else(|error| panic!("{file}:{}: {}", error.line, error.message));
            assert_eq!(format!("{}.yaml", definition.provider), file);
        }
    }
}
