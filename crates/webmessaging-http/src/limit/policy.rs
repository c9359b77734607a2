//! How many requests go out, and how evenly.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use governor::middleware::StateInformationMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use webmessaging_model::limits::{REQUESTS_MAX, REQUESTS_WINDOW_SECONDS};

use super::told::ALLOWED_MAX;

/// The window is neither so short that a request outlasts it nor longer than a day.
const WINDOW_MIN: Duration = Duration::from_millis(100);
const WINDOW_MAX: Duration = Duration::from_secs(86_400);

/// How many requests go to the platform.
///
/// The defaults are the platform's limit for one OAuth client: 300 requests in 60 seconds, of which half may go out at
/// once. Where the headers of its answers name another limit, that one goes. Of a quota of 100 or more one place stays empty, so that
/// another process of the same OAuth client that comes later is let in.
///
/// # Examples
/// ```
/// use webmessaging_http::RateLimitPolicy;
///
/// let raised_by_support = RateLimitPolicy::default().requests(900);
/// let eager = RateLimitPolicy::default().burst(300);
/// let unlimited = RateLimitPolicy::unlimited();
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateLimitPolicy {
    requests: Option<NonZeroU32>,
    pub(super) window: Duration,
    burst: Option<NonZeroU32>,
}

impl Default for RateLimitPolicy {
    fn default() -> Self {
        Self {
            requests: u32::try_from(REQUESTS_MAX.value).ok().and_then(NonZeroU32::new),
            window: Duration::from_secs(REQUESTS_WINDOW_SECONDS.value),
            burst: None,
        }
    }
}

impl RateLimitPolicy {
    /// No quota. A 429 still pauses everybody until its `Retry-After`.
    #[must_use]
    pub fn unlimited() -> Self {
        Self { requests: None, ..Self::default() }
    }

    /// Sets how many requests a window may have; 300 by default, from 1 to 100 000.
    #[must_use]
    pub fn requests(mut self, requests: u32) -> Self {
        self.requests = Some(places(requests));
        self
    }

    /// Sets the length of the window; 60 seconds by default, from a tenth of a second to a day.
    #[must_use]
    pub fn window(mut self, window: Duration) -> Self {
        self.window = window.clamp(WINDOW_MIN, WINDOW_MAX);
        self
    }

    /// Sets how many requests may go out at once; half of the quota by default, from 1 to the quota. With the whole quota a
    /// process that has it to itself is quick, and one that comes later to share it may find no place for long.
    #[must_use]
    pub fn burst(mut self, requests: u32) -> Self {
        self.burst = Some(places(requests));
        self
    }

    pub(super) fn quota(&self) -> Option<u32> {
        self.requests.map(NonZeroU32::get)
    }
}

fn places(requests: u32) -> NonZeroU32 {
    NonZeroU32::new(requests.min(ALLOWED_MAX)).unwrap_or(NonZeroU32::MIN)
}

/// A governor cell on our clock: its own would not follow the time of a test.
pub(super) struct Smoothing {
    policy: RateLimitPolicy,
    started: Instant,
    reading: Reading,
    cell: Option<(u32, GovernorCell)>,
    /// When the next place is there, at most one interval too late: for those who ask and do not take it.
    next_at: Duration,
    /// When it was made, and how many there have been: the second comes with the server's first word.
    made_at: Option<Duration>,
    makes: u32,
}

type GovernorCell = RateLimiter<NotKeyed, InMemoryState, Reading, StateInformationMiddleware>;

/// The time that was read for this request: nanoseconds since the start.
#[derive(Clone, Default)]
struct Reading(Arc<AtomicU64>);

impl governor::clock::Clock for Reading {
    type Instant = Duration;

    fn now(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }
}

impl Smoothing {
    pub(super) fn new(policy: &RateLimitPolicy, started: Instant) -> Self {
        Self {
            policy: policy.clone(),
            started,
            reading: Reading::default(),
            cell: None,
            next_at: Duration::ZERO,
            made_at: None,
            makes: 0,
        }
    }

    /// The time between two requests that go out evenly.
    pub(super) fn interval(&self, quota: u32) -> Duration {
        self.policy.window / quota.max(1)
    }

    /// Takes one place, or says how long until there is one.
    pub(super) fn admit(&mut self, quota: u32, now: Instant) -> Result<(), Duration> {
        let since = now.saturating_duration_since(self.started);
        self.reading.0.store(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
        // A limit that is a little other each time is no new limit, and a new one gives no new burst all the time.
        let is_other = self.cell.as_ref().is_none_or(|(of, _)| of.abs_diff(quota) > of / 10);
        if is_other && self.made_at.is_none_or(|at| self.makes == 1 || since >= at + self.policy.window) {
            self.cell = self.make(quota).map(|cell| (quota, cell));
            self.made_at = Some(since);
            self.makes = self.makes.saturating_add(1);
        }
        let Some((_, cell)) = &self.cell else { return Ok(()) };
        match cell.check() {
            Ok(state) if state.remaining_burst_capacity() > 0 => self.next_at = since,
            Ok(_) => self.next_at = since + self.interval(quota),
            Err(not_until) => {
                let wait = not_until.wait_time_from(since);
                self.next_at = since + wait;
                return Err(wait);
            }
        }
        Ok(())
    }

    /// When the next place is there.
    pub(super) fn next_at(&self) -> Instant {
        self.started + self.next_at
    }

    fn make(&self, quota: u32) -> Option<GovernorCell> {
        // More than the quota means nothing, and would be too much for the arithmetic of the cell.
        let burst = self.policy.burst.map_or(quota / 2, |burst| burst.get().min(quota));
        let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::with_period(self.interval(quota))?.allow_burst(burst);
        Some(RateLimiter::direct_with_clock(quota, self.reading.clone()).with_middleware())
    }
}

impl fmt::Debug for Smoothing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Smoothing").field("policy", &self.policy).finish_non_exhaustive()
    }
}
