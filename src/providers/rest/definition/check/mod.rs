//! What no schema can say of a definition: names that have to be known, and keys without an effect.

use super::{Auth, Definition, NameCase, Scheme, Scope};

mod field;
mod kind;
mod place;

use place::Place;

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
        check_scope(definition, scope, &Place::new(&["scopes", name]), &known)?;
    }
    check_memory(definition, &known)?;
    definition.kinds.iter().try_for_each(|(name, kind)| kind::check(definition, name, kind, &known))
}

fn check_scope(definition: &Definition, scope: &Scope, at: &Place, known: &[&str]) -> Result<(), Wrong> {
    let maker = scope.kind.as_ref().map(|kind| definition.kind(kind).ok_or(kind));
    if let Some(Err(kind)) = maker {
        return at.wrong("kind", format!("there is no kind `{kind}`"));
    }
    if scope.case != NameCase::None && scope.kind.is_some() {
        return at.wrong("case", "is said by the kind that makes the scope".to_owned());
    }
    if scope.id.is_some() && !matches!(maker, Some(Ok(kind)) if kind.id.is_some()) {
        return at.wrong("id", "the kind that makes the scope has no `id`".to_owned());
    }
    let known: Vec<&str> = known.iter().copied().chain(scope.params.iter().map(String::as_str)).collect();
    scope.exists.as_ref().map_or(Ok(()), |exists| at.names("exists", exists, &known))
}

/// The place of the record may be named by the scope of the target too.
fn check_memory(definition: &Definition, known: &[&str]) -> Result<(), Wrong> {
    let Some(memory) = &definition.record else { return Ok(()) };
    let params = definition.scopes.values().flat_map(|scope| &scope.params).map(String::as_str);
    let known: Vec<&str> = known.iter().copied().chain(params).collect();
    let at = Place::new(&["record"]);
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
