//! Counters of one activity, and labels that have an end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::is_counted;
use super::snapshot::{ActivityMetrics, LatencyMetrics, rate};
use super::window::Window;
use crate::kind::{Cause, Outcome};

/// So many labels of a kind; further ones share [`OTHER`].
const LABELS_MAX: usize = 64;
const OTHER: &str = "other";

/// Names that are used as labels.
#[derive(Debug, Default)]
pub(super) struct Labels(BTreeSet<Arc<str>>);

impl Labels {
    /// The name as a label, if it is a stable name and there is room for it.
    pub(super) fn label(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.0.get(name) {
            return Arc::clone(known);
        }
        let label: Arc<str> = Cause::new(name.to_owned()).as_str().into();
        if &*label == OTHER || self.0.len() >= LABELS_MAX {
            return OTHER.into();
        }
        self.0.insert(Arc::clone(&label));
        label
    }
}

/// What is counted of one activity.
#[derive(Debug)]
pub(super) struct Activity {
    total: u64,
    successes: u64,
    failures: BTreeMap<Arc<str>, u64>,
    blocks: BTreeMap<Arc<str>, u64>,
    latencies: u64,
    latency_sum: Duration,
    window: Window,
}

impl Activity {
    pub(super) fn new(window: Window) -> Self {
        Self {
            total: 0,
            successes: 0,
            failures: BTreeMap::new(),
            blocks: BTreeMap::new(),
            latencies: 0,
            latency_sum: Duration::ZERO,
            window,
        }
    }

    pub(super) fn count(
        &mut self,
        outcome: Outcome<'_>,
        cause: Option<Arc<str>>,
        latency: Option<Duration>,
        now: Instant,
    ) {
        if is_counted(outcome) {
            self.total = self.total.saturating_add(1);
        }
        let by_cause = match outcome {
            Outcome::Success => {
                self.successes = self.successes.saturating_add(1);
                None
            }
            Outcome::Failure { .. } => Some(&mut self.failures),
            Outcome::Blocked { .. } => Some(&mut self.blocks),
            Outcome::Unknown => None,
        };
        if let (Some(by_cause), Some(cause)) = (by_cause, cause) {
            let count = by_cause.entry(cause).or_default();
            *count = count.saturating_add(1);
        }
        if let Some(latency) = latency {
            self.latencies = self.latencies.saturating_add(1);
            self.latency_sum = self.latency_sum.saturating_add(latency);
            self.window.record(latency, now);
        }
    }

    pub(super) fn snapshot(&mut self, now: Instant) -> ActivityMetrics {
        let named = |counts: &BTreeMap<Arc<str>, u64>| {
            counts.iter().map(|(name, count)| (name.to_string(), *count)).collect()
        };
        let recent = self.window.recent(now);
        let percentile = |part: f64| recent.percentile(part);
        ActivityMetrics {
            total: self.total,
            successes: self.successes,
            success_rate: rate(self.successes, self.total),
            failures: named(&self.failures),
            blocks: named(&self.blocks),
            latency: LatencyMetrics {
                count: self.latencies,
                sum_seconds: self.latency_sum.as_secs_f64(),
                recent_count: recent.count(),
                mean_seconds: recent.mean(),
                p50_seconds: percentile(0.5),
                p90_seconds: percentile(0.9),
                p99_seconds: percentile(0.99),
                max_seconds: percentile(1.0),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_have_an_end_and_are_stable_names() {
        let mut labels = Labels::default();
        for number in 0..LABELS_MAX {
            assert_eq!(&*labels.label(&format!("cause-{number}")), format!("cause-{number}"));
        }
        assert_eq!(&*labels.label("one-more"), OTHER);
        assert_eq!(&*labels.label("cause-0"), "cause-0");
        assert_eq!(&*Labels::default().label("jane@example.com"), OTHER);
        assert_eq!(&*Labels::default().label("a\"b\n"), OTHER);
    }
}
