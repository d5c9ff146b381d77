//! What the files below a target's path declare.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use anyhow::Result;
use rayon::prelude::*;

use super::{
    names::{Identity, Kind},
    normal::{Normal, normal},
};
use crate::{
    exit::Exit,
    manifest::{self, Manifest},
    model::{
        ignore,
        object::{Desired, Object, Origin},
        tree::{self, Contents, DECLARED_IN, Entry, EntryKind, LARGEST, Tree, is_aside, is_declaration},
        user_error::UserError,
    },
    providers::{
        Target,
        kubernetes::options::{self, Options},
    },
    yaml::Place,
};

/// How many complaints are listed at once.
const LISTED: usize = 20;

/// What one file declares.
struct File {
    path: Arc<str>,
    objects: Vec<Declared>,
    /// Whether kinds that are defined in it have namespaces, by group and kind.
    scopes: Vec<((String, String), bool)>,
    notes: Vec<String>,
}

/// One object of a file.
struct Declared {
    place: Place,
    normal: Result<Normal, String>,
    /// The complaint about its annotation.
    wrong: Option<String>,
}

/// Reads the manifests of one revision.
pub fn declare(target: &Target, tree: &Tree, contents: &dyn Contents) -> Result<Desired> {
    let options = options::of(target)?;
    let mut desired = Desired::default();
    let chosen = choose(tree, &options, &mut desired.notes)?;
    let read: Vec<Result<File>> =
        chosen.par_iter().map(|entry| read(tree, entry, contents, &options)).collect();
    let mut files = Vec::with_capacity(read.len());
    let mut complaints = Vec::new();
    let (mut unread, mut good) = (Vec::new(), Vec::new());
    for (entry, file) in chosen.iter().zip(read) {
        match file {
            Ok(file) => {
                files.push(file);
                good.push(String::from_utf8_lossy(&entry.path));
            }
            Err(error) => match error.downcast::<UserError>() {
                Ok(fault) => {
                    complaints.push(fault.message);
                    unread.push(String::from_utf8_lossy(&entry.path));
                }
                Err(error) => return Err(error),
            },
        }
    }
    collect(files, &options, &mut desired, &mut complaints);
    match complaints.is_empty() {
        true => Ok(desired),
        false => Err(complaint(complaints, &unread, &good).into()),
    }
}

/// A pattern for `exclude` that fits all of these files and none that is `good`.
fn pattern(files: &[Cow<'_, str>], good: &[Cow<'_, str>]) -> Option<String> {
    let (first, rest) = files.split_first()?;
    if rest.is_empty() {
        return Some(first.to_string());
    }
    let folder = |file: &str| file.rsplit_once('/').map(|(folder, _)| format!("{folder}/"));
    let mut common = folder(first);
    while let Some(prefix) =
        common.as_ref().filter(|prefix| !rest.iter().all(|file| file.starts_with(*prefix)))
    {
        common = folder(prefix.trim_end_matches('/'));
    }
    let name = |file: &str| file.rsplit('/').next().unwrap_or_default().to_owned();
    let all_named = |name_of: &str| {
        rest.iter().all(|file| name(file) == name_of) && !good.iter().any(|file| name(file) == name_of)
    };
    match common {
        Some(prefix) if !good.iter().any(|file| file.starts_with(&prefix)) => Some(format!("{prefix}**")),
        _ => Some(name(first)).filter(|name| all_named(name)).map(|name| format!("**/{name}")),
    }
}

fn complaint(complaints: Vec<String>, unread: &[Cow<'_, str>], good: &[Cow<'_, str>]) -> UserError {
    let more = complaints.len().saturating_sub(LISTED);
    let mut lines: Vec<String> = complaints.into_iter().take(LISTED).collect();
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    let fault = UserError::new(Exit::BadDesired, lines.join("\n  "));
    match pattern(unread, good) {
        Some(pattern) => fault.hint(format!(
            "correct it, or leave out what is no manifest: `exclude: ['{pattern}']` of the target in trueup.yaml"
        )),
        None => fault.hint("correct it, or leave the file out with `exclude` in trueup.yaml"),
    }
}

fn read(tree: &Tree, entry: &Entry, contents: &dyn Contents, options: &Options) -> Result<File> {
    let path = tree.source_path(entry);
    let bytes = contents.read_at_most(&entry.id, LARGEST)?;
    let (manifests, warnings) = manifest::manifests(&bytes).map_err(|problem| {
        UserError::new(Exit::BadDesired, format!("`{path}:{}`: {}", problem.place(), problem.message))
    })?;
    let mut notes: Vec<String> =
        warnings.iter().map(|warning| format!("`{path}:{}`: {}", warning.place, warning.message)).collect();
    if manifests.is_empty() {
        notes.push(format!("`{path}` declares nothing"));
    }
    let scopes = manifests.iter().filter_map(scope).collect();
    let object = |manifest: Manifest| Declared {
        place: manifest.node.place,
        wrong: wrong_annotation(&path, &manifest),
        normal: normal(&manifest, is_namespaced(&manifest), options.default_namespace()),
    };
    let objects = manifests.into_iter().map(object).collect();
    Ok(File { path, objects, scopes, notes })
}

