//! The definition of one API: where its objects are, and how they are read and written.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value as Json;

use super::read::condition::Condition;

mod check;
pub mod embedded;
pub mod fields;
pub mod kind;
pub mod list;
pub mod load;
pub mod release;
pub mod server;
pub mod success;
pub mod values;
pub mod write;

pub use fields::{Access, Encoding, Field, Items};
pub use kind::{Envelope, Kind, NameCase, Risk};
pub use list::{Completeness, List, Page};
pub use server::{Auth, Limits, Probe, RateHeaders, Retry, Scheme};
pub use success::Success;
pub use write::{Body, Call, Method, Request, Write};

/// The version of the language that this build reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum ApiVersion {
    /// The only one.
    #[serde(rename = "rest.trueup/v1")]
    V1,
}

/// One API, as a file describes it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// The version of the language.
    #[serde(rename = "apiVersion")]
    pub api_version: ApiVersion,
    /// The word after `provider:` in trueup.yaml.
    pub provider: String,
    /// What it manages, in one line.
    pub summary: String,
    /// Where the API is documented.
    #[serde(default)]
    pub docs: Option<String>,
    /// What it was tried with.
    #[serde(default)]
    pub tested_with: Vec<Tested>,
    /// Where the API starts: a template over `{url}` and the options. Nothing outside of it is ever asked.
    pub base_url: String,
    /// Further keys of a target, all of them texts, for templates.
    #[serde(default)]
    pub options: BTreeMap<String, Option_>,
    /// Ways to prove who we are; the first that has a secret is taken.
    #[serde(default)]
    pub auth: Vec<Auth>,
    /// Headers of every request.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// How hard the API may be worked.
    #[serde(default)]
    pub limits: Limits,
    /// What is tried again.
    #[serde(default)]
    pub retry: Retry,
    /// A request that tells the version of the product. It is asked where that matters: where something differs, or
    /// what is declared is of a kind that has bounds.
    #[serde(default)]
    pub probe: Option<Probe>,
    /// What answers mean where the status alone does not say.
    #[serde(default)]
    pub errors: Vec<ErrorRule>,
    /// Where a refusal says which fields are wrong.
    #[serde(default)]
    pub field_errors: Vec<FieldErrors>,
    /// Where kinds live.
    #[serde(default)]
    pub scopes: BTreeMap<String, Scope>,
    /// A place in the target for the record of what was applied.
    #[serde(default)]
    pub record: Option<RecordPlace>,
    /// What can be declared.
    pub kinds: BTreeMap<String, Kind>,
}

/// A product that a definition was tried with.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tested {
    /// Its name, as the probe answers it where it does.
    pub product: String,
    /// The versions: `1.26` for that one and its patches, or bounds such as `>=1.24 <1.27`.
    pub version: release::Releases,
}

impl fmt::Display for Tested {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.product, self.version)
    }
}

/// A key of a target that only this API knows.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Option")]
pub struct Option_ {
    /// What it is for.
    pub about: String,
    /// What it is where a target does not say; without a default it has to be said.
    #[serde(default)]
    pub default: Option<String>,
}

/// What an answer means.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ErrorRule {
    /// The status.
    pub status: u16,
    /// A text of the answer that has to hold `contains`; the whole answer without one.
    #[serde(default)]
    pub pointer: Option<String>,
    /// The text to be found.
    #[serde(default)]
    pub contains: Option<String>,
    /// What it means then.
    pub class: ErrorClass,
}

/// Where a refusal says which fields are wrong.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldErrors {
    /// Where the answer has the list of them, or the text that names one.
    pub items: String,
    /// Where an item has the name of its field; the part of the text between `[` and `]` if `items` is a text.
    #[serde(default)]
    pub name: Option<String>,
    /// Where an item says what is wrong.
    #[serde(default)]
    pub message: Option<String>,
    /// What stands before the name and does not belong to it, for example `data.`.
    #[serde(default)]
    pub prefix: String,
}

