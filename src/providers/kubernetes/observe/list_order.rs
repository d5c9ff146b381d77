//! The order of lists that stand as mappings by key, on several sides of one object.

use std::sync::Arc;

use crate::{
    model::value::{Map, Value},
    providers::kubernetes::ownership::fields::ORDER,
};

/// Base, desired and actual of one place, as far as they have it.
type Places<'a> = [Option<&'a mut Value>; 3];

/// Leaves the order of a list to each side only where desired and actual have the same items in another order.
/// Elsewhere all sides get one order, which is no difference and tells where the items are that not all of them have.
pub fn settle(sides: Places<'_>) {
    let mut maps = sides.map(|side| match side {
        Some(Value::Map(map)) => Some(Arc::make_mut(map)),
        _ => None,
    });
    let [base, desired, actual] = &maps;
    let orders = [actual, desired, base].map(|map| map.as_deref().map(order).unwrap_or_default());
    let lists = maps.iter().flatten().all(|map| is_list(map));
    if !lists || maps.iter().flatten().all(|map| map.get(ORDER).is_none()) {
        maps.iter_mut().flatten().for_each(|map| _ = map.remove(ORDER));
    } else if !is_moved(&orders[0], &orders[1]) {
        let [mut all, desired, base] = orders;
        weave(&mut all, &desired);
        weave(&mut all, &base);
        let all = Value::List(all.into_iter().map(Value::String).collect());
        maps.iter_mut().flatten().for_each(|map| _ = map.insert(ORDER.into(), all.clone()));
    }
    let mut children: Vec<Arc<str>> = maps.iter().flatten().flat_map(|map| map.keys().cloned()).collect();
    children.sort_unstable();
    children.dedup();
    for key in children {
        settle(maps.each_mut().map(|map| map.as_mut().and_then(|map| map.get_mut(&key))));
    }
}

/// Whether a mapping is a list with items in it.
fn is_list(map: &Map) -> bool {
    let mut keys = map.keys().filter(|key| &***key != ORDER).peekable();
    keys.peek().is_some() && keys.all(|key| key.starts_with('[') && key.ends_with(']'))
}

/// The items that are there, in order.
fn order(map: &Map) -> Vec<Arc<str>> {
    let mut labels: Vec<Arc<str>> = match map.get(ORDER) {
        Some(Value::List(labels)) => labels
            .iter()
            .filter_map(|label| match label {
                Value::String(label) if map.get(label).is_some() => Some(label.clone()),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    };
    let more = map.keys().filter(|key| &***key != ORDER && !labels.contains(key)).cloned();
    labels.extend(more.collect::<Vec<_>>());
    labels
}

/// Whether the items that both have changed places.
fn is_moved(one: &[Arc<str>], other: &[Arc<str>]) -> bool {
    let common = one.iter().filter(|label| other.contains(label));
    !common.eq(other.iter().filter(|label| one.contains(label)))
}

/// Puts what only `more` has among `all`, each behind what it is behind there.
fn weave(all: &mut Vec<Arc<str>>, more: &[Arc<str>]) {
    for (at, label) in more.iter().enumerate().filter(|(_, label)| !all.contains(label)).collect::<Vec<_>>() {
        let find = |label: &Arc<str>| all.iter().position(|there| there == label);
        let place = match at.checked_sub(1).and_then(|before| find(&more[before])) {
            Some(before) => before + 1,
            None => more[at..].iter().find_map(find).unwrap_or(all.len()),
        };
        all.insert(place, label.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(labels: &str) -> Value {
        let order = Value::List(labels.split(' ').map(Value::string).collect());
        let items = labels.split(' ').map(|label| (label, Value::map([("name", Value::string(label))])));
        Value::map(items.chain((labels.len() > 3).then_some((ORDER, order))))
    }

    fn settled(sides: [&str; 3]) -> [Option<String>; 3] {
        let mut sides = sides.map(list);
        settle(sides.each_mut().map(Some));
        sides.map(|side| match side.get(ORDER) {
            Some(Value::List(labels)) => {
                Some(labels.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "))
            }
            _ => None,
        })
    }

    #[test]
    fn what_one_side_adds_is_in_its_place_on_all() {
        let all = |order: &str| [(); 3].map(|()| Some(order.to_owned()));
        assert_eq!(settled(["[a] [b]", "[a] [b]", "[x] [a] [b]"]), all("[x] [a] [b]"));
        assert_eq!(settled(["[a]", "[a]", "[x] [a]"]), all("[x] [a]"));
        assert_eq!(settled(["[a] [b]", "[a] [y] [b]", "[a] [x] [b]"]), all("[a] [y] [x] [b]"));
        assert_eq!(settled(["[a] [z]", "[y] [a]", "[b]"]), all("[b] [y] [a] [z]"));
        assert_eq!(settled(["[a]", "[a]", "[a]"]), [None, None, None]);
    }

    #[test]
    fn another_order_is_a_difference_and_stays_one() {
        let [_, desired, actual] = settled(["[a] [b]", "[a] [b]", "[b] [x] [a]"]);
        assert_eq!((desired.as_deref(), actual.as_deref()), (Some("[a] [b]"), Some("[b] [x] [a]")));
    }
}
