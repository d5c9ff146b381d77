//! The audit log of an API server, read line by line: its writes to the objects that somebody asks about.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    io::{self, BufRead, Read as _},
};

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::{
    exit::Exit,
    model::user_error::UserError,
    providers::{
        Log,
        kubernetes::client::selection::{fields_fit, labels_fit},
    },
};

/// The longest line that is read; what is longer is skipped.
const LONGEST: u64 = 16 << 20;

/// How the log names an object: group, resource, namespace, name.
pub type Key = (String, String, String, String);

/// What somebody asks about, with the labels that it is known to have had.
pub type Wanted = BTreeMap<Key, BTreeMap<String, String>>;

/// A request that wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    pub verb: String,
    pub reach: Reach,
    /// It made the object.
    pub made: bool,
    pub subresource: String,
    /// As `managedFields` would name the program.
    pub manager: String,
    pub user: String,
    pub acted_as: Option<String>,
    pub agent: String,
    /// When it arrived.
    pub received: String,
    /// When it was answered.
    pub done: String,
}

/// What a write was about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// This object by its name.
    Named,
    /// Everything of its kind, or what a selector fits.
    Selected,
}

/// What logs say.
#[derive(Debug, Default)]
pub struct Told {
    /// By object, in the order of the logs.
    pub writes: BTreeMap<Key, Vec<Write>>,
    /// When the first event was written down.
    pub begins: Option<String>,
    /// Remarks on lines that are no events.
    pub notes: Vec<String>,
}

/// An event, as far as it matters. A missing field is empty.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Event<'a> {
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    api_version: Cow<'a, str>,
    #[serde(borrow)]
    stage: Cow<'a, str>,
    #[serde(borrow)]
    verb: Cow<'a, str>,
    #[serde(borrow, rename = "requestURI")]
    request_uri: Cow<'a, str>,
    #[serde(borrow)]
    user: User<'a>,
    #[serde(borrow)]
    impersonated_user: Option<User<'a>>,
    #[serde(borrow)]
    user_agent: Cow<'a, str>,
    #[serde(borrow)]
    object_ref: ObjectRef<'a>,
    response_status: Status,
    #[serde(borrow)]
    request_received_timestamp: Cow<'a, str>,
    #[serde(borrow)]
    stage_timestamp: Cow<'a, str>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct User<'a> {
    #[serde(borrow)]
    username: Cow<'a, str>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ObjectRef<'a> {
    #[serde(borrow)]
    api_group: Cow<'a, str>,
    #[serde(borrow)]
    resource: Cow<'a, str>,
    #[serde(borrow)]
    namespace: Cow<'a, str>,
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    subresource: Cow<'a, str>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Status {
    code: u16,
}

/// Reads logs, and keeps the writes to `wanted`.
///
/// # Errors
/// A file that cannot be read, or that is no audit log (66).
pub fn read(logs: &mut [Log], wanted: &Wanted) -> Result<Told> {
    let mut told = Told::default();
    for log in logs {
        told.take(log, wanted)?;
    }
    told.writes
        .values_mut()
        .for_each(|writes| writes.sort_by(|one, other| one.received.cmp(&other.received)));
    Ok(told)
}

impl Told {
    fn take(&mut self, log: &mut Log, wanted: &Wanted) -> Result<()> {
        let (mut events, mut lines, mut odd) = (0, 0_usize, Vec::new());
        let mut line = Vec::new();
        while next(&mut log.lines, &mut line).with_context(|| format!("reading `{}`", log.name))? {
            lines += 1;
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            match serde_json::from_slice::<Event<'_>>(&line).ok().filter(Event::is_audited) {
                Some(event) => {
                    events += 1;
                    self.event(&event, wanted);
                }
                None => odd.push(lines),
            }
        }
        if events == 0 && !odd.is_empty() {
            let message =
                format!("`{}` is no audit log: no line of it is an event of `audit.k8s.io`", log.name);
            let hint = "it takes the file of kube-apiserver's `--audit-log-path`, in the format `json`";
            return Err(UserError::new(Exit::NoInput, message).hint(hint).into());
        }
        // A log that is rotated or still written may begin and end within a line.
        odd.retain(|line| *line != 1 && *line != lines);
        if let Some(first) = odd.first() {
            let others = odd.len() - 1;
            self.notes
                .push(format!("`{}:{first}` is no audit event, nor are {others} other lines", log.name));
        }
        Ok(())
    }

    fn event(&mut self, event: &Event<'_>, wanted: &Wanted) {
        // Not when its request arrived: that of a watch may have, long before anything else that is in the log.
        let written = &*event.stage_timestamp;
        if self.begins.as_deref().is_none_or(|begins| written < begins) {
            self.begins = Some(written.to_owned());
        }
        if !event.wrote() {
            return;
        }
        let about = &event.object_ref;
        let key =
            [&about.api_group, &about.resource, &about.namespace, &about.name].map(|part| part.to_string());
        let key: Key = key.into();
        if event.selects() {
            let gone = wanted.iter().filter(|(one, labels)| event.selected(one, labels));
            gone.for_each(|(one, _)| self.writes.entry(one.clone()).or_default().push(event.write()));
        } else if wanted.contains_key(&key) {
            self.writes.entry(key).or_default().push(event.write());
        }
    }
}

