//! What a definition says of one field.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv6Addr, SocketAddr},
};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use serde_json::{Number, Value as Json};

use super::{
    Condition,
    kind::{NameCase, Risk},
    release::Release,
    values::{Bounds, Pattern, Type, Values},
};
use crate::providers::rest::template::Template;

/// What is known of one field.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Field {
    /// Who may read and write it.
    pub access: Access,
    /// What its items are, if it is a list.
    pub list: Items,
    /// Its type. A declaration of another one is refused before anything is sent, as with what follows.
    #[serde(rename = "type")]
    pub kind: Option<Type>,
    /// The least number.
    pub minimum: Option<Number>,
    /// The greatest number.
    pub maximum: Option<Number>,
    /// A regular expression that a text has to match in the server's form; `^` and `$` bind it to the ends.
    pub pattern: Option<Pattern>,
    /// What its items may be, if it is a list.
    pub items: Option<Values>,
    /// The key that tells items apart, for `list: keyed`.
    pub key: Option<String>,
    /// What the server has where nothing was said.
    pub default: Option<Json>,
    /// How the server writes its values; applied to what Git says and to what the server answers.
    pub normalize: Vec<Step>,
    /// Whether no output may show it.
    pub sensitive: bool,
    /// What is lost with what is taken out of it: that needs a consent of its own, as does another value.
    pub risk: Risk,
    /// The value with which nobody can write the object, or what lives in it, any more: it is written last.
    pub locks: Option<Json>,
    /// How it is written, and whether its case counts, where that is not so for all names of the `identity`.
    pub case: Option<NameCase>,
    /// Whether an object cannot be made without it.
    pub required: bool,
    /// The only values there are.
    #[serde(rename = "enum")]
    pub allowed: Vec<Json>,
    /// Where this does not hold for the other fields, it means nothing: it cannot be declared, and is not imported.
    pub applies_when: Option<Condition>,
    /// Values that cannot be declared, nor name what others live in.
    pub forbidden: Vec<Json>,
    /// Values that stand for others, wherever they are found: a text for one, and for several a list of those that
    /// a set then has in its place.
    #[serde(deserialize_with = "words")]
    #[schemars(with = "BTreeMap<String, Words>")]
    pub aliases: BTreeMap<String, Vec<String>>,
    /// What a value of the server's answers is called where it is sent, if that is another word.
    pub response_aliases: BTreeMap<String, String>,
    /// How the server packs it.
    pub encoding: Option<Encoding>,
    /// Where the server tells whether it has a value that it never answers; `*` is what it is in the field's name.
    pub presence: Option<String>,
    /// How items are changed one by one, for a `list: keyed` that an update does not take as a whole.
    pub patch: Option<ItemPatch>,
    /// The first version of the product that has it.
    pub since: Option<Release>,
    /// The first version of the product that has it no more.
    pub until: Option<Release>,
    /// What it is for; also said where a declaration of it is refused.
    pub about: Option<String>,
}

impl Field {
    /// What the definition says about it, as the end of a message.
    pub fn remark(&self) -> String {
        self.about.as_ref().map_or_else(String::new, |about| format!(": {about}"))
    }

    /// What its values are held against; `enum` is about what is declared, in whatever form.
    pub fn bounds(&self) -> Bounds<'_> {
        Bounds::of(self.kind, [&self.minimum, &self.maximum], self.pattern.as_ref(), &[])
    }

    /// Whether nobody is shown its value: no output may, or the server does not answer it.
    pub fn is_hidden(&self) -> bool {
        self.sensitive || !self.access.is_answered()
    }

    /// What is special about it, in words.
    pub fn traits(&self) -> Vec<String> {
        let access = match self.access {
            Access::WriteOnly => Some("never answered by the server"),
            Access::Immutable => Some("fixed once it is made"),
            Access::WriteOnce => Some("never answered by the server, and fixed once it is made"),
            Access::CreateInput => Some("for making one only"),
            Access::ReadOnly => Some("the server's own"),
            Access::ReadWrite => None,
        };
        let list = match self.list {
            Items::Ordered => None,
            Items::Set => Some("a set".to_owned()),
            Items::Keyed => Some(format!("a list by {}", self.key.as_deref().unwrap_or("name"))),
        };
        let guarded = self.risk != Risk::Low;
        let plain = [
            (self.required, "required"),
            (self.sensitive, "never shown"),
            (guarded, "taken away with a consent of its own"),
        ];
        let plain = plain.into_iter().filter(|(holds, _)| *holds).map(|(_, words)| words.to_owned());
        let values = |values: &[Json]| values.iter().map(Json::to_string).collect::<Vec<_>>().join(" or ");
        let bound =
            |word: &str, bound: &Option<Number>| bound.as_ref().map(|bound| format!("{word} {bound}"));
        plain
            .chain(self.kind.map(|kind| kind.to_string()).filter(|_| self.list == Items::Ordered))
            .chain(bound("at least", &self.minimum))
            .chain(bound("at most", &self.maximum))
            .chain(access.map(str::to_owned))
            .chain(list)
            .chain((!self.allowed.is_empty()).then(|| values(&self.allowed)))
            .chain(self.default.iter().map(|default| format!("{default} where nothing is said")))
            .chain(self.since.iter().map(|since| format!("from {since} on")))
            .chain(self.until.iter().map(|until| format!("before {until}")))
            .collect()
    }
}

/// Who may read and write a field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Everybody.
    #[default]
    ReadWrite,
    /// Only the server writes it: it cannot be declared.
    ReadOnly,
    /// The server never answers it, or only in disguise.
    WriteOnly,
    /// It is fixed once the object is made: another value needs another object.
    Immutable,
    /// Both of these: never answered, and fixed.
    WriteOnce,
    /// It says how the object is made. Later the server knows nothing of it, so it is not compared, and a change
    /// of it is a remark.
    CreateInput,
}

