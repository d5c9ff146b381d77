//! JSON, versioned and documented by schemas. A new key is a new minor
//! version, which readers ignore; anything else changes the version in `schema`.

mod apply;
mod log;
mod plan;
mod providers;
mod why;
mod writer;

use std::io::{self, Write};

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Value, json};

pub use apply::reports;
pub use log::logs;
pub use plan::plans;
pub use providers::providers;
pub use why::whys;

use super::Plans;
use crate::model::redact::totals;

/// JSON Schema of the answer of `plan`, `diff` and `drift`.
pub fn schema_plan() -> Value {
    schema::<plan::Document<'_>>(plan::SCHEMA)
}

/// JSON Schema of the answer of `apply`.
pub fn schema_apply() -> Value {
    schema::<apply::Document<'_>>(apply::SCHEMA)
}

/// JSON Schema of the answer of `log`.
pub fn schema_log() -> Value {
    schema::<log::Document<'_>>(log::SCHEMA)
}

/// JSON Schema of the answer of `why`.
pub fn schema_why() -> Value {
    schema::<why::Document<'_>>(why::SCHEMA)
}

/// JSON Schema of the answer of `providers`.
pub fn schema_providers() -> Value {
    schema::<providers::Document<'_>>(providers::SCHEMA)
}

/// Describes `T` as it is written. Records refuse keys that they do not know;
/// readers of an answer must not, so that keys can be added.
fn schema<T: JsonSchema>(name: &str) -> Value {
    let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let mut schema = generator.into_root_schema_for::<T>().to_value();
    open(&mut schema);
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.insert("schema".to_owned(), json!({ "const": name }));
    }
    if let Some(root) = schema.as_object_mut() {
        root.insert("title".to_owned(), json!(name));
    }
    schema
}

fn open(schema: &mut Value) {
    match schema {
        Value::Object(keys) => {
            if keys.get("additionalProperties") == Some(&Value::Bool(false)) {
                keys.remove("additionalProperties");
            }
            keys.values_mut().for_each(open);
        }
        Value::Array(items) => items.iter_mut().for_each(open),
        _ => {}
    }
}

/// Writes the counts of GitLab's `terraform` report. A replace is a delete and a create there.
///
/// # Errors
/// `out` refused.
pub fn gitlab_terraform(plans: &Plans<'_>, out: &mut dyn Write) -> io::Result<()> {
    let sum = totals(plans.sheets.iter().map(|sheet| &sheet.plan)).summary;
    let counts = json!({
        "create": sum.create + sum.replace,
        "update": sum.update + sum.adopt,
        "delete": sum.delete + sum.replace,
    });
    writeln!(out, "{counts}")
}
