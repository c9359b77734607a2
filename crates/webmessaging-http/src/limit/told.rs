//! What the platform tells of a limit in the headers of its answers.

use std::time::Duration;

use http::{HeaderMap, HeaderName};

const COUNT: HeaderName = HeaderName::from_static("inin-ratelimit-count");
const ALLOWED: HeaderName = HeaderName::from_static("inin-ratelimit-allowed");
const RESET: HeaderName = HeaderName::from_static("inin-ratelimit-reset");

/// A limit larger than this is no limit, and our books have to have an end.
pub(super) const ALLOWED_MAX: u32 = 100_000;

/// A window that ends later than this is not believed.
const RESET_MAX: Duration = Duration::from_secs(3_600);

/// Where a limit stands, by the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Told {
    /// Requests of everybody in the window.
    pub(super) count: u32,
    /// How many it may have.
    pub(super) allowed: u32,
    /// Until when; the server rounds to whole seconds.
    pub(super) reset: Duration,
}

impl Told {
    /// `inin-ratelimit-count`, `-allowed` and `-reset`; nothing where one of them is missing or makes no sense.
    pub(super) fn read(headers: &HeaderMap) -> Option<Self> {
        let number = |name| headers.get(name)?.to_str().ok()?.trim().parse::<u32>().ok();
        let allowed = number(ALLOWED).filter(|allowed| (1..=ALLOWED_MAX).contains(allowed))?;
        let reset = Duration::from_secs(number(RESET)?.into()).min(RESET_MAX);
        Some(Self { count: number(COUNT)?, allowed, reset })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(count: &str, allowed: &str, reset: &str) -> Option<Told> {
        let mut headers = HeaderMap::new();
        headers.insert("inin-ratelimit-count", count.parse().ok()?);
        headers.insert("inin-ratelimit-allowed", allowed.parse().ok()?);
        headers.insert("inin-ratelimit-reset", reset.parse().ok()?);
        Told::read(&headers)
    }

    #[test]
    fn the_platforms_own_sample() {
        let told = Told { count: 1, allowed: 180, reset: Duration::from_secs(61) };
        assert_eq!(read("1", "180", "61"), Some(told));
        assert_eq!(Told::read(&HeaderMap::new()), None);
    }

    #[test]
    fn nonsense_is_no_header() {
        for (count, allowed, reset) in [
            ("-1", "180", "61"),
            ("1", "0", "61"),
            ("1", "4294967295", "61"),
            ("", "180", "61"),
            ("1", "180", "soon"),
        ] {
            assert_eq!(read(count, allowed, reset), None, "{count} {allowed} {reset}");
        }
        assert_eq!(read("1", "180", "4000000000").map(|told| told.reset), Some(RESET_MAX));
    }

    proptest! {
        #[test]
        fn never_panics(count in "[ -~]{0,12}", allowed in "[ -~]{0,12}", reset in "[ -~]{0,12}") {
            let _ = read(&count, &allowed, &reset);
        }
    }
}
