//! The `Retry-After` header in both of its forms.

use std::time::{Duration, SystemTime};

use http::HeaderMap;
use http::header::{DATE, RETRY_AFTER};

/// How long the server asks to wait: seconds, or a date counted from the answer's own `Date`, so that a clock that
/// is off here does not matter; without one from `wall`. A date in the past is no wait. Nonsense is no header.
pub(crate) fn retry_after(headers: &HeaderMap, wall: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than a u64 holds is a wait of for ever, not an invalid header.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let at = httpdate::parse_http_date(text).ok()?;
    let sent = headers.get(DATE).and_then(|date| httpdate::parse_http_date(date.to_str().ok()?).ok());
    Some(at.duration_since(sent.unwrap_or(wall)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Duration = Duration::from_secs(784_111_777); // Sun, 06 Nov 1994 08:49:37 GMT

    #[track_caller]
    fn check(value: &str, date: Option<&str>, expected: Option<u64>) {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, value.parse().unwrap());
        if let Some(date) = date {
            headers.insert(DATE, date.parse().unwrap());
        }
        let found = retry_after(&headers, SystemTime::UNIX_EPOCH + NOW);
        assert_eq!(found, expected.map(Duration::from_secs), "{value}");
    }

    #[test]
    fn seconds() {
        check("0", None, Some(0));
        check(" 7 ", None, Some(7));
        check("99999999999999999999999", None, Some(u64::MAX));
        check("-1", None, None);
        check("1.5", None, None);
        check("", None, None);
        check("soon", None, None);
    }

    #[test]
    fn dates_count_from_the_answers_own_date() {
        check("Sun, 06 Nov 1994 08:50:07 GMT", None, Some(30));
        check("Sunday, 06-Nov-94 08:50:07 GMT", None, Some(30));
        check("Sun Nov  6 08:50:07 1994", None, Some(30));
        check("Sun, 06 Nov 1994 08:00:00 GMT", None, Some(0));
        check("Fri, 20 Nov 2026 10:00:05 GMT", Some("Fri, 20 Nov 2026 10:00:00 GMT"), Some(5));
        check("Sun, 06 Nov 1994 08:50:07 GMT", Some("not a date"), Some(30));
    }

    proptest! {
        #[test]
        fn never_panics(value in "[ -~]{0,40}", date in "[ -~]{0,40}") {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, value.parse().unwrap());
            headers.insert(DATE, date.parse().unwrap());
            let _ = retry_after(&headers, SystemTime::UNIX_EPOCH);
        }
    }
}
