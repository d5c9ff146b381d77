//! `trueup drift --adopt`: the target's values on their way into the work tree.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::{ffi::OsStrExt, fs::PermissionsExt},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use bstr::BString;

use super::{
    pipeline::{Chosen, Planned, Session},
    show,
};
use crate::{
    exit::Exit,
    model::{
        address::{self, Address},
        change::{Action, Change, Sides},
        diff,
        fault::Fault,
        plan::Plan,
        tree::EntryKind,
    },
    output::{Detail, Format, Outputs, Verb, save, terminal::Terminal},
    providers::Edit,
};

/// Writes what drifted into the work tree, or prints it as a patch; what
/// cannot be taken in is named and left.
pub(super) fn run(
    session: &Session,
    planned: &[Planned],
    patch: bool,
    terminal: &mut Terminal,
) -> Result<Exit> {
    let root = session.checkout.root().ok_or_else(|| {
        Fault::new(Exit::NoInput, "a bare repository has no work tree to adopt into").hint("use a clone")
    })?;
    let mut refused = 0;
    let mut edited: Vec<Planned> = Vec::new();
    let mut edits: BTreeMap<BString, Edit> = BTreeMap::new();
    for (chosen, planned) in session.targets.iter().zip(planned) {
        for change in &planned.plan.changes {
            if let Some((_, why)) = &change.unknown {
                refused += 1;
                terminal.warning(&format!("`{}` could not be read: {why}", change.address));
            }
        }
        let drifted = planned.plan.changes.iter().filter(|change| change.drifted());
        let mut changes = Vec::new();
        for change in drifted {
            match adopted(chosen, change, declaring(root, change, &edits).as_deref()) {
                Ok((edit, shown)) => {
                    edits.insert(edit.path.clone(), edit);
                    changes.push(shown);
                }
                Err(error) => {
                    refused += 1;
                    terminal.warning(&format!("`{}` stays as it is in Git: {error:#}", change.address));
                }
            }
        }
        edited.push(as_patch(planned, changes));
    }
    if patch {
        let outputs =
            Outputs { format: Format::Diff, copies: Vec::new(), detail: Detail::Diffs, max_bytes: 0 };
        show::plans(Verb::Drift, session, &edited, &outputs, terminal)?;
    } else {
        for edit in edits.values() {
            write(root, edit)?;
            terminal.status(&format!("adopted {}", address::quote(&edit.path)));
        }
        terminal.status(match edits.is_empty() {
            true => "nothing to adopt",
            false => "review with `git diff`, then commit",
        });
    }
    Ok(if refused == 0 { Exit::InSync } else { Exit::Drift })
}

/// The file that declares the object, with what was adopted into it before.
fn declaring(root: &Path, change: &Change, edits: &BTreeMap<BString, Edit>) -> Option<Vec<u8>> {
    let path = address::unquote(&change.origin.as_ref()?.file).into_owned();
    match edits.get(&BString::from(path.clone())) {
        Some(edit) => edit.content.as_ref().map(|(_, bytes)| bytes.clone()),
        None => fs::read(root.join(std::ffi::OsStr::from_bytes(&path))).ok(),
    }
}

/// The edit that takes the drift of one object in, and the same as a change from the work tree's side.
fn adopted(chosen: &Chosen, change: &Change, current: Option<&[u8]>) -> Result<(Edit, Change)> {
    let merged =
        diff::with_drift(change.sides.as_ref()).context("Git and the target changed the same place")?;
    let edit = (chosen.kind.adopt)(&chosen.target, change, merged.as_ref(), current)?;
    let mut shown = change.clone();
    shown.address = Address::from_bytes(&edit.path);
    shown.sides = Sides { base: None, desired: merged.clone(), actual: change.sides.desired.clone() };
    shown.after = merged;
    shown.action = match (&shown.sides.actual, &shown.after) {
        (None, _) => Action::Create,
        (_, None) => Action::Delete,
        _ => Action::Update,
    };
    Ok((edit, shown))
}

fn as_patch(planned: &Planned, changes: Vec<Change>) -> Planned {
    Planned {
        plan: Plan { changes, ..planned.plan.clone() },
        comparison: Default::default(),
        memory: Default::default(),
        declared: planned.declared,
    }
}

/// Refuses to write over files that are there.
pub(super) fn refuse_existing(root: &Path, edits: &[Edit]) -> Result<()> {
    for edit in edits {
        if inside(root, &edit.path)?.exists() {
            let message = format!("`{}` is there already", address::quote(&edit.path));
            return Err(Fault::new(Exit::Refused, message).hint("move it away, or `--print`").into());
        }
    }
    Ok(())
}

/// Writes one file into the work tree.
pub(super) fn write(root: &Path, edit: &Edit) -> Result<()> {
    let file = inside(root, &edit.path)?;
    let shown = || format!("writing `{}`", file.display());
    let Some((kind, bytes)) = &edit.content else {
        return fs::remove_file(&file).with_context(|| format!("removing `{}`", file.display()));
    };
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).with_context(shown)?;
    }
    if *kind == EntryKind::Link {
        if fs::symlink_metadata(&file).is_ok() {
            fs::remove_file(&file).with_context(shown)?;
        }
        return std::os::unix::fs::symlink(std::ffi::OsStr::from_bytes(bytes), &file).with_context(shown);
    }
    let mode = if *kind == EntryKind::Executable { 0o755 } else { 0o644 };
    save::replace(&file, |out| Ok(out.write_all(bytes)?))?;
    fs::set_permissions(&file, fs::Permissions::from_mode(mode)).with_context(shown)
}

/// A path of the work tree, provided that no folder on the way is a link out of it.
fn inside(root: &Path, path: &[u8]) -> Result<PathBuf> {
    let mut whole = root.to_owned();
    let relative = Path::new(std::ffi::OsStr::from_bytes(path));
    for part in relative.parent().into_iter().flat_map(Path::components) {
        whole.push(part);
        if fs::symlink_metadata(&whole).is_ok_and(|found| found.is_symlink()) {
            anyhow::bail!("`{}` is a symbolic link; edit its target by hand", whole.display());
        }
    }
    Ok(root.join(relative))
}
