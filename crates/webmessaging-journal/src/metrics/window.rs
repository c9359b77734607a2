//! Latencies of the last minutes: a histogram for each part of the window, the oldest of which makes room.

use std::collections::VecDeque;
use std::fmt;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

/// An hour; what takes longer counts as an hour.
const MICROS_MAX: u64 = 3_600_000_000;

/// Two digits, so that a percentile is wrong by at most one in a hundred.
const DIGITS: u8 = 2;

/// A window that moves on part by part.
pub(super) struct Window {
    part: Duration,
    parts: u32,
    began: Instant,
    /// With the number of its part since the beginning, in ascending order.
    slots: VecDeque<(u128, Histogram<u32>)>,
}

impl Window {
    pub(super) fn new(window: Duration, parts: u32, now: Instant) -> Self {
        let part = (window / parts.max(1)).max(Duration::from_millis(1));
        Self { part, parts, began: now, slots: VecDeque::new() }
    }

    pub(super) fn record(&mut self, latency: Duration, now: Instant) {
        let number = self.move_on(now);
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX).clamp(1, MICROS_MAX);
        match self.slots.back_mut() {
            // A clock that went back, or a thread that was held up, is counted with the newest.
            Some((newest, histogram)) if *newest >= number => histogram.saturating_record(micros),
            _ => {
                let Some(mut histogram) = empty() else { return };
                histogram.saturating_record(micros);
                self.slots.push_back((number, histogram));
            }
        }
    }

    /// What is within the window.
    pub(super) fn recent(&mut self, now: Instant) -> Recent {
        self.move_on(now);
        let mut all = empty();
        for (_, histogram) in &self.slots {
            if let Some(all) = &mut all {
                // Both have the same bounds, so it cannot fail.
                let _ = all.add(histogram);
            }
        }
        Recent(all)
    }

    /// Forgets the parts that are out of the window, and returns the number of the current one.
    fn move_on(&mut self, now: Instant) -> u128 {
        let since = now.saturating_duration_since(self.began);
        let number = since.as_micros() / self.part.as_micros().max(1);
        while self.slots.front().is_some_and(|(oldest, _)| oldest + u128::from(self.parts) <= number) {
            self.slots.pop_front();
        }
        number
    }
}

impl fmt::Debug for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Window").field("part", &self.part).finish_non_exhaustive()
    }
}

/// The bounds are constants that the histogram takes, so it cannot fail.
fn empty() -> Option<Histogram<u32>> {
    Histogram::new_with_bounds(1, MICROS_MAX, DIGITS).ok()
}

/// All latencies of a window.
pub(super) struct Recent(Option<Histogram<u32>>);

impl Recent {
    pub(super) fn count(&self) -> u64 {
        self.0.as_ref().map_or(0, Histogram::len)
    }

    /// In seconds; `None` of nothing.
    pub(super) fn percentile(&self, part: f64) -> Option<f64> {
        let histogram = self.some()?;
        let micros = histogram.value_at_quantile(part).min(histogram.max());
        Some(Duration::from_micros(micros).as_secs_f64())
    }

    pub(super) fn mean(&self) -> Option<f64> {
        self.some().map(|histogram| histogram.mean() / 1e6)
    }

    fn some(&self) -> Option<&Histogram<u32>> {
        self.0.as_ref().filter(|histogram| !histogram.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::clock::{Clock, SystemClock};

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn what_is_older_than_the_window_is_forgotten_part_by_part() {
        let start = SystemClock.now();
        let mut window = Window::new(10 * SECOND, 5, start);
        for second in 0..10 {
            window.record(Duration::from_millis(100), start + second * SECOND);
        }
        let counts = [9, 10, 11, 12, 18, 20].map(|second| window.recent(start + second * SECOND).count());
        assert_eq!(counts, [10, 8, 8, 6, 0, 0]);
        assert_eq!(window.recent(start + 20 * SECOND).percentile(0.5), None);
        assert_eq!(window.recent(start + 20 * SECOND).mean(), None);
    }

    #[test]
    fn there_are_never_more_parts_than_asked_for() {
        let start = SystemClock.now();
        let mut window = Window::new(10 * SECOND, 5, start);
        for second in 0..10_000 {
            window.record(SECOND, start + second * SECOND);
            assert!(window.slots.len() <= 5);
        }
        window.record(SECOND, start);
        assert!(window.slots.len() <= 5, "a clock that goes back makes no part of its own");
    }

    #[test]
    fn extremes_are_counted() {
        let start = SystemClock.now();
        let mut window = Window::new(SECOND, 1, start);
        window.record(Duration::ZERO, start);
        window.record(Duration::MAX, start);
        let recent = window.recent(start);
        assert_eq!(recent.count(), 2);
        assert!(recent.percentile(1.0).is_some_and(|longest| (3_560.0..=3_640.0).contains(&longest)));
    }

    proptest! {
        /// A percentile is wrong by at most one in a hundred, and a higher one is never lower.
        #[test]
        fn percentiles_are_close(mut micros in prop::collection::vec(1..3_000_000_000_u64, 1..200)) {
            let start = SystemClock.now();
            let mut window = Window::new(10 * SECOND, 5, start);
            for (second, micros) in (0..).zip(&micros) {
                window.record(Duration::from_micros(*micros), start + (second % 10) * SECOND);
            }
            micros.sort_unstable();
            let recent = window.recent(start + 9 * SECOND);
            let mut before = 0.0;
            for percent in [1_u8, 10, 50, 90, 99, 100] {
                let rank = (micros.len() * usize::from(percent)).div_ceil(100);
                let real = Duration::from_micros(micros[rank - 1]).as_secs_f64();
                let told = recent.percentile(f64::from(percent) / 100.0).unwrap();
                prop_assert!((told - real).abs() <= real / 100.0 + 1e-6, "p{percent}: {told} for {real}");
                prop_assert!(before <= told);
                before = told;
            }
        }
    }
}
