//! Markdown within its budget.

use proptest::prelude::*;
use serde_json::Value;

use super::{machines::applied, samples::*};
use crate::{
    exit::Exit,
    model::{change::Class, object::Cause, redact::ShownChange},
    output::{Format, Look, PlanView, Reports, View},
};

fn written<V: View>(view: &V, format: Format, max_bytes: usize) -> String {
    let mut out = Vec::new();
    view.write(format, &Look { max_bytes, ..Look::default() }, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// Reads Markdown by lines as CommonMark does, as far as fences go; answers the lines outside of them.
fn outside(text: &str) -> Vec<&str> {
    let (mut outside, mut fence) = (Vec::new(), None);
    for line in text.lines() {
        let marks = line.trim_start_matches(' ').bytes().take_while(|byte| *byte == b'`').count();
        let indent = line.len() - line.trim_start_matches(' ').len();
        match fence {
            None if marks >= 3 && indent < 4 => fence = Some(marks),
            None => outside.push(line),
            Some(open) if marks >= open && indent < 4 && line.trim() == "`".repeat(marks) => fence = None,
            Some(_) => {}
        }
    }
    assert_eq!(fence, None, "a fence is open at the end of\n{text}");
    outside
}

/// What is left of a line without its code spans.
fn without_code(line: &str) -> String {
    let (mut rest, mut left) = (line, String::new());
    while let Some(at) = rest.find('`') {
        left.push_str(&rest[..at]);
        let marks = rest[at..].bytes().take_while(|byte| *byte == b'`').count();
        let inner = &rest[at + marks..];
        let mut from = 0;
        let end = loop {
            let start = from + inner[from..].find('`').expect("every code span ends");
            let run = inner[start..].bytes().take_while(|byte| *byte == b'`').count();
            if run == marks {
                break start + run;
            }
            from = start + run;
        };
        rest = &inner[end..];
    }
    left + rest
}

/// Checks what has to hold for every page.
fn check(text: &str, budget: usize) {
    assert!(text.len() <= budget, "{} bytes of {budget}\n{text}", text.len());
    let outside = outside(text);
    let count =
        |mark: &str| outside.iter().map(|line| without_code(line).matches(mark).count()).sum::<usize>();
    assert_eq!(count("<details>"), count("</details>"), "{text}");
    for line in outside {
        if !line.starts_with("<details><summary><code>")
            && line != "</details>"
            && !line.starts_with("<!-- trueup:")
        {
            let bare = without_code(line);
            assert!(!bare.contains(['<', '@', '[', '\x1b']), "{bare}");
        }
    }
    assert!(!text.contains("no changes"));
}

/// The counts of the table.
fn counts(text: &str) -> Vec<(String, usize)> {
    let rows: Vec<Vec<&str>> = text
        .lines()
        .filter(|line| line.starts_with('|'))
        .map(|line| line.trim_matches('|').split('|').collect())
        .collect();
    let numbers = rows[2].iter().map(|cell| cell.parse().unwrap());
    rows[0].iter().map(|name| (*name).to_owned()).zip(numbers).collect()
}

const HOSTILE: [&str; 8] = [
    "</details></code><script>alert(1)</script>",
    "```\n# heading\n````",
    "@everyone #1 ![x](http://x)",
    "\x1b[31m\u{202e}\u{9b}\n::error::x",
    "`a``b`",
    " ",
    "--> <b>",
    "| a | b |",
];

fn hostile() -> impl Strategy<Value = String> + use<> {
    prop::collection::vec(
        prop_oneof![prop::sample::select(&HOSTILE[..]).prop_map(str::to_owned), "[a-z/ ]{1,12}"],
        1..4,
    )
    .prop_map(|parts| parts.concat())
}

fn changes() -> impl Strategy<Value = ShownChange> {
    let text = || {
        prop::collection::vec(hostile(), 0..30).prop_map(|lines| {
            lines.join(
                "
",
            )
        })
    };
    let side = || prop::option::of(text().prop_map(|text| file(text.as_bytes())));
    let class = prop::sample::select(vec![
        Class::Pending,
        Class::Drift,
        Class::Conflict,
        Class::Unknown,
        Class::Extra,
    ]);
    (hostile(), side(), side(), class, hostile()).prop_map(
        |(name, before, after, class, text): (String, _, _, _, String)| ShownChange {
            notes: vec![text.clone()],
            commits: vec![commit(&text)],
            writer: Some(writer(&text)),
            unknown: (class == Class::Unknown).then_some((Cause::Other, text)),
            ..classed(change(&name, before, after), class)
        },
    )
}

fn sheets() -> impl Strategy<Value = Vec<PlanView>> {
    let sheet = (hostile(), prop::collection::vec(changes(), 0..12))
        .prop_map(|(name, changes)| sheet(&name, changes));
    prop::collection::vec(sheet, 1..3)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn every_plan_keeps_to_its_budget(sheets in sheets(), budget in 1024..65_536usize) {
        let plans = plans(&sheets);
        for budget in [1024, 4096, budget] {
            let text = written(&plans, Format::Markdown, budget);
            check(&text, budget);
            let json: Value = serde_json::from_str(&written(&plans, Format::Json, budget)).unwrap();
            for (name, count) in counts(&text) {
                prop_assert_eq!(&json["summary"][&name], count, "{}", name);
            }
        }
    }
}

#[test]
fn a_small_plan_is_shown_whole() {
    let sheets = [sheet("site", vec![change("etc/motd", Some(file(b"a\n")), Some(file(b"```\n")))])];
    let digest = format!("sha256:{}", "5b1c".repeat(16));
    let (a, b) = (id(b"a\n"), id(b"```\n"));
    assert_eq!(
        written(&plans(&sheets), Format::Markdown, 60_000),
        format!(
            "<!-- trueup:plan env=prod target=site v1 -->\n\
             **trueup plan: pending** (exit 2)\n\n\
             |create|update|replace|delete|adopt|pending|drift|conflict|extra|missing|unknown|unchanged|\n\
             |-:|-:|-:|-:|-:|-:|-:|-:|-:|-:|-:|-:|\n\
             |0|1|0|0|0|1|0|0|0|0|0|41|\n\n\
             Targets:\n\n\
             - `site` (`files /srv/www`), applied `main@9d0e77c`, desired `main@9d0e77c`, digest `{digest}`\n\n\
             Objects (`D` drifted, `P` pending):\n\n\
             - `.P` `etc/motd`: `pending`, `site/etc/motd:1`\n\n\
             <details><summary><code>etc/motd</code></summary>\n\n\
             ````diff\ndiff --git a/etc/motd b/etc/motd\nindex {a}..{b} 100644\n--- a/etc/motd\n+++ b/etc/motd\n\
             @@ -1 +1 @@\n-a\n+```\n````\n\n</details>\n"
        )
    );
}

#[test]
fn what_is_cut_is_counted_and_small_diffs_come_first() {
    let long = "x\n".repeat(4000);
    let changes = vec![
        change("a-long", None, Some(file(long.as_bytes()))),
        change("b-short", None, Some(file(b"1\n"))),
    ];
    let sheets = [sheet("site", changes)];
    let text = written(&plans(&sheets), Format::Markdown, 2048);
    check(&text, 2048);
    assert!(text.contains("<code>b-short</code>") && !text.contains("<code>a-long</code>"), "{text}");
    assert!(text.ends_with("\nCut for length: 1 of 2 diffs. All of it: `trueup plan -o json`.\n"), "{text}");
}

#[test]
fn what_an_apply_did_keeps_to_its_budget() {
    let mut one = applied();
    let again: Vec<_> = std::iter::repeat_n(one.report.outcomes.clone(), 40).flatten().collect();
    one.report.outcomes.extend(again);
    let targets = [one];
    let reports = Reports { targets: &targets, exit: Exit::Partial };
    for budget in [1024, 4096, 65_536] {
        let text = written(&reports, Format::Markdown, budget);
        check(&text, budget);
        assert!(text.contains("|41|0|41|0|0|0|0|0|41|"), "{text}");
    }
    let text = written(&reports, Format::Markdown, 1024);
    assert!(text.contains("\n- failed create `new`: `no space left on device`\n"), "{text}");
    assert!(text.contains("Cut for length: "), "{text}");
}
