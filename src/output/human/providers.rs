//! Providers for people.

use std::io::{self, Write};

use serde_json::Value;

use crate::output::{Explain, KindInfo, Look, ProviderInfo, Providers, style::Role, visible::visible};

/// Writes what providers there are, and their keys where that was asked for.
///
/// # Errors
/// `out` refused.
pub fn providers(providers: &Providers<'_>, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    let width = providers.providers.iter().map(|info| info.name.len()).max().unwrap_or(0);
    for info in providers.providers {
        let name = look.paint.apply(Role::Heading, &info.name);
        let gap = width - info.name.len();
        writeln!(out, "{name}{:gap$}   {}", "", visible(&info.about))?;
        if providers.explain == Explain::Keys {
            keys(info, out)?;
            kinds(info, look, out)?;
        }
    }
    Ok(())
}

fn keys(info: &ProviderInfo, out: &mut dyn Write) -> io::Result<()> {
    let Some(properties) = info.schema.get("properties").and_then(Value::as_object) else {
        return writeln!(out, "  takes no keys of its own");
    };
    let required = info.schema.get("required").and_then(Value::as_array);
    for (key, schema) in properties {
        let must = required.is_some_and(|keys| keys.iter().any(|name| name == key));
        let must = if must { ", required" } else { "" };
        writeln!(out, "  {}: {}{must}", visible(key), kind(schema))?;
        if let Some(about) = schema.get("description").and_then(Value::as_str) {
            about.lines().try_for_each(|line| writeln!(out, "      {}", visible(line)))?;
        }
    }
    for (rule, reason) in &info.rules {
        writeln!(out, "  built-in ignore rule `{}`: {}", visible(rule), visible(reason))?;
    }
    Ok(())
}

fn kinds(info: &ProviderInfo, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    if !info.tested_with.is_empty() {
        writeln!(out, "  tried with {}", visible(&info.tested_with.join(", ")))?;
    }
    if !info.kinds.is_empty() {
        writeln!(out, "  declares:")?;
    }
    let width = info.kinds.iter().map(|kind| kind.name.len()).max().unwrap_or(0);
    for kind in &info.kinds {
        let KindInfo { name, about, scope, identity, risk, fields } = kind;
        let gap = width - name.len();
        let within = if scope.is_empty() { String::new() } else { format!(", in {}", scope.join("/")) };
        let risk = risk.as_ref().map(|risk| format!(", deleting it is {risk}")).unwrap_or_default();
        let about = format!("{about}{within}, named by {}{risk}", identity.join(" and "));
        let shown = visible(name);
        let name = look.paint.apply(Role::Heading, &shown);
        writeln!(out, "  {name}{:gap$}   {}", "", visible(&about))?;
        for (pointer, words) in fields {
            let words = if words.is_empty() { String::new() } else { format!(": {words}") };
            writeln!(out, "      {}{}", visible(pointer), visible(&words))?;
        }
    }
    Ok(())
}

/// What a value may be, in a word or two.
fn kind(schema: &Value) -> String {
    let list = |items: &[Value], word: fn(&Value) -> String| {
        let words: Vec<_> = items.iter().map(word).filter(|word| word != "null").collect();
        words.join(" or ")
    };
    let text =
        |value: &Value| value.as_str().map_or_else(|| value.to_string(), |text| visible(text).into_owned());
    if let Some(items) = schema.get("enum").and_then(Value::as_array) {
        return list(items, |value| visible(&value.to_string()).into_owned());
    }
    for key in ["anyOf", "oneOf"] {
        if let Some(items) = schema.get(key).and_then(Value::as_array) {
            return list(items, kind);
        }
    }
    match (schema.get("const"), schema.get("type"), schema.get("$ref").and_then(Value::as_str)) {
        (Some(value), ..) => visible(&value.to_string()).into_owned(),
        (_, Some(Value::Array(types)), _) => list(types, |word| word.as_str().unwrap_or("any").to_owned()),
        (_, Some(word), _) => text(word),
        (.., Some(reference)) => visible(reference.rsplit('/').next().unwrap_or(reference)).into_owned(),
        _ => "any value".to_owned(),
    }
}
