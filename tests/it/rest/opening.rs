//! Checkouts for the servers of the suite: each has one target, with the credentials of an administrator.

use super::Checkout;
use crate::parts::{Gitea, PowerDns};

/// Where the record is for servers that have no place for it.
pub const FILE: &str = "state: ../target/state.json";

/// The page on writing definitions.
pub const PAGE: &str = include_str!("../../../src/providers/rest/definitions/README.md");

/// For a Gitea that is asked at `url`; `more` says for example `scope: {owner: acme}`.
pub fn gitea(gitea: &Gitea, url: &str, more: &str) -> Checkout {
    let login = "credentials: {file: ../home/secret}";
    Checkout::new(&format!("provider: gitea, url: '{url}', {login}, {FILE}, {more}"), &gitea.token)
}

/// For a PowerDNS, where a target with `scope: {zone: …}` needs no file.
pub fn powerdns(url: &str, more: &str) -> Checkout {
    let login = "credentials: {file: ../home/secret}";
    Checkout::new(&format!("provider: powerdns, url: '{url}', {login}, {more}"), PowerDns::KEY)
}

/// For a RabbitMQ, which knows by the name of the target what it remembers.
pub fn rabbitmq(target: &str, url: &str, more: &str) -> Checkout {
    let login = "credentials: {user: guest, file: ../home/secret}";
    Checkout::named(target, &format!("provider: rabbitmq, url: '{url}', {login}, {more}"), "guest")
}

/// For an API that the checkout brings the definition of; `more` is the rest of the options, `secret` for the file.
pub fn defined(name: &str, definition: &str, url: &str, more: &str, secret: &str) -> Checkout {
    let options = format!("provider: rest, definition: providers/{name}.yaml, url: '{url}', {FILE}{more}");
    let checkout = Checkout::new(&options, secret);
    checkout.sandbox.write(&format!("checkout/providers/{name}.yaml"), definition);
    checkout
}

/// For a Kinto, which needs `with: {memory_bucket: …}` or a file.
pub fn kinto(url: &str, more: &str) -> Checkout {
    let login = "credentials: {user: admin, file: ../home/secret}";
    Checkout::new(&format!("provider: kinto, url: '{url}', {login}, {more}"), "p4ssw0rd-canary")
}
