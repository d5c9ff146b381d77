//! What no schema can say of a definition: names that have to be known, and keys without an effect.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::{
    Access, Auth, Body, Definition, Items, Kind, Page, Scheme, Write,
    fields::{Field, Normalizer, Step},
    kind::PageStyle,
};
use crate::providers::rest::template;

/// What is wrong, and the keys that lead to it.
pub type Wrong = (Vec<String>, String);

/// Holds a definition against itself.
pub fn check(definition: &Definition) -> Result<(), Wrong> {
    let mut known: Vec<&str> = vec!["url", "target"];
    known.extend(definition.options.keys().map(String::as_str));
    let at = Place::new(&[]);
    at.names("base_url", &definition.base_url, &known)?;
    for (index, auth) in definition.auth.iter().enumerate() {
        check_auth(auth, &Place::new(&["auth", &index.to_string()]), &known)?;
    }
    for (header, value) in &definition.headers {
        at.under("headers").names(header, value, &known)?;
    }
    check_releases(definition)?;
    for (name, scope) in &definition.scopes {
        let at = Place::new(&["scopes", name]);
        if let Some(kind) = scope.kind.as_ref().filter(|kind| definition.kind(kind).is_none()) {
            return at.wrong("kind", format!("there is no kind `{kind}`"));
        }
        if scope.id.is_some()
            && scope.kind.as_ref().and_then(|kind| definition.kind(kind)?.id.as_ref()).is_none()
        {
            return at.wrong("id", "the kind that makes the scope has no `id`".to_owned());
        }
        let known: Vec<&str> = known.iter().copied().chain(scope.params.iter().map(String::as_str)).collect();
        if let Some(exists) = &scope.exists {
            at.names("exists", exists, &known)?;
        }
    }
    check_memory(definition, &known)?;
    definition.kinds.iter().try_for_each(|(name, kind)| check_kind(definition, name, kind, &known))
}

/// The place of the record may be named by the scope of the target too.
fn check_memory(definition: &Definition, known: &[&str]) -> Result<(), Wrong> {
    let Some(memory) = &definition.memory else { return Ok(()) };
    let params = definition.scopes.values().flat_map(|scope| &scope.params).map(String::as_str);
    let known: Vec<&str> = known.iter().copied().chain(params).collect();
    let at = Place::new(&["memory"]);
    at.names("read", &memory.read, &known)?;
    let prepare = memory.prepare.iter().map(|request| ("prepare", request));
    let requests = prepare
        .chain([("write", &memory.write)])
        .chain(memory.create.iter().map(|request| ("create", request)));
    for (key, request) in requests {
        at.under(key).address(&request.path, &request.query, &known)?;
        at.under(key).template("template", request.template.as_ref(), &known)?;
    }
    Ok(())
}

fn check_auth(auth: &Auth, at: &Place, known: &[&str]) -> Result<(), Wrong> {
    let only = |key: &str, there: bool, schemes: &[Scheme]| match there && !schemes.contains(&auth.scheme) {
        true => at.wrong(key, "has no effect with this scheme".to_owned()),
        false => Ok(()),
    };
    only("name", auth.name.is_some(), &[Scheme::Header, Scheme::Query])?;
    only("format", auth.format.is_some(), &[Scheme::Header])?;
    only("user_env", auth.user_env.is_some(), &[Scheme::Basic, Scheme::Oauth2Client])?;
    only("token_url", auth.token_url.is_some(), &[Scheme::Oauth2Client])?;
    only("scope", auth.scope.is_some(), &[Scheme::Oauth2Client])?;
    match (&auth.token_url, auth.scheme) {
        (Some(url), _) => at.names("token_url", url, known),
        (None, Scheme::Oauth2Client) => at.wrong("scheme", "needs a `token_url`".to_owned()),
        (None, _) => Ok(()),
    }
}

/// A bound without a probe could not be held against anything.
fn check_releases(definition: &Definition) -> Result<(), Wrong> {
    if definition.probe.is_some() {
        return Ok(());
    }
    let message = || "needs a `probe:`, which tells the version of the server".to_owned();
    for (name, kind) in &definition.kinds {
        let at = Place::new(&["kinds", name]);
        if kind.since.is_some() || kind.until.is_some() {
            return at.wrong("since", message());
        }
        if let Some((pointer, _)) =
            kind.fields.iter().find(|(_, field)| field.since.is_some() || field.until.is_some())
        {
            return at.under("fields").wrong(pointer, message());
        }
    }
    Ok(())
}

fn check_kind(definition: &Definition, name: &str, kind: &Kind, known: &[&str]) -> Result<(), Wrong> {
    let at = Place::new(&["kinds", name]);
    if let Some(scope) = kind.scope.as_ref().filter(|scope| !definition.scopes.contains_key(*scope)) {
        return at.wrong("scope", format!("there is no scope `{scope}`"));
    }
    if let Some(other) = kind.depends_on.iter().find(|other| definition.kind(other).is_none()) {
        return at.wrong("depends_on", format!("there is no kind `{other}`"));
    }
    if kind.identity.keys.is_empty() {
        return at.under("identity").wrong("keys", "an object needs a name".to_owned());
    }
    if kind.list.is_none() && kind.read.is_none() {
        return at.wrong("list", "it can be read neither by `list` nor by `read`".to_owned());
    }
    if kind.identity.rename.is_some() && kind.identity.previously.is_none() {
        return at.under("identity").wrong("rename", "has no effect without `previously`".to_owned());
    }
    for (pointer, field) in &kind.fields {
        check_field(field, &at.under("fields"), pointer)?;
    }
    check_names(definition, kind, &at, known)?;
    check_verbs(kind, &at)
}

