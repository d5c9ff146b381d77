//! What a plan has to know of objects that differ: content, sizes, and whether it can be deployed at all.

use std::io::{self, Read as _, Write};

use anyhow::{Context as _, Result};
use rayon::prelude::*;

use super::{
    describe::{self, Unread},
    hash,
    target::{FilesTarget, Seen},
    value::{Body, Form, is_secret},
    work::content,
};
use crate::{
    exit::Exit,
    model::{
        address::Address,
        change::ThreeWay,
        digest::{Algorithm, Digest},
        tree::Contents,
        user_error::UserError,
        value::Value,
    },
    providers::Candidate,
};

/// The largest content that is shown and merged line by line.
const LARGEST: u64 = 1 << 20;

/// How much content one plan holds in memory.
const BUDGET: u64 = 256 << 20;

/// How a pointer of Git LFS begins.
const LFS: &[u8] = b"version https://git-lfs.github.com/spec/v1";

/// A pointer of Git LFS is smaller than this, by its specification.
const LFS_LARGEST: u64 = 1024;

/// How a file begins that git-crypt encrypted.
const GIT_CRYPT: &[u8] = b"\0GITCRYPT\0";

/// Completes what the plan has to know of `candidates`.
pub(super) fn complete(
    site: &mut FilesTarget,
    candidates: &mut [Candidate],
    contents: &dyn Contents,
) -> Result<()> {
    candidates.par_iter_mut().for_each(|candidate| {
        hide(&mut candidate.sides);
        measure(candidate, contents);
    });
    // In order of address and not as threads come by, so that two runs load
    // the same, and complain about the same.
    let mut left = BUDGET;
    let loads: Vec<ThreeWay<bool>> =
        candidates.iter().map(|candidate| choose(candidate, &mut left)).collect();
    let reading: &FilesTarget = site;
    let news: Vec<Result<Option<News>>> = candidates
        .par_iter_mut()
        .zip(loads)
        .map(|(candidate, load)| {
            load_declared(candidate, &load, contents)?;
            check_deployable(candidate, contents)?;
            if load.actual == Some(true) { load_actual(reading, candidate) } else { Ok(None) }
        })
        .collect();
    for (candidate, news) in candidates.iter().zip(news) {
        match news? {
            Some(News::Changed(seen)) if site.keeps => {
                site.seen.insert(candidate.address.clone(), *seen);
            }
            Some(_) => {
                site.seen.remove(&candidate.address);
            }
            None => {}
        }
    }
    Ok(())
}

/// What came out by looking again.
enum News {
    /// It is something else by now.
    Changed(Box<Seen>),
    /// It is gone.
    Gone,
}

/// If one side is secret, all are: content that was declared so only now, or until now, is shown on no side.
fn hide(sides: &mut ThreeWay<Value>) {
    let all = || [&sides.base, &sides.desired, &sides.actual].into_iter().flatten();
    if !all().any(is_secret) || all().all(is_secret) {
        return;
    }
    for side in [&mut sides.base, &mut sides.desired, &mut sides.actual] {
        if let Some(form) = side.as_ref().and_then(Form::of)
            && let Body::File(blob) = form.body
        {
            *side = Some(Form { body: Body::Secret(blob), ..form }.to_value());
        }
    }
}

/// Content that stands for other content is never written.
fn check_deployable(candidate: &Candidate, contents: &dyn Contents) -> Result<()> {
    let Some(wanted) = id(candidate.sides.desired.as_ref()) else { return Ok(()) };
    if id(candidate.sides.actual.as_ref()) == Some(wanted) {
        return Ok(());
    }
    let address = &candidate.address;
    let file = candidate.origin.as_ref().map_or(address.as_str(), |origin| &*origin.file);
    let begin = beginning(candidate, contents).with_context(|| format!("reading the content of `{file}`"))?;
    if begin.starts_with(LFS) && contents.size(&wanted)? < LFS_LARGEST {
        return Err(UserError::new(Exit::BadDesired, format!("`{file}` is a pointer of Git LFS and not the file itself"))
            .hint("trueup reads what Git holds: keep the file in Git itself (`git lfs migrate export`), or outside of the target's path")
            .into());
    }
    if begin.starts_with(GIT_CRYPT) {
        return Err(UserError::new(Exit::BadDesired, format!("`{file}` is encrypted by git-crypt"))
            .hint("trueup reads what Git holds, which is encrypted even when the work tree is unlocked; keep the file outside of the target's path")
            .into());
    }
    Ok(())
}

fn id(value: Option<&Value>) -> Option<Digest> {
    value.and_then(content).map(|blob| blob.id)
}

/// The first bytes of what Git declares.
fn beginning(candidate: &Candidate, contents: &dyn Contents) -> Result<Vec<u8>> {
    let Some(blob) = candidate.sides.desired.as_ref().and_then(content) else { return Ok(Vec::new()) };
    if let Some(bytes) = &blob.bytes {
        return Ok(bytes.iter().copied().take(Beginning::ENOUGH).collect());
    }
    let mut begin = Beginning(Vec::new());
    match contents.copy(&blob.id, &mut begin) {
        Err(error) if begin.0.len() < Beginning::ENOUGH => Err(error),
        _ => Ok(begin.0),
    }
}

