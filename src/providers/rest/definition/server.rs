//! How a server is spoken to: proofs, limits, second tries, and what it says it is.

use schemars::JsonSchema;
use serde::Deserialize;

/// A way to prove who we are.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    /// How the secret is sent.
    pub scheme: Scheme,
    /// Name of the header or query parameter.
    #[serde(default)]
    pub name: Option<String>,
    /// The value of the header, in which `{secret}` is the secret.
    #[serde(default)]
    pub format: Option<String>,
    /// Environment variable with the secret; for `basic`, the one with the password.
    #[serde(default)]
    pub env: Option<String>,
    /// Environment variable with the user, for `basic`; with the client's id, for `oauth2_client`.
    #[serde(default)]
    pub user_env: Option<String>,
    /// Where the secret is exchanged for a token, for `oauth2_client`: a template over `{url}` and the options.
    #[serde(default)]
    pub token_url: Option<String>,
    /// What the token has to be good for, for `oauth2_client`.
    #[serde(default)]
    pub scope: Option<String>,
}

/// How a secret is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scheme {
    /// In a header of its own.
    Header,
    /// As `Authorization: Bearer`.
    Bearer,
    /// As user and password.
    Basic,
    /// In the query.
    Query,
    /// To another address, which gives a bearer token for it (RFC 6749, section 4.4).
    Oauth2Client,
}

/// How hard an API may be worked.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Reads at a time.
    pub concurrent_reads: usize,
    /// Writes at a time.
    pub concurrent_writes: usize,
    /// Milliseconds between the starts of two writes.
    pub min_write_interval_ms: u64,
    /// Seconds that one request may take.
    pub timeout_s: u64,
    /// The largest answer in MiB.
    pub max_body_mib: u64,
    /// The most pages of one list.
    pub max_pages: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            concurrent_reads: 4,
            concurrent_writes: 1,
            min_write_interval_ms: 0,
            timeout_s: 30,
            max_body_mib: 16,
            max_pages: 1000,
        }
    }
}

/// What is tried again.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Retry {
    /// The statuses.
    pub on: Vec<u16>,
    /// Tries after the first.
    pub max: u32,
    /// Milliseconds before the second try; doubled for each further one, with jitter.
    pub base_ms: u64,
    /// The most seconds that one wait may take, whatever the server asks for.
    pub max_wait_s: u64,
    /// A header that counts the requests that are left, with the one that says when there are more (seconds since 1970).
    pub remaining: Option<RateHeaders>,
}

impl Default for Retry {
    fn default() -> Self {
        Retry { on: vec![429, 502, 503, 504], max: 4, base_ms: 250, max_wait_s: 120, remaining: None }
    }
}

/// Headers of a rate limit.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RateHeaders {
    /// How many requests are left.
    pub count: String,
    /// When there are more, in seconds since 1970.
    pub reset: String,
}

/// A request that tells the product and its version.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// The path below the base.
    pub get: String,
    /// Where the answer has the version.
    pub version: String,
    /// Where the answer has the name of the product.
    #[serde(default)]
    pub product: Option<String>,
}
