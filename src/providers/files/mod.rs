//! Files below a directory.
//!
//! The address of an object is its path below the root, the root itself is
//! `.`. Its value is a mapping of `type` (`file`, `link` or `directory`),
//! `content` and `executable` for files, `target` for links, and of `mode`,
//! `owner` and `group` where a manifest declares them.

use super::{DiffStyle, Provider, Taken};
use crate::model::address::Address;

mod adopt;
mod apply;
mod attributes;
mod batch;
mod complete;
mod confined_dir;
mod confirm;
mod declare;
mod describe;
mod directories;
mod emptied;
mod errno;
mod fingerprint;
mod hash;
mod inventory;
mod job;
mod keep;
mod lock;
mod manifest;
mod memory;
mod names;
mod observe;
mod options;
mod rules;
mod stage;
mod storage;
mod strangers;
mod swap;
mod sync;
mod target;
mod trash;
mod users;
mod value;
mod work;
mod write_result;
mod writer;

#[cfg(test)]
mod tests;

/// The files provider.
pub const PROVIDER: Provider = Provider {
    name: "files",
    about: "files, links and directories below one directory of this machine",
    form: DiffStyle::File,
    schema: |generator| generator.subschema_for::<options::Options>(),
    check: options::check,
    folder: options::folder,
    declare: declare::declare,
    open: |target| Ok(Box::new(target::FilesTarget::open(target)?)),
    open_for_apply: |target| Ok(Box::new(writer::WritableSite::open(target)?)),
    names: |_| None,
    spelling: super::as_typed,
    place: |_| Ok(None),
    rules: Vec::new,
    collection,
    adopt: |target, all, _| adopt::adopt(target, Taken::alone(all)?),
    lines: None,
    import: None,
    protected_by_default: |_| Ok(Vec::new()),
    access_fields: |_| Ok(Vec::new()),
};

/// JSON Schema of `.trueup-files.yaml`.
pub fn manifest_schema() -> schemars::Schema {
    schemars::schema_for!(manifest::Manifest)
}

/// The directory that an object lies in.
fn collection(address: &Address) -> String {
    let path = address.to_bytes();
    declare::directory_address(names::split(&path).0).to_string()
}
