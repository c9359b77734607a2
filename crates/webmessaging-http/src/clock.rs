//! Time, waiting and randomness as parameters, so that every policy can be tested without waiting.

use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::pin::Pin;
use std::time::{Duration, Instant, SystemTime};

/// A wait in progress.
pub type Wait = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Tells time and waits.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The monotonic time, for deadlines and token lifetimes.
    fn now(&self) -> Instant;

    /// The calendar time, for `Retry-After` dates of answers that carry no `Date`.
    fn wall(&self) -> SystemTime;

    /// Waits on purpose, for example before a retry.
    fn sleep(&self, duration: Duration) -> Wait;

    /// Ends when something else has taken too long. It is a wait of its own because a test that skips
    /// [`sleep`](Self::sleep) must not thereby time out the network.
    fn watchdog(&self, duration: Duration) -> Wait;
}

/// The clock of the tokio runtime; it follows tokio's paused time.
#[derive(Debug, Clone, Copy, Default)]
pub struct TokioClock;

#[expect(clippy::disallowed_methods, reason = "the one place that reads the clock and waits")]
impl Clock for TokioClock {
    fn now(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }

    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }

    fn sleep(&self, duration: Duration) -> Wait {
        Box::pin(tokio::time::sleep(duration))
    }

    fn watchdog(&self, duration: Duration) -> Wait {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// Gives random numbers, for jitter and correlation ids. Nothing secret is made of them.
pub trait Entropy: fmt::Debug + Send + Sync + 'static {
    /// 64 random bits.
    fn bits(&self) -> u64;
}

/// Randomness from keys that the operating system gave once for each thread; a system call for each number would cost
/// more than the rest of a call's preparation.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn bits(&self) -> u64 {
        // Each hasher of the standard library has a key of its own.
        RandomState::new().build_hasher().finish()
    }
}

/// A random part of a duration: anything from zero to the whole, evenly spread.
pub(crate) fn full_jitter(entropy: &dyn Entropy, whole: Duration) -> Duration {
    // 53 bits are what an f64 holds exactly.
    #[expect(clippy::cast_precision_loss, reason = "both numbers have at most 53 bits")]
    let part = (entropy.bits() >> 11) as f64 / (1_u64 << 53) as f64;
    whole.mul_f64(part)
}

/// A fresh id for one call: a UUID, version 4.
pub(crate) fn correlation_id(entropy: &dyn Entropy) -> String {
    let mut bytes = [0; 16];
    let (high, low) = bytes.split_at_mut(8);
    high.copy_from_slice(&entropy.bits().to_be_bytes());
    low.copy_from_slice(&entropy.bits().to_be_bytes());
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}
