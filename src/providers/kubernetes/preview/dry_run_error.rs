//! What a plan makes of a dry run that was refused.

use std::sync::Arc;

use base64::{Engine as _, prelude::BASE64_STANDARD};

use super::{
    candidates::Preview,
    exchange,
    prediction::{not_yet, unclear},
    preview_input::PreviewInput,
};
use crate::{
    model::{change::ThreeWay, explain::Basis, object::Cause, value::Value},
    providers::kubernetes::{
        audit::field_writers,
        client::{
            failure::{Because, Failure, Refusal, TYPE_ERRORS},
            transport::ReadClient,
        },
        observe::sides::{self, Evidence},
        ownership::{
            owners::{self, Owners},
            ownership_labels::stripped,
        },
    },
};

/// The server refused the dry run: what that means for the plan.
pub async fn refused(
    looking: &ReadClient,
    case: &PreviewInput,
    config: &Value,
    path: &str,
    live: Option<Arc<Value>>,
    failure: Failure,
) -> Preview {
    let Some(refusal) = failure.refusal() else { return unclear("asking what an apply would do", &failure) };
    let said = format!("the server refused the dry run ({}, HTTP {})", refusal.reason, refusal.code);
    let mut finding = meant(looking, case, config, path, live, &failure, refusal).await;
    finding.said.insert(0, Basis::DryRun.says(said));
    finding
}

async fn meant(
    looking: &ReadClient,
    case: &PreviewInput,
    config: &Value,
    path: &str,
    live: Option<Arc<Value>>,
    failure: &Failure,
    refusal: &Refusal,
) -> Preview {
    match (refusal.code, &live) {
        (404, None) if case.kind_comes => not_yet(case, config, "its kind is"),
        (404, None) if case.namespace_comes => not_yet(case, config, "its namespace is"),
        (403, None) if is_ending(refusal) => {
            let namespace = case.seen.name.namespace.as_deref().unwrap_or_default();
            let message = format!(
                "the namespace `{namespace}` is being deleted: nothing can be made in it until it is gone and made anew"
            );
            Preview { unknown: Some((Cause::Other, message)), ..Preview::default() }
        }
        (404, None) => {
            let namespace = case.seen.name.namespace.as_deref().unwrap_or_default();
            let message = format!("the namespace `{namespace}` is not there and is not declared");
            Preview { unknown: Some((Cause::Invalid, message)), ..Preview::default() }
        }
        (422, Some(live)) if immutable(refusal) => replaced(case, config, live, refusal),
        (422, Some(live)) => exchanged(looking, case, config, path, live, failure, refusal).await,
        (403, Some(live)) => {
            let mut finding = predicted(case, config, live);
            finding.notes.push("foretold without the server: dry runs are forbidden here".to_owned());
            Preview { live: Some(live.clone()), ..finding }
        }
        (403, None) => forbidden(looking, case, config, path).await,
        (400, Some(live)) if no_dry_run(refusal) => {
            let mut finding = predicted(case, config, live);
            finding.notes.push(format!("foretold without the server: {}", words(case, refusal)));
            Preview { live: Some(live.clone()), ..finding }
        }
        (400, None) if no_dry_run(refusal) => {
            let mut finding = forbidden(looking, case, config, path).await;
            finding.notes = vec![format!("not checked by the server: {}", words(case, refusal))];
            finding
        }
        _ => refused_for_good(case, failure, refusal),
    }
}

fn refused_for_good(case: &PreviewInput, failure: &Failure, refusal: &Refusal) -> Preview {
    let message = match failure.cause() {
        Cause::Invalid => words(case, refusal),
        _ => format!("the server refuses it: {} (HTTP {})", words(case, refusal), refusal.code),
    };
    Preview { unknown: Some((failure.cause(), message)), ..Preview::default() }
}

/// An object that has to be deleted and made anew.
fn replaced(case: &PreviewInput, config: &Value, live: &Arc<Value>, refusal: &Refusal) -> Preview {
    let mut finding = predicted(case, config, live);
    finding.replace = Some(format!("it cannot be changed in place: {}", immutables(case, refusal)));
    Preview { live: Some(live.clone()), ..finding }
}

/// What an apply would make of an object that changes in two steps; one that the server would only take as a new
/// object is replaced.
async fn exchanged(
    looking: &ReadClient,
    case: &PreviewInput,
    config: &Value,
    path: &str,
    live: &Arc<Value>,
    failure: &Failure,
    refusal: &Refusal,
) -> Preview {
    let again = match exchange::preview(looking, case, config, path, live).await {
        Ok(finding) => return finding,
        Err(failure) => failure,
    };
    match again.refusal() {
        Some(again) if immutable(again) => replaced(case, config, live, again),
        _ if case.ask_anew(looking, path, config, live).await => replaced(case, config, live, refusal),
        _ => refused_for_good(case, failure, refusal),
    }
}

/// Whether nothing can be made because the namespace is going.
fn is_ending(refusal: &Refusal) -> bool {
    refusal.causes.iter().any(|cause| cause.reason == "NamespaceTerminating")
}

/// Without dry runs, only a read tells whether an object is there.
async fn forbidden(looking: &ReadClient, case: &PreviewInput, config: &Value, path: &str) -> Preview {
    match looking.get(path).await {
        Ok(answer) => {
            let live = Arc::new(answer.value);
            let mut finding = predicted(case, config, &live);
            finding.notes.push("foretold without the server: dry runs are forbidden here".to_owned());
            Preview { live: Some(live), ..finding }
        }
        Err(failure) if failure.code() == 404 => Preview {
            sides: Some(ThreeWay { base: case.base.clone(), desired: Some(config.clone()), actual: None }),
            notes: vec!["not checked by the server: dry runs are forbidden here".to_owned()],
            ..Preview::default()
        },
        Err(failure) => unclear("reading it", &failure),
    }
}

