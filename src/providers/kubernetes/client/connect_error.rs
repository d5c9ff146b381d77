//! What stands between here and the server: why no connection came about, and the way out.

use std::{error::Error, fmt, io};

use hyper_util::client::legacy;
use kube::client::AuthError;
use rustls::CertificateError;

/// What stands in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nobody listens there.
    Closed,
    /// Nobody answers there.
    Silent,
    /// There is no such name.
    Nameless,
    /// There is no way there.
    Unrouted,
    /// The certificate of the server is for other names.
    OtherName,
    /// The certificate of the server is signed by somebody unknown.
    Unsigned,
    /// The certificate of the server is not valid at this time.
    OutOfTime,
    /// What the server says of itself is no valid TLS.
    Untrusted,
    /// There are no credentials to be had.
    Login,
    /// Something else, a proxy for example.
    Other,
}

/// Why nothing could be sent.
#[derive(Clone, Debug)]
pub struct Obstacle {
    /// What it is.
    pub kind: Kind,
    /// The same in words.
    pub words: String,
}

impl Obstacle {
    /// What kept a request from being sent; none if it was sent.
    pub fn of(error: &kube::Error) -> Option<Obstacle> {
        let causes = causes(error);
        let connecting =
            |cause: &&Cause| cause.downcast_ref::<legacy::Error>().is_some_and(legacy::Error::is_connect);
        let found = causes.iter().find_map(|cause| secrets(*cause));
        if found.is_none() && !causes.iter().any(connecting) {
            return None;
        }
        let kind = found.or_else(|| causes.iter().find_map(|cause| way(*cause))).unwrap_or(Kind::Other);
        let last = causes.last().map(ToString::to_string).unwrap_or_default();
        Some(Obstacle { kind, words: words(kind).map_or(last, str::to_owned) })
    }

    /// Whether the same may be gone a moment later.
    pub fn may_pass(&self) -> bool {
        self.kind == Kind::Closed
    }

    /// What to look at.
    pub fn hint(&self) -> &'static str {
        match self.kind {
            Kind::Closed => "start the server, or correct `server` of the cluster in the kubeconfig",
            Kind::Silent | Kind::Unrouted => {
                "is it reached only through a VPN or a proxy? the cluster in the kubeconfig has `server` and `proxy-url`"
            }
            Kind::Nameless => {
                "correct `server` of the cluster in the kubeconfig, or the name service of this machine"
            }
            Kind::OtherName => {
                "if it is the right server, `tls-server-name` of the cluster in the kubeconfig takes one of its names"
            }
            Kind::Unsigned => {
                "if it is the right server, `certificate-authority` of the cluster in the kubeconfig takes its authority"
            }
            Kind::OutOfTime => "renew the certificate of the server, or set the clock of this machine",
            Kind::Untrusted => {
                "does `server` of the cluster in the kubeconfig lead to an API server, with the right scheme and port?"
            }
            Kind::Login => "log in again with the program that gives the credentials of the kubeconfig",
            Kind::Other => "check `server` and `proxy-url` of the cluster in the kubeconfig, and HTTPS_PROXY",
        }
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

type Cause = dyn Error + 'static;

/// An error and everything below it.
pub fn causes(error: &Cause) -> Vec<&Cause> {
    let mut causes = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        causes.push(error);
        // An I/O error names what is below the error that it holds, not that error.
        let held = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = held.map(|held| held as &Cause).or_else(|| error.source());
    }
    causes
}

/// What is wrong with a certificate or with credentials.
fn secrets(cause: &Cause) -> Option<Kind> {
    if cause.is::<AuthError>() {
        return Some(Kind::Login);
    }
    match cause.downcast_ref::<rustls::Error>()? {
        rustls::Error::InvalidCertificate(why) => Some(certificate(why)),
        rustls::Error::InvalidMessage(_) => Some(Kind::Untrusted),
        _ => None,
    }
}

fn certificate(why: &CertificateError) -> Kind {
    use CertificateError as Why;
    match why {
        Why::NotValidForName | Why::NotValidForNameContext { .. } => Kind::OtherName,
        Why::UnknownIssuer => Kind::Unsigned,
        Why::Expired | Why::ExpiredContext { .. } | Why::NotValidYet | Why::NotValidYetContext { .. } => {
            Kind::OutOfTime
        }
        _ => Kind::Untrusted,
    }
}

/// What is wrong with the way to the server.
fn way(cause: &Cause) -> Option<Kind> {
    if cause.to_string() == "dns error" {
        return Some(Kind::Nameless);
    }
    match cause.downcast_ref::<io::Error>()?.kind() {
        io::ErrorKind::ConnectionRefused => Some(Kind::Closed),
        io::ErrorKind::TimedOut => Some(Kind::Silent),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => Some(Kind::Unrouted),
        _ => None,
    }
}

/// Words where those of the library say little.
fn words(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Closed => Some("connection refused"),
        Kind::Silent => Some("nobody answers"),
        Kind::Unsigned => {
            Some("its certificate is signed by an authority that the kubeconfig does not trust")
        }
        _ => None,
    }
}
