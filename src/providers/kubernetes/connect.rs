//! Which cluster, as whom: the rules of kubectl, without its guesses.

use std::{env, path::PathBuf};

use anyhow::Result;
use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};
use tokio::runtime::{Builder, Runtime};

use super::{
    options::Options,
    transport::{Looking, Writing},
};
use crate::{exit::Exit, model::fault::Fault, providers::Target};

/// The threads that requests run on.
pub(super) fn runtime() -> Result<Runtime> {
    Ok(Builder::new_multi_thread().worker_threads(2).enable_io().enable_time().build()?)
}

/// Connects for reading.
pub(super) fn for_reading(runtime: &Runtime, target: &Target, options: &Options) -> Result<Looking> {
    client(runtime, target, options).map(Looking::new)
}

/// Connects for an apply.
pub(super) fn for_writing(runtime: &Runtime, target: &Target, options: &Options) -> Result<Writing> {
    client(runtime, target, options).map(Writing::new)
}

fn client(runtime: &Runtime, target: &Target, options: &Options) -> Result<Client> {
    // A second call finds the provider installed, which is all that is wanted.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let config = runtime.block_on(config(target, options))?;
    let _guard = runtime.enter();
    let server = config.cluster_url.to_string();
    Client::try_from(config).map_err(|error| bad(format!("connecting to `{server}`: {error}")).into())
}

async fn config(target: &Target, options: &Options) -> Result<Config> {
    let Some(kubeconfig) = kubeconfig(target, options)? else {
        let config = Config::incluster().map_err(|_| {
            bad("there is no kubeconfig, and this is no pod of a cluster".to_owned())
                .hint("set `kubeconfig` in trueup.yaml, or KUBECONFIG")
        })?;
        return Ok(settled(config));
    };
    let context = context(&kubeconfig, options)?;
    let wanted = KubeConfigOptions { context: Some(context.clone()), ..Default::default() };
    let config = Config::from_custom_kubeconfig(kubeconfig, &wanted)
        .await
        .map_err(|error| bad(format!("the context `{context}` of the kubeconfig: {error}")))?;
    Ok(settled(config))
}

/// Limits are those of single requests, see the transport.
fn settled(mut config: Config) -> Config {
    config.read_timeout = None;
    config.write_timeout = None;
    config.connect_timeout = Some(std::time::Duration::from_secs(15));
    config.default_retry = false;
    let agent = concat!("trueup/", env!("CARGO_PKG_VERSION"));
    config.headers.push((http::header::USER_AGENT, http::HeaderValue::from_static(agent)));
    config
}

fn kubeconfig(target: &Target, options: &Options) -> Result<Option<Kubeconfig>> {
    if let Some(file) = &options.kubeconfig {
        let file = target.base_dir.join(file);
        return Kubeconfig::read_from(&file)
            .map(Some)
            .map_err(|error| bad(format!("reading the kubeconfig `{}`: {error}", file.display())).into());
    }
    if env::var_os("KUBECONFIG").is_some_and(|value| !value.is_empty()) {
        return Kubeconfig::from_env()
            .map_err(|error| bad(format!("reading the files of KUBECONFIG: {error}")).into());
    }
    let file = env::var_os("HOME").map(|home| PathBuf::from(home).join(".kube/config"));
    match file.filter(|file| file.exists()) {
        Some(file) => Kubeconfig::read_from(&file)
            .map(Some)
            .map_err(|error| bad(format!("reading the kubeconfig `{}`: {error}", file.display())).into()),
        None => Ok(None),
    }
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

fn bad(message: String) -> Fault {
    Fault::new(Exit::BadConfig, message)
}
