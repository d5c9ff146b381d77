//! What no schema can say of one kind.

use super::{Place, Wrong, field};
use crate::{
    model::{selector::Selector, user_error::UserError},
    providers::rest::definition::{
        Body, Definition, Envelope, Kind, Page, Write, kind::Attachment, list::PageStyle,
    },
};

/// Holds a kind against itself.
///
/// # Errors
/// A name that is not known, or a key without an effect.
pub fn check(definition: &Definition, name: &str, kind: &Kind, known: &[&str]) -> Result<(), Wrong> {
    let at = Place::new(&["kinds", name]);
    if let Some(scope) = kind.scope.as_ref().filter(|scope| !definition.scopes.contains_key(*scope)) {
        return at.wrong("scope", format!("there is no scope `{scope}`"));
    }
    if let Some(other) = kind.depends_on.iter().find(|other| definition.kind(other).is_none()) {
        return at.wrong("depends_on", format!("there is no kind `{other}`"));
    }
    for (index, to) in kind.attached_to.iter().enumerate() {
        check_attachment(definition, kind, to, &at.under("attached_to").under(&index.to_string()))?;
    }
    if kind.is_single() && (kind.read.is_none() || kind.list.is_some()) {
        let message = "what has no name is the only one of its scope, and is read by `read` alone".to_owned();
        return at.under("identity").wrong("keys", message);
    }
    if kind.list.is_none() && kind.read.is_none() {
        return at.wrong("list", "it can be read neither by `list` nor by `read`".to_owned());
    }
    if kind.id_from_name.is_some() && (kind.id.is_none() || kind.read.is_none()) {
        return at.wrong("id_from_name", "needs `id`, and `read`, whose path has it".to_owned());
    }
    if kind.identity.rename.is_some() && kind.identity.previously.is_none() {
        return at.under("identity").wrong("rename", "has no effect without `previously`".to_owned());
    }
    if kind.identity.discriminator.is_some() && kind.identity.previously.is_some() {
        return at.under("identity").wrong("discriminator", "has no effect beside `previously`".to_owned());
    }
    if let Some((index, fault)) = unreadable(&kind.protect) {
        return at.under("protect").wrong(&index.to_string(), fault.message);
    }
    for (pointer, field) in &kind.fields {
        field::check(kind, field, &at.under("fields"), pointer)?;
    }
    check_names(definition, kind, &at, known)?;
    check_verbs(kind, &at)
}

/// The first pattern that protects nothing because it cannot be read.
fn unreadable(patterns: &[String]) -> Option<(usize, UserError)> {
    let read = |(index, pattern): (usize, &String)| Some((index, Selector::new(&[pattern]).err()?));
    patterns.iter().enumerate().find_map(read)
}

/// What an object is attached to has to be found by one name in its own scope, or in one around that.
fn check_attachment(definition: &Definition, kind: &Kind, to: &Attachment, at: &Place) -> Result<(), Wrong> {
    let Some(other) = definition.kind(&to.kind) else {
        return at.wrong("kind", format!("there is no kind `{}`", to.kind));
    };
    if !definition.params(kind).starts_with(definition.params(other)) || other.identity.keys.len() != 1 {
        let message = format!("a `{}` has not one name in this scope or in one around it", to.kind);
        return at.wrong("kind", message);
    }
    match to.by.starts_with('/') {
        true => Ok(()),
        false => at.wrong("by", "is a pointer: `/` and a name".to_owned()),
    }
}

