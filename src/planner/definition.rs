//! The file of the checkout that describes the API of a target, taken from the selected revision.

use std::sync::Arc;

use anyhow::Result;

use crate::{
    model::plan,
    providers::Target,
    source::{
        checkout::Selected,
        config::{self, Config},
    },
};

/// The key that names the file.
const KEY: &str = "definition";

/// The file that `target` names, relative to the root of the checkout; `folder` is that of trueup.yaml.
pub fn file(folder: &str, target: &config::Target) -> Option<String> {
    inside(folder, target.text(KEY)?)
}

/// The text of the file that `target` names, as `selected` has it; `None` if it names none or the file is not there.
///
/// # Errors
/// A path that leaves the checkout, or a link (78).
pub fn read(
    selected: &Selected,
    config: &Config,
    target: &config::Target,
    keys: &[&str],
) -> Result<Option<Arc<[u8]>>> {
    let Some(said) = target.text(KEY) else { return Ok(None) };
    let Some(path) = inside(&config.folder, said) else {
        let message = format!("`{said}` is not in the checkout, which a definition has to be");
        return Err(config.complaint(&[keys, &[KEY]].concat(), &message).into());
    };
    Ok(selected.file(&path)?.map(Into::into))
}

/// What stands for the definition and the keys of a target in the digest of its plans.
pub fn digest(target: &Target) -> Option<String> {
    let text = String::from_utf8_lossy(target.definition.as_deref()?);
    Some(plan::digest_of(&[&text, &target.keys()]))
}

/// `path` as seen from the root of the checkout; `None` if it leads out of it.
fn inside(folder: &str, path: &str) -> Option<String> {
    if path.starts_with('/') || path.is_empty() {
        return None;
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => _ = parts.pop()?,
            part => parts.push(part),
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::inside;

    #[test]
    fn a_path_stays_in_the_checkout() {
        assert_eq!(inside("", "api.yaml").as_deref(), Some("api.yaml"));
        assert_eq!(inside("a/b", "../c/./x.yaml").as_deref(), Some("a/c/x.yaml"));
        for wrong in ["/etc/passwd", "../x", "a/../../x", "", "."] {
            assert_eq!(inside("", wrong), None, "{wrong}");
        }
    }
}
