//! The emulator's clock, and the only file of the crate that reads a clock or waits.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;

/// The farthest that a clock can be from real time, in nanoseconds.
const OFFSET_MAX: i128 = u64::MAX as i128;

/// Real time plus whatever was added with [`advance`](Self::advance).
///
/// Restoring a snapshot puts the clock back to the snapshot's moment, a reset to real time. Tokens, signed URLs, scans
/// and webhook deliveries follow this clock, so a test makes them expire, end and be repeated without waiting. Clones are
/// cheap and share one clock.
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
    /// Negative behind real time.
    ahead_nanos: Arc<watch::Sender<i128>>,
}

impl EmulatorClock {
    /// Moves the clock forward by `by`, at once and for every clone. What is due by then happens without delay.
    ///
    /// The sum of all advances is capped at about 584 years.
    pub fn advance(&self, by: Duration) {
        let nanos = i128::try_from(by.as_nanos()).unwrap_or(OFFSET_MAX);
        self.ahead_nanos.send_modify(|ahead| *ahead = ahead.saturating_add(nanos).min(OFFSET_MAX));
    }

    /// The emulator's present moment.
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everything else takes")]
    pub fn now(&self) -> SystemTime {
        shifted(SystemTime::now(), *self.ahead_nanos.borrow())
    }

    /// Makes `moment` the present one.
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everything else takes")]
    pub(crate) fn set(&self, moment: SystemTime) {
        let real = SystemTime::now();
        let nanos = |by: Duration| i128::try_from(by.as_nanos()).map_or(OFFSET_MAX, |by| by.min(OFFSET_MAX));
        let ahead = match moment.duration_since(real) {
            Ok(ahead) => nanos(ahead),
            Err(behind) => -nanos(behind.duration()),
        };
        self.ahead_nanos.send_replace(ahead);
    }

    /// Goes with real time again.
    pub(crate) fn reset(&self) {
        self.ahead_nanos.send_replace(0);
    }

    /// How far the clock is ahead of real time in seconds; negative behind it.
    pub(crate) fn ahead_seconds(&self) -> f64 {
        let offset = *self.ahead_nanos.borrow();
        let seconds = Duration::from_nanos(nanos(offset)).as_secs_f64();
        if offset < 0 { -seconds } else { seconds }
    }

    /// The present moment in whole seconds since 1970, rounded down.
    pub(crate) fn unix_seconds(&self) -> u64 {
        self.now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
    }

    /// Waits until this clock shows `at`; real time passes, and an advance counts at once.
    #[expect(clippy::disallowed_methods, reason = "the one place that waits")]
    pub(crate) async fn wait_until(&self, at: SystemTime) {
        let mut advances = self.ahead_nanos.subscribe();
        loop {
            // An advance after the subscription is seen below, one before it here.
            let left = at.duration_since(self.now()).unwrap_or_default();
            if left.is_zero() {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(left) => {}
                // The sender is part of this clock, so it cannot be gone.
                _ = advances.changed() => {}
            }
        }
    }

    /// What `work` gives, or `None` when this clock shows `at` first.
    pub(crate) async fn before<T>(&self, at: SystemTime, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            result = work => Some(result),
            () = self.wait_until(at) => None,
        }
    }
}

/// `at` plus `by`, or the `at` itself where time cannot be written any more.
pub(crate) fn later(at: SystemTime, by: Duration) -> SystemTime {
    at.checked_add(by).unwrap_or(at)
}

/// A moment as the platform writes it: ISO 8601 in UTC with milliseconds.
pub(crate) fn timestamp(at: SystemTime) -> String {
    humantime::format_rfc3339_millis(at).to_string()
}

fn shifted(real: SystemTime, offset: i128) -> SystemTime {
    let by = Duration::from_nanos(nanos(offset));
    let shifted = if offset < 0 { real.checked_sub(by) } else { real.checked_add(by) };
    shifted.unwrap_or(real)
}

fn nanos(offset: i128) -> u64 {
    u64::try_from(offset.unsigned_abs()).unwrap_or(u64::MAX)
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

    #[tokio::test]
    async fn an_advance_ends_a_wait_that_has_begun() {
        let clock = EmulatorClock::default();
        let hour = Duration::from_secs(3_600);
        let wait = tokio::spawn({
            let clock = clock.clone();
            async move { clock.wait_until(later(clock.now(), hour)).await }
        });
        tokio::task::yield_now().await;
        clock.advance(hour / 2);
        tokio::task::yield_now().await;
        assert!(!wait.is_finished());
        clock.advance(hour / 2);
        tokio::task::yield_now().await;
        assert!(wait.is_finished());
    }

    #[tokio::test]
    async fn a_clock_that_is_set_back_makes_a_wait_longer() {
        let clock = EmulatorClock::default();
        let hour = Duration::from_secs(3_600);
        let start = clock.now();
        let wait = tokio::spawn({
            let clock = clock.clone();
            async move { clock.wait_until(later(start, hour)).await }
        });
        tokio::task::yield_now().await;
        clock.advance(hour / 2);
        tokio::task::yield_now().await;
        clock.set(start);
        tokio::task::yield_now().await;
        clock.advance(hour * 3 / 4);
        tokio::task::yield_now().await;
        assert!(!wait.is_finished());
        clock.advance(hour / 4);
        tokio::task::yield_now().await;
        assert!(wait.is_finished());
    }

    #[tokio::test]
    async fn what_is_past_needs_no_wait_and_real_time_counts() {
        let clock = EmulatorClock::default();
        clock.wait_until(UNIX_EPOCH).await;
        clock.wait_until(later(clock.now(), Duration::from_millis(1))).await;
    }

    #[tokio::test]
    async fn work_that_is_done_wins_over_a_time_that_is_past() {
        let clock = EmulatorClock::default();
        assert_eq!(clock.before(UNIX_EPOCH, std::future::ready(1)).await, Some(1));
        assert_eq!(clock.before(UNIX_EPOCH, std::future::pending::<()>()).await, None);
    }

    #[test]
    fn timestamps_are_in_utc_with_milliseconds() {
        assert_eq!(
            timestamp(later(UNIX_EPOCH, Duration::from_millis(86_400_007))),
            "1970-01-02T00:00:00.007Z"
        );
        let clock = EmulatorClock::default();
        clock.advance(Duration::MAX);
        assert!(timestamp(clock.now()).starts_with("26"));
    }

    #[test]
    fn a_clock_can_be_put_back_to_a_moment_and_to_real_time() {
        let clock = EmulatorClock::default();
        let before = clock.now();
        clock.advance(Duration::from_secs(100));
        clock.set(before - Duration::from_secs(50));
        assert!(clock.ahead_seconds() < -49.0, "{}", clock.ahead_seconds());
        assert!(clock.now() < before);
        clock.advance(Duration::from_secs(100));
        assert!(clock.ahead_seconds() > 0.0);
        assert!(clock.now() >= before + Duration::from_secs(50));
        clock.reset();
        assert!(clock.ahead_seconds().abs() < 1e-9);
    }

    #[test]
    fn an_enormous_advance_saturates() {
        let clock = EmulatorClock::default();
        clock.advance(Duration::MAX);
        clock.advance(Duration::MAX);
        assert!(clock.unix_seconds() > u64::MAX / 1_000_000_000);
    }
}