/// The names that templates of paths and queries use.
fn check_names(definition: &Definition, kind: &Kind, at: &Place, known: &[&str]) -> Result<(), Wrong> {
    let mut inside: Vec<&str> = known.to_vec();
    let scope = kind.scope.as_ref().and_then(|scope| definition.scopes.get(scope));
    inside
        .extend(scope.into_iter().flat_map(|scope| scope.params.iter().chain(&scope.id)).map(String::as_str));
    if let Some(list) = &kind.list {
        let at = at.under("list");
        at.address(&list.path, &list.query, &inside)?;
        list.fallback.as_ref().map_or(Ok(()), |path| at.names("fallback", path, &inside))?;
        at.template("map", list.map.as_ref(), &inside)?;
        at.template("query_body", list.query_body.as_ref(), &inside)?;
    }
    if let Some(batch) = &kind.batch {
        at.under("batch").names("path", &batch.path, &inside)?;
        at.under("batch").template("put", Some(&batch.put), &inside)?;
        at.under("batch").template("remove", Some(&batch.remove), &inside)?;
    }
    inside.extend(kind.identity.keys.iter().filter_map(|key| key.rsplit('/').next()));
    inside.extend(kind.id.is_some().then_some("id"));
    inside.extend(kind.version.is_some().then_some("version"));
    if let Some(read) = &kind.read {
        if read.query_body.is_some() && read.raw.is_some() {
            return at.under("read").wrong("query_body", "is not for what is no JSON (`raw`)".to_owned());
        }
        let at = at.under("read");
        at.address(&read.path, &read.query, &inside)?;
        at.template("map", read.map.as_ref(), &inside)?;
        at.template("query_body", read.query_body.as_ref(), &inside)?;
    }
    for (verb, write) in [("create", &kind.create), ("update", &kind.update)] {
        if let Some(write) = write {
            check_request(write, &at.under(verb), &inside)?;
        }
    }
    if let Some(delete) = &kind.delete {
        let at = at.under("delete");
        at.address(&delete.path, &delete.query, &inside)?;
        at.template("template", delete.template.as_ref(), &inside)?;
    }
    for (index, action) in kind.actions.iter().enumerate() {
        let at = at.under("actions").under(&index.to_string()).under("request");
        at.address(&action.request.path, &action.request.query, &inside)?;
        at.template("template", action.request.template.as_ref(), &inside)?;
    }
    for (index, cascade) in kind.cascades.iter().enumerate() {
        let at = at.under("cascades").under(&index.to_string());
        at.names("path", &cascade.path, &inside)?;
        check_page(&cascade.page, &at.under("page"))?;
    }
    Ok(())
}

/// The names that the requests of a write use.
fn check_request(write: &Write, at: &Place, known: &[&str]) -> Result<(), Wrong> {
    at.address(&write.path, &write.query, known)?;
    at.template("template", write.template.as_ref(), known)?;
    for (index, other) in write.fallback.iter().enumerate() {
        let at = at.under("fallback").under(&index.to_string());
        at.names("path", &other.path, known)?;
        if let Some(provided) = &other.when {
            at.under("when").names("get", &provided.get, known)?;
            at.under("when").names("is", &provided.is, known)?;
        }
    }
    Ok(())
}

/// Keys that would be read and have no effect.
fn check_verbs(kind: &Kind, at: &Place) -> Result<(), Wrong> {
    if let Some(list) = &kind.list {
        check_page(&list.page, &at.under("list").under("page"))?;
        if list.value.is_some() && list.named.is_none() {
            return at.under("list").wrong("value", "is for a list that is a mapping (`named`)".to_owned());
        }
        if list.read_unlisted && !kind.is_read_by_name() {
            return at.under("list").wrong("read_unlisted", "needs `read`, by the name alone".to_owned());
        }
        if list.detail && kind.read.is_none() {
            return at.under("list").wrong("detail", "needs `read`, which says how one is read".to_owned());
        }
    }
    kind.envelope.as_ref().map_or(Ok(()), |beside| check_beside(kind, beside, &at.under("envelope")))?;
    if let Some(create) = &kind.create {
        let at = at.under("create");
        check_write(create, &at)?;
        if matches!(create.body, Body::Changed | Body::MergePatch | Body::JsonPatch)
            && create.template.is_none()
        {
            return at.wrong("body", "only an update can say what differs".to_owned());
        }
    }
    if let Some(update) = &kind.update {
        check_write(update, &at.under("update"))?;
        let shared = kind
            .create
            .as_ref()
            .is_some_and(|create| create.update_after_create && create.path == update.path);
        let only = [
            ("update_after_create", update.update_after_create && !shared),
            ("fallback", !update.fallback.is_empty() && !shared),
        ];
        if let Some((key, _)) = only.iter().find(|(_, alone)| *alone) {
            return at.under("update").wrong(key, "has an effect on `create` only".to_owned());
        }
    }
    let alone = [
        ("create", kind.create.is_some()),
        ("update", kind.update.is_some()),
        ("delete", kind.delete.is_some()),
        ("wait", kind.wait.is_some()),
    ];
    if let (Some(_), Some((verb, _))) = (&kind.batch, alone.iter().find(|(_, there)| *there)) {
        return at.wrong(verb, "has no effect beside `batch`".to_owned());
    }
    if let Some(version) = &kind.version
        && version.header.is_none()
        && version.query.is_none()
    {
        return at.wrong("version", "needs a `header` or a `query` that carries it".to_owned());
    }
    Ok(())
}

