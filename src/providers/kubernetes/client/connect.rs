//! Which cluster, as whom: the rules of kubectl, without its guesses.

use std::{
    env,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::Result;
use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;
use kube::{
    Client, Config,
    client::{AuthError, ClientBuilder, ConfigExt as _},
    config::{ExecConfig, KubeConfigOptions, Kubeconfig, KubeconfigError},
};
use tokio::runtime::{Builder, Runtime};
use tower::buffer::BufferLayer;

use super::transport::{Connection, ReadClient, WriteClient};
use crate::{
    exit::Exit,
    model::user_error::UserError,
    providers::{Target, kubernetes::options::Options, meter::Meter},
};

/// How long a connection may take to come about.
const CONNECTED: Duration = Duration::from_secs(5);

/// How many requests may wait for their credentials.
const WAITING: usize = 1024;

/// The threads that requests run on.
pub fn runtime() -> Result<Runtime> {
    Ok(Builder::new_multi_thread().worker_threads(2).enable_io().enable_time().build()?)
}

/// Connects for reading.
pub fn for_reading(runtime: &Runtime, target: &Target, options: &Options) -> Result<ReadClient> {
    line(runtime, target, options).map(ReadClient::new)
}

/// Connects for an apply.
pub fn for_writing(runtime: &Runtime, target: &Target, options: &Options) -> Result<WriteClient> {
    line(runtime, target, options).map(WriteClient::new)
}

fn line(runtime: &Runtime, target: &Target, options: &Options) -> Result<Connection> {
    // A second call finds the provider installed, which is all that is wanted.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let config = runtime.block_on(config(target, options))?;
    let _guard = runtime.enter();
    let server: Arc<str> = place(&config).into();
    let unheeded = unheeded(&config, options);
    let exec = config.auth_info.exec.clone();
    let client = client(config).map_err(|error| match (error, &exec) {
        (kube::Error::Auth(error), Some(exec)) => no_credentials(&error, exec),
        (error, _) => bad(format!("connecting to {server}: {error}")),
    })?;
    Ok(Connection { client, server, unheeded, meter: Meter::default() })
}

/// The client of a configuration. A program that gives a token is run once: left to itself, each
/// part of the client runs it anew.
fn client(mut config: Config) -> Result<Client, kube::Error> {
    if config.auth_info.exec.is_some()
        && let Some(credentials) = config.auth_layer()?
    {
        config.auth_info.exec = None;
        // What refreshes a token needs a service that can be cloned.
        let shared = ClientBuilder::try_from(config)?.with_layer(&BufferLayer::new(WAITING));
        return Ok(shared.with_layer(&credentials).build());
    }
    Client::try_from(config)
}

/// The namespace of a context is that of this machine; kubectl heeds it.
fn unheeded(config: &Config, options: &Options) -> Option<String> {
    let (theirs, ours) = (&config.default_namespace, options.default_namespace());
    let is_context = config.root_cert_file.is_none();
    (is_context && options.namespace.is_none() && theirs != ours).then(|| {
        format!(
            "the context of the kubeconfig has the namespace `{theirs}`; here, what names none is in `{ours}`, which `namespace` in trueup.yaml can change"
        )
    })
}

/// Where requests go, for people.
fn place(config: &Config) -> String {
    let server = config.cluster_url.to_string();
    let server = server.trim_end_matches('/');
    match &config.proxy_url {
        Some(proxy) => {
            let (scheme, host) = (proxy.scheme_str().unwrap_or("http"), proxy.host().unwrap_or_default());
            let port = proxy.port_u16().map(|port| format!(":{port}")).unwrap_or_default();
            format!("`{server}` through the proxy `{scheme}://{host}{port}`")
        }
        None => format!("`{server}`"),
    }
}

/// What is wrong with the program that gives the credentials. Nothing is quoted of what it
/// said on standard output, which may hold them.
fn no_credentials(error: &AuthError, exec: &ExecConfig) -> UserError {
    let command = exec.command.as_deref().unwrap_or_default();
    let of =
        |what: String| format!("the program `{command}` that gives the credentials of the kubeconfig {what}");
    match error {
        AuthError::AuthExecStart(error) => {
            let hint = exec
                .install_hint
                .clone()
                .unwrap_or_else(|| "install it, or correct the kubeconfig".to_owned());
            bad(of(format!("cannot be run: {error}"))).hint(hint)
        }
        AuthError::AuthExecRun { out, .. } => {
            let said = String::from_utf8_lossy(&out.stderr);
            let said = said.trim().lines().last().map(|line| format!(": {line}")).unwrap_or_default();
            UserError::new(Exit::NoPermission, of(format!("failed with {}{said}", out.status)))
                .hint("log in again with it")
        }
        AuthError::AuthExecParse(_) => {
            bad(of("answered with something that is no ExecCredential".to_owned()))
        }
        other => bad(of(format!("does not help: {other}"))),
    }
}

async fn config(target: &Target, options: &Options) -> Result<Config> {
    let Some(kubeconfig) = kubeconfig(target, options)? else {
        let config = Config::incluster().map_err(|_| {
            bad("there is no kubeconfig, and this is no pod of a cluster".to_owned())
                .hint("set `kubeconfig` in trueup.yaml, or KUBECONFIG")
        })?;
        return settled(config, None);
    };
    let context = context(&kubeconfig, options)?;
    let proxy = proxy_of(&kubeconfig, &context);
    let wanted = KubeConfigOptions { context: Some(context.clone()), ..Default::default() };
    let config = Config::from_custom_kubeconfig(kubeconfig, &wanted)
        .await
        .map_err(|error| bad(format!("the context `{context}` of the kubeconfig: {error}")))?;
    if options.kubeconfig.is_some()
        && let Some(program) = program(&config)
    {
        target.programs.check(program, "the kubeconfig that trueup.yaml names")?;
    }
    settled(config, proxy)
}

/// The program that gives the credentials.
fn program(config: &Config) -> Option<&str> {
    let exec = config.auth_info.exec.as_ref().map(|exec| exec.command.as_deref().unwrap_or_default());
    let old = config.auth_info.auth_provider.as_ref();
    exec.or_else(|| old?.config.get("cmd-path").map(String::as_str))
}

/// The proxy that the cluster of a context names.
fn proxy_of(kubeconfig: &Kubeconfig, context: &str) -> Option<String> {
    let context = kubeconfig.contexts.iter().find(|named| named.name == context)?.context.as_ref()?;
    let cluster = kubeconfig.clusters.iter().find(|named| named.name == context.cluster)?;
    cluster.cluster.as_ref()?.proxy_url.clone().filter(|proxy| !proxy.is_empty())
}

/// Limits are those of single requests, see the transport.
fn settled(mut config: Config, proxy: Option<String>) -> Result<Config> {
    let variable = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    config.proxy_url = match proxy.or_else(|| proxy_of_environment(&config.cluster_url, &variable)) {
        Some(proxy) => {
            Some(proxy.parse().map_err(|error| bad(format!("the address of the proxy: {error}")))?)
        }
        None => None,
    };
    config.read_timeout = None;
    config.write_timeout = None;
    config.connect_timeout = Some(CONNECTED);
    config.default_retry = false;
    let agent = concat!("trueup/", env!("CARGO_PKG_VERSION"));
    config.headers.push((http::header::USER_AGENT, http::HeaderValue::from_static(agent)));
    Ok(config)
}

/// The proxy that HTTPS_PROXY or HTTP_PROXY name for a server, unless NO_PROXY excepts it. As in
/// kubectl, this machine itself is never asked through one of these.
fn proxy_of_environment(server: &Uri, variable: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let host = server.host()?.trim_matches(['[', ']']).to_lowercase();
    let is_here =
        host == "localhost" || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback());
    if is_here {
        return None;
    }
    let (scheme, port) = if server.scheme_str() == Some("http") { ("HTTP", 80) } else { ("HTTPS", 443) };
    let first =
        |name: String| [name.clone(), name.to_lowercase()].into_iter().find_map(|name| variable(&name));
    let proxy = first(format!("{scheme}_PROXY"))?;
    let excepted = first("NO_PROXY".to_owned()).unwrap_or_default();
    let excepted = excepted_for(&excepted.to_lowercase(), &host, server.port_u16().unwrap_or(port));
    // Which proxy it is does not matter to the matcher.
    let matcher = Matcher::builder().all("http://proxy").no(excepted).build();
    let plain: Uri = server.to_string().to_lowercase().parse().ok()?;
    matcher.intercept(&plain).map(|_| proxy)
}

