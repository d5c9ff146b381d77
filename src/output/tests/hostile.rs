//! Foreign text stays text, and secrets stay secret, in every view.

use serde_json::json;

use super::{
    machines::{applied, past},
    samples::*,
};
use crate::{
    exit::Exit,
    model::{
        address::{Address, steers_terminal},
        change::{Action, Change, Class, Field, ThreeWay},
        diff_style::DiffStyle,
        object::{Cause, Origin},
        plan::Plan,
        redact::{ShownChange, show},
        report::FailureKind,
        value::{Blob, Value},
    },
    output::{
        Applied, Bytes, Detail, Explain, Format, Log, Logs, Look, Missing, PlanView, Problem, ProviderInfo,
        Providers, Reports, View, style::Paint,
    },
};

/// Everything that a terminal, a comment or a CI log could take for more than text.
const EVIL: &str =
    "x\x1b[31m\r\n::error::y\n  ::add-mask::z\u{9b}2J\u{202e}\u{200b}\x07##[error]##vso[a]```</details>@all";

fn everywhere<V: View>(view: &V) -> Vec<(Format, String)> {
    let look = Look { bytes: Bytes::Visible, detail: Detail::Diffs, ..Look::default() };
    let mut all = Vec::new();
    for format in V::FORMATS.iter().copied().filter(|format| *format != Format::Plan) {
        let mut out = Vec::new();
        view.write(format, &look, &mut out).unwrap();
        all.push((format, String::from_utf8(out).unwrap()));
    }
    all
}

fn check<V: View>(view: &V) {
    for (format, text) in everywhere(view) {
        harmless(format.word(), &text);
    }
}

fn harmless(name: &str, text: &str) {
    let odd = text.chars().find(|character| !matches!(character, '\n' | '\t') && steers_terminal(*character));
    assert_eq!(odd, None, "{name}\n{text:?}");
    for line in text.lines() {
        assert!(!line.trim_start().starts_with("::"), "{name}: {line}");
        assert!(!line.contains("##[") && !line.contains("##vso["), "{name}: {line}");
    }
}

fn evil_change(class: Class, form: DiffStyle) -> ShownChange {
    let side = |end: &str| match form {
        DiffStyle::File => file(format!("  ::error::same\n{EVIL}{end}\n").as_bytes()),
        DiffStyle::Document => {
            map([(EVIL, plain(json!(format!("  ::error::same\n{EVIL}{end}")))), ("::a", plain(json!(1)))])
        }
    };
    ShownChange {
        fields: vec![field(EVIL, class, [Some(json!(EVIL)), None, Some(json!(format!("{EVIL}2")))])],
        writer: Some(writer(EVIL)),
        commits: vec![commit(EVIL)],
        notes: vec![EVIL.to_owned()],
        unknown: (class == Class::Unknown).then(|| (Cause::Other, EVIL.to_owned())),
        origin: Some(Origin::new(EVIL, Some(1))),
        ..classed(change(EVIL, Some(side("1")), Some(side("2"))), class)
    }
}

fn evil_sheet(form: DiffStyle) -> PlanView {
    let classes =
        [Class::Pending, Class::Drift, Class::Conflict, Class::Unknown, Class::Extra, Class::Missing];
    let mut sheet = sheet(EVIL, classes.map(|class| evil_change(class, form)).to_vec());
    sheet.form = form;
    sheet.plan.target.id = EVIL.to_owned();
    sheet.plan.target.environment = Some(EVIL.to_owned());
    sheet.plan.revision.name = EVIL.to_owned();
    sheet.plan.applied_at = Some(EVIL.to_owned());
    sheet.plan.notes = vec![EVIL.to_owned()];
    sheet
}

#[test]
fn foreign_text_is_only_text_in_plans() {
    let mut sheets = vec![evil_sheet(DiffStyle::File), evil_sheet(DiffStyle::Document)];
    check(&plans(&sheets));
    sheets.truncate(1);
    check(&plans(&sheets));
    sheets[0].plan.changes.clear();
    check(&plans(&sheets));
}

