//! How a file of the checkout has to change to declare what the target holds.

use anyhow::{Context, Result, bail, ensure};

use super::super::{Edit, Taken, Target};
use crate::model::{
    address,
    change::{Change, Class},
    tree::EntryKind,
    value::Value,
};

/// The parts of an object that git itself can declare.
const IN_GIT: [&str; 4] = ["type", "content", "executable", "target"];

/// Says what the declaring file has to hold for `merged`.
///
/// # Errors
/// What git cannot hold, or what must not be copied there.
pub(super) fn adopt(target: &Target, Taken { change, merged }: &Taken<'_>) -> Result<Edit> {
    for field in change.fields.iter().filter(|field| field.class != Class::Pending) {
        let part = field.path.trim_start_matches('/').split(':').next().unwrap_or_default();
        ensure!(IN_GIT.contains(&part), "its {part} is declared in a manifest; change that by hand");
    }
    Ok(Edit {
        path: path(target, change).into(),
        content: merged.as_ref().map(content).transpose()?,
        hidden: false,
    })
}

fn path(target: &Target, change: &Change) -> Vec<u8> {
    if let Some(origin) = &change.origin {
        return address::unquote(&origin.file).into_owned();
    }
    let name = change.address.to_bytes();
    match target.path.is_empty() {
        true => name.into_owned(),
        false => [target.path.as_bytes(), b"/", &name].concat(),
    }
}

fn content(value: &Value) -> Result<(EntryKind, Vec<u8>)> {
    match value.get("type").and_then(Value::as_str) {
        Some("link") => {
            let link = value.get("target").and_then(Value::as_str).context("the link has no target")?;
            Ok((EntryKind::Link, address::unquote(link).into_owned()))
        }
        Some("file") => {
            let blob = match value.get("content") {
                Some(Value::Blob(blob)) => blob,
                Some(Value::Sensitive(_)) => bail!("its content is sensitive and is not copied into Git"),
                _ => bail!("its content is not known"),
            };
            let bytes = blob.bytes.as_ref().context("it is too large to be adopted; copy it by hand")?;
            let executable = matches!(value.get("executable"), Some(Value::Bool(true)));
            Ok((if executable { EntryKind::Executable } else { EntryKind::File }, bytes.to_vec()))
        }
        _ => bail!("git holds files and links only; declare it in a manifest by hand"),
    }
}
