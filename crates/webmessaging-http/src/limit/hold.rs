//! The pause after a 429.

use std::time::{Duration, Instant};

/// Without a `Retry-After` a 429 holds for this long, as the official SDK for Java has it.
const HOLD_DEFAULT: Duration = Duration::from_secs(3);

/// A server that asks for more is asked again after this long; the official SDKs give up above it.
const HOLD_MAX: Duration = Duration::from_secs(180);

/// Until when nobody sends. It only ever moves forward.
#[derive(Debug, Default)]
pub(super) struct Hold(Option<Instant>);

impl Hold {
    pub(super) fn until(&self, now: Instant) -> Option<Instant> {
        self.0.filter(|until| now < *until)
    }

    pub(super) fn extend(&mut self, wait: Option<Duration>, jitter: Duration, now: Instant) {
        let until = now + wait.unwrap_or(HOLD_DEFAULT).min(HOLD_MAX) + jitter;
        self.0 = self.0.max(Some(until));
    }
}
