//! Random sessions: people edit Git and the target, and the answers of the
//! binary are those of an independent, much simpler account of the same.

use std::{collections::BTreeMap, fs};

use proptest::{prelude::*, test_runner::TestCaseResult};
use serde_json::Value;

use crate::sandbox::{Ran, Sandbox};

const FILES: [&str; 3] = ["a", "dir/b", "dir/c"];

/// The lines of a file that somebody may change, each a place of its own.
type Content = [u8; 3];

/// A file with so much between the places that changes of two never touch.
fn text(content: Content) -> String {
    content.iter().enumerate().fold(String::new(), |text, (place, value)| {
        text + &format!("begin {place}\n\nvalue {value}\n\nend {place}\n")
    })
}

/// What one person does.
#[derive(Clone, Debug)]
enum Act {
    /// Declares a content in Git, or nothing any more, and commits.
    Declare(usize, Option<Content>),
    /// Changes the target by hand.
    Edit(usize, Option<Content>),
    /// Changes one place in both.
    Both(usize, usize, u8),
    /// Runs `apply`.
    Apply,
    /// Runs `apply --only-drift`.
    Undo,
}

/// What there is to know of one file, told from the session alone.
#[derive(Clone, Copy, Debug, Default)]
struct File {
    base: Option<Content>,
    desired: Option<Content>,
    actual: Option<Content>,
}

/// What separates the sides of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Difference {
    drift: bool,
    pending: bool,
    conflict: bool,
    /// It is there, differs from what is declared, and was not written by trueup.
    foreign: bool,
}

impl File {
    fn difference(&self) -> Difference {
        let mut found = Difference::default();
        match (self.base, self.desired, self.actual) {
            (_, desired, actual) if desired == actual => {}
            (None, None, _) => {}
            (None, Some(_), actual) => {
                found.pending = true;
                found.foreign = actual.is_some();
            }
            (Some(base), Some(desired), Some(actual)) => {
                for place in 0..base.len() {
                    let (base, desired, actual) = (base[place], desired[place], actual[place]);
                    found.drift |= desired != actual && base == desired;
                    found.pending |= desired != actual && base == actual;
                    found.conflict |= desired != actual && base != desired && base != actual;
                }
            }
            (base, desired, None) => {
                found.drift = base == desired;
                found.conflict = base != desired;
            }
            (base, None, actual) => {
                found.pending = base == actual;
                found.conflict = base != actual;
            }
        }
        found
    }
}

/// The answer of a plan, after the table of exit codes.
fn answer(files: &[File]) -> i32 {
    let all: Vec<Difference> = files.iter().map(File::difference).collect();
    let any = |test: fn(&Difference) -> bool| all.iter().any(test);
    match (any(|it| it.conflict), any(|it| it.drift), any(|it| it.pending)) {
        (true, ..) => 5,
        (_, true, true) => 4,
        (_, true, _) => 3,
        (.., true) => 2,
        _ => 0,
    }
}

/// A target, and what it should be by the account.
struct World {
    sandbox: Sandbox,
    files: [File; FILES.len()],
    applied: bool,
}

impl World {
    fn new() -> World {
        World {
            sandbox: Sandbox::with_files(&[("always", "here\n")]),
            files: Default::default(),
            applied: false,
        }
    }

    fn write(&self, folder: &str, file: usize, content: Option<Content>) {
        let path = format!("{folder}/{}", FILES[file]);
        match content {
            Some(content) => self.sandbox.write(&path, text(content)),
            None => _ = fs::remove_file(self.sandbox.path(path)),
        }
    }

    fn declare(&mut self, file: usize, content: Option<Content>) -> TestCaseResult {
        self.write("checkout/site", file, content);
        self.files[file].desired = content;
        let dirty = self.sandbox.trueup(&["plan", "-q"]);
        self.sandbox.sh("commit 'Change' > /dev/null || true");
        prop_assert_eq!(
            dirty.exit,
            self.sandbox.trueup(&["plan", "-q"]).exit,
            "committing changed the answer"
        );
        Ok(())
    }

