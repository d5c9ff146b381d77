//! Short texts that occur again and again, kept once.

use std::{cell::RefCell, sync::Arc};

/// How many are remembered.
const COUNT: usize = 1024;

/// How long they are at most.
const LENGTH: usize = 32;

thread_local! {
    /// By their hash; of two with the same one, the last.
    static WORDS: RefCell<Vec<Arc<str>>> = RefCell::new(vec![Arc::from(""); COUNT]);
}

/// `text`, shared with those who have the same.
pub fn shared(text: &str) -> Arc<str> {
    if text.len() > LENGTH {
        return text.into();
    }
    WORDS.with_borrow_mut(|words| {
        let known = &mut words[hash(text) % COUNT];
        if **known != *text {
            *known = text.into();
        }
        known.clone()
    })
}

/// FNV-1a, which is good enough for few short texts.
fn hash(text: &str) -> usize {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325, step);
    (hash ^ hash >> 32) as usize
}
