//! A latency histogram with fixed bounds, and percentiles that are read out of it.

use std::time::Duration;

/// The default bounds of the Prometheus clients, 5 ms to 10 s, carried on in the same steps to the longest a call takes
/// when it waits: it has 120 s by default.
pub const LATENCY_BOUNDS_SECONDS: [f64; 14] =
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0];

#[derive(Debug, Clone, Default)]
pub(super) struct Histogram {
    /// One for each bound, each with what is above the bound before.
    counts: [u64; LATENCY_BOUNDS_SECONDS.len()],
    /// Above the last bound.
    over: u64,
    sum: Duration,
    max: Duration,
}

impl Histogram {
    pub(super) fn observe(&mut self, latency: Duration) {
        let seconds = latency.as_secs_f64();
        let mut places = self.counts.iter_mut().zip(LATENCY_BOUNDS_SECONDS);
        let place = places.find(|(_, bound)| seconds <= *bound).map(|(count, _)| count);
        let count = place.unwrap_or(&mut self.over);
        *count = count.saturating_add(1);
        self.sum = self.sum.saturating_add(latency);
        self.max = self.max.max(latency);
    }

    pub(super) fn count(&self) -> u64 {
        self.counts.iter().sum::<u64>().saturating_add(self.over)
    }

    pub(super) fn sum(&self) -> Duration {
        self.sum
    }

    pub(super) fn max(&self) -> Duration {
        self.max
    }

    /// How many were at most as long, for each bound.
    pub(super) fn cumulative(&self) -> impl Iterator<Item = (f64, u64)> {
        let counts = self.counts.iter().scan(0, |sum: &mut u64, count| {
            *sum = sum.saturating_add(*count);
            Some(*sum)
        });
        LATENCY_BOUNDS_SECONDS.into_iter().zip(counts)
    }

    /// The latency in seconds that the given part did not exceed, as if latencies were spread evenly between two bounds;
    /// `None` of nothing.
    pub(super) fn percentile(&self, part: f64) -> Option<f64> {
        let all = self.count();
        if all == 0 {
            return None;
        }
        let max = self.max.as_secs_f64();
        let rank = part * float(all);
        let (mut lower, mut below) = (0.0, 0.0);
        for (upper, count) in
            self.cumulative().map(|(bound, count)| (bound, float(count))).chain([(max, float(all))])
        {
            if count >= rank && count > below {
                let within = (rank - below).max(0.0) / (count - below);
                return Some((lower + (upper - lower) * within).min(max));
            }
            (lower, below) = (upper, count);
        }
        Some(max)
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of calls; beyond 2^53 one more does not matter")]
fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn histogram(millis: &[u64]) -> Histogram {
        let mut histogram = Histogram::default();
        for millis in millis {
            histogram.observe(Duration::from_millis(*millis));
        }
        histogram
    }

    #[test]
    fn percentiles_lie_evenly_between_two_bounds() {
        // Ten between 100 ms and 250 ms, ten between 1 s and 2.5 s.
        let twenty: Vec<_> = [[200; 10], [2_000; 10]].concat();
        let histogram = histogram(&twenty);
        assert_eq!(histogram.percentile(0.25), Some(0.175));
        assert_eq!(histogram.percentile(0.5), Some(0.25));
        assert_eq!(histogram.percentile(0.75), Some(1.75));
        assert_eq!(histogram.percentile(1.0), Some(2.0), "never more than the longest");
    }

    #[test]
    fn nothing_has_no_percentile_and_what_is_longer_than_the_last_bound_has_one() {
        assert_eq!(histogram(&[]).percentile(0.5), None);
        let long = histogram(&[100_000, 200_000, 300_000]);
        assert_eq!(long.cumulative().last(), Some((100.0, 1)));
        assert_eq!(long.percentile(1.0), Some(300.0));
        assert_eq!(histogram(&[0]).percentile(0.99), Some(0.0));
    }

    #[test]
    fn a_bound_belongs_to_what_is_below_it() {
        let counts: Vec<_> = histogram(&[5, 6]).cumulative().take(2).collect();
        assert_eq!(counts, [(0.005, 1), (0.01, 2)]);
    }

    fn bounds_around(seconds: f64) -> (f64, f64) {
        let above = LATENCY_BOUNDS_SECONDS.iter().position(|bound| seconds <= *bound);
        let upper = above.map_or(f64::INFINITY, |at| LATENCY_BOUNDS_SECONDS[at]);
        let below = above.unwrap_or(LATENCY_BOUNDS_SECONDS.len()).checked_sub(1);
        (below.map_or(0.0, |at| LATENCY_BOUNDS_SECONDS[at]), upper)
    }

    proptest! {
        /// An estimate is in the same bucket as the true value, and a higher percentile is never lower.
        #[test]
        fn estimates_are_as_good_as_the_bounds(mut millis in prop::collection::vec(0..200_000_u64, 1..200)) {
            let histogram = histogram(&millis);
            millis.sort_unstable();
            let mut before = 0.0;
            for percent in [1_u8, 10, 50, 90, 99, 100] {
                let estimate = histogram.percentile(f64::from(percent) / 100.0).unwrap();
                let rank = (millis.len() * usize::from(percent)).div_ceil(100);
                let (lower, upper) = bounds_around(Duration::from_millis(millis[rank - 1]).as_secs_f64());
                prop_assert!(lower <= estimate && estimate <= upper, "p{percent}: {lower} {estimate} {upper}");
                prop_assert!(before <= estimate);
                before = estimate;
            }
            prop_assert!(before <= histogram.max().as_secs_f64());
            prop_assert_eq!(histogram.count(), millis.len() as u64);
        }
    }
}
