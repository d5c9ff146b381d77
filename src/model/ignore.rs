//! Rules that leave places of the target to others: which they are, and what they hide.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use super::{
    address::Address,
    change::ThreeWay,
    path::{self, BadPath, Path, Pattern, Place},
    selector::Selector,
    user_error::UserError,
    value::Value,
};

/// The annotation by which an object itself says what is left to others.
pub const ANNOTATION: &str = "trueup.dev/ignore";

/// One rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its name, printed wherever it hides something.
    pub id: Arc<str>,
    /// For which objects.
    pub matches: Match,
    /// Which places; all that `managers` own if there is none.
    pub paths: Vec<Path>,
    /// Only what these writers own; empty for everybody.
    pub managers: Vec<Pattern>,
    /// Which side may move.
    pub when: When,
    /// Why.
    pub reason: String,
    /// The last day on which it is not overdue, `2027-01-31`.
    pub expires: Option<String>,
    /// Where it is from.
    pub from: From,
}

/// Which moves a rule hides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// Those of the target; what Git changes is applied.
    #[default]
    Live,
    /// Those of Git as well.
    Always,
}

/// Where a rule is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum From {
    /// The environment in trueup.yaml.
    Environment,
    /// The target in trueup.yaml.
    Target,
    /// trueup itself.
    BuiltIn,
    /// The object in Git.
    Object,
}

/// For which objects a rule is; what is empty does not matter.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Match {
    /// Patterns of addresses.
    pub address: Selector,
    /// API groups; the empty one is the core group.
    pub group: Vec<Pattern>,
    /// Kinds.
    pub kind: Vec<Pattern>,
    /// Namespaces.
    pub namespace: Vec<Pattern>,
    /// Names.
    pub name: Vec<Pattern>,
    /// Labels that the declared object has: a key, and a value if it matters.
    pub labels: Vec<(String, Option<String>)>,
    /// A place that the declared object has.
    pub declares: Option<Path>,
    /// Something that the provider finds out about objects.
    pub fact: Option<Fact>,
}

/// What only a provider can say of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fact {
    /// An autoscaler sets its size.
    Autoscaled,
}

/// An object as rules see it. What counts is what Git declares: nothing in the target can switch a rule on.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// Its address.
    pub address: &'a Address,
    /// Group, kind, namespace and name, where its provider has such.
    pub names: Option<[&'a str; 4]>,
    /// What Git declares, or declared last.
    pub declared: Option<&'a Value>,
    /// What the provider found out.
    pub facts: &'a [Fact],
}

/// The rules of one target.
#[derive(Clone, Debug, Default)]
pub struct Rules(pub Vec<Arc<Rule>>);

/// What became of one place that a rule names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignored {
    /// The rule.
    pub rule: Arc<str>,
    /// The place.
    pub place: Place,
    /// What became of it.
    pub effect: Effect,
}

/// What a rule did at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing differed.
    Same,
    /// It hid a difference.
    Hidden,
    /// It let a change of Git through.
    Passed,
}

/// What a rule did in one plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// The rule.
    pub rule: Arc<Rule>,
    /// How many objects have a place that it names.
    pub objects: usize,
    /// How many fields it hid.
    pub fields: usize,
}

impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Rule {}

impl Match {
    /// The same, with patterns of addresses as `spelled` writes them.
    ///
    /// # Errors
    /// A form that is no pattern.
    pub fn respelled(&self, spelled: &dyn Fn(&str) -> Option<String>) -> Result<Self, UserError> {
        Ok(Match { address: self.address.respelled(spelled)?, ..self.clone() })
    }

    /// Whether it is about an object.
    pub fn is_about(&self, subject: &Subject<'_>) -> bool {
        let lists = [&self.group, &self.kind, &self.namespace, &self.name];
        let fits = |list: &[Pattern], name: &str| list.is_empty() || list.iter().any(|one| one.matches(name));
        let names = subject.names.unwrap_or_default();
        lists.iter().zip(names).all(|(list, name)| fits(list, name))
            && self.fact.is_none_or(|fact| subject.facts.contains(&fact))
            && (self.address.is_empty() || self.address.matches(subject.address))
            && self.labels.iter().all(|(key, value)| has_label(subject.declared, key, value.as_deref()))
            && self
                .declares
                .as_ref()
                .is_none_or(|path| subject.declared.is_some_and(|declared| !path.places(declared).is_empty()))
    }
}

fn has_label(declared: Option<&Value>, key: &str, wanted: Option<&str>) -> bool {
    let label = metadata(declared, "labels", key);
    label.is_some_and(|label| wanted.is_none_or(|wanted| label == wanted))
}

fn metadata<'a>(declared: Option<&'a Value>, map: &str, key: &str) -> Option<&'a str> {
    declared?.get("metadata")?.get(map)?.get(key)?.as_str()
}

impl Rules {
    /// The same rules, with patterns of addresses as `spelled` writes them.
    ///
    /// # Errors
    /// A form that is no pattern.
    pub fn respelled(mut self, spelled: &dyn Fn(&str) -> Option<String>) -> Result<Self, UserError> {
        for rule in &mut self.0 {
            let matches = rule.matches.respelled(spelled)?;
            if matches.address != rule.matches.address {
                Arc::make_mut(rule).matches = matches;
            }
        }
        Ok(self)
    }

    /// The rules that are about an object, its own last.
    pub fn about(&self, subject: &Subject<'_>) -> Vec<Arc<Rule>> {
        let mut found: Vec<Arc<Rule>> =
            self.0.iter().filter(|rule| rule.matches.is_about(subject)).cloned().collect();
        found.extend(own_rule(subject));
        found
    }

