//! `trueup drift --adopt`: the target's values on their way into the work tree.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    io::ErrorKind,
    os::unix::{ffi::OsStrExt, fs::PermissionsExt},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use bstr::BString;

use crate::{
    exit::Exit,
    model::{
        address::{self, Address},
        change::{Action, Change, Class, ThreeWay},
        diff_style::DiffStyle,
        forbidden_names,
        plan::Plan,
        redact, resolve,
        tree::EntryKind,
        user_error::UserError,
        value::{Blob, Value},
    },
    output::{Format, Outputs, PlanView, Plans, SelectionArgs, Verb, save, terminal::Terminal},
    planner::session::{ResolvedTarget, Session, TargetPlan},
    providers::{Edit, Taken},
    source::checkout::Checkout,
};

/// Writes what drifted into the work tree, or prints it as a patch; what
/// cannot be taken in is named and left.
pub(super) fn run(
    session: &Session,
    planned: &[TargetPlan],
    patch: bool,
    terminal: &mut Terminal,
) -> Result<Exit> {
    let root = session.checkout.root().ok_or_else(|| {
        UserError::new(Exit::NoInput, "a bare repository has no work tree to adopt into").hint("use a clone")
    })?;
    let mut adoption = Adoption {
        checkout: &session.checkout,
        root,
        decides: session.decides.clone(),
        patch,
        edits: BTreeMap::new(),
        refused: Vec::new(),
    };
    for (chosen, planned) in session.targets.iter().zip(planned) {
        if let Some(failure) = &planned.plan.failure {
            let (target, why) = (&chosen.target.name, &failure.message);
            adoption.refused.push(format!("target `{target}` could not be planned: {why}"));
        }
        for change in &planned.plan.changes {
            if let Some((_, why)) = &change.unknown {
                adoption.refused.push(format!("`{}` could not be read: {why}", change.address));
            }
        }
        adoption.target(chosen, planned);
    }
    let Adoption { edits, refused, .. } = adoption;
    refused.iter().for_each(|why| terminal.warning(why));
    match patch {
        true => print(session, planned, root, edits.values(), terminal)?,
        false => write_all(root, edits.values(), terminal)?,
    }
    Ok(if refused.is_empty() { Exit::InSync } else { Exit::Drift })
}

/// What is taken in.
struct Adoption<'a> {
    checkout: &'a Checkout,
    root: &'a Path,
    /// The files that decide what trueup does.
    decides: Vec<String>,
    patch: bool,
    edits: BTreeMap<BString, Edit>,
    refused: Vec<String>,
}

impl Adoption<'_> {
    /// Takes the drift of a target in, file by file.
    fn target(&mut self, chosen: &ResolvedTarget, planned: &TargetPlan) {
        let mut files: BTreeMap<&str, Vec<Taken<'_>>> = BTreeMap::new();
        for change in planned.plan.changes.iter().filter(|change| change.drifted()) {
            // What no file declares is to be declared in one of its own.
            let file = change.origin.as_ref().map_or(change.address.as_str(), |origin| &origin.file);
            match resolve::with_drift(change.sides.as_ref()) {
                Some(merged) => files.entry(file).or_default().push(Taken { change, merged }),
                None => self.refuse(change, "Git and the target changed the same place"),
            }
        }
        files.values().for_each(|all| self.take(chosen, all));
    }

    /// Takes several changes of one file in, or as many of them as can be.
    fn take(&mut self, chosen: &ResolvedTarget, all: &[Taken<'_>]) {
        let Some(Taken { change: first, .. }) = all.first() else { return };
        let current = declaring(self.root, first, &self.edits);
        match (chosen.kind.adopt)(&chosen.target, all, current.as_deref()) {
            Ok(edit) if edit.hidden && self.patch => {
                let file = address::quote(&edit.path);
                let why = format!("`{file}` holds secrets, which a patch could show");
                all.iter().for_each(|taken| self.refuse(taken.change, &why));
            }
            Ok(edit) => match self.forbidden(chosen, &edit) {
                Some(why) => all.iter().for_each(|taken| self.refuse(taken.change, &why)),
                None => _ = self.edits.insert(edit.path.clone(), edit),
            },
            Err(error) if all.len() == 1 => self.refuse(first, &format!("{error:#}")),
            Err(_) => {
                let (these, others) = all.split_at(all.len() / 2);
                self.take(chosen, these);
                self.take(chosen, others);
            }
        }
    }

    /// Why `edit` must not be made: it would change what decides about trueup or git, or lose what Git does not have.
    fn forbidden(&self, chosen: &ResolvedTarget, edit: &Edit) -> Option<String> {
        let file = address::quote(&edit.path);
        if let Some(what) = forbidden_names::adopted(&edit.path) {
            return Some(format!("`{file}` {what}"));
        }
        if self.decides.iter().any(|path| edit.path == path.as_str()) {
            return Some(format!("`{file}` decides what trueup does with this target"));
        }
        let on_disk = fs::symlink_metadata(self.root.join(OsStr::from_bytes(&edit.path))).is_ok();
        let known = self.edits.contains_key(&edit.path) || self.checkout.is_tracked(&edit.path);
        (on_disk && !known).then(|| {
            format!(
                "`{file}` is there and is not in Git, so target `{}` must not replace it",
                chosen.target.name
            )
        })
    }

    fn refuse(&mut self, change: &Change, why: &str) {
        self.refused.push(format!("`{}` stays as it is in Git: {why}", change.address));
    }
}

