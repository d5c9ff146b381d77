//! Where secrets come from, and how a request carries them.

use std::{path::Path, process::Command};

use anyhow::{Context as _, Result};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use percent_encoding::{AsciiSet, utf8_percent_encode};
use reqwest::{
    Url,
    header::{AUTHORIZATION, HeaderName, HeaderValue},
};

use super::{oauth::Exchange, size_limit};
use crate::{
    exit::Exit,
    model::user_error::UserError,
    providers::rest::{
        definition::{Auth, Scheme},
        options::{Source, TargetConfig},
        template::{self, STRICT},
    },
};

/// The longest secret that is read from a file or a program.
const LONGEST: u64 = 64 * 1024;

/// What a form encodes (`application/x-www-form-urlencoded`), blanks aside.
const FORM: &AsciiSet = &STRICT.remove(b'*').add(b'~');

/// What proves who we are. Deliberately neither shown nor serialized.
#[derive(Default)]
pub struct Proof {
    /// A header of every request.
    pub header: Option<(HeaderName, HeaderValue)>,
    /// A parameter of every request.
    pub query: Option<(String, String)>,
    /// Where the secret is exchanged for a token.
    pub exchange: Option<Exchange>,
    /// What no error text may hold.
    pub hidden: Vec<String>,
}

/// Finds the secret of a target; without any, requests go out bare.
///
/// # Errors
/// A secret that was named and is not there.
pub fn find(setup: &TargetConfig) -> Result<Proof> {
    if let Some((user, secret)) = named(setup)? {
        let takes_user = |auth: &Auth| matches!(auth.scheme, Scheme::Basic | Scheme::Oauth2Client);
        let scheme = |auth: &&Auth| takes_user(auth) == user.is_some();
        let auths = &setup.definition.auth;
        let auth = auths.iter().find(scheme).or(auths.first());
        let auth = auth.ok_or_else(|| fault("the definition knows no way to send credentials"))?;
        return proof(setup, auth, user, &secret);
    }
    let variable = |name: &Option<String>| name.as_ref().and_then(|name| std::env::var(name).ok());
    for auth in &setup.definition.auth {
        let user = variable(&auth.user_env).or_else(|| setup.options.credentials.user.clone());
        match (auth.scheme, user, variable(&auth.env)) {
            (Scheme::Basic | Scheme::Oauth2Client, None, _) | (.., None) => {}
            (_, user, Some(secret)) => return proof(setup, auth, user, &secret),
        }
    }
    Ok(Proof::default())
}

/// The secret that the target names, with the user that it is for.
fn named(setup: &TargetConfig) -> Result<Option<(Option<String>, String)>> {
    let credentials = &setup.options.credentials;
    let user = credentials.user.clone();
    if let Some(secret) = from_source(setup, &credentials.source(), "credentials")? {
        return Ok(Some((user, secret)));
    }
    if credentials.netrc {
        let host = setup.base.host_str().unwrap_or_default();
        let netrc = netrc::Netrc::new().map_err(|_| fault("the netrc file cannot be read"))?;
        let entry = netrc.hosts.get(host).or(netrc.hosts.get("default"));
        let entry = entry.ok_or_else(|| fault(&format!("the netrc file has no entry for `{host}`")))?;
        return Ok(Some((Some(entry.login.clone()), entry.password.clone())));
    }
    Ok(None)
}

/// The secret that `source` names, which is what `key` of the target says.
///
/// # Errors
/// It is not there.
pub fn from_source(setup: &TargetConfig, source: &Source, key: &str) -> Result<Option<String>> {
    if let Some(file) = &source.file {
        return read(&setup.path(file), key).map(Some);
    }
    if let Some(name) = &source.env {
        let secret = std::env::var(name).map_err(|_| {
            UserError::new(Exit::BadConfig, format!("the environment variable `{name}` is not set")).hint(
                format!(
                    "`{key}:` of the target takes it from there; it may name a file or a command instead"
                ),
            )
        })?;
        return Ok(Some(secret));
    }
    let Some(command) = &source.command else { return Ok(None) };
    let program = command.first().map(String::as_str).unwrap_or_default();
    setup.programs.check(program, "the target")?;
    run(command, &setup.folder, key).map(Some)
}

