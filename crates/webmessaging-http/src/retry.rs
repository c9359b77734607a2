//! When to send again, and how long to wait first.

use std::time::Duration;

use webmessaging_model::RetryClass;

use crate::clock::{Entropy, full_jitter};
use crate::error::{Error, ErrorKind};

/// How often and how patiently a call is retried.
///
/// Defaults: at most 3 retries; waits drawn evenly from zero to 1, 2, 4, ... seconds, capped at 30 seconds. A server's
/// `Retry-After` goes first, with up to a second on top, so that callers who were turned away together do not come back
/// together.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use webmessaging_http::RetryPolicy;
///
/// let patient = RetryPolicy::default().max_retries(6).cap(Duration::from_secs(60));
/// let never = RetryPolicy::never();
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPolicy {
    max_retries: u32,
    base: Duration,
    cap: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { max_retries: 3, base: Duration::from_secs(1), cap: Duration::from_secs(30) }
    }
}

impl RetryPolicy {
    /// Every request is sent once.
    #[must_use]
    pub fn never() -> Self {
        Self::default().max_retries(0)
    }

    /// Sets how often a request is sent again; 3 by default.
    #[must_use]
    pub const fn max_retries(mut self, retries: u32) -> Self {
        self.max_retries = retries;
        self
    }

    /// Sets the upper end of the first wait; 1 second by default, doubled for each further one.
    #[must_use]
    pub const fn base(mut self, base: Duration) -> Self {
        self.base = base;
        self
    }

    /// Sets the longest wait that we choose ourselves; 30 seconds by default.
    #[must_use]
    pub const fn cap(mut self, cap: Duration) -> Self {
        self.cap = cap;
        self
    }

    /// The wait before the next attempt, or `None` when the error stands. `retries` counts those already made.
    pub(crate) fn delay(
        &self,
        class: RetryClass,
        error: &Error,
        retries: u32,
        entropy: &dyn Entropy,
    ) -> Option<Duration> {
        if retries >= self.max_retries || !may_send_again(class, error) {
            return None;
        }
        let whole = self.base.saturating_mul(2_u32.saturating_pow(retries)).min(self.cap);
        // Never earlier than the server says, and not all at the same moment either.
        Some(match error.retry_after() {
            Some(wait) => wait.saturating_add(full_jitter(entropy, self.base)),
            None => full_jitter(entropy, whole),
        })
    }
}

/// Whether the request may go out again: always where the other side cannot have acted on it, and otherwise only when
/// acting twice does no harm.
fn may_send_again(class: RetryClass, error: &Error) -> bool {
    let harmless = class.is_harmless();
    match error.kind() {
        ErrorKind::RateLimited | ErrorKind::Connect | ErrorKind::CircuitOpen => true,
        ErrorKind::Interrupted | ErrorKind::Timeout => harmless,
        // 500 says that something is wrong with this request, the others that something stands in between.
        ErrorKind::Server => harmless && matches!(error.status().map(|s| s.as_u16()), Some(502..=504)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use expect_test::expect_file;
    use http::{HeaderMap, Response, StatusCode};

    use super::*;
    use crate::answer::refusal;
    use crate::clock::TokioClock;
    use crate::error::Sent;

    #[derive(Debug)]
    struct Fixed(u64);

    impl Entropy for Fixed {
        fn bits(&self) -> u64 {
            self.0
        }
    }

    fn answered(status: u16, retry_after: Option<&str>) -> Error {
        let mut answer = Response::new(bytes::Bytes::new());
        *answer.status_mut() = StatusCode::from_u16(status).unwrap();
        let mut headers = HeaderMap::new();
        if let Some(value) = retry_after {
            headers.insert("retry-after", value.parse().unwrap());
        }
        *answer.headers_mut() = headers;
        refusal(&answer, &TokioClock)
    }

    fn retried(class: RetryClass, error: &Error) -> bool {
        RetryPolicy::default().delay(class, error, 0, &Fixed(0)).is_some()
    }

    /// One look shows the whole policy, and whatever changes it changes this file.
    #[test]
    fn every_status_against_every_class() {
        let mut table = String::from("status  idempotent  repeatable  once   kind\n");
        for status in 100..600 {
            let error = answered(status, None);
            let again = |class| if retried(class, &error) { "again" } else { "-" };
            let (idempotent, repeatable) = (again(RetryClass::Idempotent), again(RetryClass::Repeatable));
            let once = again(RetryClass::Once);
            let kind = error.kind().code();
            writeln!(table, "{status:<6}  {idempotent:<10}  {repeatable:<10}  {once:<5}  {kind}").unwrap();
        }
        expect_file!["../tests/golden/retry.txt"].assert_eq(&table);
    }

    #[test]
    fn what_may_have_arrived_is_sent_again_only_when_that_is_harmless() {
        for (kind, sent, once) in [
            (ErrorKind::Connect, Sent::No, true),
            (ErrorKind::Interrupted, Sent::Maybe, false),
            (ErrorKind::Timeout, Sent::Maybe, false),
        ] {
            let error = Error::new(kind, sent);
            assert!(retried(RetryClass::Idempotent, &error), "{kind:?}");
            assert!(retried(RetryClass::Repeatable, &error), "{kind:?}");
            assert_eq!(retried(RetryClass::Once, &error), once, "{kind:?}");
        }
    }

    #[test]
    fn waits_double_up_to_the_cap_and_the_server_goes_first() {
        let policy = RetryPolicy::default().max_retries(40);
        let wait = |retries, bits, error: &Error| {
            policy.delay(RetryClass::Idempotent, error, retries, &Fixed(bits)).unwrap()
        };
        let busy = answered(503, None);
        assert_eq!(wait(0, 0, &busy), Duration::ZERO);
        assert_eq!(wait(0, 1 << 63, &busy), Duration::from_millis(500));
        assert_eq!(wait(3, 1 << 63, &busy), Duration::from_secs(4));
        assert!(wait(0, u64::MAX, &busy) <= Duration::from_secs(1));
        assert!(wait(39, u64::MAX, &busy) <= Duration::from_secs(30));
        assert_eq!(wait(0, 0, &answered(429, Some("17"))), Duration::from_secs(17));
        assert_eq!(wait(2, 1 << 63, &answered(429, Some("17"))), Duration::from_millis(17_500));
        assert_eq!(wait(0, 1 << 63, &answered(429, Some("0"))), Duration::from_millis(500));
    }

    #[test]
    fn the_last_retry_is_the_last() {
        let policy = RetryPolicy::default();
        let error = answered(429, None);
        assert!(policy.delay(RetryClass::Once, &error, 2, &Fixed(0)).is_some());
        assert!(policy.delay(RetryClass::Once, &error, 3, &Fixed(0)).is_none());
    }
}