/// Whether an object is known to be in a namespace.
fn is_namespaced(manifest: &Manifest) -> bool {
    Kind::new(&manifest.api_version, &manifest.kind).is_cluster_scoped() == Some(false)
}

/// The files that are manifests by rule; what is left out is noted.
fn choose<'a>(tree: &'a Tree, options: &Options, notes: &mut Vec<String>) -> Result<Vec<&'a Entry>> {
    let bad = |error: globset::Error| UserError::new(Exit::BadConfig, error.to_string());
    let include = options::globs(&options.include).map_err(bad)?;
    let exclude = options::globs(&options.exclude).map_err(bad)?;
    let rendered = rendered_folders(tree);
    let mut chosen = Vec::new();
    let (mut other, mut foreign, mut excluded) = (0, 0, 0);
    let mut folders: BTreeSet<&str> = BTreeSet::new();
    for entry in &tree.entries {
        let path = String::from_utf8_lossy(&entry.path);
        let name = path.rsplit('/').next().unwrap_or_default();
        if name == "trueup.yaml" {
            continue;
        }
        let named = !include.is_empty() && include.is_match(&*path);
        if exclude.is_match(&*path) || !include.is_empty() && !named {
            excluded += 1;
        } else if !is_declaration(name) {
            other += 1;
            foreign += usize::from(!is_aside(name));
        } else if !matches!(entry.kind, EntryKind::File | EntryKind::Executable) {
            let hint = "put the file in its place, or name it in `exclude`";
            return Err(tree::not_a_file(&tree.source_path(entry)).hint(hint).into());
        } else if let (Some(folder), false) = (folder_of(&rendered, &path), named) {
            folders.insert(folder);
        } else {
            chosen.push(entry);
        }
    }
    if let Some(folder) = folders.first() {
        return Err(not_rendered(&tree.shown(folder.as_bytes()), rendered[*folder]).into());
    }
    for (count, what) in [(excluded, "left out by `include` and `exclude`"), (other, "neither YAML nor JSON")]
    {
        if count > 0 {
            notes.push(format!("{count} files are {what}"));
        }
    }
    if chosen.is_empty() && foreign > 0 {
        return Err(nothing_read(&tree.shown(b""), foreign).into());
    }
    Ok(chosen)
}

/// All that is there is of other kinds; it would pass for an empty declaration.
fn nothing_read(folder: &str, others: usize) -> UserError {
    let message = format!("nothing is declared: none of the {others} files in `{folder}` is YAML or JSON");
    UserError::new(Exit::BadDesired, message).hint(DECLARED_IN)
}

/// A folder is input of another program. Whatever it declared before would pass for removed.
fn not_rendered(folder: &str, reason: &str) -> UserError {
    let render = if reason == "kustomization" { "kubectl kustomize" } else { "helm template" };
    let message =
        format!("`{folder}` is a {reason}, and trueup does not render it: what it declares is not known");
    let hint = format!(
        "commit what `{render}` prints and name the folder in `exclude`, or name its manifests in `include`"
    );
    UserError::new(Exit::BadDesired, message).hint(hint)
}

/// Folders whose files are input of another program, with what they are.
fn rendered_folders(tree: &Tree) -> BTreeMap<String, &'static str> {
    let mut folders = BTreeMap::new();
    for entry in &tree.entries {
        let path = String::from_utf8_lossy(&entry.path).into_owned();
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", &path));
        let reason = match name {
            "kustomization.yaml" | "kustomization.yml" | "Kustomization" => "kustomization",
            "Chart.yaml" => "Helm chart",
            _ => continue,
        };
        folders.insert(folder.to_owned(), reason);
    }
    folders
}

/// The folder of `folders` that a file is below.
fn folder_of<'a>(folders: &'a BTreeMap<String, &'static str>, path: &str) -> Option<&'a str> {
    folders
        .iter()
        .filter(|(folder, _)| {
            folder.is_empty() || path.strip_prefix(folder.as_str()).is_some_and(|rest| rest.starts_with('/'))
        })
        // Below a chart, everything is the chart's; a kustomization only takes its own folder.
        .find(|(folder, reason)| {
            **reason == "Helm chart" || path.rsplit_once('/').map_or("", |(parent, _)| parent) == *folder
        })
        .map(|(folder, _)| folder.as_str())
}