    fn edit(&mut self, file: usize, content: Option<Content>) {
        self.write("target", file, content);
        self.files[file].actual = content;
    }

    fn act(&mut self, act: &Act) -> TestCaseResult {
        match *act {
            Act::Declare(file, content) => self.declare(file, content)?,
            Act::Edit(file, content) => self.edit(file, content),
            Act::Both(file, place, value) => {
                let change = |content: Option<Content>| {
                    content.map(|mut content| {
                        content[place] = value;
                        content
                    })
                };
                self.edit(file, change(self.files[file].actual));
                self.declare(file, change(self.files[file].desired))?;
            }
            Act::Apply => self.apply()?,
            Act::Undo => self.undo()?,
        }
        self.check()
    }

    fn apply(&mut self) -> TestCaseResult {
        let flags = ["--max-delete-percent", "100", "--allow-emptied", "**"];
        let ran = self.sandbox.trueup(&[&["apply", "--yes", "-q"], &flags[..]].concat());
        let differences = self.files.map(|file| file.difference());
        let expected = match differences {
            all if all.iter().any(|it| it.conflict) => 5,
            all if all.iter().any(|it| it.foreign) => 8,
            _ => 0,
        };
        prop_assert_eq!(ran.exit, expected, "apply: {:?} for {:?}", ran, &self.files);
        if expected == 0 {
            self.applied = true;
            for file in &mut self.files {
                // What was never ours and is not declared stays.
                if file.base.is_some() || file.desired.is_some() {
                    file.actual = file.desired;
                }
                file.base = file.desired;
            }
        }
        Ok(())
    }

    fn undo(&mut self) -> TestCaseResult {
        if answer(&self.files) == 5 {
            return Ok(());
        }
        let before = self.files;
        let ran = self.sandbox.trueup(&["apply", "--yes", "-q", "--only-drift"]);
        prop_assert_eq!(ran.exit, 0, "{:?}", ran);
        for (name, file) in FILES.iter().zip(&mut self.files) {
            let found = fs::read_to_string(self.sandbox.path(format!("target/{name}"))).ok();
            let undone = match (file.base, file.desired, file.actual) {
                (Some(base), Some(desired), Some(actual)) => {
                    let place = |at: usize| if base[at] == desired[at] { base[at] } else { actual[at] };
                    Some([0, 1, 2].map(place))
                }
                (Some(base), desired, None) if Some(base) == desired => Some(base),
                (.., actual) => actual,
            };
            // A place that both changed alike may be left, since nobody can tell it from drift.
            let kept = found == file.actual.map(text);
            prop_assert!(found == undone.map(text) || kept && converged(file), "{}: {:?}", name, before);
            if !kept {
                file.actual = undone;
            }
        }
        Ok(())
    }

    /// The answers of every verb, held against the account.
    fn check(&self) -> TestCaseResult {
        for (name, file) in FILES.iter().zip(&self.files) {
            let found = fs::read_to_string(self.sandbox.path(format!("target/{name}"))).ok();
            prop_assert_eq!(found, file.actual.map(text), "{} in the target", name);
        }
        let plan = self.sandbox.trueup(&["plan", "-o", "json"]);
        prop_assert!(!self.applied || plan.exit == answer(&self.files), "{:?}\n{:?}", self.files, plan);
        agrees_with_itself(&plan)?;
        let again = self.sandbox.trueup(&["plan", "-o", "json"]);
        prop_assert_eq!(&again.stdout, &plan.stdout, "two plans of the same state");
        let diff = self.sandbox.trueup(&["diff"]);
        prop_assert_eq!(diff.exit, plan.exit);
        let moved = self
            .files
            .iter()
            .any(|file| File { desired: file.base, ..*file }.difference() != Difference::default());
        let drift = self.sandbox.trueup(&["drift", "-q"]).exit;
        prop_assert_eq!(
            drift,
            if !self.applied {
                66
            } else if moved {
                3
            } else {
                0
            },
            "drift of {:?}",
            self.files
        );
        Ok(())
    }
}

