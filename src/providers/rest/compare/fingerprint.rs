//! Fingerprints of secrets, and the key from outside that they can be made with.

use anyhow::Result;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use pbkdf2::pbkdf2_hmac;
use sha2::Sha256;

use crate::{
    exit::Exit,
    model::user_error::UserError,
    providers::rest::{client::credentials, options::TargetConfig},
};

/// How often a secret is hashed: each guess at a weak one costs some thousandths of a second.
const ROUNDS: u32 = 30_000;

/// The fewest letters of a key, since one that can be guessed protects nothing.
const SHORTEST: usize = 16;

/// A key that is not in the memory of the target. Deliberately neither shown nor serialized.
pub struct Key {
    secret: String,
    /// Tells keys apart, in the memory too.
    id: String,
}

impl Key {
    /// The key that the target names, if it does.
    ///
    /// # Errors
    /// It is not there, or could be guessed.
    pub fn find(setup: &TargetConfig) -> Result<Option<Key>> {
        let Some(source) = &setup.options.fingerprint_key else { return Ok(None) };
        let secret = credentials::from_source(setup, source, "fingerprint_key")?.unwrap_or_default();
        if secret.len() < SHORTEST {
            let message = format!("`fingerprint_key` of the target has less than {SHORTEST} letters");
            return Err(UserError::new(Exit::BadConfig, message)
                .hint("make one that nobody can guess, for example with `openssl rand -base64 32`")
                .into());
        }
        Ok(Some(Key::new(secret)))
    }

    fn new(secret: String) -> Key {
        let id = STANDARD.encode(&hashed(&secret, b"trueup fingerprint key", ROUNDS)[..6]);
        Key { secret, id }
    }
}

/// The fingerprint of `secret`, which nobody can make without `key`.
pub fn print(secret: &str, salt: &[u8], key: Option<&Key>) -> String {
    let print = hashed(secret, salt, ROUNDS);
    match key {
        None => STANDARD.encode(print),
        Some(key) => format!("{}:{}", key.id, STANDARD.encode(hashed(&key.secret, &print, 1))),
    }
}

/// Whether `print` was made with `key`, and so can be held against another one.
pub fn is_of(print: &str, key: Option<&Key>) -> bool {
    print.split_once(':').map(|(id, _)| id) == key.map(|key| key.id.as_str())
}

/// With one round, this is HMAC-SHA-256.
fn hashed(secret: &str, salt: &[u8], rounds: u32) -> [u8; 32] {
    let mut hash = [0; 32];
    pbkdf2_hmac::<Sha256>(secret.as_bytes(), salt, rounds, &mut hash);
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_print_needs_the_secret_and_the_key() {
        let (one, other) = (Key::new("one key of sixteen".into()), Key::new("another key of sixteen".into()));
        let made = print("s3cret", b"salt", Some(&one));
        assert_eq!(print("s3cret", b"salt", Some(&one)), made);
        for different in [
            print("other", b"salt", Some(&one)),
            print("s3cret", b"elsewhere", Some(&one)),
            print("s3cret", b"salt", Some(&other)),
            print("s3cret", b"salt", None),
        ] {
            assert_ne!(different, made);
        }
        assert!(is_of(&made, Some(&one)) && !is_of(&made, Some(&other)) && !is_of(&made, None));
        assert!(is_of(&print("s3cret", b"salt", None), None));
    }
}
