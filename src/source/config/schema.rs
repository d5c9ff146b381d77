//! The JSON Schema of trueup.yaml.

use schemars::{Schema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use super::{Config, file::File};

/// What the schema of the file has to know of a provider.
pub struct ProviderSchema<'a> {
    /// The word after `provider:`.
    pub name: &'a str,
    /// Schema of its own keys.
    pub options: fn(&mut SchemaGenerator) -> Schema,
}

impl Config {
    /// JSON Schema of the file, with the keys of every provider.
    pub fn schema(providers: &[ProviderSchema<'_>]) -> Schema {
        let mut generator = SchemaSettings::draft2020_12().into_generator();
        let options: Vec<(&str, Value)> =
            providers.iter().map(|provider| (provider.name, options(provider, &mut generator))).collect();
        let mut schema = generator.into_root_schema_for::<File>();
        let shared = schema.pointer("/$defs/Target").cloned().unwrap_or_default();
        let kinds: Vec<Value> = options.iter().map(|(name, options)| kind(name, &shared, options)).collect();
        if let Some(target) = schema.pointer_mut("/$defs/Target") {
            *target = json!({ "description": "One target, by its provider.", "oneOf": kinds });
        }
        schema
    }
}

/// The schema of a provider's own keys, without a detour over a definition.
fn options(provider: &ProviderSchema<'_>, generator: &mut SchemaGenerator) -> Value {
    let schema = (provider.options)(generator).to_value();
    let name = schema.get("$ref").and_then(Value::as_str).and_then(|to| to.rsplit('/').next());
    name.and_then(|name| generator.definitions().get(name).cloned()).unwrap_or(schema)
}

/// A target of one provider: the shared keys and its own.
fn kind(name: &str, shared: &Value, options: &Value) -> Value {
    let object =
        |schema: &Value, key: &str| schema.get(key).and_then(Value::as_object).cloned().unwrap_or_default();
    let list = |schema: &Value| schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut properties: Map<String, Value> = object(shared, "properties");
    properties.insert("provider".to_owned(), json!({ "const": name }));
    properties.extend(object(options, "properties"));
    let required = [list(shared), list(options)].concat();
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": options.get("additionalProperties").cloned().unwrap_or(json!(false)),
    })
}