/// Puts the objects of all files together.
fn collect(mut files: Vec<File>, options: &Options, desired: &mut Desired, complaints: &mut Vec<String>) {
    let scopes: HashMap<_, _> = files.iter_mut().flat_map(|file| std::mem::take(&mut file.scopes)).collect();
    let mut seen: HashMap<Identity, (Arc<str>, Place)> = HashMap::new();
    for File { path, objects, notes, .. } in files {
        desired.notes.extend(notes);
        let mut left = Left::default();
        for Declared { place, normal, wrong } in objects {
            let mut normal = match normal {
                Ok(normal) => normal,
                Err(why) => {
                    complaints.push(format!("`{path}:{place}`: {why}"));
                    continue;
                }
            };
            settle(&mut normal, &scopes, options.default_namespace());
            let Normal { name, value, dropped } = normal;
            let address = name.address();
            if let Some((first, at)) = seen.insert(name.identity(), (path.clone(), place)) {
                complaints.push(format!(
                    "`{path}:{place}`: `{address}` is declared twice (first at `{first}:{at}`)"
                ));
            }
            complaints.extend(wrong);
            left.add(place, dropped);
            let origin = Origin::new(path.clone(), Some(place.line));
            desired.objects.insert(address, Object { value: Some(value), origin });
        }
        desired.notes.extend(left.note(&path));
    }
}

/// What of one file is not sent: only the server writes it, or it is null.
#[derive(Default)]
struct Left {
    places: Vec<Place>,
    fields: BTreeSet<String>,
}

impl Left {
    fn add(&mut self, place: Place, dropped: Vec<String>) {
        if !dropped.is_empty() {
            self.places.push(place);
            self.fields.extend(dropped);
        }
    }

    /// One line for the file, however many objects it is about.
    fn note(self, path: &str) -> Option<String> {
        let list = self.fields.into_iter().collect::<Vec<_>>().join(", ");
        match &self.places[..] {
            [] => None,
            [place] => Some(format!("`{path}:{place}`: left out: {list}")),
            places => Some(format!("`{path}`: left out of {} objects: {list}", places.len())),
        }
    }
}

/// Finds the namespace of an object whose kind is declared here as well.
fn settle(normal: &mut Normal, scopes: &HashMap<(String, String), bool>, namespace: &str) {
    let Kind { group, kind, .. } = &normal.name.kind;
    let undecided = normal.name.namespace.is_none() && normal.name.kind.is_cluster_scoped().is_none();
    if undecided && scopes.get(&(group.clone(), kind.clone())) == Some(&true) {
        normal.put_into(namespace);
    }
}

/// The complaint about an object that says by an annotation that something is left to others, and not what.
fn wrong_annotation(path: &str, manifest: &Manifest) -> Option<String> {
    let annotation = manifest.node.get("metadata")?.get("annotations")?.entry(ignore::ANNOTATION)?;
    let text = annotation.node.as_str().unwrap_or_default();
    let bad = ignore::paths(text).err()?;
    Some(format!("`{path}:{}`: annotation `{}`: {bad}", annotation.node.place, ignore::ANNOTATION))
}

/// The kind that a custom resource definition defines, and whether its objects have namespaces.
fn scope(manifest: &Manifest) -> Option<((String, String), bool)> {
    if !Kind::new(&manifest.api_version, &manifest.kind).is_crd() {
        return None;
    }
    let spec = manifest.node.get("spec")?;
    let group = spec.get("group")?.as_str()?.to_owned();
    let kind = spec.get("names")?.get("kind")?.as_str()?.to_owned();
    Some(((group, kind), spec.get("scope")?.as_str()? == "Namespaced"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_that_leaves_out_all_that_is_no_manifest_is_found() {
        let found = |files: &[&str]| {
            let files: Vec<Cow<'_, str>> = files.iter().map(|&file| file.into()).collect();
            pattern(&files, &["good/a.yaml".into(), "mixed/a.yaml".into()])
        };
        assert_eq!(found(&["ci/a.yaml", "ci/b/c.yaml"]).as_deref(), Some("ci/**"));
        assert_eq!(found(&["ci/x/a.yaml", "ci/b/c.yaml"]).as_deref(), Some("ci/**"));
        assert_eq!(found(&["ci/a.yaml"]).as_deref(), Some("ci/a.yaml"));
        assert_eq!(found(&["a/values.yaml", "b/values.yaml"]).as_deref(), Some("**/values.yaml"));
        assert_eq!(found(&["mixed/b.yaml", "mixed/c.yaml"]), None, "there are manifests too");
        assert_eq!(found(&["mixed/b.yaml", "mixed/c/b.yaml"]).as_deref(), Some("**/b.yaml"));
        assert_eq!(found(&["a/x.yaml", "b/y.yaml"]), None);
        assert_eq!(found(&[]), None);
    }
}
