//! Time, waiting and randomness as parameters, so that what is recorded can be tested without waiting.

use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::pin::Pin;
use std::time::{Duration, Instant, SystemTime};

use webmessaging_model::Timestamp;

/// A wait in progress.
pub type Wait = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Tells time and waits.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The monotonic time, for windows.
    fn now(&self) -> Instant;

    /// The calendar time, which events are stamped with.
    fn wall(&self) -> Timestamp;

    /// Ends when a sink has taken too long.
    fn watchdog(&self, duration: Duration) -> Wait;
}

/// The clock of the system. Its waits run on a thread of their own, so that any async runtime will do.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[expect(clippy::disallowed_methods, reason = "the one place that reads the clock and waits")]
impl Clock for SystemClock {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn wall(&self) -> Timestamp {
        SystemTime::now().into()
    }

    fn watchdog(&self, duration: Duration) -> Wait {
        Box::pin(futures_timer::Delay::new(duration))
    }
}

/// Gives random numbers, for the ids of events. Nothing secret is made of them.
pub trait Entropy: fmt::Debug + Send + Sync + 'static {
    /// 64 random bits.
    fn bits(&self) -> u64;
}

/// Randomness from keys that the operating system gave once for each thread.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn bits(&self) -> u64 {
        // Each hasher of the standard library has a key of its own.
        RandomState::new().build_hasher().finish()
    }
}