fn read(file: &Path, key: &str) -> Result<String> {
    let shown = || format!("reading `{}` for `{key}`", file.display());
    let text = size_limit::text(file, LONGEST).with_context(shown)?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// Runs a program without a shell. Its errors are its own to tell; what it prints is not shown.
fn run(command: &[String], folder: &Path, key: &str) -> Result<String> {
    let wrong = |message: String| UserError::new(Exit::BadConfig, message);
    let (program, arguments) =
        command.split_first().ok_or_else(|| wrong(format!("`{key}.command` names no program")))?;
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .stdin(std::process::Stdio::null())
        .output()
        .with_context(|| format!("running `{program}` for `{key}`"))?;
    if !output.status.success() {
        return Err(wrong(format!("`{program}`, run for `{key}`, ended with {}", output.status)).into());
    }
    let text = String::from_utf8(output.stdout).map_err(|_| wrong(format!("`{program}` printed no text")))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

fn proof(setup: &TargetConfig, auth: &Auth, user: Option<String>, secret: &str) -> Result<Proof> {
    let mut proof = Proof { hidden: vec![secret.to_owned()], ..Proof::default() };
    let header = |name: &str, value: String| -> Result<(HeaderName, HeaderValue)> {
        let name =
            HeaderName::try_from(name).map_err(|_| fault(&format!("`{name}` is no name of a header")))?;
        let mut value =
            HeaderValue::try_from(value).map_err(|_| fault("the secret holds what a header cannot carry"))?;
        value.set_sensitive(true);
        Ok((name, value))
    };
    match auth.scheme {
        Scheme::Bearer => proof.header = Some(header(AUTHORIZATION.as_str(), format!("Bearer {secret}"))?),
        Scheme::Header => {
            let value = auth.format.as_deref().unwrap_or("{secret}").replace("{secret}", secret);
            proof.header = Some(header(auth.name.as_deref().unwrap_or("Authorization"), value)?);
        }
        Scheme::Basic => {
            let encoded = STANDARD.encode(format!("{}:{secret}", user.unwrap_or_default()));
            proof.header = Some(header(AUTHORIZATION.as_str(), format!("Basic {encoded}"))?);
            proof.hidden.push(encoded);
        }
        Scheme::Oauth2Client => {
            let address = auth.token_url.as_deref().unwrap_or_default();
            let address = template::text(address, &setup.variables).map_err(|message| fault(&message))?;
            let url = Url::parse(&address)
                .map_err(|error| fault(&format!("`{address}` is no address: {error}")))?;
            let scope = auth.scope.clone();
            proof.exchange = Some(Exchange::new(url, user.unwrap_or_default(), secret.to_owned(), scope));
        }
        Scheme::Query => {
            proof.query = Some((auth.name.clone().unwrap_or_else(|| "token".to_owned()), secret.to_owned()));
        }
    }
    Ok(proof)
}

impl Proof {
    /// Adds the parameter, where the scheme is one.
    pub fn sign(&self, url: &mut Url) {
        if let Some((name, secret)) = &self.query {
            url.query_pairs_mut().append_pair(name, secret);
        }
    }
}

/// Takes every one of `hidden` out of `text`, in each form that a server may quote it in.
pub fn scrub<'a>(text: &str, hidden: impl IntoIterator<Item = &'a String>) -> String {
    let mut clean = text.to_owned();
    for form in hidden.into_iter().filter(|secret| secret.len() >= 3).flat_map(|secret| forms(secret)) {
        clean = clean.replace(&form, "(hidden)");
    }
    clean
}

/// `secret` as it is, inside of JSON, also where that is a text in JSON, in an address, in a form, and in base64.
fn forms(secret: &str) -> [String; 7] {
    let quoted = |text: &str| {
        let json = serde_json::Value::from(text).to_string();
        json[1..json.len() - 1].to_owned()
    };
    let form = utf8_percent_encode(secret, FORM).to_string();
    [
        secret.to_owned(),
        quoted(secret),
        quoted(&quoted(secret)),
        utf8_percent_encode(secret, STRICT).to_string(),
        form.replace("%20", "+"),
        STANDARD_NO_PAD.encode(secret),
        URL_SAFE_NO_PAD.encode(secret),
    ]
}

fn fault(message: &str) -> UserError {
    UserError::new(Exit::BadConfig, message)
        .hint("`credentials:` of the target names a file, an environment variable, a command or netrc")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_taken_out_of_texts_in_every_form() {
        let secret = r#"s3 "cr/et""#;
        for form in [
            secret,
            r#"s3 \"cr/et\""#,
            r#"s3 \\\"cr/et\\\""#,
            "s3%20%22cr%2Fet%22",
            "s3+%22cr%2Fet%22",
            "czMgImNyL2V0Ig",
        ] {
            assert_eq!(scrub(&format!("bad `{form}`"), &[secret.to_owned()]), "bad `(hidden)`", "{form}");
        }
    }
}
