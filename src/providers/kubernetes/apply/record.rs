//! What the cluster remembers: a ConfigMap that is the parent of an ApplySet (KEP-3659).

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use anyhow::Result;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{
    exit::Exit,
    model::{
        address::Address,
        digest::Digest,
        record::{Owned, Record, StoredRecord},
        user_error::UserError,
        value::Value,
    },
    providers::{
        Target,
        kubernetes::{
            manifest::names::Name,
            options::{self, Options},
        },
        packed::{pack, unpack},
    },
};

const RECORD: &str = "record.json.gz";
const INVENTORY: &str = "inventory.json.gz";
const FOLDER: &str = "trueup.dev/path";

/// Where the record and the lock of a set are.
#[derive(Clone, Debug)]
pub struct Place {
    /// The namespace.
    pub namespace: String,
    /// The name of both objects.
    pub name: String,
    /// The folder of the declarations, unless the set was named by hand.
    folder: Option<String>,
    label: String,
}

/// Which objects are ours, and at which commits, in few words.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Inventory {
    /// The commits that the numbers below stand for.
    commits: Vec<Digest>,
    /// By kind and namespace: names with the number of a commit.
    objects: BTreeMap<String, BTreeMap<String, BTreeMap<String, Option<usize>>>>,
}

impl Place {
    /// The place for a target.
    pub fn of(target: &Target, options: &Options) -> Result<Place> {
        let (set, folder) = match &options.set {
            Some(set) => (set.clone(), None),
            None => (target.name.to_lowercase().replace(['_', '.', ' '], "-"), Some(target.path.clone())),
        };
        let name = format!("trueup-{set}");
        if !options::is_label(&name) {
            let message = format!("the target's name `{}` is no name for its record", target.name);
            return Err(UserError::new(Exit::BadConfig, message)
                .hint("set `set` to a name of letters and digits")
                .into());
        }
        let namespace = options.record_namespace().to_owned();
        // The id of an ApplySet whose parent is a ConfigMap.
        let hash = Sha256::digest(format!("{name}.{namespace}.ConfigMap."));
        let label = format!("applyset-{}-v1", URL_SAFE_NO_PAD.encode(hash));
        Ok(Place { namespace, name, folder, label })
    }

    /// The value of the label that makes an object a member.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The path of the record.
    pub fn path(&self) -> String {
        format!("/api/v1/namespaces/{}/configmaps/{}", self.namespace, self.name)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// Reads a record.
pub fn read(place: &Place, parent: &Value) -> Result<StoredRecord> {
    let damaged = |error: anyhow::Error| {
        UserError::new(Exit::Error, format!("the record `{place}` cannot be read: {error:#}")).hint(format!(
            "restore the ConfigMap `{}` of namespace `{}` from a backup; without it, every object has to be adopted anew",
            place.name, place.namespace
        ))
    };
    let annotation =
        parent.get("metadata").and_then(|metadata| metadata.get("annotations")?.get(FOLDER)?.as_str());
    if let (Some(there), Some(folder)) = (annotation, &place.folder)
        && there != folder
    {
        let message = format!("the record `{place}` is that of the folder `{there}`, not of `{folder}`");
        let set = place.name.trim_start_matches("trueup-");
        let hint = format!(
            "`set: NAME` in trueup.yaml gives this target a record of its own; `set: {set}` says that the folder moved"
        );
        return Err(UserError::new(Exit::BadConfig, message).hint(hint).into());
    }
    let Some(record) = part(parent, RECORD) else { return Ok(StoredRecord::default()) };
    let record: Record = unpack(record).map_err(damaged)?;
    let inventory: Inventory = match part(parent, INVENTORY) {
        Some(text) => unpack(text).map_err(damaged)?,
        None => return Err(damaged(anyhow::anyhow!("its inventory is gone")).into()),
    };
    Ok(StoredRecord { record: Some(record), owned: inventory.owned() })
}

fn part<'a>(parent: &'a Value, key: &str) -> Option<&'a str> {
    parent.get("binaryData")?.get(key)?.as_str()
}