/// What NO_PROXY says about one server, in words that the matcher knows: it has no ports and no `*.`, and
/// takes `.example.org` for the domain itself too, which kubectl does not.
fn excepted_for(list: &str, host: &str, port: u16) -> String {
    let about = |entry: &str| {
        let entry = entry.trim();
        let (name, only) = match entry.rsplit_once(':') {
            Some((name, only)) if !name.contains(':') || name.ends_with(']') => (name, only.parse().ok()),
            _ => (entry, Some(port)),
        };
        let name = name.trim_matches(['[', ']']);
        let name = name.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(name);
        let is_below = name.strip_prefix('.') == Some(host);
        (only == Some(port) && !is_below && !name.is_empty()).then(|| name.to_owned())
    };
    list.split(',').filter_map(about).collect::<Vec<_>>().join(",")
}

/// The kubeconfig: the one that trueup.yaml names, those of KUBECONFIG, or that of the home folder.
fn kubeconfig(target: &Target, options: &Options) -> Result<Option<Kubeconfig>> {
    if let Some(file) = &options.kubeconfig {
        return read(&target.path(file)).map(Some);
    }
    if let Some(list) = env::var_os("KUBECONFIG").filter(|value| !value.is_empty()) {
        // Files that are not there are passed over, as kubectl does.
        let files: Vec<_> = env::split_paths(&list).filter(|file| file.exists()).collect();
        if files.is_empty() {
            let message = format!("none of the files of KUBECONFIG is there: {}", list.display());
            return Err(bad(message).into());
        }
        let merge = |whole: Kubeconfig, file: &PathBuf| {
            whole
                .merge(read(file)?)
                .map_err(|error| bad(format!("merging the files of KUBECONFIG: {error}")).into())
        };
        return files.iter().try_fold(Kubeconfig::default(), merge).map(Some);
    }
    let file = env::var_os("HOME").map(|home| PathBuf::from(home).join(".kube/config"));
    file.filter(|file| file.exists()).map(|file| read(&file)).transpose()
}

