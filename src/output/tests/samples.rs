//! Plans, changes and values made by hand.

use std::sync::{Arc, Mutex};

use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::{
    exit::Exit,
    model::{
        change::{Action, Class},
        diff_style::DiffStyle,
        digest::Digest,
        object::{Origin, Writer},
        plan::{Summary, TargetName},
        redact::{Shown, ShownChange, ShownField, ShownPlan, ShownSides},
        revision::{Commit, Revision},
    },
    output::{KindInfo, PlanView, Plans, SelectionArgs, Verb},
};

/// Something that stands for git's blob id: equal for equal content only.
pub fn id(content: &[u8]) -> Digest {
    Digest::from_bytes(&Sha256::digest(content)[..20]).unwrap()
}

pub fn plain(value: serde_json::Value) -> Shown {
    Shown::Plain(value)
}

pub fn map<const N: usize>(fields: [(&str, Shown); N]) -> Shown {
    Shown::Map(fields.into_iter().map(|(key, value)| (key.into(), value)).collect())
}

pub fn content(bytes: &[u8]) -> Shown {
    Shown::Content { id: id(bytes), size: Some(bytes.len() as u64), bytes: Some(bytes.into()) }
}

pub fn file(bytes: &[u8]) -> Shown {
    holding(content(bytes))
}

pub fn holding(content: Shown) -> Shown {
    map([("content", content), ("executable", plain(json!(false))), ("type", plain(json!("file")))])
}

pub fn executable(bytes: &[u8]) -> Shown {
    map([("content", content(bytes)), ("executable", plain(json!(true))), ("type", plain(json!("file")))])
}

pub fn link(target: &[u8]) -> Shown {
    let target = crate::model::address::quote(target).into_owned();
    map([("target", plain(json!(target))), ("type", plain(json!("link")))])
}

pub fn directory(owner: &str) -> Shown {
    map([("owner", plain(json!(owner))), ("type", plain(json!("directory")))])
}

/// A change as the two sides tell it.
pub fn change(address: &str, before: Option<Shown>, after: Option<Shown>) -> ShownChange {
    let (action, class) = match (&before, &after) {
        (None, _) => (Action::Create, Class::Pending),
        (_, None) => (Action::Delete, Class::Pending),
        _ => (Action::Update, Class::Pending),
    };
    let origin = Origin::new(format!("site/{address}"), Some(1));
    ShownChange {
        address: address.to_owned(),
        action,
        class,
        drifted: false,
        pending: true,
        origin: Some(origin),
        fields: Vec::new(),
        before,
        after,
        writer: None,
        persons: Vec::new(),
        commits: Vec::new(),
        unknown: None,
        cascade: 0,
        ignored: Vec::new(),
        notes: Vec::new(),
    }
}

/// The same change with another class, as the target's doing.
pub fn classed(change: ShownChange, class: Class) -> ShownChange {
    let (drifted, pending) = (class.drifted(), class.pending());
    ShownChange { class, drifted, pending, ..change }
}

pub fn field(path: &str, class: Class, sides: [Option<serde_json::Value>; 3]) -> ShownField {
    let [base, desired, actual] = sides.map(|side| side.map(Shown::Plain));
    let sides = ShownSides { base, desired, actual };
    ShownField { path: path.to_owned(), class, line: None, declared_by: None, writer: None, sides }
}

pub fn commit(subject: &str) -> Commit {
    Commit {
        id: "9d0e77c3f2c1ab9d0e77c3f2c1ab9d0e77c3f2c1".parse().unwrap(),
        author: "Alice Example".to_owned(),
        email: "alice@example.org".to_owned(),
        date: "2026-11-22T14:10:00+01:00".to_owned(),
        subject: subject.to_owned(),
        pull_request: Some(812),
    }
}

pub fn writer(who: &str) -> Writer {
    Writer {
        who: who.to_owned(),
        at: Some("2026-11-22T15:00:00Z".to_owned()),
        precision: "owner and time of the last modification".to_owned(),
    }
}

pub fn revision(name: &str) -> Revision {
    let commit = "9d0e77c3f2c1ab9d0e77c3f2c1ab9d0e77c3f2c1".parse().ok();
    Revision::of(commit, name)
}

pub fn target(name: &str) -> TargetName {
    TargetName {
        name: name.to_owned(),
        environment: Some("prod".to_owned()),
        provider: "files".to_owned(),
        id: "files /srv/www".to_owned(),
    }
}

/// A plan of the changes, with what follows from them.
pub fn plan(name: &str, changes: Vec<ShownChange>) -> ShownPlan {
    let mut summary = Summary { unchanged: 41, ..Summary::default() };
    for change in &changes {
        match change.action {
            Action::Keep => {}
            Action::Create => summary.create += 1,
            Action::Update | Action::Claim => summary.update += 1,
            Action::Replace => summary.replace += 1,
            Action::Delete => summary.delete += 1,
            Action::Adopt => summary.adopt += 1,
            Action::Release => summary.release += 1,
        }
        match change.class {
            Class::Unknown => summary.unknown += 1,
            Class::Conflict => summary.conflict += 1,
            Class::Extra => summary.extra += 1,
            Class::Missing => summary.missing += 1,
            _ => {
                summary.drift += usize::from(change.drifted);
                summary.pending += usize::from(change.pending);
            }
        }
    }
    let any = |class: Class| changes.iter().any(|change| change.class == class);
    let exit = match (any(Class::Conflict), summary.drift + summary.extra + summary.missing, summary.pending)
    {
        (true, ..) => Exit::Conflict,
        (_, 0, 0) if any(Class::Unknown) => Exit::Error,
        (_, 0, 0) => Exit::InSync,
        (_, 0, _) => Exit::Pending,
        (_, _, 0) => Exit::Drift,
        _ => Exit::DriftAndPending,
    };
    ShownPlan {
        target: target(name),
        revision: revision("main"),
        base: Some(Revision { name: "main".to_owned(), ..revision("main") }),
        applied_at: Some("2026-11-20T14:02:11Z".to_owned()),
        attempted: None,
        applyable: !changes.is_empty() && !any(Class::Conflict) && !any(Class::Unknown),
        complete: !any(Class::Unknown),
        changes,
        summary,
        external: Default::default(),
        ignored: Vec::new(),
        digest: format!("sha256:{}", "5b1c".repeat(16)),
        exit,
        notes: Vec::new(),
        explanations: Vec::new(),
        cost: None,
        failure: None,
    }
}

pub fn sheet(name: &str, changes: Vec<ShownChange>) -> PlanView {
    PlanView { plan: plan(name, changes), form: DiffStyle::File }
}

pub fn plans(sheets: &[PlanView]) -> Plans<'_> {
    let exit = crate::model::redact::totals(sheets.iter().map(|sheet| &sheet.plan)).exit;
    static NOTHING: SelectionArgs = SelectionArgs { reference: None, only: Vec::new() };
    Plans { verb: Verb::Plan, sheets, exit, given: &NOTHING, saved: None }
}

/// A stream that can be read afterwards.
#[derive(Clone, Default)]
pub struct Sink(Arc<Mutex<Vec<u8>>>);

impl Sink {
    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl std::io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A kind of object, with `name` wherever a definition has the word.
pub fn kind(name: &str) -> KindInfo {
    KindInfo {
        name: name.to_owned(),
        about: "a label".to_owned(),
        scope: vec!["owner".to_owned()],
        identity: vec!["/name".to_owned()],
        risk: Some("low".to_owned()),
        fields: [("/name".to_owned(), "required".to_owned())].into(),
    }
}
