//! The lock of a set: a Lease that names its holder and runs out.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use anyhow::Result;
use jiff::{SignedDuration, Timestamp};
use tokio::{runtime::Runtime, sync::Mutex, task::JoinHandle};

use super::record::Place;
use crate::{
    exit::Exit,
    model::{record::Who, user_error::UserError, value::Value},
    providers::kubernetes::{
        client::{failure::Failure, transport::WriteClient},
        ownership::ownership_labels,
    },
};

/// How long a lock is valid after its holder was last heard of.
const VALID: u64 = 30;

/// How often the holder of a lock is heard of.
#[derive(Clone, Copy)]
pub struct Pace {
    every: Duration,
    /// How long after it was last renewed a lock is certainly still ours: what begins then has some time to end
    /// before anybody else may take it.
    certain: Duration,
}

/// The pace of every lock but those of tests.
pub const PACE: Pace = Pace { every: Duration::from_secs(5), certain: Duration::from_secs(VALID - 5) };

/// A lock that is held, until it is dropped.
pub struct Lock {
    runtime: Arc<Runtime>,
    lease: Arc<Lease>,
    renewal: JoinHandle<()>,
}

struct Lease {
    writing: WriteClient,
    collection: String,
    place: Place,
    holder: String,
    /// The version that is ours.
    version: Mutex<String>,
    pace: Pace,
    /// When the server was last asked to note that we are alive, and did, in milliseconds.
    heard: AtomicI64,
    /// What became of it, once it is not ours any more.
    lost: OnceLock<String>,
}

/// What one try found.
enum Try {
    Taken,
    /// Somebody else has it.
    Held {
        holder: String,
        since: String,
    },
    /// Somebody else was quicker.
    Again,
}

impl Lock {
    /// Takes the lock, waiting up to `patience`; `None` if the namespace of the record is not there.
    pub fn take(
        runtime: &Arc<Runtime>,
        writing: &WriteClient,
        place: &Place,
        who: &Who,
        (patience, pace): (Duration, Pace),
    ) -> Result<Option<Lock>> {
        let lease = Arc::new(Lease {
            writing: writing.clone(),
            collection: format!("/apis/coordination.k8s.io/v1/namespaces/{}/leases", place.namespace),
            place: place.clone(),
            holder: format!("{} on {}, process {}", who.actor, who.host, std::process::id()),
            version: Mutex::new(String::new()),
            pace,
            heard: AtomicI64::new(0),
            lost: OnceLock::new(),
        });
        if !runtime.block_on(lease.wait(patience))? {
            return Ok(None);
        }
        let renewed = lease.clone();
        let renewal = runtime.spawn(async move { renewed.keep().await });
        Ok(Some(Lock { runtime: runtime.clone(), lease, renewal }))
    }

    /// What gives it back without this value.
    pub fn release(&self) -> Box<dyn Fn() + Send> {
        let (runtime, lease) = (self.runtime.clone(), self.lease.clone());
        // A lock that cannot be given back runs out.
        Box::new(move || _ = runtime.block_on(lease.put("")))
    }

    /// Why it is not, or not certainly, ours any more.
    pub fn lost(&self) -> Option<String> {
        let silent = Timestamp::now().as_millisecond() - self.lease.heard.load(Ordering::SeqCst);
        let silent = Duration::from_millis(silent.unsigned_abs());
        let is_late = silent > self.lease.pace.certain;
        let late = || is_late.then(|| format!("could not be renewed for {} seconds", silent.as_secs()));
        let became = self.lease.lost.get().cloned().or_else(late)?;
        Some(format!("the lock `{}` {became}", self.lease.place))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.renewal.abort();
        // A lock that cannot be given back runs out.
        let _ = self.runtime.block_on(self.lease.put(""));
    }
}

impl Lease {
    /// Whether the lock could be taken: not without its namespace.
    async fn wait(&self, patience: Duration) -> Result<bool> {
        let begun = std::time::Instant::now();
        loop {
            let doing = format!("taking the lock `{}`", self.place);
            let tried = match self.attempt().await {
                Err(failure) if failure.code() == 404 => return Ok(false),
                tried => tried.map_err(|failure| failure.fault(&doing))?,
            };
            match tried {
                Try::Taken => return Ok(true),
                Try::Again => {}
                Try::Held { holder, since } if begun.elapsed() >= patience => {
                    let message = format!("`{}` is locked by {holder} since {since}", self.place);
                    return Err(UserError::new(Exit::Locked, message)
                        .hint(format!(
                            "`--lock-timeout` waits for it; a holder that died is forgotten {VALID} seconds after it was last heard of"
                        ))
                        .into());
                }
                Try::Held { .. } => tokio::time::sleep(Duration::from_millis(500)).await,
            }
        }
    }

    async fn attempt(&self) -> Result<Try, Failure> {
        let asked = Timestamp::now();
        let found = match self.get().await {
            Ok(lease) => lease,
            Err(failure) if failure.code() == 404 => {
                let created = self.writing.create(&self.collection, &self.body(&self.holder, "")).await;
                return self.took(created.map(|answer| answer.value), asked).await;
            }
            Err(failure) => return Err(failure),
        };
        let holder = spec(&found, "holderIdentity");
        if !holder.is_empty() && !is_over(spec(&found, "renewTime")) {
            let since = spec(&found, "acquireTime").to_owned();
            return Ok(Try::Held { holder: holder.to_owned(), since });
        }
        self.note_version(&found).await;
        let put = self.put(&self.holder).await;
        self.took(put, asked).await
    }