/// Reads one line into `line`; false at the end. Of a line that is too long, only the beginning.
fn next(lines: &mut dyn BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    let mut whole = piece(lines, line)?;
    let mut rest = Vec::new();
    while !whole {
        rest.clear();
        whole = piece(lines, &mut rest)?;
    }
    Ok(!line.is_empty())
}

/// Reads a line as far as it is not too long; whether that was all of it.
fn piece(lines: &mut dyn BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    let read = lines.take(LONGEST).read_until(b'\n', line)?;
    Ok((read as u64) < LONGEST || line.ends_with(b"\n"))
}

impl Event<'_> {
    fn is_audited(&self) -> bool {
        self.kind == "Event" && self.api_version.starts_with("audit.k8s.io/")
    }

    /// Whether it is the end of a write that took effect.
    fn wrote(&self) -> bool {
        self.stage == "ResponseComplete"
            && (matches!(&*self.verb, "create" | "update" | "patch" | "delete") || self.selects())
            && (200..300).contains(&self.response_status.code)
            && parameter(&self.request_uri, "dryRun").is_none()
    }

    /// Whether it deleted whatever there was.
    fn selects(&self) -> bool {
        self.verb == "deletecollection"
    }

    /// Whether it deleted an object that had these labels.
    fn selected(&self, (group, resource, namespace, name): &Key, labels: &BTreeMap<String, String>) -> bool {
        let about = &self.object_ref;
        let selector = |name| parameter(&self.request_uri, name).unwrap_or_default();
        (&*about.api_group, &*about.resource) == (group, resource)
            && (about.namespace.is_empty() || about.namespace == *namespace)
            && labels_fit(&selector("labelSelector"), labels)
            && fields_fit(&selector("fieldSelector"), namespace, name)
    }

    fn write(&self) -> Write {
        let program = self.user_agent.split('/').next().unwrap_or_default();
        Write {
            verb: self.verb.strip_suffix("collection").unwrap_or(&self.verb).to_owned(),
            reach: if self.selects() { Reach::Selected } else { Reach::Named },
            made: self.response_status.code == 201,
            subresource: self.object_ref.subresource.to_string(),
            manager: parameter(&self.request_uri, "fieldManager").unwrap_or_else(|| program.to_owned()),
            user: self.user.username.to_string(),
            acted_as: self.impersonated_user.as_ref().map(|user| user.username.to_string()),
            agent: self.user_agent.to_string(),
            received: self.request_received_timestamp.to_string(),
            done: self.stage_timestamp.to_string(),
        }
    }
}

