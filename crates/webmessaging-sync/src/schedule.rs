//! When a delivery that failed is tried again: waits that grow, spread by chance, over days.

use std::time::Duration;

use webmessaging_http::Entropy;

/// Most waits of a schedule.
pub const WAITS_MAX: usize = 50;

/// Longest wait, and longest `Retry-After` that is obeyed: a day.
pub const WAIT_MAX: Duration = Duration::from_secs(86_400);

/// Shortest `Retry-After` that is obeyed.
const RETRY_AFTER_MIN: Duration = Duration::from_secs(1);

const SECONDS: [u64; 12] = [5, 30, 120, 600, 1_800, 3_600, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];

/// The waits between the attempts of one item.
///
/// By default 5 s, 30 s, 2 min, 10 min, 30 min, 1 h, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h: 13 attempts, at most 76 hours 42 minutes
/// apart. Each wait is drawn evenly from zero to the whole (full jitter), so that what failed together does not come back
/// together; on average an outage of a day and a half is bridged. Where the other side names a wait, that one goes first, between a second and
/// a day, with up to a second on top.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use webmessaging_sync::Schedule;
///
/// let quick = Schedule::new([Duration::from_secs(1), Duration::from_secs(60)]);
/// assert_eq!(quick.attempts(), 3);
/// assert_eq!(Schedule::default().attempts(), 13);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule(Vec<Duration>);

impl Default for Schedule {
    fn default() -> Self {
        Self(SECONDS.into_iter().map(Duration::from_secs).collect())
    }
}

impl Schedule {
    /// A schedule of these waits. Those beyond [`WAITS_MAX`] are left out, and longer ones are cut to [`WAIT_MAX`]; a target file with
    /// such is refused.
    #[must_use]
    pub fn new(waits: impl IntoIterator<Item = Duration>) -> Self {
        Self(waits.into_iter().take(WAITS_MAX).map(|wait| wait.min(WAIT_MAX)).collect())
    }

    /// How many times an item is tried before it becomes a dead letter.
    pub fn attempts(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// The waits, the whole of them.
    pub fn waits(&self) -> &[Duration] {
        &self.0
    }

    /// The wait after the attempt of this number, from 1; `None` when that was the last.
    pub(crate) fn wait_after(
        &self,
        attempt: u32,
        asked: Option<Duration>,
        entropy: &dyn Entropy,
    ) -> Option<Duration> {
        let index = usize::try_from(attempt.saturating_sub(1)).unwrap_or(usize::MAX);
        let whole = *self.0.get(index)?;
        let own = part_of(whole, entropy);
        // Never earlier than the other side says. Never much earlier than the schedule either: a system that says "in a second" for an
        // hour would use up all attempts within a minute.
        Some(match asked {
            Some(asked) => own.max(clamped(asked).saturating_add(part_of(RETRY_AFTER_MIN, entropy))),
            None => own,
        })
    }
}

/// A wait that the other side asked for, as far as it is obeyed.
pub(crate) fn clamped(asked: Duration) -> Duration {
    asked.clamp(RETRY_AFTER_MIN, WAIT_MAX)
}

/// Anything from zero to the whole, evenly spread, in whole milliseconds.
fn part_of(whole: Duration, entropy: &dyn Entropy) -> Duration {
    let millis = u64::try_from(whole.as_millis()).unwrap_or(u64::MAX).min(u64::from(u32::MAX));
    Duration::from_millis((millis * (entropy.bits() >> 32)) >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Fixed(u64);

    impl Entropy for Fixed {
        fn bits(&self) -> u64 {
            self.0
        }
    }

    const HALF: Fixed = Fixed(1 << 63);

    #[test]
    fn the_default_spans_days_and_ends() {
        let schedule = Schedule::default();
        let wait = |attempt| schedule.wait_after(attempt, None, &HALF);
        assert_eq!(wait(1), Some(Duration::from_millis(2_500)));
        assert_eq!(wait(12), Some(Duration::from_secs(43_200)));
        assert_eq!((wait(13), wait(u32::MAX)), (None, None));
        assert_eq!(schedule.waits().iter().sum::<Duration>(), Duration::from_secs(276_155));
    }

    #[test]
    fn chance_spreads_a_wait_over_its_whole() {
        let schedule = Schedule::new([WAIT_MAX]);
        assert_eq!(schedule.wait_after(1, None, &Fixed(0)), Some(Duration::ZERO));
        let longest = schedule.wait_after(1, None, &Fixed(u64::MAX)).unwrap();
        assert!(longest < WAIT_MAX && longest > Duration::from_secs(86_399), "{longest:?}");
    }

    #[test]
    fn what_the_other_side_asks_for_is_waited_for_within_a_second_and_a_day() {
        let schedule = Schedule::default();
        let asked = |wait| schedule.wait_after(1, Some(wait), &Fixed(0)).unwrap();
        assert_eq!(asked(Duration::ZERO), Duration::from_secs(1));
        assert_eq!(asked(Duration::from_secs(7)), Duration::from_secs(7));
        assert_eq!(asked(Duration::MAX), WAIT_MAX);
        assert_eq!(
            schedule.wait_after(1, Some(Duration::MAX), &HALF),
            Some(WAIT_MAX + Duration::from_millis(500))
        );
        // "In a second", said for hours, does not use up the attempts of days.
        let second = Some(Duration::from_secs(1));
        assert_eq!(schedule.wait_after(12, second, &HALF), Some(Duration::from_secs(43_200)));
        // It asks for a wait, not for more attempts than there are.
        assert_eq!(schedule.wait_after(13, Some(Duration::ZERO), &HALF), None);
    }

    #[test]
    fn a_schedule_is_bounded() {
        let schedule = Schedule::new(std::iter::repeat(Duration::MAX));
        assert_eq!((schedule.waits().len(), schedule.waits()[0]), (WAITS_MAX, WAIT_MAX));
        assert_eq!(Schedule::new([]).attempts(), 1);
    }
}
