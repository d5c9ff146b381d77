//! One kind of object of an API.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value as Json;

use super::{Condition, Rule, fields::Field};

/// One kind of object.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Kind {
    /// What it is, in one line.
    #[serde(default)]
    pub about: Option<String>,
    /// The scope that it lives in; the target itself without one.
    #[serde(default)]
    pub scope: Option<String>,
    /// Kinds that have to be there first.
    #[serde(default)]
    pub depends_on: Vec<String>,
    /// What is lost when it is deleted.
    #[serde(default)]
    pub risk: Risk,
    /// What tells two of them apart.
    pub identity: Identity,
    /// Where the server's own id is, for `{id}`; and for what was just made, the header that ends with it.
    #[serde(default)]
    pub id: Option<String>,
    /// How all of them are read.
    #[serde(default)]
    pub list: Option<List>,
    /// How one of them is read.
    #[serde(default)]
    pub read: Option<Read>,
    /// How one is made.
    #[serde(default)]
    pub create: Option<Write>,
    /// How one is changed.
    #[serde(default)]
    pub update: Option<Write>,
    /// How one is removed.
    #[serde(default)]
    pub delete: Option<Delete>,
    /// Fields that have requests of their own.
    #[serde(default)]
    pub actions: Vec<FieldAction>,
    /// Requests that carry many objects at once.
    #[serde(default)]
    pub batch: Option<Batch>,
    /// How a write says which version it means.
    #[serde(default)]
    pub version: Option<Version>,
    /// How to wait for what takes its time.
    #[serde(default)]
    pub wait: Option<Wait>,
    /// Where this holds for the object as the server has it, it is never written.
    #[serde(default)]
    pub protected_when: Option<Condition>,
    /// Values that depend on each other.
    #[serde(default)]
    pub validate: Vec<Rule>,
    /// Where the server says who changed it last.
    #[serde(default)]
    pub writer: Option<Writer>,
    /// What is deleted with it, counted before.
    #[serde(default)]
    pub cascades: Vec<Cascade>,
    /// Its fields, by pointer; `*` stands for any key or item, `{a,b}` for several.
    #[serde(default)]
    pub fields: BTreeMap<String, Field>,
    /// Whether fields that are not listed may be declared.
    #[serde(default)]
    pub open: bool,
}

/// What is lost with an object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// Nothing that Git cannot bring back.
    #[default]
    Low,
    /// Data that is nowhere else: deleting needs a consent of its own.
    DataLoss,
    /// Somebody's access: deleting needs a consent of its own.
    Access,
}

/// What tells two objects of a kind apart within their scope.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// Pointers to the fields, in the order of the address.
    pub keys: Vec<String>,
    /// How they are written.
    #[serde(default)]
    pub fold: Fold,
    /// The field that holds the name before a rename.
    #[serde(default)]
    pub previously: Option<String>,
    /// The field that carries a new name, where it is not the name itself.
    #[serde(default)]
    pub rename: Option<String>,
}

/// How names are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fold {
    /// As they are.
    #[default]
    None,
    /// In small letters.
    Lower,
    /// In capital letters.
    Upper,
}

/// How all objects of a kind are read.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// The path below the base.
    pub path: String,
    /// Its query.
    #[serde(default)]
    pub query: BTreeMap<String, String>,
    /// Where the answer has the objects.
    #[serde(default)]
    pub items: String,
    /// Where the name of each goes, if the answer has the objects as a mapping of names.
    #[serde(default)]
    pub named: Option<String>,
    /// How further pages are asked for.
    #[serde(default)]
    pub page: Page,
    /// Whether each has to be read by itself, since the list is a summary.
    #[serde(default)]
    pub detail: bool,
    /// What belongs to the list at all: inherited and built-in objects do not.
    #[serde(default)]
    pub keep: Option<Condition>,
    /// The declared form of an item; the item itself without one.
    #[serde(default)]
    pub map: Option<Json>,
    /// Whether everything there is shows up.
    #[serde(default)]
    pub completeness: Completeness,
}

/// Whether a list shows everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Completeness {
    /// Yes.
    #[default]
    Complete,
    /// Only what the credentials may see.
    Filtered,
}