/// Whether both sides left the base in one place in the same way.
fn converged(file: &File) -> bool {
    let (Some(base), Some(desired), Some(actual)) = (file.base, file.desired, file.actual) else {
        return false;
    };
    (0..base.len()).any(|place| desired[place] == actual[place] && base[place] != actual[place])
}

/// Works the exit code and the counts out again from the list of changes.
fn agrees_with_itself(plan: &Ran) -> TestCaseResult {
    let json: Value = serde_json::from_str(&plan.stdout)
        .map_err(|error| TestCaseError::fail(format!("{error}: {plan:?}")))?;
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    let (mut drift, mut pending, mut conflict) = (false, false, false);
    for change in json["changes"].as_array().into_iter().flatten() {
        let fields = change["fields"].as_array().into_iter().flatten().map(|field| &field["class"]);
        let classes: Vec<&str> = fields.chain([&change["class"]]).filter_map(Value::as_str).collect();
        *counts.entry(change["action"].as_str().unwrap_or_default()).or_default() += 1;
        conflict |= change["class"] == "conflict";
        drift |= classes.iter().any(|class| ["drift", "missing", "extra"].contains(class));
        pending |= classes.contains(&"pending");
    }
    let exit = match (conflict, drift, pending) {
        (true, ..) => 5,
        (_, true, true) => 4,
        (_, true, _) => 3,
        (.., true) => 2,
        _ => 0,
    };
    prop_assert_eq!(exit, plan.exit, "{}", plan.stdout);
    prop_assert_eq!(json["exit"].as_i64(), Some(exit.into()), "{}", plan.stdout);
    for action in ["create", "update", "replace", "delete", "adopt"] {
        let counted = counts.get(action).copied().unwrap_or_default();
        prop_assert_eq!(json["summary"][action].as_u64(), Some(counted), "{}: {}", action, plan.stdout);
    }
    Ok(())
}

fn content() -> impl Strategy<Value = Option<Content>> {
    proptest::option::weighted(0.8, [1..4u8, 1..4u8, 1..4u8])
}

fn act() -> impl Strategy<Value = Act> {
    let file = 0..FILES.len();
    prop_oneof![
        4 => (file.clone(), content()).prop_map(|(file, content)| Act::Declare(file, content)),
        4 => (file.clone(), content()).prop_map(|(file, content)| Act::Edit(file, content)),
        2 => (file, 0..3usize, 1..4u8).prop_map(|(file, place, value)| Act::Both(file, place, value)),
        5 => Just(Act::Apply),
        1 => Just(Act::Undo),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_session_is_answered_as_a_simple_account_of_it_says(acts in proptest::collection::vec(act(), 1..12)) {
        let mut world = World::new();
        world.apply()?;
        for act in &acts {
            world.act(act)?;
        }
    }

    #[test]
    fn a_damaged_plan_file_approves_what_it_did_or_nothing(
        at in proptest::num::usize::ANY,
        damage in prop_oneof![Just(None), proptest::num::u8::ANY.prop_map(Some)],
    ) {
        let sandbox = Sandbox::with_files(&[("a", "a\n"), ("dir/b", "b\n")]);
        sandbox.trueup(&["plan", "-q", "--out", "plan=../plan.json"]);
        let mut saved = fs::read(sandbox.path("plan.json")).unwrap();
        let at = at % saved.len();
        match damage {
            Some(byte) => saved[at] = byte,
            None => saved.truncate(at),
        }
        sandbox.write("plan.json", &saved);
        let ran = sandbox.trueup(&["apply", "-q", "--plan", "../plan.json"]);
        let found = sandbox.list("target");
        match ran.exit {
            0 => prop_assert!(found.contains("dir/ 0755\n    b 0644\n      | b\n"), "{}", found),
            6 | 66 => prop_assert_eq!(found, "", "{:?}", ran),
            _ => prop_assert!(false, "{:?}", ran),
        }
    }
}
