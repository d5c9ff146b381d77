//! Did you mean.

/// The keys that every target of trueup.yaml has; the others are its provider's.
pub const TARGET_KEYS: &[&str] = &["provider", "path", "guards", "ignore", "ignore-builtin", "sensitive"];

/// The one of `known` that `word` was probably meant to be.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = (word.chars().count() / 3).clamp(1, 3);
    let distance = |name: &str| strsim::damerau_levenshtein(&word.to_lowercase(), &name.to_lowercase());
    let ranked = known.into_iter().map(|name| (distance(name), name));
    ranked.filter(|(distance, _)| *distance <= allowed).min().map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_of_the_finger_is_understood_and_another_word_is_not() {
        let known = ["provider", "path", "guards"];
        for (word, expected) in [
            ("provder", Some("provider")),
            ("Provider", Some("provider")),
            ("pahts", None),
            ("paht", Some("path")),
            ("guard", Some("guards")),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known), expected, "{word}");
        }
    }
}