/// How further pages are asked for.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Page {
    /// The style.
    pub style: PageStyle,
    /// The parameter that counts, or carries the cursor.
    pub param: Option<String>,
    /// The parameter of the size.
    pub size_param: Option<String>,
    /// The size.
    pub size: Option<usize>,
    /// The number of the first page.
    pub first: Option<usize>,
    /// The header with the number of all objects.
    pub total_header: Option<String>,
    /// Where the answer has that number.
    pub total: Option<String>,
    /// The header with the address of the next page, for `next_header`.
    pub next_header: Option<String>,
    /// Where the answer has the cursor.
    pub cursor: Option<String>,
}

/// The styles of paging. None of them stops at a short page: servers cap sizes silently.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PageStyle {
    /// One answer holds everything.
    #[default]
    None,
    /// Pages are counted, until the total is reached or a page is empty.
    Page,
    /// Objects are counted, until the total is reached or a page is empty.
    Offset,
    /// The `Link` header names the next page.
    Link,
    /// A header holds the address of the next page.
    NextHeader,
    /// The answer holds a cursor.
    Cursor,
}

/// How one object is read.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Read {
    /// The path below the base.
    pub path: String,
    /// Its query.
    #[serde(default)]
    pub query: BTreeMap<String, String>,
    /// Where the answer has the object.
    #[serde(default)]
    pub body: String,
    /// The declared form of the answer, whose pointers start at the object; `item:` ones at the item of the list.
    #[serde(default)]
    pub map: Option<Json>,
}

/// A request that writes.
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
    /// The body as a template, instead of `body`.
    #[serde(default)]
    pub template: Option<Json>,
    /// Where in the request the object stands, for example `/data`.
    #[serde(default)]
    pub wrap: String,
    /// Fields that are always sent, from the server's own values where they are not declared.
    #[serde(default)]
    pub always_send: Vec<String>,
    /// Fields of which all are sent if one is.
    #[serde(default)]
    pub send_together: Vec<Vec<String>>,
    /// The statuses of success; every 2xx without.
    #[serde(default)]
    pub success: Vec<u16>,
    /// Where this does not hold for the answer, the write did not take place.
    #[serde(default)]
    pub success_when: Option<Condition>,
    /// Where the answer has the object; it is read again without.
    #[serde(default)]
    pub returns: Option<String>,
    /// Whether fields that creation ignores are sent again as an update.
    #[serde(default)]
    pub follow_up: bool,
}

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
    /// Nothing.
    Nothing,
}

/// How an object is removed.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Delete {
    /// The path below the base.
    pub path: String,
    /// Its query.
    #[serde(default)]
    pub query: BTreeMap<String, String>,
    /// The statuses of success; every 2xx without.
    #[serde(default)]
    pub success: Vec<u16>,
}

/// A field that has a request of its own.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldAction {
    /// The field; the other requests do not carry it.
    pub field: String,
    /// The request.
    pub request: Write,
    /// The path that reads the field, where the object does not have it.
    #[serde(default)]
    pub read: Option<Read>,
}

/// A request that carries many objects at once.
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
    pub put: Json,
    /// One object that is removed.
    pub remove: Json,
    /// The most objects of one request.
    pub max: usize,
}

/// How a write says which version it means.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Version {
    /// Where the object has its version.
    pub from: String,
    /// The header that carries it, for example `If-Match`.
    #[serde(default)]
    pub header: Option<String>,
    /// The query parameter that carries it.
    #[serde(default)]
    pub query: Option<String>,
    /// The form that it is sent in, in which `{version}` is the version.
    #[serde(default)]
    pub format: Option<String>,
    /// The header, with its value, of a request that must not find the object: `If-None-Match: *`.
    #[serde(default)]
    pub absent: Option<(String, String)>,
}

/// How to wait for what takes its time.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Wait {
    /// It is done where this holds for the object.
    pub until: Condition,
    /// Seconds until it has failed.
    pub timeout_s: u64,
}

/// Where the server says who changed an object last.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Writer {
    /// Who.
    #[serde(default)]
    pub who: Option<String>,
    /// When: RFC 3339.
    #[serde(default)]
    pub at: Option<String>,
    /// When: milliseconds since 1970.
    #[serde(default)]
    pub at_ms: Option<String>,
}

/// What is deleted with an object.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cascade {
    /// What it is, in words.
    pub what: String,
    /// The path whose answer holds them.
    pub path: String,
    /// Where they are: a list, or a number.
    #[serde(default)]
    pub count: String,
}