/// The names that templates of paths and queries use.
fn check_names(definition: &Definition, kind: &Kind, at: &Place, known: &[&str]) -> Result<(), Wrong> {
    let mut inside: Vec<&str> = known.to_vec();
    let scope = kind.scope.as_ref().and_then(|scope| definition.scopes.get(scope));
    inside
        .extend(scope.into_iter().flat_map(|scope| scope.params.iter().chain(&scope.id)).map(String::as_str));
    if let Some(list) = &kind.list {
        at.under("list").address(&list.path, &list.query, &inside)?;
        at.under("list").template("map", list.map.as_ref(), &inside)?;
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
        at.under("read").address(&read.path, &read.query, &inside)?;
        at.under("read").template("map", read.map.as_ref(), &inside)?;
    }
    for (verb, write) in [("create", &kind.create), ("update", &kind.update)] {
        if let Some(write) = write {
            at.under(verb).address(&write.path, &write.query, &inside)?;
            at.under(verb).template("template", write.template.as_ref(), &inside)?;
        }
    }
    if let Some(delete) = &kind.delete {
        at.under("delete").address(&delete.path, &delete.query, &inside)?;
    }
    for (index, action) in kind.actions.iter().enumerate() {
        let at = at.under("actions").under(&index.to_string()).under("request");
        at.address(&action.request.path, &action.request.query, &inside)?;
        at.template("template", action.request.template.as_ref(), &inside)?;
    }
    for (index, cascade) in kind.cascades.iter().enumerate() {
        at.under("cascades").under(&index.to_string()).names("path", &cascade.path, &inside)?;
    }
    Ok(())
}

/// Keys that would be read and have no effect.
fn check_verbs(kind: &Kind, at: &Place) -> Result<(), Wrong> {
    if let Some(list) = &kind.list {
        check_page(&list.page, &at.under("list").under("page"))?;
        if list.detail && kind.read.is_none() {
            return at.under("list").wrong("detail", "needs `read`, which says how one is read".to_owned());
        }
    }
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
        let shared =
            kind.create.as_ref().is_some_and(|create| create.follow_up && create.path == update.path);
        if update.follow_up && !shared {
            return at.under("update").wrong("follow_up", "has an effect on `create` only".to_owned());
        }
    }
    let alone = [
        ("create", kind.create.is_some()),
        ("update", kind.update.is_some()),
        ("delete", kind.delete.is_some()),
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

fn check_write(write: &Write, at: &Place) -> Result<(), Wrong> {
    let more = !write.always_send.is_empty() || !write.send_together.is_empty();
    if write.template.is_some()
        && (write.body != Body::default() || write.raw.is_some() || !write.wrap.is_empty() || more)
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
    if !write.wrap.is_empty() && matches!(write.body, Body::JsonPatch | Body::Raw | Body::Nothing) {
        return at.wrong("wrap", "has no effect with this `body`".to_owned());
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

fn check_field(field: &Field, at: &Place, pointer: &str) -> Result<(), Wrong> {
    let wrong = |message: &str| at.wrong(pointer, message.to_owned());
    if field.key.is_some() != (field.list == Items::Keyed) {
        return wrong("`key` tells the items of a `list: keyed` apart");
    }
    if field.access == Access::ReadOnly && (field.required || !field.one_of.is_empty()) {
        return wrong("cannot be declared, so `required` and `one_of` have no effect");
    }
    let text = |step: &Step| step.text.is_some() != (step.apply == Normalizer::StripPrefix);
    if field.normalize.iter().any(text) {
        return wrong("`text` is what `strip_prefix` strips");
    }
    Ok(())
}

/// The keys that lead to a part of the definition.
struct Place(Vec<String>);

impl Place {
    fn new(steps: &[&str]) -> Self {
        Place(steps.iter().map(|step| (*step).to_owned()).collect())
    }

    fn under(&self, step: &str) -> Self {
        Place(self.0.iter().cloned().chain([step.to_owned()]).collect())
    }

    fn wrong(&self, key: &str, message: String) -> Result<(), Wrong> {
        let path = self.under(key).0;
        Err((path.clone(), format!("{}: {message}", path.join("."))))
    }

    fn address(&self, path: &str, query: &BTreeMap<String, String>, known: &[&str]) -> Result<(), Wrong> {
        self.names("path", path, known)?;
        query.iter().try_for_each(|(name, value)| self.under("query").names(name, value, known))
    }

    fn template(&self, key: &str, template: Option<&Json>, known: &[&str]) -> Result<(), Wrong> {
        template
            .map_or(Ok(()), |template| template::check(template, known))
            .or_else(|message| self.wrong(key, message))
    }

    fn names(&self, key: &str, template: &str, known: &[&str]) -> Result<(), Wrong> {
        let used = match template::names(template) {
            Ok(used) => used,
            Err(message) => return self.wrong(key, message),
        };
        match used.into_iter().find(|name| !known.contains(name)) {
            Some(name) => {
                let known = known.join(", ");
                self.wrong(
                    key,
                    format!("`{template}` uses `{name}`, which is not known here; there is {known}"),
                )
            }
            None => Ok(()),
        }
    }
}