fn read(file: &Path) -> Result<Kubeconfig> {
    // What is no kubeconfig may be any file of this machine, and errors of the parser quote it.
    let why = |error| match error {
        KubeconfigError::ReadConfig(error, _) => error.to_string(),
        KubeconfigError::Parse(error) => match error.location() {
            Some(at) => format!("it is no kubeconfig (line {}, column {})", at.line(), at.column()),
            None => "it is no kubeconfig".to_owned(),
        },
        _ => "it is no kubeconfig".to_owned(),
    };
    let fault = |error| bad(format!("reading the kubeconfig `{}`: {}", file.display(), why(error)));
    Ok(Kubeconfig::read_from(file).map_err(fault)?)
}

/// The context to use: the one that is named, or the only one. What `kubectl config use-context`
/// left behind on this machine decides nothing.
fn context(kubeconfig: &Kubeconfig, options: &Options) -> Result<String> {
    let mut names: Vec<&str> = kubeconfig.contexts.iter().map(|context| context.name.as_str()).collect();
    names.sort_unstable();
    let list = names.join(", ");
    match (&options.context, names.as_slice()) {
        (Some(wanted), names) if names.contains(&wanted.as_str()) => Ok(wanted.clone()),
        (Some(wanted), _) => {
            Err(bad(format!("the kubeconfig has no context `{wanted}`; it has {list}")).into())
        }
        (None, [only]) => Ok((*only).to_owned()),
        (None, []) => Err(bad("the kubeconfig has no context".to_owned()).into()),
        (None, _) => Err(bad("the kubeconfig has several contexts, and none is chosen".to_owned())
            .hint(format!("set `context` in trueup.yaml to one of {list}"))
            .into()),
    }
}

fn bad(message: String) -> UserError {
    UserError::new(Exit::BadConfig, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_direct(server: &str, no_proxy: &str) -> bool {
        let variable = |name: &str| match name {
            "HTTPS_PROXY" => Some("http://proxy.example.org:3128".to_owned()),
            "no_proxy" => Some(no_proxy.to_owned()),
            _ => None,
        };
        proxy_of_environment(&server.parse().unwrap(), &variable).is_none()
    }

    #[test]
    fn no_proxy_is_read_as_kubectl_reads_it() {
        let cases = [
            ("https://api.example.org:6443", "api.example.org", true),
            ("https://api.example.org:6443", "other.org, API.Example.org", true),
            ("https://api.example.org:6443", "example.org", true),
            ("https://api.example.org:6443", ".example.org", true),
            ("https://api.example.org:6443", "*.example.org", true),
            ("https://API.EXAMPLE.ORG:6443", "example.org", true),
            ("https://api.example.org:6443", "api.example.org:6443", true),
            ("https://api.example.org:6443", "api.example.org:443", false),
            ("https://api.example.org", "api.example.org:443", true),
            ("https://example.org:6443", ".example.org", false),
            ("https://example.org:6443", "*.example.org", false),
            ("https://notexample.org:6443", "example.org", false),
            ("https://api.example.org:6443", "*", true),
            ("https://api.example.org:6443", "", false),
            ("https://api.example.org:6443", ",", false),
            ("https://192.0.2.7:6443", "192.0.2.7", true),
            ("https://192.0.2.7:6443", "192.0.2.7:6443", true),
            ("https://192.0.2.7:6443", "192.0.2.7:443", false),
            ("https://192.0.2.7:6443", "192.0.2.0/24", true),
            ("https://192.0.3.7:6443", "192.0.2.0/24", false),
            ("https://[2001:db8::7]:6443", "2001:db8::7", true),
            ("https://[2001:db8::7]:6443", "[2001:db8::7]:6443", true),
            ("https://[2001:db8::7]:6443", "2001:db8::/32", true),
            ("https://[2001:db8::7]:6443", "2001:db9::/32", false),
        ];
        for (server, no_proxy, direct) in cases {
            assert_eq!(is_direct(server, no_proxy), direct, "{server} with NO_PROXY={no_proxy}");
        }
    }

    #[test]
    fn the_proxy_is_that_of_the_scheme_and_never_for_this_machine() {
        let variable = |name: &str| (name == "https_proxy").then(|| "proxy:1".to_owned());
        let proxy = |server: &str| proxy_of_environment(&server.parse().unwrap(), &variable);
        assert_eq!(proxy("https://api.example.org").as_deref(), Some("proxy:1"));
        for direct in
            ["http://api.example.org", "https://localhost:1", "https://127.0.0.1:1", "https://[::1]:1"]
        {
            assert_eq!(proxy(direct), None, "{direct}");
        }
    }
}
