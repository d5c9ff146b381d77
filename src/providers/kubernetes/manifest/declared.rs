//! Which document of a file, and which item in it, declares which object.

use std::collections::{BTreeMap, HashMap};

use anyhow::Result;

use super::{names::Name, normal};
use crate::{
    manifest::{self, Node},
    model::{change::Change, path},
    providers::{Target, kubernetes::options},
    yaml::Place,
};

/// A document of a file, and the way to an object in it.
#[derive(Clone, Debug)]
pub struct Way {
    pub document: usize,
    pub steps: path::Place,
}

/// A file, taken apart.
pub struct Declared {
    /// Its documents.
    pub documents: Vec<Node>,
    objects: HashMap<Name, Way>,
}

impl Declared {
    pub fn read(target: &Target, content: &[u8]) -> Result<Declared> {
        let options = options::of(target)?;
        let (documents, _) = manifest::nodes(content)?;
        let (manifests, _) = manifest::manifests(content)?;
        let mut ways = BTreeMap::new();
        for (document, node) in documents.iter().enumerate() {
            collect(node, Way { document, steps: Vec::new() }, &mut ways);
        }
        let mut objects = HashMap::new();
        for manifest in &manifests {
            let Some(way) = ways.get(&manifest.node.place) else { continue };
            // Whether its kind has namespaces, the address that is looked for knows.
            for namespaced in [false, true] {
                let name = normal::name(manifest, namespaced, options.default_namespace());
                objects.entry(name).or_insert_with(|| way.clone());
            }
        }
        Ok(Declared { documents, objects })
    }

    /// Where the object of a change is declared.
    pub fn way(&self, change: &Change) -> Option<&Way> {
        self.objects.get(&Name::parse(&change.address)?)
    }

    /// What stands there.
    pub fn node(&self, way: &Way) -> Option<&Node> {
        self.documents.get(way.document)?.find(way.steps.iter().map(|step| &**step))
    }
}

/// Every object below `node`, by its place; a list is taken apart.
fn collect(node: &Node, way: Way, ways: &mut BTreeMap<Place, Way>) {
    let is_list = node.get("kind").and_then(Node::as_str).is_some_and(|kind| kind.ends_with("List"));
    let Some(items) = node.get("items").and_then(Node::as_list).filter(|_| is_list) else {
        ways.entry(node.place).or_insert(way);
        return;
    };
    for (at, item) in items.iter().enumerate() {
        let inner = ["items".into(), at.to_string().into()];
        let steps = way.steps.iter().cloned().chain(inner).collect();
        collect(item, Way { steps, ..way }, ways);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{
            change::{Action, Class, ThreeWay},
            testing,
        },
        providers::kubernetes::testing::target,
    };

    fn line(file: &Declared, address: &str) -> Option<u32> {
        let change = testing::change(address, Action::Update, Class::Pending, ThreeWay::default());
        Some(file.node(file.way(&change)?)?.place.line)
    }

    #[test]
    fn every_object_of_a_file_is_found() {
        let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\n---\n\
            apiVersion: v1\nkind: List\nitems:\n\
            - {apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: other}}\n\
            - apiVersion: v1\n  kind: ConfigMapList\n  items:\n  - metadata: {name: b}\n---\n\
            apiVersion: example.org/v1\nkind: Widget\nmetadata: {name: c}\n---\n\
            apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, namespace: odd}\n";
        let file = Declared::read(&target("shop", "{namespace: shop}"), text.as_bytes()).unwrap();
        assert_eq!(line(&file, "v1/ConfigMap/shop/a"), Some(1));
        assert_eq!(line(&file, "v1/ConfigMap/other/a"), Some(9));
        assert_eq!(line(&file, "v1/ConfigMap/shop/b"), Some(13));
        assert_eq!(line(&file, "example.org/v1/Widget/c"), Some(15));
        assert_eq!(line(&file, "example.org/v1/Widget/shop/c"), Some(15));
        assert_eq!(line(&file, "v1/Namespace/shop"), Some(19));
        assert_eq!(line(&file, "v1/ConfigMap/other/b"), None);
    }
}
