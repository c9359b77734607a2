//! For tests of this crate and of those that stand on it: a mocked transport, a clock that never waits, fixed
//! randomness.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use crate::clock::{Clock, Entropy, TokioClock, Wait};

pub use crate::transport::MockTransport;

/// A clock whose waits on purpose are over at once: it moves itself forward instead and remembers by how much.
/// Watchdogs wait in real time, so that sockets are not timed out by a clock that jumps.
#[derive(Clone)]
pub struct SkippingClock(Arc<Inner>);

struct Inner {
    start: Instant,
    state: Mutex<State>,
    on_sleep: Box<dyn Fn(Duration) + Send + Sync>,
}

#[derive(Default)]
struct State {
    passed: Duration,
    sleeps: Vec<Duration>,
}

impl SkippingClock {
    /// A clock that nobody else hears of.
    pub fn new() -> Self {
        Self::with_hook(|_| {})
    }

    /// A clock that tells somebody else of every wait, for example an emulator, so that its time passes too.
    pub fn with_hook(on_sleep: impl Fn(Duration) + Send + Sync + 'static) -> Self {
        let start = TokioClock.now();
        Self(Arc::new(Inner { start, state: Mutex::default(), on_sleep: Box::new(on_sleep) }))
    }

    /// Lets time pass without anybody waiting.
    pub fn advance(&self, duration: Duration) {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner).passed += duration;
    }

    /// Every wait so far, in order.
    pub fn sleeps(&self) -> Vec<Duration> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner).sleeps.clone()
    }
}

impl Default for SkippingClock {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for SkippingClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SkippingClock")
    }
}

impl Clock for SkippingClock {
    fn now(&self) -> Instant {
        self.0.start + self.0.state.lock().unwrap_or_else(PoisonError::into_inner).passed
    }

    fn wall(&self) -> SystemTime {
        TokioClock.wall() + self.0.state.lock().unwrap_or_else(PoisonError::into_inner).passed
    }

    fn sleep(&self, duration: Duration) -> Wait {
        {
            let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.passed += duration;
            state.sleeps.push(duration);
        }
        (self.0.on_sleep)(duration);
        Box::pin(std::future::ready(()))
    }

    fn watchdog(&self, duration: Duration) -> Wait {
        TokioClock.watchdog(duration)
    }
}

/// Randomness that is always the middle: jitter is half of what it could be.
#[derive(Debug, Clone, Copy, Default)]
pub struct Halfway;

impl Entropy for Halfway {
    fn bits(&self) -> u64 {
        1 << 63
    }
}
