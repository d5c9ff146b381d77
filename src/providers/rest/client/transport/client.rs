//! The HTTP client of a target: its certificates, headers and times.

use std::{ffi::OsString, path::Path, time::Duration};

use anyhow::{Context as _, Result};
use reqwest::{
    blocking::Client,
    header::{HeaderMap, HeaderName, HeaderValue},
    redirect::Policy,
};

use crate::{
    exit::Exit,
    model::user_error::UserError,
    providers::rest::{client::size_limit, options::TargetConfig, template},
};

/// Prepares the connection to a target.
///
/// # Errors
/// Headers or certificates that make no sense.
pub fn open(setup: &TargetConfig, timeout: Duration) -> Result<Client> {
    // One provider of cryptography serves every client of the process; a second call finds it there.
    _ = rustls::crypto::ring::default_provider().install_default();
    let mut headers = HeaderMap::new();
    headers.insert(reqwest::header::ACCEPT, HeaderValue::from_static("application/json, */*;q=0.1"));
    for (name, value) in &setup.definition.headers {
        let value = template::text(value, &setup.variables).map_err(|message| bad(&message))?;
        let name =
            HeaderName::try_from(name).map_err(|_| bad(&format!("`{name}` is no name of a header")))?;
        let value = HeaderValue::try_from(value).map_err(|_| bad(&format!("`{name}` is no header")))?;
        headers.insert(name, value);
    }
    let mut builder = Client::builder()
        .user_agent(concat!("trueup/", env!("CARGO_PKG_VERSION")))
        .default_headers(headers)
        .redirect(Policy::none())
        .timeout(timeout)
        .connect_timeout(timeout.min(Duration::from_secs(10)))
        .tcp_nodelay(true);
    if !is_encrypted(setup) {
        builder = builder.tls_certs_only([]);
    }
    if let Some(file) = &setup.options.tls.ca_file {
        let file = setup.path(file);
        let pem = read(&file)?;
        let certificates = reqwest::Certificate::from_pem_bundle(&pem).ok().filter(|found| !found.is_empty());
        let none = || bad(&format!("`{}` holds no certificates", file.display()));
        builder = builder.tls_certs_merge(certificates.ok_or_else(none)?);
    }
    if let Some(file) = &setup.options.tls.client_file {
        let file = setup.path(file);
        let pem = read(&file)?;
        let identity = reqwest::Identity::from_pem(&pem)
            .map_err(|_| bad(&format!("`{}` holds no certificate with its key", file.display())))?;
        builder = builder.identity(identity);
    }
    builder.build().context("preparing the connection")
}

fn read(file: &Path) -> Result<Vec<u8>> {
    let fault = |error| UserError::new(Exit::BadConfig, format!("reading `{}`: {error}", file.display()));
    Ok(size_limit::read(file, size_limit::SECRET).map_err(fault)?)
}

/// Whether any part of the way is: what is sent in the clear needs no certificates, and reading those of the system
/// takes as long as a request.
fn is_encrypted(setup: &TargetConfig) -> bool {
    let lower = |text: OsString| text.to_string_lossy().to_lowercase();
    let mut variables = std::env::vars_os().map(|(name, value)| (lower(name), lower(value)));
    let by_proxy = |(name, value): (String, String)| name.ends_with("_proxy") && value.starts_with("https:");
    setup.base.scheme() == "https" || variables.any(by_proxy)
}

fn bad(message: &str) -> UserError {
    UserError::new(Exit::BadConfig, message)
}
