//! Selectors of labels and fields as requests carry them.

use std::collections::BTreeMap;

/// Whether a selector fits an object with these labels.
pub fn labels_fit(selector: &str, labels: &BTreeMap<String, String>) -> bool {
    requirements(selector).all(|one| is_met(one, &|key| labels.get(key).map(String::as_str)))
}

/// Whether a selector fits an object of this name. What asks for other fields is not known to.
pub fn fields_fit(selector: &str, namespace: &str, name: &str) -> bool {
    let field = |key: &str| match key {
        "metadata.name" => Some(name),
        "metadata.namespace" => Some(namespace),
        _ => None,
    };
    let key = |one: &str| one.split(['=', '!']).next().unwrap_or_default().trim().to_owned();
    requirements(selector).all(|one| field(&key(one)).is_some() && is_met(one, &field))
}

/// The parts that commas separate, but for those of a list of values.
fn requirements(selector: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_usize;
    let parts = selector.split(move |character| {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        character == ',' && depth == 0
    });
    parts.map(str::trim).filter(|part| !part.is_empty())
}

fn is_met<'a>(requirement: &str, value: &dyn Fn(&str) -> Option<&'a str>) -> bool {
    if let Some(key) = requirement.strip_prefix('!') {
        return value(key.trim()).is_none();
    }
    if let Some((rule, list)) = requirement.strip_suffix(')').and_then(|text| text.split_once('(')) {
        let Some((key, word)) = rule.trim().rsplit_once(' ') else { return false };
        let has = value(key.trim()).is_some_and(|value| list.split(',').any(|one| one.trim() == value));
        return has == (word == "in") && matches!(word, "in" | "notin");
    }
    if let Some((key, other)) = requirement.split_once("!=") {
        return value(key.trim()) != Some(other.trim());
    }
    match requirement.split_once("==").or_else(|| requirement.split_once('=')) {
        Some((key, wanted)) => value(key.trim()) == Some(wanted.trim()),
        None => value(requirement).is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_selected_as_the_server_does() {
        let labels = [("app", "web"), ("tier", "")].map(|(key, value)| (key.to_owned(), value.to_owned()));
        let fits = |selector: &str| labels_fit(selector, &labels.clone().into());
        for selector in [
            "",
            "app=web",
            "app==web,tier=",
            "app",
            "!other",
            "app!=shop",
            "other!=x",
            "app in (shop, web),tier",
            "app notin (shop,x)",
            "other notin (x)",
        ] {
            assert!(fits(selector), "{selector}");
        }
        for selector in [
            "app=shop",
            "app!=web",
            "!app",
            "other",
            "app in (shop)",
            "app notin (web)",
            "app>1",
            "app of (web)",
        ] {
            assert!(!fits(selector), "{selector}");
        }
    }

    #[test]
    fn fields_that_are_not_known_fit_nothing() {
        let fits = |selector: &str| fields_fit(selector, "shop", "web");
        assert!(fits("") && fits("metadata.name=web,metadata.namespace!=x"));
        assert!(!fits("metadata.name=x") && !fits("status.phase!=Running") && !fits("type=Opaque"));
    }
}