fn write_all<'a>(
    root: &Path,
    edits: impl ExactSizeIterator<Item = &'a Edit>,
    terminal: &mut Terminal,
) -> Result<()> {
    let nothing = edits.len() == 0;
    for edit in edits {
        write(root, edit)?;
        terminal.status(&format!("adopted {}", address::quote(&edit.path)));
    }
    terminal.status(if nothing { "nothing to adopt" } else { "review with `git diff`, then commit" });
    Ok(())
}

/// Prints a patch of the files of the checkout, which `git apply` takes.
fn print<'a>(
    session: &Session,
    planned: &[TargetPlan],
    root: &Path,
    edits: impl Iterator<Item = &'a Edit>,
    terminal: &mut Terminal,
) -> Result<()> {
    let Some(first) = planned.first() else { return Ok(()) };
    let changes = edits.map(|edit| as_change(&session.checkout, root, edit)).collect::<Result<_>>()?;
    let plan = redact::show(&Plan { changes, failure: None, ..first.plan.clone() });
    let sheets = [PlanView { plan, form: DiffStyle::File }];
    let outputs = Outputs { format: Format::Diff, ..Outputs::default() };
    let given = SelectionArgs::default();
    let plans = Plans { verb: Verb::Drift, sheets: &sheets, exit: Exit::Drift, given: &given, saved: None };
    outputs.show(&plans, terminal)
}

/// The file that declares the object, with what was adopted into it before.
fn declaring(root: &Path, change: &Change, edits: &BTreeMap<BString, Edit>) -> Option<Vec<u8>> {
    let path = address::unquote(&change.origin.as_ref()?.file).into_owned();
    match edits.get(&BString::from(path.clone())) {
        Some(edit) => edit.content.as_ref().map(|(_, bytes)| bytes.clone()),
        None => fs::read(root.join(std::ffi::OsStr::from_bytes(&path))).ok(),
    }
}

/// An edit as a change of a file.
fn as_change(checkout: &Checkout, root: &Path, edit: &Edit) -> Result<Change> {
    let before = on_disk(&inside(root, &edit.path)?)?;
    let side = |content: &Option<(EntryKind, Vec<u8>)>| {
        content.as_ref().map(|(kind, bytes)| file(checkout, *kind, bytes)).transpose()
    };
    let sides = ThreeWay { base: None, desired: side(&edit.content)?, actual: side(&before)? };
    let action = match (&sides.actual, &sides.desired) {
        (None, _) => Action::Create,
        (_, None) => Action::Delete,
        _ => Action::Update,
    };
    Ok(Change::new(Address::from_bytes(&edit.path), action, Class::Drift, sides))
}

fn file(checkout: &Checkout, kind: EntryKind, bytes: &[u8]) -> Result<Value> {
    if kind == EntryKind::Link {
        let to = Value::string(address::quote(bytes).into_owned());
        return Ok(Value::map([("type", Value::string("link")), ("target", to)]));
    }
    let blob =
        Blob { id: checkout.blob_id(bytes)?, size: Some(bytes.len() as u64), bytes: Some(bytes.into()) };
    Ok(Value::map([
        ("type", Value::string("file")),
        ("content", blob.into()),
        ("executable", Value::Bool(kind == EntryKind::Executable)),
    ]))
}

/// What lies in the work tree.
fn on_disk(path: &Path) -> Result<Option<(EntryKind, Vec<u8>)>> {
    let reading = || format!("reading `{}`", path.display());
    let found = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        found => found.with_context(reading)?,
    };
    if found.is_symlink() {
        let to = fs::read_link(path).with_context(reading)?;
        return Ok(Some((EntryKind::Link, to.as_os_str().as_bytes().to_vec())));
    }
    let executable = found.permissions().mode() & 0o100 != 0;
    let kind = if executable { EntryKind::Executable } else { EntryKind::File };
    Ok(Some((kind, fs::read(path).with_context(reading)?)))
}

/// Refuses to write over files that are there.
pub(super) fn refuse_existing(root: &Path, edits: &[Edit]) -> Result<()> {
    for edit in edits {
        if inside(root, &edit.path)?.exists() {
            let message = format!("`{}` is there already", address::quote(&edit.path));
            return Err(UserError::new(Exit::Refused, message).hint("move it away, or `--print`").into());
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
