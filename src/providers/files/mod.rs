//! Files below a directory.

use super::{BadOption, Form, Kind, Reader, Target, Writer};
use crate::model::{
    address::Address,
    object::Desired,
    tree::{Contents, Tree},
};

/// The files provider.
pub const KIND: Kind = Kind {
    name: "files",
    about: "files, links and directories below one directory of this machine",
    form: Form::File,
    schema: |generator| generator.subschema_for::<()>(),
    check: |_| Ok(()),
    declare,
    open,
    open_for_apply,
    adopt: |_, _, _| unimplemented!(),
    collection: |address: &Address| address.to_string(),
};

fn declare(_: &Target, _: &Tree, _: &dyn Contents) -> anyhow::Result<Desired> {
    unimplemented!()
}

fn open(_: &Target) -> anyhow::Result<Box<dyn Reader>> {
    unimplemented!()
}

fn open_for_apply(_: &Target) -> anyhow::Result<Box<dyn Writer>> {
    unimplemented!()
}

#[expect(unused, reason = "replaced by the real checks")]
fn check(_: &Target) -> Result<(), BadOption> {
    Ok(())
}
