//! The object database, shared between threads, with what a merge in memory added to it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use gix::objs::{Find, Kind};

use super::faults::{missing, trouble};
use crate::model::user_error::UserError;

/// Thread-local views of one repository, made when needed and kept for the next who asks.
pub(super) struct Pool {
    pub(super) shared: gix::ThreadSafeRepository,
    idle: Mutex<Vec<gix::Repository>>,
}

impl Pool {
    pub(super) fn new(shared: gix::ThreadSafeRepository) -> Self {
        Pool { shared, idle: Mutex::default() }
    }

    /// Runs `job` with a view that no other thread has.
    pub(super) fn with<R>(&self, job: impl FnOnce(&gix::Repository) -> R) -> R {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let repo = idle.unwrap_or_else(|| self.shared.to_thread_local());
        let answer = job(&repo);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(repo);
        answer
    }
}

/// Objects by id.
#[derive(Clone)]
pub(super) struct Objects {
    pub(super) pool: Arc<Pool>,
    /// Objects that exist only here.
    memory: Arc<HashMap<gix::ObjectId, (Kind, Vec<u8>)>>,
}

impl Objects {
    pub(super) fn new(pool: &Arc<Pool>) -> Self {
        Objects { pool: pool.clone(), memory: Arc::default() }
    }

    pub(super) fn with_memory(pool: &Arc<Pool>, memory: HashMap<gix::ObjectId, (Kind, Vec<u8>)>) -> Self {
        Objects { pool: pool.clone(), memory: Arc::new(memory) }
    }

    pub(super) fn hash_kind(&self) -> gix::hash::Kind {
        self.pool.shared.objects.object_hash()
    }

    /// Reads the object `id` into `buffer`.
    pub(super) fn read(&self, id: &gix::oid, buffer: &mut Vec<u8>) -> Result<Kind, UserError> {
        if let Some((kind, data)) = self.memory.get(id) {
            buffer.clear();
            buffer.extend_from_slice(data);
            return Ok(*kind);
        }
        self.pool.with(|repo| {
            let doing = || format!("reading object `{id}`");
            let found = repo.objects.try_find(id, buffer).map_err(|error| trouble(repo, &doing(), error))?;
            let found = found.map(|data| (data.kind, data.data.len()));
            // The data may be the tail of a buffer that held its deltas.
            let (kind, len) = found.ok_or_else(|| missing(repo, &format!("object `{id}` is not here")))?;
            buffer.truncate(len);
            Ok(kind)
        })
    }

    /// The length of the object `id`.
    pub(super) fn size(&self, id: &gix::oid) -> Result<u64, UserError> {
        if let Some((_, data)) = self.memory.get(id) {
            return Ok(data.len() as u64);
        }
        self.pool.with(|repo| {
            let doing = || format!("reading object `{id}`");
            let header = repo.try_find_header(id).map_err(|error| trouble(repo, &doing(), error))?;
            header
                .map(|header| header.size())
                .ok_or_else(|| missing(repo, &format!("object `{id}` is not here")))
        })
    }
}
