//! Targets that would write into each other, or into what they are declared by.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::session;
use crate::{
    providers::{Programs, Provider},
    source::config::{self, Config, Environment},
};

/// A target that is a folder of this machine.
struct Place<'a> {
    environment: &'a Environment,
    target: &'a config::Target,
    folder: PathBuf,
}

/// Refuses two targets of which one lies in the other, in all environments, and a target that lies in the folder of
/// its declarations: each would delete what the other one wrote, or declare what it wrote itself.
///
/// # Errors
/// The second of the two, with its line in trueup.yaml (78).
pub fn check(config: &Config, root: &Path, base_dir: &Path, programs: Programs) -> Result<()> {
    let mut places: Vec<Place<'_>> = Vec::new();
    for environment in &config.environments {
        for target in &environment.targets {
            let Some(folder) = folder(config, environment, target, base_dir, programs)? else { continue };
            let place = Place { environment, target, folder };
            check_declarations(config, &place, root)?;
            if let Some(other) = places.iter().find(|other| overlap(&other.folder, &place.folder)) {
                return Err(overlapping(config, &place, other));
            }
            places.push(place);
        }
    }
    Ok(())
}

fn folder(
    config: &Config,
    environment: &Environment,
    target: &config::Target,
    base_dir: &Path,
    programs: Programs,
) -> Result<Option<PathBuf>> {
    let Some(kind) = Provider::find(&target.provider) else { return Ok(None) };
    let opened = session::without_definition(target, base_dir, programs);
    (kind.folder)(&opened)
        .map_err(|bad| session::complaint(config, &environment.keys(&target.name), &bad).into())
}

fn check_declarations(config: &Config, place: &Place<'_>, root: &Path) -> Result<()> {
    let declared = root.join(&place.target.path);
    let declared = declared.canonicalize().unwrap_or(declared);
    if !place.folder.starts_with(&declared) {
        return Ok(());
    }
    let message = format!(
        "`root` is or lies in `path`, the folder of the declarations of `{}`: what is written there would be declared",
        place.target.name
    );
    Err(complaint(config, place, "root", &message))
}

fn overlap(one: &Path, other: &Path) -> bool {
    one.starts_with(other) || other.starts_with(one)
}

fn overlapping(config: &Config, place: &Place<'_>, other: &Place<'_>) -> anyhow::Error {
    let name = |place: &Place<'_>| match &place.environment.name {
        Some(environment) => format!("`{}` of `{environment}`", place.target.name),
        None => format!("`{}`", place.target.name),
    };
    let how = if place.folder == other.folder { "have one root" } else { "lie in each other" };
    let message = format!(
        "the targets {} and {} {how}, `{}` and `{}`: each would delete what the other one wrote",
        name(other),
        name(place),
        other.folder.display(),
        place.folder.display()
    );
    complaint(config, place, "root", &message)
}

fn complaint(config: &Config, place: &Place<'_>, key: &str, message: &str) -> anyhow::Error {
    let keys = place.environment.keys(&place.target.name);
    config.complaint(&[&keys[..], &[key]].concat(), message).into()
}