impl Access {
    /// Whether the server says what it has.
    pub fn is_answered(self) -> bool {
        !matches!(self, Access::WriteOnly | Access::WriteOnce)
    }
}

/// What a value stands for.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
enum Words {
    /// Another one.
    One(String),
    /// Several.
    Many(Vec<String>),
}

fn words<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<String, Vec<String>>, D::Error> {
    let read = BTreeMap::<String, Words>::deserialize(from)?;
    let many = |words| match words {
        Words::One(word) => vec![word],
        Words::Many(words) => words,
    };
    Ok(read.into_iter().map(|(word, words)| (word, many(words))).collect())
}

/// How items of a list are changed one by one.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ItemPatch {
    /// An item that is new or differs; `actual:` pointers start at the server's own, if it has one.
    pub put: Template,
    /// An item of the server's that is to go.
    pub remove: Template,
}

/// How a server packs a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// RFC 4648, section 4. Git declares the text that is in it, or `base64:` before what is no text.
    Base64,
    /// The same in answers only: the server takes the text as it is.
    Base64Answers,
}

/// What the items of a list are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Items {
    /// In order.
    #[default]
    Ordered,
    /// In no order, each once.
    Set,
    /// In no order, told apart by `key`.
    Keyed,
}

/// One step on the way to the server's form of a value.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// What is done.
    pub apply: Normalizer,
    /// What is stripped, for `strip_prefix`.
    #[serde(default)]
    pub text: Option<String>,
    /// Only where this holds for the object.
    #[serde(default)]
    pub when: Option<Condition>,
}

/// What can be done to a text on the way to the server's form of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Normalizer {
    /// Small letters.
    Lower,
    /// Capital letters.
    Upper,
    /// Without the prefix `text`.
    StripPrefix,
    /// Each of three hexadecimal digits twice, as in a colour.
    ExpandHex3,
    /// With a dot at the end, as a complete domain name has it.
    TrailingDot,
    /// Between double quotes, inner ones escaped, as in a TXT record.
    Quote,
    /// Without white space at both ends.
    Trim,
    /// Without a slash at the end.
    StripSlash,
    /// The shortest form, if it is an IP address (RFC 5952), with or without a port; without dots in one of
    /// version 6, which some servers answer and do not take.
    Ip,
    /// The type and the key, without the comment, if it is a public key of SSH.
    SshKey,
}

impl Normalizer {
    /// The server's form of `value`.
    pub fn apply(self, value: &str, text: Option<&str>) -> String {
        match self {
            Normalizer::Lower => value.to_lowercase(),
            Normalizer::Upper => value.to_uppercase(),
            Normalizer::StripPrefix => {
                value.strip_prefix(text.unwrap_or_default()).unwrap_or(value).to_owned()
            }
            Normalizer::ExpandHex3
                if value.len() == 3 && value.bytes().all(|byte| byte.is_ascii_hexdigit()) =>
            {
                value.chars().flat_map(|digit| [digit, digit]).collect()
            }
            Normalizer::TrailingDot if !value.ends_with('.') => format!("{value}."),
            Normalizer::Quote if !value.starts_with('"') => {
                format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
            }
            Normalizer::Trim => value.trim().to_owned(),
            Normalizer::Ip => match (value.parse::<IpAddr>(), value.parse::<SocketAddr>()) {
                (Ok(IpAddr::V6(address)), _) => in_hex(address),
                (Ok(address), _) => address.to_string(),
                (_, Ok(address)) => address.to_string(),
                _ => value.to_owned(),
            },
            Normalizer::SshKey => value.split_whitespace().take(2).collect::<Vec<_>>().join(" "),
            Normalizer::StripSlash => value.trim_end_matches('/').to_owned(),
            Normalizer::ExpandHex3 | Normalizer::TrailingDot | Normalizer::Quote => value.to_owned(),
        }
    }
}

/// The shortest form, in which an address of version 4 within has no dots.
fn in_hex(address: Ipv6Addr) -> String {
    let [.., high, low] = address.segments();
    let text = address.to_string();
    match text.rsplit_once(':') {
        Some((before, last)) if last.contains('.') => format!("{before}:{high:x}:{low:x}"),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_forms_are_reached_from_either_side() {
        let cases = [
            (Normalizer::Lower, "AbC", "abc"),
            (Normalizer::ExpandHex3, "abc", "aabbcc"),
            (Normalizer::ExpandHex3, "aabbcc", "aabbcc"),
            (Normalizer::TrailingDot, "example.org", "example.org."),
            (Normalizer::TrailingDot, "example.org.", "example.org."),
            (Normalizer::Quote, "v=spf1 -all", "\"v=spf1 -all\""),
            (Normalizer::Quote, "\"v=spf1 -all\"", "\"v=spf1 -all\""),
            (Normalizer::StripSlash, "http://a/", "http://a"),
            (Normalizer::Ip, "2001:DB8:0:0::1", "2001:db8::1"),
            (Normalizer::Ip, "no address", "no address"),
            (Normalizer::Ip, "::FFFF:192.0.2.1", "::ffff:c000:201"),
            (Normalizer::Ip, "[2001:DB8:0::1]:5300", "[2001:db8::1]:5300"),
            (Normalizer::SshKey, " ssh-ed25519 AAAA al@home", "ssh-ed25519 AAAA"),
        ];
        for (normalizer, value, expected) in cases {
            assert_eq!(normalizer.apply(value, None), expected);
        }
        assert_eq!(Normalizer::StripPrefix.apply("#fff", Some("#")), "fff");
    }
}
