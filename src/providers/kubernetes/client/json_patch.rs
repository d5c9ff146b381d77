//! JSON patches (RFC 6902) that hold for one version of an object.

use crate::{model::value::Value, providers::kubernetes::ownership::ownership_labels};

/// Puts a value in the place of what is there, or where nothing is.
pub fn set(path: &str, value: Value) -> Value {
    Value::map([("op", Value::string("add")), ("path", Value::string(path)), ("value", value)])
}

/// Takes out what is there.
pub fn remove(path: &str) -> Value {
    Value::map([("op", Value::string("remove")), ("path", Value::string(path))])
}

/// The operations as one patch, which the server refuses if the object is not in the version of `live` any more.
pub fn guarded(live: &Value, operations: impl IntoIterator<Item = Value>) -> Value {
    let version = ownership_labels::metadata(live, "resourceVersion").unwrap_or_default();
    let test = Value::map([
        ("op", Value::string("test")),
        ("path", Value::string("/metadata/resourceVersion")),
        ("value", Value::string(version)),
    ]);
    Value::List(std::iter::once(test).chain(operations).collect())
}