/// What a refused request means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorClass {
    /// There is no such object.
    Absent,
    /// The object is not what the request expects it to be.
    Conflict,
    /// There is one already.
    Exists,
    /// The credentials do not allow it.
    Forbidden,
    /// There is no such object, or the credentials do not allow it: the server does not tell which. It
    /// counts as absent only where a create says that it must not find the object.
    Hidden,
    /// The request makes no sense to the server.
    Invalid,
    /// The object may not be changed.
    Protected,
    /// Too many requests.
    RateLimited,
    /// The server cannot be reached, or cannot answer now: it may work later.
    Unavailable,
    /// Anything else.
    Other,
}

/// A place that kinds live in.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// What names it, from the outside in.
    pub params: Vec<String>,
    /// The kind that makes it; its objects are the scopes.
    #[serde(default)]
    pub kind: Option<String>,
    /// A path that answers only if the scope is there.
    #[serde(default)]
    pub exists: Option<String>,
    /// A name for the server's own id of the object that makes it, for paths that want that instead.
    #[serde(default)]
    pub id: Option<String>,
    /// How its names are written, and whether their case counts, where no `kind` makes it and says so.
    #[serde(default)]
    pub case: NameCase,
}

/// A place in the target for the record of what was applied.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordPlace {
    /// Path that reads it.
    pub read: String,
    /// Where the answer has it.
    pub pointer: String,
    /// Whether it stands there as a text that holds JSON, or if that is long, its gzip in base64.
    #[serde(default)]
    pub encoded: bool,
    /// The request that writes it; `/record` is what is to be kept.
    pub write: Request,
    /// The request that makes it where it is not there; `write` otherwise.
    #[serde(default)]
    pub create: Option<Request>,
    /// Requests that come before the first `create`, where the place itself has to be made.
    #[serde(default)]
    pub prepare: Vec<Request>,
    /// The header of the answer that names the version, sent back as `If-Match`.
    #[serde(default)]
    pub etag: bool,
}

/// A rule about values that depend on each other.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Where this holds,
    pub when: Condition,
    /// this has to hold too.
    pub need: Condition,
    /// Whether only what is declared counts; without, what the server has of other fields counts too.
    #[serde(default)]
    pub declared: bool,
}

impl Definition {
    /// The kind called `name`.
    pub fn kind(&self, name: &str) -> Option<&Kind> {
        self.kinds.get(name)
    }

    /// The names that place an object of `kind`, from the outside in.
    pub fn params(&self, kind: &Kind) -> &[String] {
        let scope = kind.scope.as_ref().and_then(|scope| self.scopes.get(scope));
        scope.map_or(&[], |scope| &scope.params)
    }

    /// Whether names of `scope` that differ in case only are the same.
    pub fn is_insensitive(&self, scope: &str) -> bool {
        let Some(scope) = self.scopes.get(scope) else { return false };
        let maker = scope.kind.as_ref().and_then(|kind| self.kind(kind));
        let last = |kind: &Kind| kind.identity.keys.last().map_or(NameCase::None, |key| kind.fold(key));
        maker.map_or(scope.case, last) == NameCase::Insensitive
    }

    /// The paths that are read by a POST.
    pub fn safe_posts(&self) -> Vec<&str> {
        let of = |kind| {
            let Kind { list, read, .. }: &Kind = kind;
            let lists = list.iter().filter(|list| list.query_body.is_some()).map(|list| list.path.as_str());
            lists.chain(read.iter().filter(|read| read.query_body.is_some()).map(|read| read.path.as_str()))
        };
        let paths: BTreeSet<&str> = self.kinds.values().flat_map(of).collect();
        paths.into_iter().collect()
    }

    /// How far a kind is from the outermost things: what it lives in and depends on comes first.
    pub fn rank(&self, kind: &str) -> usize {
        self.rank_within(kind, self.kinds.len())
    }

    fn rank_within(&self, name: &str, left: usize) -> usize {
        let Some(kind) = self.kinds.get(name).filter(|_| left > 0) else { return 0 };
        let scope = kind.scope.as_ref().and_then(|scope| self.scopes.get(scope)?.kind.as_ref());
        let attached = kind.attached_to.iter().map(|to| &to.kind);
        let before = kind.depends_on.iter().chain(attached).chain(scope).filter(|other| *other != name);
        before.map(|other| self.rank_within(other, left - 1) + 1).max().unwrap_or(0)
    }
}

/// JSON Schema of the language.
pub fn schema() -> Json {
    schemars::schema_for!(Definition).to_value()
}
