//! What the files of a revision declare.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use anyhow::{Context as _, Result};

use super::{
    manifest::Manifest,
    names,
    options::Places,
    rules::Rulebook,
    value::{Body, Form},
};
use crate::{
    exit::Exit,
    model::{
        address::{Address, quote},
        object::{Desired, Object, Origin, Scope},
        tree::{Contents, Entry, EntryKind, Tree},
        user_error::UserError,
        value::Value,
    },
    providers::Target,
};

/// The longest target of a link.
const LONGEST_LINK: usize = 4095;

/// Says what the files of `tree` declare. Everything is deployed but
/// `.trueup-files.yaml`, and `trueup.yaml` at the top.
pub(super) fn declare(target: &Target, tree: &Tree, contents: &dyn Contents) -> Result<Desired> {
    let places = Places::of(target)?;
    let mut declaration = Declaration {
        tree,
        contents,
        state: places.state_below_root().filter(|state| !state.is_empty()),
        rules: read_rules(tree, contents)?,
        objects: BTreeMap::new(),
        directories: BTreeSet::from([Vec::new()]),
    };
    declaration.files()?;
    declaration.absent()?;
    declaration.declared_directories()?;
    declaration.check_prefixes()?;
    let exclusive = declaration.exclusive();
    let notes = same_but_for_case(&declaration.objects);
    Ok(Desired { objects: declaration.objects, exclusive, notes, ..Desired::default() })
}

fn read_rules(tree: &Tree, contents: &dyn Contents) -> Result<Rulebook> {
    let mut rules = Rulebook::default();
    for entry in &tree.entries {
        let (directory, name) = names::split(&entry.path);
        if name == names::MANIFEST {
            let file = tree.source_path(entry);
            if !matches!(entry.kind, EntryKind::File | EntryKind::Executable) {
                return Err(bad(&file, "the manifest is not a regular file").into());
            }
            let text = contents
                .read_at_most(&entry.id, Manifest::LARGEST as u64)
                .with_context(|| format!("reading `{file}`"))?;
            rules.add(directory, Manifest::parse(&text, &file)?, file);
        }
    }
    Ok(rules)
}

/// A declaration in the making.
struct Declaration<'a> {
    tree: &'a Tree,
    contents: &'a dyn Contents,
    state: Option<Vec<u8>>,
    rules: Rulebook,
    objects: BTreeMap<Address, Object>,
    /// Every directory that something declared lies in, and the root.
    directories: BTreeSet<Vec<u8>>,
}

