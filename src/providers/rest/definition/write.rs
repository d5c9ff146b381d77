//! The requests of a kind that write.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::success::{self, Success};
use crate::providers::rest::template::Template;

/// The methods that write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// POST
    Post,
    /// PUT
    Put,
    /// PATCH
    Patch,
    /// DELETE
    Delete,
}

/// A request that makes or changes one object.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Write {
    /// The method.
    pub method: Method,
    /// The path below the base.
    pub path: String,
    /// Its query.
    #[serde(default)]
    pub query: BTreeMap<String, String>,
    /// What it carries.
    #[serde(default)]
    pub body: Body,
    /// The field that is sent as it is, for `body: raw`.
    #[serde(default)]
    pub raw: Option<String>,
    /// The body as a template, instead of `body`.
    #[serde(default)]
    pub template: Option<Template>,
    /// Where in the request the object stands, for example `/data`.
    #[serde(default)]
    pub body_pointer: String,
    /// The type of the content, where the usual one of `body` does not do.
    #[serde(default)]
    pub content_type: Option<String>,
    /// Fields that are always sent, from the server's own values where they are not declared.
    #[serde(default)]
    pub always_send: Vec<String>,
    /// Fields of which all are sent if one is.
    #[serde(default)]
    pub send_together: Vec<Vec<String>>,
    /// Which answers mean that it took place; every 2xx without, and the way to a result (303).
    #[serde(default, deserialize_with = "success::either")]
    #[schemars(with = "success::Either")]
    pub success: Success,
    /// Where the answer has the object; it is read again without.
    #[serde(default)]
    pub returns: Option<String>,
    /// Whether fields that creation ignores are sent again as an update.
    #[serde(default)]
    pub update_after_create: bool,
    /// Where one is made instead if there is no such place as `path`, tried in this order.
    #[serde(default)]
    pub fallback: Vec<Fallback>,
}

/// Another place where one can be made.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fallback {
    /// The path below the base.
    pub path: String,
    /// What has to hold before anything is sent there.
    #[serde(default)]
    pub when: Option<Provided>,
}

/// What an answer of the server has to say.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Provided {
    /// The path below the base that is asked.
    pub get: String,
    /// Where the answer has the value,
    pub pointer: String,
    /// and what that is: a template such as `{owner}`.
    pub is: String,
}

/// What a write carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// Every declared field; for an update, over what the server has.
    #[default]
    Full,
    /// Every declared field and nothing of the server's.
    Declared,
    /// The fields that differ, each as a whole.
    Changed,
    /// What differs, down to the single key (RFC 7396).
    MergePatch,
    /// What differs, as a list of operations (RFC 6902).
    JsonPatch,
    /// One field as it is, without JSON around it.
    Raw,
    /// Nothing.
    Nothing,
}

/// A request for a purpose of its own.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The path below the base.
    pub path: String,
    /// Its query.
    #[serde(default)]
    pub query: BTreeMap<String, String>,
    /// What it carries; nothing without.
    #[serde(default)]
    pub template: Option<Template>,
    /// Which answers mean that it took place; every 2xx without, and the way to a result (303).
    #[serde(default, deserialize_with = "success::either")]
    #[schemars(with = "success::Either")]
    pub success: Success,
}

/// How an object is removed.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Delete {
    /// The method.
    #[serde(default = "delete")]
    pub method: Method,
    /// The path below the base.
    pub path: String,
    /// Its query.
    #[serde(default)]
    pub query: BTreeMap<String, String>,
    /// What it carries; nothing without.
    #[serde(default)]
    pub template: Option<Template>,
    /// Which answers mean that it took place; every 2xx without, and the way to a result (303).
    #[serde(default, deserialize_with = "success::either")]
    #[schemars(with = "success::Either")]
    pub success: Success,
}

fn delete() -> Method {
    Method::Delete
}

/// A field that has a request of its own.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldAction {
    /// The field; the other requests do not carry it.
    pub field: String,
    /// The request.
    pub request: Request,
}

/// A request that carries many objects at once, all or none of them.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// The request; its objects are those of one scope.
    pub method: Method,
    /// The path below the base.
    pub path: String,
    /// Where in the request the objects stand.
    pub items: String,
    /// One object that is written.
    pub put: Template,
    /// One object that is removed.
    pub remove: Template,
    /// The most objects of one request.
    pub max: usize,
}

/// What every one of these requests says of how it is sent.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// The method.
    pub method: Method,
    /// The path below the base.
    pub path: &'a str,
    /// Its query.
    pub query: &'a BTreeMap<String, String>,
    /// Which answers mean that it took place.
    pub success: &'a Success,
    /// The type of the content, where it is not the usual one.
    pub content_type: Option<&'a str>,
}

impl Write {
    /// How it is sent.
    pub fn call(&self) -> Call<'_> {
        let usual = match (self.body, &self.template) {
            (Body::JsonPatch, None) => Some("application/json-patch+json"),
            (Body::Raw, None) => Some("application/octet-stream"),
            _ => None,
        };
        Call {
            method: self.method,
            path: &self.path,
            query: &self.query,
            success: &self.success,
            content_type: self.content_type.as_deref().or(usual),
        }
    }
}

impl Request {
    /// How it is sent.
    pub fn call(&self) -> Call<'_> {
        Call::plain(self.method, &self.path, &self.query, &self.success)
    }
}

impl Delete {
    /// How it is sent.
    pub fn call(&self) -> Call<'_> {
        Call::plain(self.method, &self.path, &self.query, &self.success)
    }
}

impl Batch {
    /// How it is sent.
    pub fn call(&self) -> Call<'_> {
        const NONE: &BTreeMap<String, String> = &BTreeMap::new();
        Call::plain(self.method, &self.path, NONE, Success::ANY)
    }
}

impl<'a> Call<'a> {
    /// A request whose content is of the usual type.
    fn plain(
        method: Method,
        path: &'a str,
        query: &'a BTreeMap<String, String>,
        success: &'a Success,
    ) -> Self {
        Call { method, path, query, success, content_type: None }
    }
}