    /// What each rule did, given what became of the places of every object.
    pub fn uses<'a>(&self, ignored: impl IntoIterator<Item = &'a [Ignored]>) -> Vec<Use> {
        let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        let all: Vec<&[Ignored]> = ignored.into_iter().collect();
        for object in &all {
            let mut last = None;
            for one in *object {
                let count = counts.entry(&one.rule).or_default();
                count.0 += usize::from(last.replace(&one.rule) != Some(&one.rule));
                count.1 += usize::from(one.effect == Effect::Hidden);
            }
        }
        let own = counts.contains_key(ANNOTATION).then(|| Arc::new(rule_of_objects(Vec::new())));
        let mut ids = BTreeSet::new();
        let rules = self.0.iter().cloned().chain(own).filter(|rule| ids.insert(rule.id.clone()));
        let used = |rule: Arc<Rule>| {
            let (objects, fields) = counts.get(&*rule.id).copied().unwrap_or_default();
            Use { rule, objects, fields }
        };
        rules.map(used).collect()
    }
}

/// What an object itself leaves to others.
fn own_rule(subject: &Subject<'_>) -> Option<Arc<Rule>> {
    let text = metadata(subject.declared, "annotations", ANNOTATION)?;
    Some(Arc::new(rule_of_objects(paths(text).unwrap_or_default())))
}

/// The paths that an annotation lists.
///
/// # Errors
/// The first that is none.
pub fn paths(text: &str) -> Result<Vec<Path>, BadPath> {
    let found: Vec<&str> = text.split([',', ' ', '\n']).filter(|path| !path.is_empty()).collect();
    match found.is_empty() {
        true => text.parse().map(|path| vec![path]),
        false => found.into_iter().map(str::parse).collect(),
    }
}

fn rule_of_objects(paths: Vec<Path>) -> Rule {
    Rule {
        id: ANNOTATION.into(),
        matches: Match::default(),
        paths,
        managers: Vec::new(),
        when: When::Live,
        reason: "the declared object says so".to_owned(),
        expires: None,
        from: From::Object,
    }
}

impl Rule {
    /// The places that it names, given the sides of an object and what its managers own.
    pub fn places<'a>(
        &self,
        sides: impl IntoIterator<Item = &'a Value>,
        owned: &dyn Fn(&[Pattern]) -> Vec<Place>,
    ) -> Vec<Place> {
        let mut places: Vec<Place> = match (self.managers.is_empty(), self.paths.is_empty()) {
            (true, _) => {
                let on = |side| self.paths.iter().flat_map(move |path| path.places(side));
                sides.into_iter().flat_map(on).collect()
            }
            (false, true) => owned(&self.managers),
            (false, false) => {
                let named = |place: &Place| self.paths.iter().any(|path| path.covers(place));
                owned(&self.managers).into_iter().filter(named).collect()
            }
        };
        places.sort_unstable();
        places.dedup();
        places
    }

    /// Whether it is overdue on `today`.
    pub fn is_expired(&self, today: &str) -> bool {
        self.expires.as_deref().is_some_and(|expires| expires < today)
    }

    /// Whether it lets through what Git did at a place.
    pub fn passes(&self, place: &[Arc<str>], git: &Git<'_>) -> bool {
        let (Some(was), Some(is)) = (git.was, git.is) else { return false };
        self.when == When::Live && path::get(was, place) != path::get(is, place)
    }
}

/// What Git says of an object, apart from what its target made of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Git<'a> {
    /// What it declared when the object was applied last, if that is known.
    pub was: Option<&'a Value>,
    /// What it declares.
    pub is: Option<&'a Value>,
}

/// Leaves to the target what `rules` name: there, all sides become what the target holds. What Git
/// changes at a place that is only left to the target's moves stays, as if the target had not moved.
pub fn settle(
    rules: &[Arc<Rule>],
    sides: &mut ThreeWay<Value>,
    git: &Git<'_>,
    owned: &dyn Fn(&[Pattern]) -> Vec<Place>,
) -> Vec<Ignored> {
    let Some(actual) = sides.actual.clone() else { return Vec::new() };
    let mut ignored = Vec::new();
    for rule in rules {
        let all: Vec<&Value> = [&sides.base, &sides.desired, &sides.actual].into_iter().flatten().collect();
        for place in rule.places(all, owned).into_iter().rev() {
            let effect = settle_place(&place, sides, &actual, rule.passes(&place, git));
            ignored.push(Ignored { rule: rule.id.clone(), place, effect });
        }
    }
    ignored
}

fn settle_place(place: &[Arc<str>], sides: &mut ThreeWay<Value>, actual: &Value, passes: bool) -> Effect {
    let at = |side: &Option<Value>| side.as_ref().and_then(|side| path::get(side, place)).cloned();
    let (base, desired) = (at(&sides.base), at(&sides.desired));
    let there = path::get(actual, place);
    let expected = if sides.desired.is_some() { desired } else { base };
    if let Some(base) = &mut sides.base {
        path::copy_at(base, place, Some(actual));
    }
    match (passes, expected.as_ref() == there) {
        (_, true) => Effect::Same,
        (true, false) => Effect::Passed,
        (false, false) => {
            if let Some(desired) = &mut sides.desired {
                path::copy_at(desired, place, Some(actual));
            }
            Effect::Hidden
        }
    }
}

/// `value` without the places that rules left to the target.
pub fn without(value: &Value, ignored: &[Ignored]) -> Value {
    let mut rest = value.clone();
    for one in ignored.iter().filter(|one| one.effect != Effect::Passed) {
        path::copy_at(&mut rest, &one.place, None);
    }
    rest
}

#[cfg(test)]
mod tests;