    async fn took(&self, answer: Result<Value, Failure>, asked: Timestamp) -> Result<Try, Failure> {
        match answer {
            Ok(lease) => {
                self.note_version(&lease).await;
                self.heard.store(asked.as_millisecond(), Ordering::SeqCst);
                Ok(Try::Taken)
            }
            Err(failure) if failure.code() == 409 => Ok(Try::Again),
            Err(failure) => Err(failure),
        }
    }

    async fn note_version(&self, lease: &Value) {
        *self.version.lock().await =
            ownership_labels::metadata(lease, "resourceVersion").unwrap_or_default().to_owned();
    }

    fn path(&self) -> String {
        format!("{}/{}", self.collection, self.place.name)
    }

    async fn get(&self) -> Result<Value, Failure> {
        self.writing.looking().get(&self.path()).await.map(|answer| answer.value)
    }

    async fn put(&self, holder: &str) -> Result<Value, Failure> {
        let version = self.version.lock().await.clone();
        self.writing.replace(&self.path(), &self.body(holder, &version)).await.map(|answer| answer.value)
    }

    /// Says from time to time that the holder is alive.
    async fn keep(&self) {
        while self.lost.get().is_none() {
            tokio::time::sleep(self.pace.every).await;
            let asked = Timestamp::now();
            let put = self.put(&self.holder).await;
            match self.took(put, asked).await {
                Ok(Try::Again) => self.look().await,
                Err(failure) if failure.code() == 404 => self.look().await,
                _ => {}
            }
        }
    }

    /// It is not as we left it: whether it is still ours, as after a renewal whose answer got lost.
    async fn look(&self) {
        let became = match self.get().await {
            Ok(lease) => match spec(&lease, "holderIdentity") {
                holder if holder == self.holder => return self.note_version(&lease).await,
                "" => "was taken over, and given back".to_owned(),
                holder => format!("was taken over by {holder}"),
            },
            Err(failure) if failure.code() == 404 => "was deleted".to_owned(),
            Err(_) => return,
        };
        // Nobody else sets it.
        let _ = self.lost.set(became);
    }

    fn body(&self, holder: &str, version: &str) -> Value {
        let text = |text: &str| Value::string(text);
        let now = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string();
        let mut metadata = vec![("name", text(&self.place.name)), ("namespace", text(&self.place.namespace))];
        if !version.is_empty() {
            metadata.push(("resourceVersion", text(version)));
        }
        Value::map([
            ("apiVersion", text("coordination.k8s.io/v1")),
            ("kind", text("Lease")),
            ("metadata", Value::map(metadata)),
            (
                "spec",
                Value::map([
                    ("holderIdentity", text(holder)),
                    ("leaseDurationSeconds", Value::Number(VALID.into())),
                    ("acquireTime", text(&now)),
                    ("renewTime", text(&now)),
                ]),
            ),
        ])
    }
}

/// A text below `spec`.
fn spec<'a>(lease: &'a Value, key: &str) -> &'a str {
    lease.get("spec").and_then(|spec| spec.get(key)?.as_str()).unwrap_or_default()
}

/// Whether a holder that was last heard of then has lost its lock.
fn is_over(renewed: &str) -> bool {
    match renewed.parse::<Timestamp>() {
        Ok(renewed) => Timestamp::now().duration_since(renewed) > SignedDuration::from_secs(VALID as i64),
        Err(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use kube::client::Body;

    use super::*;
    use crate::providers::{
        kubernetes::{client::transport::Connection, options::Options, testing::target},
        meter::Meter,
    };

    /// A server that knows one lease, and answers no renewal while it is `mute`.
    fn writing(mute: &Arc<AtomicBool>) -> WriteClient {
        let mute = mute.clone();
        let answer = move |request: http::Request<Body>| {
            let mute = mute.clone();
            async move {
                let status = match *request.method() {
                    http::Method::POST => 201,
                    http::Method::PUT if mute.load(Ordering::SeqCst) => 500,
                    http::Method::PUT => 200,
                    _ => 404,
                };
                let body = Body::from(br#"{"metadata":{"resourceVersion":"1"}}"#.to_vec());
                http::Response::builder().status(status).body(body)
            }
        };
        let client = kube::Client::new(tower::service_fn(answer), "default");
        WriteClient::new(Connection {
            client,
            server: "test".into(),
            unheeded: None,
            meter: Meter::default(),
        })
    }

    /// Looks at a lock until it is as wanted.
    fn lost(lock: &Lock, wanted: impl Fn(&Option<String>) -> bool) -> Option<String> {
        let begun = std::time::Instant::now();
        loop {
            let lost = lock.lost();
            if wanted(&lost) || begun.elapsed() > Duration::from_secs(20) {
                return lost;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    #[test]
    fn a_lock_that_cannot_be_renewed_is_not_certain_after_a_while() {
        let runtime = Arc::new(crate::providers::kubernetes::client::connect::runtime().unwrap());
        let mute = Arc::new(AtomicBool::new(false));
        let writing = runtime.block_on(async { writing(&mute) });
        let place = Place::of(&target("shop", "{}"), &Options::default()).unwrap();
        let who = Who { actor: "alice".into(), source: String::new(), host: "here".into(), job: None };
        let pace = Pace { every: Duration::from_millis(20), certain: Duration::from_secs(1) };
        let lock = Lock::take(&runtime, &writing, &place, &who, (Duration::ZERO, pace)).unwrap().unwrap();
        std::thread::sleep(Duration::from_millis(1500));
        assert_eq!(lock.lost(), None, "it was renewed all the time");
        mute.store(true, Ordering::SeqCst);
        let lost_at_last = lost(&lock, Option::is_some).unwrap();
        assert!(lost_at_last.contains("could not be renewed for 1 seconds"), "{lost_at_last}");
        mute.store(false, Ordering::SeqCst);
        assert_eq!(lost(&lock, Option::is_none), None, "nobody else had it");
    }
}
