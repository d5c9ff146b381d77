//! The definitions that come with trueup.

use std::sync::{Arc, OnceLock};

use super::{Definition, load};

/// Name and content of each; the only place where systems are named.
const FILES: &[(&str, &str)] = &[
    ("gitea", include_str!("../definitions/gitea.yaml")),
    ("github", include_str!("../definitions/github.yaml")),
    ("kinto", include_str!("../definitions/kinto.yaml")),
    ("powerdns", include_str!("../definitions/powerdns.yaml")),
    ("rabbitmq", include_str!("../definitions/rabbitmq.yaml")),
];

/// Each is read when it is needed: most runs need none of them.
static READ: [OnceLock<Option<Arc<Definition>>>; FILES.len()] = [const { OnceLock::new() }; FILES.len()];

/// The names of the definitions.
pub fn names() -> impl Iterator<Item = &'static str> {
    FILES.iter().map(|(name, _)| *name)
}

/// The definition called `name`.
pub fn find(name: &str) -> Option<&'static Arc<Definition>> {
    let at = names().position(|known| known == name)?;
    READ[at].get_or_init(|| load::parse(FILES[at].1.as_bytes()).ok().map(Arc::new)).as_ref()
}

/// The text of the definition called `name`.
pub fn text(name: &str) -> Option<&'static str> {
    FILES.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// Every definition.
pub fn all() -> impl Iterator<Item = &'static Arc<Definition>> {
    names().filter_map(find)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_a_definition_of_its_own_name() {
        for (name, text) in FILES {
            let definition = load::parse(text.as_bytes());
            let definition = definition.unwrap_or_else(|error| panic!("{}", error.within(name)));
            assert_eq!(definition.provider, *name);
        }
    }
}