impl Declaration<'_> {
    fn files(&mut self) -> Result<()> {
        let mut objects = Vec::with_capacity(self.tree.entries.len());
        let mut last: Option<&[u8]> = None;
        for entry in &self.tree.entries {
            let path: &[u8] = &entry.path;
            let (directory, name) = names::split(path);
            if last != Some(directory) {
                self.note_directories(directory);
                last = Some(directory);
            }
            if name == names::MANIFEST || path == names::CONFIGURATION {
                continue;
            }
            let file = self.tree.source_path(entry);
            self.check(path, &file)?;
            let value = self.value(entry, &file)?;
            let object = Object { value: Some(value), origin: Origin::new(file, None) };
            objects.push((Address::from_bytes(path), object));
        }
        self.objects = objects.into_iter().collect();
        Ok(())
    }

    fn value(&self, entry: &Entry, file: &str) -> Result<Value> {
        let form = match entry.kind {
            EntryKind::File => Form::file(entry.id, false, self.rules.file(&entry.path)),
            EntryKind::Executable => Form::file(entry.id, true, self.rules.file(&entry.path)),
            EntryKind::Link => Form::bare(Body::Link(self.link(entry, file)?)),
            EntryKind::Submodule => {
                return Err(bad(file, "is a submodule, whose content this repository does not hold")
                    .hint("put the files into this repository, or keep the submodule outside of the target's path")
                    .into());
            }
        };
        Ok(form.to_value())
    }

    fn link(&self, entry: &Entry, file: &str) -> Result<Arc<str>> {
        let leads_to = self
            .contents
            .read_at_most(&entry.id, 64 * 1024)
            .with_context(|| format!("reading the link `{file}`"))?;
        if leads_to.is_empty() || leads_to.contains(&0) || leads_to.len() > LONGEST_LINK {
            return Err(bad(file, "is a link that leads nowhere a link can lead").into());
        }
        Ok(quote(&leads_to).into())
    }

    /// Paths that must not exist.
    fn absent(&mut self) -> Result<()> {
        let mut absent = Vec::new();
        for (directory, manifest, file) in self.rules.manifests() {
            for (pattern, rule) in &manifest.files.list {
                if let (true, Some(literal)) = (rule.absent, &pattern.literal) {
                    absent.push((names::join(directory, literal.as_bytes()), file.clone()));
                }
            }
        }
        for (path, file) in absent {
            self.check(&path, &file)?;
            let address = Address::from_bytes(&path);
            if let Some(object) = self.objects.get(&address) {
                return Err(bad(&file, &format!("`{address}` is declared absent, and is there"))
                    .hint(format!("delete `{}`, or the rule", object.origin.file))
                    .into());
            }
            self.objects.insert(address, Object { value: None, origin: Origin::new(file, None) });
        }
        Ok(())
    }

    /// Directories that a rule speaks of.
    fn declared_directories(&mut self) -> Result<()> {
        let mut ensured = Vec::new();
        for (directory, manifest, file) in self.rules.manifests() {
            for (pattern, rule) in &manifest.directories.list {
                match &pattern.literal {
                    Some(literal) if rule.ensure && literal == "." => {
                        ensured.push((directory.to_vec(), file.clone()))
                    }
                    Some(literal) if rule.ensure => {
                        ensured.push((names::join(directory, literal.as_bytes()), file.clone()));
                    }
                    _ => {}
                }
            }
        }
        for (path, file) in ensured {
            if !path.is_empty() {
                self.check(&path, &file)?;
            }
            self.note_directories(&path);
        }
        for path in &self.directories {
            let traits = self.rules.directory(path);
            let Some(manifest) = traits.manifest.clone().filter(|_| traits.declares_directory()) else {
                continue;
            };
            let address = directory_address(path);
            let value = Some(Form::directory(traits).to_value());
            let origin = Origin::new(manifest.clone(), None);
            if let Some(other) = self.objects.insert(address.clone(), Object { value, origin }) {
                let other = other.origin.file;
                return Err(bad(
                    &manifest,
                    &format!("`{address}` is declared as a directory, and by `{other}` as something else"),
                )
                .into());
            }
        }
        Ok(())
    }

    /// Nothing can lie in what is not a directory.
    fn check_prefixes(&self) -> Result<()> {
        for (address, object) in &self.objects {
            let kind = object.value.as_ref().and_then(|value| value.get("type")).and_then(Value::as_str);
            if kind != Some("directory") && self.directories.contains(&*address.to_bytes()) {
                let kind = kind.map_or("absent".to_owned(), |kind| format!("a {kind}"));
                let text = format!("`{address}` is declared as {kind} and as a directory");
                return Err(bad(&object.origin.file, &text).into());
            }
        }
        Ok(())
    }

    fn exclusive(&self) -> Vec<Scope> {
        let said: BTreeMap<&[u8], (bool, Option<Arc<str>>)> = self
            .directories
            .iter()
            .filter_map(|path| {
                let traits = self.rules.directory(path);
                Some((path.as_slice(), (traits.exclusive?, traits.manifest)))
            })
            .collect();
        let said_above = |path: &[u8]| {
            let above = names::ancestors(path).chain((!path.is_empty()).then_some(&b""[..]));
            above.filter_map(|ancestor| said.get(ancestor)).map(|(exclusive, _)| *exclusive).next()
        };
        said.iter()
            // One that lies in another is listed with it.
            .filter(|(path, (exclusive, _))| *exclusive && said_above(path) != Some(true))
            .map(|(path, (_, manifest))| {
                let excepted =
                    said.iter().filter(|(inner, (exclusive, _))| !exclusive && lies_in(inner, path));
                Scope {
                    collection: directory_address(path),
                    ignore: self.ignored().chain(excepted.map(|(inner, _)| below(inner, "**"))).collect(),
                    origin: Origin::new(manifest.clone().unwrap_or_default(), None),
                }
            })
            .collect()
    }

    fn ignored(&self) -> impl Iterator<Item = String> {
        let each = |(directory, manifest, _): (_, &Manifest, _)| -> Vec<String> {
            manifest.ignore.iter().map(|pattern| below(directory, &pattern.glob)).collect()
        };
        self.rules.manifests().flat_map(each)
    }

    fn note_directories(&mut self, directory: &[u8]) {
        if !directory.is_empty() && self.directories.insert(directory.to_vec()) {
            self.directories.extend(names::ancestors(directory).map(<[u8]>::to_vec));
        }
    }

    fn check(&self, path: &[u8], file: &str) -> Result<()> {
        if let Some(refusal) = names::refusal(path) {
            return Err(bad(file, &format!("no target can hold it: {refusal}"))
                .hint("rename it, or keep it outside of the target's path")
                .into());
        }
        let inside =
            |state: &Vec<u8>| path == state || names::ancestors(path).any(|ancestor| ancestor == state);
        if self.state.as_ref().is_some_and(inside) {
            return Err(bad(file, "lies where trueup keeps the memory of this target (`state`)").into());
        }
        Ok(())
    }
}

