//! The emulator's clock, and the only file of the crate that reads a clock or waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Real time plus whatever was added with [`advance`](Self::advance).
///
/// Tokens, signed URLs and scans follow this clock, so a test makes them expire without waiting. Clones are cheap
/// and share one clock.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let emulator = webmessaging_emulator::Emulator::builder().start().await?;
/// let before = emulator.clock().now();
/// emulator.clock().advance(Duration::from_secs(300));
/// assert!(emulator.clock().now() >= before + Duration::from_secs(300));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct EmulatorClock {
    ahead_nanos: Arc<AtomicU64>,
}

impl EmulatorClock {
    /// Moves the clock forward by `by`, at once and for every clone.
    ///
    /// The sum of all advances is capped at about 584 years.
    pub fn advance(&self, by: Duration) {
        let nanos = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
        // The closure always gives a value, so the update cannot fail.
        let _ = self
            .ahead_nanos
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |ahead| Some(ahead.saturating_add(nanos)));
    }

    /// The emulator's present moment.
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everything else takes")]
    pub fn now(&self) -> SystemTime {
        let real = SystemTime::now();
        let ahead = Duration::from_nanos(self.ahead_nanos.load(Ordering::SeqCst));
        real.checked_add(ahead).unwrap_or(real)
    }

    /// The present moment in whole seconds since 1970, rounded down.
    pub(crate) fn unix_seconds(&self) -> u64 {
        self.now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
    }
}

/// Waits for `real` time, whatever the emulator's clock says.
#[expect(clippy::disallowed_methods, reason = "the one place that waits")]
pub(crate) async fn wait(real: Duration) {
    tokio::time::sleep(real).await;
}

/// Waits for `work`, but no longer than `limit` of real time; tells whether it ended.
#[expect(clippy::disallowed_methods, reason = "the one place that waits")]
pub(crate) async fn within(limit: Duration, work: impl Future) -> bool {
    tokio::time::timeout(limit, work).await.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_advance_is_seen_by_every_clone_and_adds_up() {
        let clock = EmulatorClock::default();
        let clone = clock.clone();
        let before = clock.now();
        clock.advance(Duration::from_secs(60));
        clone.advance(Duration::from_secs(40));
        assert!(clock.now().duration_since(before).unwrap() >= Duration::from_secs(100));
        assert!(clone.now().duration_since(before).unwrap() >= Duration::from_secs(100));
    }

    #[test]
    fn an_enormous_advance_saturates() {
        let clock = EmulatorClock::default();
        clock.advance(Duration::MAX);
        clock.advance(Duration::MAX);
        assert!(clock.unix_seconds() > u64::MAX / 1_000_000_000);
    }
}