#[test]
fn foreign_text_is_only_text_in_reports_logs_and_errors() {
    let mut one: Applied = applied();
    one.plan = evil_sheet(DiffStyle::File).plan;
    for outcome in &mut one.report.outcomes {
        outcome.error = Some((FailureKind::Other, EVIL.to_owned()));
        outcome.address = Address::new(EVIL);
    }
    check(&Reports { targets: &[one], exit: Exit::Partial });

    let mut evil = past();
    evil.who.actor = EVIL.to_owned();
    evil.who.job = Some(EVIL.to_owned());
    evil.started = EVIL.to_owned();
    evil.environment = Some(EVIL.to_owned());
    evil.flags = vec![EVIL.to_owned()];
    evil.why = vec![commit(EVIL)];
    evil.objects[0].error = Some(EVIL.to_owned());
    let missing =
        Missing { revision: revision(EVIL), base: Some(revision(EVIL)), commits: vec![commit(EVIL)] };
    let logs = [
        Log { target: target(EVIL), applies: vec![evil], missing: None },
        Log { target: target(EVIL), applies: Vec::new(), missing: Some(missing) },
    ];
    check(&Logs { targets: &logs, exit: Exit::InSync });

    let schema =
        json!({"properties": {EVIL: {"type": EVIL, "description": "What it is."}, "b": {"enum": [EVIL]}}});
    let info = ProviderInfo {
        name: "files".to_owned(),
        about: EVIL.to_owned(),
        schema,
        rules: vec![(EVIL.to_owned(), EVIL.to_owned())],
        tested_with: vec![EVIL.to_owned()],
        kinds: vec![kind(EVIL)],
    };
    check(&Providers { providers: &[info], explain: Explain::Keys });

    let problem =
        Problem { message: EVIL.to_owned(), causes: vec![EVIL.to_owned()], hint: Some(EVIL.to_owned()) };
    harmless("problem", &problem.render(Paint::Plain));
}

const CANARY: &str = "hunter2-canary";

fn secret(text: &str) -> Value {
    Value::Sensitive(Box::new(Value::string(text)))
}

/// A plan of the model in which every side of everything hides the canary.
fn secret_plan() -> Plan {
    let blob = |text: &str| {
        let bytes = text.as_bytes();
        let blob = Blob { id: id(bytes), size: Some(4711), bytes: Some(bytes.into()) };
        Value::Sensitive(Box::new(blob.into()))
    };
    let object = |text: &str| {
        let list = Value::List(vec![secret(text)]);
        Value::map([
            ("content", blob(text)),
            ("list", list),
            ("password", secret(text)),
            ("type", Value::string("file")),
        ])
    };
    let [one, two, three] = [1, 2, 3].map(|number| format!("{CANARY}-{number}"));
    let sides =
        ThreeWay { base: Some(object(&one)), desired: Some(object(&two)), actual: Some(object(&three)) };
    let field =
        ThreeWay { base: Some(secret(&one)), desired: Some(secret(&two)), actual: Some(secret(&three)) };
    let change = Change {
        fields: vec![Field::new("/password", Class::Conflict, field)],
        owned: true,
        ..Change::new(Address::new("etc/shadow"), Action::Update, Class::Conflict, sides)
    };
    Plan {
        target: target("site"),
        revision: revision("main"),
        base: None,
        applied_at: None,
        attempted: None,
        changes: vec![change],
        unchanged: 0,
        found: 0,
        owned: 1,
        external: Default::default(),
        ignored: Vec::new(),
        complete: true,
        notes: Vec::new(),
        explanations: Vec::new(),
        cost: None,
        definition: None,
        failure: None,
    }
}

#[test]
fn no_view_tells_a_secret_its_length_or_its_hash() {
    let plan = show(&secret_plan());
    for form in [DiffStyle::File, DiffStyle::Document] {
        let sheets = [PlanView { plan: plan.clone(), form }];
        for (format, text) in everywhere(&plans(&sheets)) {
            assert!(!text.contains(CANARY), "{format}: {text}");
            assert!(!text.contains("4711"), "{format}: {text}");
            for number in 1..=3 {
                let digest = id(format!("{CANARY}-{number}").as_bytes());
                assert!(!text.contains(&digest.short()), "{format}: {text}");
            }
            if format != Format::GitlabTerraform {
                assert!(text.contains("(sensitive) #"), "{format}: {text}");
            }
        }
    }
}