fn lies_in(inner: &[u8], outer: &[u8]) -> bool {
    outer.is_empty() || names::ancestors(inner).any(|ancestor| ancestor == outer)
}

/// The address of a directory; the root is `.`.
pub(super) fn directory_address(path: &[u8]) -> Address {
    match path {
        b"" => Address::new("."),
        _ => Address::from_bytes(path),
    }
}

/// The path of a directory whose address is `address`; empty for the root.
pub(super) fn directory_path(address: &Address) -> Vec<u8> {
    match address.as_str() {
        "." => Vec::new(),
        _ => address.to_bytes().into_owned(),
    }
}

/// A glob over paths below `directory`, as one over paths below the root.
fn below(directory: &[u8], glob: &str) -> String {
    if directory.is_empty() {
        return glob.to_owned();
    }
    // A glob is text. A byte that is none is matched by any byte: at worst too
    // much is ignored, and what is ignored is left alone.
    let plain: String = directory
        .utf8_chunks()
        .map(|chunk| globset::escape(chunk.valid()) + &"?".repeat(chunk.invalid().len()))
        .collect();
    format!("{plain}/{glob}")
}

fn same_but_for_case(objects: &BTreeMap<Address, Object>) -> Vec<String> {
    let mut folded: HashMap<String, &Address> = HashMap::new();
    let mut notes = Vec::new();
    // One of two such names has an upper case letter; nearly all names have none.
    let may_fold = |address: &&Address| {
        address.as_str().bytes().any(|byte| byte.is_ascii_uppercase() || !byte.is_ascii())
    };
    for address in objects.keys().filter(may_fold) {
        let lower = address.as_str().to_lowercase();
        if lower == address.as_str() {
            continue;
        }
        let exact = objects.get_key_value(&Address::new(lower.as_str())).map(|(other, _)| other);
        if let Some(other) = folded.insert(lower, address).or(exact) {
            notes.push(format!("`{other}` and `{address}` are one file where case is ignored"));
        }
    }
    notes
}

fn bad(file: &str, text: &str) -> UserError {
    UserError::new(Exit::BadDesired, format!("{file}: {text}"))
}