/// What an apply would do, told without the server.
fn predicted(case: &PreviewInput, config: &Value, live: &Value) -> Preview {
    let name = &case.seen.name;
    let mut owners = Owners::of(live, live, &case.human_field_managers);
    owners.drop(case.dropped(live, config, &owners.shape));
    let keyed = |value: &Value| owners.shape.keyed(value);
    let actual = keyed(&stripped(name, live));
    let config = keyed(config);
    let sent = case.declared().effective(live).map_or_else(|| config.clone(), |sent| keyed(&sent));
    let base = owners::base(case, live, &owners).as_ref().map(keyed);
    let preview = sides::predict(&actual, &sent, base.as_ref(), &owners);
    let mut sides = sides::sides(&Evidence {
        base: base.as_ref(),
        config: &config,
        live: Some(&actual),
        preview: &preview,
        ours: &owners.ours,
        foreign: &owners.foreign,
        human: &owners.human,
        programs: &owners.programs,
    });
    let ignored = case.declared().settle(&mut sides, live);
    let writers = field_writers::writers(&sides, live);
    let said = vec![Basis::Prediction.says("foretold from who owns its fields, without the server")];
    let notes = case.predecessors.undeclared(live, &actual, &config);
    Preview { sides: Some(sides), writers, said, notes, ignored: Some(ignored), ..Preview::default() }
}

/// Whether a refusal is about a field that cannot change.
fn immutable(refusal: &Refusal) -> bool {
    const WORDS: [&str; 6] = [
        "immutable",
        "may not be changed",
        "cannot be changed",
        "cannot change roleRef",
        "updates to statefulset spec for fields other than",
        "can not be changed",
    ];
    let says = |text: &str| WORDS.iter().any(|word| text.contains(word));
    says(&refusal.message) || refusal.causes.iter().any(|cause| says(&cause.message))
}

fn no_dry_run(refusal: &Refusal) -> bool {
    refusal.message.contains("dry run") || refusal.message.contains("dryRun")
}

/// The fields that cannot change and the server's reasons, without the values that it repeats before them.
fn immutables(case: &PreviewInput, refusal: &Refusal) -> String {
    if case.seen.name.kind.is_core("Secret") || refusal.causes.is_empty() {
        return words(case, refusal);
    }
    let reason = |message: &str| match message.strip_prefix("Invalid value: ") {
        Some(repeats) => repeats.rsplit(": ").next().unwrap_or_default().to_owned(),
        None => message.to_owned(),
    };
    let one = |cause: &Because| format!("{}: {}", cause.field, reason(&cause.message));
    refusal.causes.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// The server's words; those about a Secret without what they may quote.
pub fn words(case: &PreviewInput, refusal: &Refusal) -> String {
    if !case.seen.name.kind.is_core("Secret") {
        return schema_error(refusal).unwrap_or(&refusal.message).to_owned();
    }
    if let Some(said) = schema_error(refusal) {
        // Behind the type that is expected there is the value.
        let said = said.split_once(", got ").map_or(said, |(said, _)| said);
        let keys = case.seen.config.as_ref().map(no_base64).unwrap_or_default();
        return if said.contains("base64") {
            format!("{said}: {}", keys.join(", "))
        } else {
            said.to_owned()
        };
    }
    let places: Vec<String> =
        refusal.causes.iter().map(|cause| format!("{} {}", cause.field, cause.reason)).collect();
    format!("{} {}", refusal.reason, places.join(", ")).trim().to_owned()
}

/// What a server that could not make an object of its kind from what is declared says about it, without how it
/// calls that.
fn schema_error(refusal: &Refusal) -> Option<&str> {
    let said = TYPE_ERRORS.iter().find_map(|error| refusal.message.strip_prefix(error))?;
    let (_, said) = said.split_once(": ")?;
    Some(said.rsplit_once("error decoding from json: ").map_or(said, |(_, said)| said))
}

/// The fields of a Secret whose values are not base64.
fn no_base64(config: &Value) -> Vec<String> {
    let Some(Value::Map(data)) = config.get("data") else { return Vec::new() };
    let text = |value: &Value| match value {
        Value::Sensitive(value) => value.as_str().map(str::to_owned),
        value => value.as_str().map(str::to_owned),
    };
    let is_wrong = |value: &Value| text(value).is_some_and(|text| BASE64_STANDARD.decode(text).is_err());
    data.iter().filter(|(_, value)| is_wrong(value)).map(|(key, _)| format!("`data.{key}`")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::value;

    fn said(message: &str) -> Option<String> {
        let refusal = Refusal { code: 500, message: message.to_owned(), ..Refusal::default() };
        schema_error(&refusal).map(str::to_owned)
    }

    #[test]
    fn what_the_server_says_of_a_type_is_found() {
        let typed = "failed to create typed patch object (x/s; /v1, Kind=Secret): .stringdata: field not declared in schema";
        assert_eq!(said(typed).as_deref(), Some(".stringdata: field not declared in schema"));
        let decoded = "failed to convert new object (x/s; /v1, Kind=Secret) to proper version: unable to convert \
                       unstructured object to /v1, Kind=Secret: error decoding from json: illegal base64 data at input byte 0";
        assert_eq!(said(decoded).as_deref(), Some("illegal base64 data at input byte 0"));
        assert_eq!(said("etcd is away (for now): later"), None);
    }

    #[test]
    fn values_that_are_not_base64_are_named() {
        assert_eq!(
            no_base64(&value(r#"{"data": {"a": "eA==", "b": "!!", "c": "x"}}"#)),
            ["`data.b`", "`data.c`"]
        );
    }
}