fn check_beside(kind: &Kind, beside: &Envelope, at: &Place) -> Result<(), Wrong> {
    let top = |pointer: &str| pointer.strip_prefix('/').is_some_and(|name| !name.contains('/'));
    if !top(&beside.field) {
        return at.wrong("field", "is the name of a field of the object after a `/`".to_owned());
    }
    if !beside.at.starts_with('/') {
        return at.wrong("at", "is a pointer: `/` and a name".to_owned());
    }
    if kind.read.is_none() {
        return at.wrong("field", "needs `read`, since no list shows it".to_owned());
    }
    let other = |write: &Write| {
        write.template.is_none() && matches!(write.body, Body::JsonPatch | Body::Raw | Body::Nothing)
    };
    match kind.create.iter().chain(&kind.update).any(other) {
        true => at.wrong("at", "has no place in a request with that `body`".to_owned()),
        false => Ok(()),
    }
}

fn check_write(write: &Write, at: &Place) -> Result<(), Wrong> {
    let more = !write.always_send.is_empty() || !write.send_together.is_empty();
    if write.template.is_some()
        && (write.body != Body::default() || write.raw.is_some() || !write.body_pointer.is_empty() || more)
    {
        return at.wrong("template", "takes the place of `body` and everything that shapes it".to_owned());
    }
    if more && !matches!(write.body, Body::Changed | Body::MergePatch) {
        return at
            .wrong("always_send", "has an effect with `body: changed` and `merge_patch` only".to_owned());
    }
    if (write.body == Body::Raw) != write.raw.is_some() {
        return at.wrong("raw", "names the field that `body: raw` sends".to_owned());
    }
    if !write.body_pointer.is_empty() && matches!(write.body, Body::JsonPatch | Body::Raw | Body::Nothing) {
        return at.wrong("body_pointer", "has no effect with this `body`".to_owned());
    }
    Ok(())
}

fn check_page(page: &Page, at: &Place) -> Result<(), Wrong> {
    let counted = matches!(page.style, PageStyle::Page | PageStyle::Offset);
    let cursor = page.style == PageStyle::Cursor;
    let keys = [
        ("param", page.param.is_some(), counted || cursor),
        ("size_param", page.size_param.is_some(), page.style != PageStyle::None),
        ("size", page.size.is_some(), page.size_param.is_some()),
        ("first", page.first.is_some(), counted),
        ("total_header", page.total_header.is_some(), counted),
        ("total", page.total.is_some(), counted),
        ("next_header", page.next_header.is_some(), page.style == PageStyle::NextHeader),
        ("cursor", page.cursor.is_some(), cursor),
    ];
    if let Some((key, ..)) = keys.iter().find(|(_, there, effect)| *there && !effect) {
        return at.wrong(key, "has no effect with this `style`".to_owned());
    }
    let needed = [
        ("param", counted || cursor),
        ("cursor", cursor),
        ("next_header", page.style == PageStyle::NextHeader),
    ];
    let there = |key: &str| keys.iter().any(|(name, there, _)| *name == key && *there);
    match needed.iter().find(|(key, needed)| *needed && !there(key)) {
        Some((key, _)) => at.wrong("style", format!("needs `{key}`")),
        None => Ok(()),
    }
}
