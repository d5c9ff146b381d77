//! One change as the provider goes about it.

use std::collections::HashSet;

use crate::model::{
    address::Address,
    change::{Action, Change},
    value::Value,
};

use super::value::{Body, Form};

/// One change as the provider goes about it.
#[derive(Debug)]
pub(super) struct Job<'a> {
    /// Its place in the list of changes.
    pub index: usize,
    /// The change.
    pub change: &'a Change,
    /// The path below the root.
    pub path: Vec<u8>,
    /// What to do.
    pub task: Task,
}

/// What to do about one object.
#[derive(Debug, PartialEq)]
pub(super) enum Task {
    /// Nothing.
    Keep,
    /// Write a file or a link.
    Write(Form),
    /// Give a file other attributes; its content is as wanted.
    Touch(Form),
    /// Make a directory, or give it other attributes.
    Directory(Form),
    /// Remove it.
    Delete,
    /// Nothing that can be done.
    Refuse(String),
}

impl<'a> Job<'a> {
    /// How to go about `change`. Something that is not ours is deleted only if it is among the `unwanted`.
    pub(super) fn new(index: usize, change: &'a Change, unwanted: &HashSet<Address>) -> Job<'a> {
        let task = match task(change) {
            Task::Delete if !change.owned && !unwanted.contains(&change.address) => {
                Task::Refuse("it is not ours, and was not listed as unwanted".to_owned())
            }
            task => task,
        };
        Job { index, change, path: change.address.to_bytes().into_owned(), task }
    }

    /// What was there when the plan was made.
    pub(super) fn before(&self) -> Option<&'a Value> {
        self.change.sides.actual.as_ref()
    }

    /// Whether a directory was there when the plan was made.
    pub(super) fn was_directory(&self) -> bool {
        self.before().and_then(|value| value.get("type")).and_then(Value::as_str) == Some("directory")
    }
}

fn task(change: &Change) -> Task {
    if change.action == Action::Keep {
        return Task::Keep;
    }
    let path = change.address.to_bytes();
    if change.address.as_str() != "." && super::names::refusal(&path).is_some() {
        return Task::Refuse("it is no path below the root".to_owned());
    }
    let Some(after) = &change.after else { return Task::Delete };
    let Some(form) = Form::of(after) else {
        return Task::Refuse("what is to be written is no file, link or directory".to_owned());
    };
    let before = change.sides.actual.as_ref().and_then(Form::of);
    match (&form.body, before.map(|before| before.body)) {
        (Body::Directory, _) => Task::Directory(form),
        (wanted, Some(before)) if is_same_content(wanted, &before) => Task::Touch(form),
        _ => Task::Write(form),
    }
}

fn is_same_content(one: &Body, other: &Body) -> bool {
    one.blob().is_some() && one.blob() == other.blob()
}
