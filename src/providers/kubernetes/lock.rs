//! The lock of a set: a Lease that names its holder and runs out.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::Result;
use jiff::{SignedDuration, Timestamp};
use tokio::{runtime::Runtime, sync::Mutex, task::JoinHandle};

use super::{failure::Failure, marks, memory::Place, transport::Writing};
use crate::{
    exit::Exit,
    model::{fault::Fault, record::Who, value::Value},
};

/// How long a lock is valid after its holder was last heard of.
const VALID: u64 = 30;

/// How often the holder is heard of.
const RENEWED: Duration = Duration::from_secs(10);

/// A lock that is held, until it is dropped.
pub(super) struct Lock {
    runtime: Arc<Runtime>,
    lease: Arc<Lease>,
    renewal: JoinHandle<()>,
}

struct Lease {
    writing: Writing,
    collection: String,
    place: Place,
    holder: String,
    /// The version that is ours.
    version: Mutex<String>,
    lost: AtomicBool,
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
    pub(super) fn take(
        runtime: &Arc<Runtime>,
        writing: &Writing,
        place: &Place,
        who: &Who,
        patience: Duration,
    ) -> Result<Option<Lock>> {
        let lease = Arc::new(Lease {
            writing: writing.clone(),
            collection: format!("/apis/coordination.k8s.io/v1/namespaces/{}/leases", place.namespace),
            place: place.clone(),
            holder: format!("{} on {}, process {}", who.actor, who.host, std::process::id()),
            version: Mutex::new(String::new()),
            lost: AtomicBool::new(false),
        });
        if !runtime.block_on(lease.wait(patience))? {
            return Ok(None);
        }
        let renewed = lease.clone();
        let renewal = runtime.spawn(async move { renewed.keep().await });
        Ok(Some(Lock { runtime: runtime.clone(), lease, renewal }))
    }

    /// Whether somebody else took it over meanwhile.
    pub(super) fn is_lost(&self) -> bool {
        self.lease.lost.load(Ordering::SeqCst)
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
                    return Err(Fault::new(Exit::Locked, message)
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
        let path = format!("{}/{}", self.collection, self.place.name);
        let found = match self.writing.looking().get(&path).await {
            Ok(answer) => answer.value,
            Err(failure) if failure.code() == 404 => {
                let created = self.writing.create(&self.collection, &self.body(&self.holder, "")).await;
                return self.took(created.map(|answer| answer.value)).await;
            }
            Err(failure) => return Err(failure),
        };
        let text = |key: &str| found.get("spec").and_then(|spec| spec.get(key)?.as_str()).unwrap_or_default();
        let (holder, since) = (text("holderIdentity"), text("acquireTime"));
        if !holder.is_empty() && !is_over(text("renewTime")) {
            return Ok(Try::Held { holder: holder.to_owned(), since: since.to_owned() });
        }
        *self.version.lock().await =
            marks::metadata(&found, "resourceVersion").unwrap_or_default().to_owned();
        let put = self.put(&self.holder).await;
        self.took(put).await
    }

    async fn took(&self, answer: Result<Value, Failure>) -> Result<Try, Failure> {
        match answer {
            Ok(lease) => {
                *self.version.lock().await =
                    marks::metadata(&lease, "resourceVersion").unwrap_or_default().to_owned();
                Ok(Try::Taken)
            }
            Err(failure) if failure.code() == 409 => Ok(Try::Again),
            Err(failure) => Err(failure),
        }
    }

    async fn put(&self, holder: &str) -> Result<Value, Failure> {
        let version = self.version.lock().await.clone();
        let path = format!("{}/{}", self.collection, self.place.name);
        self.writing.replace(&path, &self.body(holder, &version)).await.map(|answer| answer.value)
    }

    /// Says from time to time that the holder is alive.
    async fn keep(&self) {
        loop {
            tokio::time::sleep(RENEWED).await;
            match self.put(&self.holder).await {
                Ok(lease) => {
                    *self.version.lock().await =
                        marks::metadata(&lease, "resourceVersion").unwrap_or_default().to_owned();
                }
                Err(failure) if failure.code() == 409 || failure.code() == 404 => {
                    self.lost.store(true, Ordering::SeqCst);
                    return;
                }
                Err(_) => {}
            }
        }
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

/// Whether a holder that was last heard of then has lost its lock.
fn is_over(renewed: &str) -> bool {
    match renewed.parse::<Timestamp>() {
        Ok(renewed) => Timestamp::now().duration_since(renewed) > SignedDuration::from_secs(VALID as i64),
        Err(_) => true,
    }
}