/// Takes the first bytes and then refuses more, which ends the copy early.
struct Beginning(Vec<u8>);

impl Beginning {
    const ENOUGH: usize = 64;
}

impl Write for Beginning {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        let room = Self::ENOUGH - self.0.len();
        if room == 0 && !part.is_empty() {
            return Err(io::Error::other("enough"));
        }
        let taken = part.len().min(room);
        self.0.extend_from_slice(&part[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Sizes of what Git holds. That of an old version may be unknown by now.
fn measure(candidate: &mut Candidate, contents: &dyn Contents) {
    for side in [&mut candidate.sides.base, &mut candidate.sides.desired] {
        for blob in side.iter_mut().flat_map(Value::blobs_mut) {
            blob.size = blob.size.or_else(|| contents.size(&blob.id).ok());
        }
    }
}

/// Which sides to load, as long as there is room: all of them where the
/// content is to change, else only what is there, which may have to go to Git.
fn choose(candidate: &Candidate, left: &mut u64) -> ThreeWay<bool> {
    let ThreeWay { base, desired, actual } = candidate.sides.as_ref();
    let blob = |side: Option<&Value>| match side.and_then(|side| side.get("content")) {
        Some(Value::Blob(blob)) => Some(blob.clone()),
        _ => None,
    };
    let [desired, actual, base] = [desired, actual, base].map(blob);
    let is_kept = desired.is_some() && desired == actual;
    let [desired, actual, base] =
        [(desired, !is_kept), (actual, true), (base, !is_kept)].map(|(blob, wanted)| {
            let size = blob.and_then(|blob| blob.size).filter(|size| wanted && *size <= LARGEST.min(*left));
            *left -= size.unwrap_or(0);
            Some(size.is_some())
        });
    ThreeWay { base, desired, actual }
}

fn load_declared(candidate: &mut Candidate, load: &ThreeWay<bool>, contents: &dyn Contents) -> Result<()> {
    let Candidate { address, sides, .. } = candidate;
    if load.desired == Some(true) {
        for blob in sides.desired.iter_mut().flat_map(Value::blobs_mut) {
            let bytes =
                contents.read(&blob.id).with_context(|| format!("reading the content of `{address}`"))?;
            blob.bytes = Some(bytes.into());
        }
    }
    if load.base == Some(true) {
        for blob in sides.base.iter_mut().flat_map(Value::blobs_mut) {
            blob.bytes = contents.read(&blob.id).ok().map(Into::into);
        }
    }
    Ok(())
}

/// Loads what the target holds. If that is not what was observed any more, the
/// side becomes what is there now, and the answer is the new finding.
fn load_actual(site: &FilesTarget, candidate: &mut Candidate) -> Result<Option<News>> {
    let Some(observed) = id(candidate.sides.actual.as_ref()) else { return Ok(None) };
    if fill(site, candidate, observed) {
        return Ok(None);
    }
    let Candidate { address, sides, .. } = &mut *candidate;
    let path = address.to_bytes();
    let again = site
        .root
        .as_ref()
        .and_then(|root| root.parent_of(&path).ok())
        .map_or(Err(Unread::Gone), |(dir, name)| describe::find(&dir, name, observed.algorithm(), |_| None));
    match again {
        Ok(found) => {
            let wanted = ThreeWay { actual: None, ..sides.as_ref() };
            let value = found.describe(wanted, &site.people);
            let seen = Seen::new(found, value.clone(), wanted.desired, false);
            sides.actual = Some(value);
            if let Some(id) = id(sides.actual.as_ref()) {
                // If it changed yet again, the content stays unread, and its id is what was true once.
                fill(site, candidate, id);
            }
            Ok(Some(News::Changed(Box::new(seen))))
        }
        Err(Unread::Gone) => {
            sides.actual = None;
            Ok(Some(News::Gone))
        }
        Err(Unread::Unknown(_, message)) => anyhow::bail!("reading `{address}`: {message}"),
    }
}

/// Fills in the content of the actual side; false if it is not the one with the id `wanted`.
fn fill(site: &FilesTarget, candidate: &mut Candidate, wanted: Digest) -> bool {
    let Some(bytes) = read(site, &candidate.address, wanted.algorithm(), wanted) else { return false };
    for blob in candidate.sides.actual.iter_mut().flat_map(Value::blobs_mut) {
        blob.size = Some(bytes.len() as u64);
        blob.bytes = Some(bytes.as_slice().into());
    }
    true
}

fn read(site: &FilesTarget, address: &Address, algorithm: Algorithm, wanted: Digest) -> Option<Vec<u8>> {
    let path = address.to_bytes();
    let (dir, name) = site.root.as_ref()?.parent_of(&path).ok()?;
    let mut bytes = Vec::new();
    dir.open_file(name).ok()?.take(LARGEST + 1).read_to_end(&mut bytes).ok()?;
    (hash::hash_bytes(&bytes, algorithm) == Ok(wanted)).then_some(bytes)
}
