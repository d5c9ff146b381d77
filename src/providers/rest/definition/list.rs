//! How objects of a kind are read: all of them by a list, and each by itself.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::Condition;
use crate::providers::rest::template::Template;

/// How all objects of a kind are read.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// The path below the base.
    pub path: String,
    /// The path of the list where there is no such place as `path`.
    #[serde(default)]
    pub fallback: Option<String>,
    /// Its query.
    #[serde(default)]
    pub query: BTreeMap<String, String>,
    /// What a POST carries that only reads, for servers which want one. It is sent by every plan.
    #[serde(default)]
    pub query_body: Option<Template>,
    /// Where the answer has the objects.
    #[serde(default)]
    pub items: String,
    /// Where this holds for the answer, there are none.
    #[serde(default)]
    pub empty_when: Option<Condition>,
    /// Whether there are none where there is no such place as `path`, although what they live in was seen: the
    /// scope by its `exists` or its kind, else the `probe`.
    #[serde(default)]
    pub absent_is_empty: bool,
    /// Where the name of each goes, if the answer has the objects as a mapping of names.
    #[serde(default)]
    pub named: Option<String>,
    /// Where what stands under a name goes, if that is no mapping.
    #[serde(default)]
    pub value: Option<String>,
    /// How further pages are asked for.
    #[serde(default)]
    pub page: Page,
    /// How the list is asked again for what is inside of each item.
    #[serde(default)]
    pub recurse: Option<Recurse>,
    /// Whether each has to be read by itself, since the list is a summary.
    #[serde(default)]
    pub detail: bool,
    /// What belongs to the list at all: inherited and built-in objects do not.
    #[serde(default)]
    pub filter: Option<Condition>,
    /// The declared form of an item; the item itself without one.
    #[serde(default)]
    pub map: Option<Template>,
    /// Whether everything there is shows up.
    #[serde(default)]
    pub completeness: Completeness,
    /// Whether it leaves out some that are there for those who ask for them by name, such as people who are invited.
    #[serde(default)]
    pub read_unlisted: bool,
    /// The header that says `true` where something is left out which the credentials may not see.
    #[serde(default)]
    pub filtered_header: Option<String>,
}

/// A list that shows one level, and is asked again for each item of it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Recurse {
    /// The parameter that names the item whose inside is asked for.
    pub param: String,
    /// Where an item has what the parameter wants.
    pub from: String,
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
    /// What a POST carries that only reads, for servers which want one. It is sent by every plan.
    #[serde(default)]
    pub query_body: Option<Template>,
    /// Where the answer has the object.
    #[serde(default)]
    pub body: String,
    /// Where this holds for the answer, there is no such object.
    #[serde(default)]
    pub absent_when: Option<Condition>,
    /// The field that the whole answer is, where it is no JSON.
    #[serde(default)]
    pub raw: Option<String>,
    /// The declared form of the answer, whose pointers start at the object; `item:` ones at the item of the list.
    #[serde(default)]
    pub map: Option<Template>,
}