/// The parent with a record, ready to be applied.
pub fn write(place: &Place, record: &Record, owned: &BTreeMap<Address, Option<Digest>>) -> Result<Value> {
    let attempted = record.attempting.iter().flat_map(|attempt| &attempt.changes).map(|(address, _)| address);
    let members: BTreeSet<Name> = owned.keys().chain(attempted).filter_map(Name::parse).collect();
    let kinds: BTreeSet<String> = members
        .iter()
        .map(|name| match name.kind.group.as_str() {
            "" => name.kind.kind.clone(),
            group => format!("{}.{group}", name.kind.kind),
        })
        .collect();
    let namespaces: BTreeSet<&str> = members
        .iter()
        .filter_map(|name| name.namespace.as_deref())
        .filter(|namespace| *namespace != place.namespace)
        .collect();
    let joined = |list: Vec<String>| Value::string(list.join(","));
    let mut annotations = vec![
        ("applyset.kubernetes.io/tooling", Value::string("trueup/v1")),
        ("applyset.kubernetes.io/contains-group-kinds", joined(kinds.into_iter().collect())),
        (
            "applyset.kubernetes.io/additional-namespaces",
            joined(namespaces.into_iter().map(str::to_owned).collect()),
        ),
    ];
    if let Some(folder) = &place.folder {
        annotations.push((FOLDER, Value::string(folder.as_str())));
    }
    if let Some(applied) = &record.applied {
        annotations.push(("trueup.dev/applied", Value::string(applied.revision.label())));
    }
    let text = |text: &str| Value::string(text);
    Ok(Value::map([
        ("apiVersion", text("v1")),
        ("kind", text("ConfigMap")),
        (
            "metadata",
            Value::map([
                ("name", text(&place.name)),
                ("namespace", text(&place.namespace)),
                ("labels", Value::map([("applyset.kubernetes.io/id", text(&place.label))])),
                ("annotations", Value::map(annotations)),
            ]),
        ),
        (
            "binaryData",
            Value::map([
                (RECORD, Value::string(pack(record)?)),
                (INVENTORY, Value::string(pack(&Inventory::new(owned))?)),
            ]),
        ),
    ]))
}

impl Inventory {
    fn new(owned: &BTreeMap<Address, Option<Digest>>) -> Inventory {
        let mut inventory = Inventory::default();
        for (address, commit) in owned {
            let Some(name) = Name::parse(address) else { continue };
            let commit = commit.map(|commit| inventory.number(commit));
            let names = inventory
                .objects
                .entry(name.kind.to_string())
                .or_default()
                .entry(name.namespace.unwrap_or_default())
                .or_default();
            names.insert(name.name, commit);
        }
        inventory
    }

    fn number(&mut self, commit: Digest) -> usize {
        self.commits.iter().position(|known| *known == commit).unwrap_or_else(|| {
            self.commits.push(commit);
            self.commits.len() - 1
        })
    }

    fn owned(&self) -> BTreeMap<Address, Owned> {
        let mut owned = BTreeMap::new();
        for (kind, namespaces) in &self.objects {
            for (namespace, names) in namespaces {
                for (name, commit) in names {
                    let address = match namespace.as_str() {
                        "" => format!("{kind}/{name}"),
                        namespace => format!("{kind}/{namespace}/{name}"),
                    };
                    let commit = commit.and_then(|number| self.commits.get(number).copied());
                    owned.insert(Address::new(address), Owned { commit, base: None });
                }
            }
        }
        owned
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::kubernetes::testing::target;

    #[test]
    fn what_is_ours_survives_the_way_to_the_cluster_and_back() {
        let target = target("shop", "{}");
        let place = Place::of(&target, &Options::default()).unwrap();
        let commit: Digest = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391".parse().unwrap();
        let owned = BTreeMap::from([
            (Address::new("apps/v1/Deployment/shop/web"), Some(commit)),
            (Address::new("v1/Namespace/shop"), None),
        ]);
        let parent = write(&place, &Record::new("kubernetes x"), &owned).unwrap();
        let memory = read(&place, &parent).unwrap();
        let back: BTreeMap<_, _> =
            memory.owned.into_iter().map(|(address, owned)| (address, owned.commit)).collect();
        assert_eq!(back, owned);
        assert_eq!(memory.record, Some(Record::new("kubernetes x")));
    }

    #[test]
    fn the_id_of_a_set_is_that_of_the_enhancement_proposal() {
        let target = target("x", "{}");
        let place = Place::of(&target, &Options::default()).unwrap();
        assert!(place.label().starts_with("applyset-") && place.label().ends_with("-v1"));
        assert!(place.label().len() <= 63);
    }
}
