//! How long to wait before a request is sent again.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::header::{HeaderMap, RETRY_AFTER};

use crate::providers::rest::definition::RateHeaders;

/// How long the server asks to wait: `Retry-After` in either form, or the end of the rate limit.
pub fn asked(headers: &HeaderMap, rate: Option<&RateHeaders>) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok();
    if let Some(after) = text(RETRY_AFTER.as_str()) {
        return match after.trim().parse() {
            Ok(seconds) => Some(Duration::from_secs(seconds)),
            Err(_) => until(jiff::fmt::rfc2822::parse(after).ok()?.timestamp().as_second()),
        };
    }
    let rate = rate?;
    if text(&rate.count)?.trim() != "0" {
        return None;
    }
    until(text(&rate.reset)?.trim().parse().ok()?)
}

fn until(second: i64) -> Option<Duration> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
    Some(Duration::from_secs(u64::try_from(second).ok()?.saturating_sub(now)))
}

/// How long to wait of our own accord: twice as long each time, less a random part of it.
pub fn backoff(base_ms: u64, attempt: u32) -> Duration {
    let whole = base_ms.saturating_mul(1 << attempt.min(16)).min(30_000);
    let mut random = [0; 8];
    // Without randomness the wait is merely not spread.
    _ = getrandom::fill(&mut random);
    let spread = u64::from_le_bytes(random) % (whole / 2 + 1);
    Duration::from_millis(whole - spread)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked_by(name: &'static str, value: &str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        asked(&headers, None)
    }

    #[test]
    fn both_forms_of_retry_after_are_understood() {
        assert_eq!(asked_by("retry-after", "7"), Some(Duration::from_secs(7)));
        assert_eq!(asked_by("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::ZERO));
        let later = asked_by("retry-after", "Fri, 06 Nov 2099 08:49:37 GMT").unwrap();
        assert!(later > Duration::from_secs(86_400));
    }

    #[test]
    fn an_exhausted_rate_limit_says_when_it_ends() {
        let rate = RateHeaders { count: "x-left".into(), reset: "x-reset".into() };
        let mut headers = HeaderMap::new();
        headers.insert("x-left", "0".parse().unwrap());
        headers.insert("x-reset", "1".parse().unwrap());
        assert_eq!(asked(&headers, Some(&rate)), Some(Duration::ZERO));
        headers.insert("x-left", "5".parse().unwrap());
        assert_eq!(asked(&headers, Some(&rate)), None);
    }

    #[test]
    fn waiting_grows_and_stays_within_bounds() {
        for attempt in 0..20 {
            assert!(backoff(250, attempt) <= Duration::from_secs(30));
        }
        assert!(backoff(250, 3) >= Duration::from_millis(1000));
    }
}
