//! How long a download URL may be used: our own limit, and the one that is written in the URL.

use std::time::Duration;

use url::Url;
use webmessaging_http::PresignedUrl;
use webmessaging_model::{Code, Limit, Timestamp, Unit, Violation, Violations};

/// The document's own default.
const LIFETIME: Duration = Duration::from_secs(3_600);

/// What presigned URLs of the common object stores live at most.
const LIFETIME_SECONDS_MAX: u64 = 7 * 86_400;

/// How long a download URL may be used.
///
/// The limit only ever shortens: when the URL says itself when it ends, the earlier of both counts. By default it is also
/// written into the URL as `expires`, in Unix seconds, as the design document does, unless the URL has such a parameter.
/// A store that signs the whole query refuses a URL with one more parameter; for such a store there is
/// [`local_only`](Self::local_only).
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use webmessaging_files::ExpiryPolicy;
///
/// let policy = ExpiryPolicy::new(Duration::from_secs(600)).local_only();
/// assert_ne!(policy, ExpiryPolicy::default());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a policy does nothing until it is given to a download"]
pub struct ExpiryPolicy {
    pub(crate) lifetime: Duration,
    is_in_url: bool,
}

impl ExpiryPolicy {
    /// A policy with this lifetime: 1 second to 7 days, which is checked when a URL is asked for.
    pub const fn new(lifetime: Duration) -> Self {
        Self { lifetime, is_in_url: true }
    }

    /// Leaves the URL as it is; only this side keeps to the limit.
    pub const fn local_only(mut self) -> Self {
        self.is_in_url = false;
        self
    }

    pub(crate) fn validate(self) -> Result<(), Violations> {
        let seconds = self.lifetime.as_secs();
        let violation = |code, rule, limit| {
            Violation::new("expiresInSeconds", code, rule).limit(limit, Unit::Seconds).count(seconds)
        };
        let found = match seconds {
            0 => Some(violation(Code::TooSmall, "download.expires.min", Limit::Min(1))),
            // A part of a second more is more.
            _ if self.lifetime > Duration::from_secs(LIFETIME_SECONDS_MAX) => {
                let limit = Limit::Max(LIFETIME_SECONDS_MAX);
                Some(violation(Code::TooLarge, "download.expires.max", limit))
            }
            _ => None,
        };
        Violations::check(found.into_iter().collect())
    }

    /// The URL to hand out and when it ends; `None` when it is no URL.
    pub(crate) fn apply(self, presigned: &PresignedUrl, now: Timestamp) -> Option<(PresignedUrl, Timestamp)> {
        let mut url = Url::parse(presigned.expose()).ok()?;
        let ours = now + self.lifetime;
        let theirs = parameter(&url, "expires");
        let ends_at = own_end(&url, theirs.as_deref()).map_or(ours, |theirs| theirs.min(ours));
        if !self.is_in_url || theirs.is_some() {
            return Some((presigned.clone(), ends_at));
        }
        // Rounded down: what is said to have ended must have.
        let seconds = ends_at.unix_millis().div_euclid(1_000);
        url.query_pairs_mut().append_pair("expires", &seconds.to_string());
        Some((PresignedUrl::new(url.as_str()), Timestamp::from_unix_millis(seconds * 1_000)))
    }
}

impl Default for ExpiryPolicy {
    /// One hour, also written into the URL.
    fn default() -> Self {
        Self::new(LIFETIME)
    }
}

/// A parameter of the query, however its name is spelled.
fn parameter(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.into_owned())
}

/// When the URL says that it ends: `expires` in Unix seconds, or the date and seconds of signatures of version 4.
fn own_end(url: &Url, expires: Option<&str>) -> Option<Timestamp> {
    let unix = expires.and_then(|text| text.parse::<i64>().ok());
    let unix = unix.map(|seconds| Timestamp::from_unix_millis(seconds.saturating_mul(1_000)));
    let signed = ["x-amz", "x-goog"].into_iter().find_map(|prefix| {
        let seconds = parameter(url, &format!("{prefix}-expires"))?.parse().ok()?;
        Some(basic_date(&parameter(url, &format!("{prefix}-date"))?)? + Duration::from_secs(seconds))
    });
    unix.into_iter().chain(signed).min()
}

/// Reads `20261125T083000Z`.
fn basic_date(text: &str) -> Option<Timestamp> {
    let part = |range: std::ops::Range<usize>| text.get(range);
    let (year, month, day) = (part(0..4)?, part(4..6)?, part(6..8)?);
    let (hour, minute, second) = (part(9..11)?, part(11..13)?, part(13..15)?);
    format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_unix_millis(1_764_059_400_500);

    #[track_caller]
    fn check(policy: ExpiryPolicy, url: &str, expected_url: &str, expected_end: i64) {
        let (found, ends_at) = policy.apply(&PresignedUrl::new(url), NOW).unwrap();
        assert_eq!((found.expose(), ends_at.unix_millis()), (expected_url, expected_end));
    }

    #[test]
    fn the_limit_is_written_into_a_url_that_has_none_and_never_extends_another() {
        let hour = ExpiryPolicy::default();
        let end = 1_764_063_000_000;
        check(hour, "https://s.example/f", "https://s.example/f?expires=1764063000", end);
        check(hour, "https://s.example/f?a=%2F", "https://s.example/f?a=%2F&expires=1764063000", end);
        for early in ["https://s.example/f?Expires=1764059401&s=1", "https://s.example/f?expires=1764059401"]
        {
            check(hour, early, early, 1_764_059_401_000);
        }
        let late = "https://s.example/f?expires=9999999999999";
        check(hour, late, late, end + 500);
        let amazon = "https://s.example/f?X-Amz-Date=20251125T083000Z&X-Amz-Expires=60";
        check(hour, amazon, &format!("{amazon}&expires=1764059460"), 1_764_059_460_000);
        check(hour.local_only(), amazon, amazon, 1_764_059_460_000);
        check(hour.local_only(), "https://s.example/f?x=a+b", "https://s.example/f?x=a+b", end + 500);
        assert!(hour.apply(&PresignedUrl::new("nonsense"), NOW).is_none());
    }

    #[test]
    fn what_a_url_says_in_words_we_do_not_know_is_not_believed() {
        let hour = ExpiryPolicy::default().local_only();
        for odd in ["expires=soon", "X-Amz-Date=€€€€€€&X-Amz-Expires=60", "X-Amz-Date=20251125T083000Z"]
        {
            let url = format!("https://s.example/f?{odd}");
            check(hour, &url, &url, 1_764_063_000_500);
        }
    }

    #[test]
    fn a_lifetime_is_a_second_to_seven_days() {
        let check = |lifetime| ExpiryPolicy::new(lifetime).validate().map_err(|found| found.to_string());
        assert_eq!(check(Duration::from_secs(604_800)), Ok(()));
        assert_eq!(check(Duration::from_secs(1)), Ok(()));
        let text = "expiresInSeconds is too large: 604801 seconds, at most 604800 seconds";
        assert_eq!(check(Duration::from_secs(604_801)), Err(text.to_owned()));
        let text = "expiresInSeconds is too small: 0 seconds, at least 1 second";
        assert_eq!(check(Duration::from_millis(999)), Err(text.to_owned()));
    }
}