/// The value of a parameter of a URI.
fn parameter(uri: &str, name: &str) -> Option<String> {
    let (_, query) = uri.split_once('?')?;
    let value = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))?;
    let plain = value.replace('+', " ");
    Some(percent_encoding::percent_decode_str(&plain).decode_utf8_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Key {
        ["", "configmaps", "shop", "settings"].map(str::to_owned).into()
    }

    fn labels() -> BTreeMap<String, String> {
        BTreeMap::from([("app".to_owned(), "web".to_owned())])
    }

    fn event(verb: &str, query: &str, code: u16) -> String {
        format!(
            r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","stage":"ResponseComplete","requestURI":"/api/v1/x{query}","verb":"{verb}","user":{{"username":"jane","groups":["a"]}},"impersonatedUser":{{"username":"deployer"}},"userAgent":"kubectl/v1.35.4 (linux/amd64)","objectRef":{{"resource":"configmaps","namespace":"shop","name":"settings","apiVersion":"v1"}},"responseStatus":{{"metadata":{{}},"code":{code}}},"requestReceivedTimestamp":"2026-05-06T07:08:09.123456Z","stageTimestamp":"2026-05-06T07:08:09.200000Z","annotations":{{}}}}"#
        )
    }

    fn told(text: &str) -> Result<Told> {
        let lines: Box<dyn BufRead> = Box::new(std::io::Cursor::new(text.to_owned().into_bytes()));
        read(&mut [Log { name: "audit.log".to_owned(), lines }], &Wanted::from([(key(), labels())]))
    }

    #[test]
    fn only_what_was_written_counts() {
        let lines = [
            event("patch", "?fieldManager=kubectl-edit&fieldValidation=Strict", 200),
            event("patch", "?dryRun=All", 200),
            event("patch", "", 409),
            event("get", "", 200),
            event("delete", "", 200).replace("ResponseComplete", "RequestReceived"),
            event("update", "", 200),
        ];
        let told = told(&lines.join("\n")).unwrap();
        let writes = &told.writes[&key()];
        let said: Vec<_> = writes.iter().map(|write| (write.verb.as_str(), write.manager.as_str())).collect();
        assert_eq!(said, [("patch", "kubectl-edit"), ("update", "kubectl")]);
        assert_eq!((writes[0].user.as_str(), writes[0].acted_as.as_deref()), ("jane", Some("deployer")));
        assert_eq!(told.begins.as_deref(), Some("2026-05-06T07:08:09.200000Z"));
    }

    #[test]
    fn a_request_that_arrived_long_before_its_end_does_not_begin_the_log() {
        let watch = event("watch", "", 200).replace("07:08:09.123456", "06:00:00.000000");
        let told = told(&format!("{watch}\n{}", event("patch", "", 200))).unwrap();
        assert_eq!(told.begins.as_deref(), Some("2026-05-06T07:08:09.200000Z"));
    }

    #[test]
    fn who_deletes_what_a_selector_fits_deletes_each() {
        let all = |query: &str, namespace: &str| {
            event("deletecollection", query, 200)
                .replace(r#""name":"settings","#, "")
                .replace(r#""namespace":"shop","#, namespace)
        };
        let here = r#""namespace":"shop","#;
        let lines = [
            all("?labelSelector=app%3Dshop", here),
            all("?fieldSelector=metadata.name%3Dother", here),
            all("?labelSelector=app%3Dweb&fieldSelector=metadata.name%3Dsettings", here),
            all("?dryRun=All", here),
            all("", r#""namespace":"other","#),
            all("?limit=500&labelSelector=", here),
            all("", ""),
        ];
        let told = told(&lines.join("\n")).unwrap();
        let said: Vec<_> = told.writes[&key()].iter().map(|write| write.verb.as_str()).collect();
        assert_eq!(said, ["delete", "delete", "delete"]);
    }

    #[test]
    fn a_log_may_begin_and_end_within_a_line() {
        let whole = event("patch", "", 200);
        let told = told(&format!("{}\n{whole}\n{}", &whole[40..], &whole[..90])).unwrap();
        assert_eq!((told.writes[&key()].len(), told.notes.len()), (1, 0));
    }

    #[test]
    fn lines_that_are_no_events_are_counted() {
        let whole = event("patch", "", 200);
        let told = told(&format!("{whole}\nnonsense\n{{}}\n{whole}\n")).unwrap();
        assert_eq!(told.notes, ["`audit.log:2` is no audit event, nor are 1 other lines"]);
        assert_eq!(told.writes[&key()].len(), 2);
    }

    #[test]
    fn another_file_is_refused() {
        for text in ["not json\n", "{\"kind\":\"Event\",\"apiVersion\":\"v1\"}\n", "\u{1}\u{2}"] {
            let error = told(text).unwrap_err();
            let fault = error.downcast_ref::<UserError>().unwrap();
            assert_eq!(fault.exit, Exit::NoInput, "{text}");
        }
        assert!(told("").unwrap().begins.is_none());
    }
}
