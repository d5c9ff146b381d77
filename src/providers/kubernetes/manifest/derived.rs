//! Defaults that the server takes from another declared field. It keeps them when that field comes or goes, although
//! a new object would get others.

use crate::model::value::Value;

/// A field, and what the server makes of whether it is there.
struct Derived {
    from: &'static str,
    /// Whether the field matters when it comes, too, and not only when it goes.
    comes: bool,
    fields: &'static [&'static str],
}

const DERIVED: [Derived; 2] = [
    // `serviceAccount` is the deprecated name of the field, which the server keeps in step
    // (Kubernetes API reference, PodSpec), and from which it fills in the other.
    Derived { from: "serviceAccountName", comes: false, fields: &["serviceAccount", "serviceAccountName"] },
    // "If this field is not specified, it will default based on the existence of ingress or egress rules"
    // (Kubernetes API reference, NetworkPolicySpec).
    Derived { from: "egress", comes: true, fields: &["policyTypes"] },
];

/// The fields beside those of `config` whose default is another one than it was for `base`.
pub fn stale<'a>(base: Option<&'a Value>, config: &'a Value) -> impl Iterator<Item = &'static str> + 'a {
    let moved = DERIVED.iter().filter(move |derived| {
        let [was, is] =
            [base, Some(config)].map(|side| side.and_then(|side| side.get(derived.from)).is_some());
        base.is_some() && was != is && (derived.comes || was)
    });
    moved.flat_map(|derived| derived.fields).copied().filter(|field| config.get(field).is_none())
}

/// Whether there are such fields anywhere in an object.
pub fn is_stale(base: Option<&Value>, config: &Value) -> bool {
    let Value::Map(map) = config else { return false };
    stale(base, config).next().is_some()
        || map.iter().any(|(key, value)| base.is_some_and(|base| is_stale(base.get(key), value)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::value;

    #[test]
    fn what_comes_of_a_field_goes_with_it() {
        let found = |base: &str, config: &str| {
            let (base, config) = (value(base), value(config));
            let fields: Vec<&str> = stale(Some(&base), &config).collect();
            fields.join(" ")
        };
        assert_eq!(found(r#"{"serviceAccountName": "x"}"#, "{}"), "serviceAccount serviceAccountName");
        assert_eq!(found("{}", r#"{"serviceAccountName": "x"}"#), "", "the server sets both");
        assert_eq!(
            found(r#"{"serviceAccountName": "x"}"#, r#"{"serviceAccount": "y"}"#),
            "serviceAccountName"
        );
        assert_eq!(found(r#"{"egress": []}"#, "{}"), "policyTypes");
        assert_eq!(found("{}", r#"{"egress": []}"#), "policyTypes");
        assert_eq!(found("{}", r#"{"egress": [], "policyTypes": ["Egress"]}"#), "", "it is declared");
        let nested = |text: &str| value(&format!(r#"{{"spec": {{"template": {text}}}}}"#));
        assert!(is_stale(Some(&nested(r#"{"egress": 1}"#)), &nested("{}")));
        assert!(!is_stale(None, &nested(r#"{"egress": 1}"#)), "nothing was applied before");
    }
}
