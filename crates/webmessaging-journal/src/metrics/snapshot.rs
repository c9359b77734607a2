//! The figures at one moment, as plain data.

use std::collections::BTreeMap;

use serde::Serialize;

/// What [`Metrics`](super::Metrics) has counted so far.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct MetricsSnapshot {
    /// Events by action, outcome and cause.
    pub events: Vec<EventCount>,
    /// By activity, which is what a success and a failure of the same thing have in common: `file.upload`,
    /// `bot_message.send`, `delivery`; else the action.
    pub activities: BTreeMap<&'static str, ActivityMetrics>,
    /// By feature, how often channels have had it.
    pub features: BTreeMap<String, FeatureMetrics>,
    /// What was stored.
    pub capacity: CapacityMetrics,
    /// How far back percentiles look, in seconds.
    pub window_seconds: f64,
}

/// Events of one action that ended in one way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct EventCount {
    /// The action, or `unknown`.
    pub action: &'static str,
    /// `success`, `failure`, `blocked` or `unknown`.
    pub outcome: &'static str,
    /// The code of the failure, or the reason of the block.
    pub cause: Option<String>,
    /// How many there were.
    pub count: u64,
}

/// How one activity went.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ActivityMetrics {
    /// Successes, failures and blocks.
    pub total: u64,
    /// Successes.
    pub successes: u64,
    /// Successes as a part of all, from 0 to 1; `None` of nothing.
    pub success_rate: Option<f64>,
    /// Failures by the code of what was in the way.
    pub failures: BTreeMap<String, u64>,
    /// Blocks by their reason.
    pub blocks: BTreeMap<String, u64>,
    /// How long it took.
    pub latency: LatencyMetrics,
}

/// How long something took. Mean, percentiles and maximum are those of the window; each is `None` of nothing, and wrong by
/// at most one in a hundred. What took longer than an hour counts there as an hour.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct LatencyMetrics {
    /// Latencies since the beginning.
    pub count: u64,
    /// All of them together.
    pub sum_seconds: f64,
    /// Latencies in the window.
    pub recent_count: u64,
    /// The mean.
    pub mean_seconds: Option<f64>,
    /// What half of them did not exceed.
    pub p50_seconds: Option<f64>,
    /// What nine of ten did not exceed.
    pub p90_seconds: Option<f64>,
    /// What 99 of 100 did not exceed.
    pub p99_seconds: Option<f64>,
    /// The longest.
    pub max_seconds: Option<f64>,
}

/// How often a feature was there when somebody looked.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct FeatureMetrics {
    /// Looks.
    pub total: u64,
    /// Looks that found it.
    pub available: u64,
    /// The second as a part of the first, from 0 to 1; `None` of nothing.
    pub rate: Option<f64>,
}

impl FeatureMetrics {
    pub(super) fn count(&mut self, available: bool) {
        self.total = self.total.saturating_add(1);
        self.available = self.available.saturating_add(u64::from(available));
        self.rate = rate(self.available, self.total);
    }
}

/// What was stored: files and transfers that were uploaded. That something was deleted nobody tells.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CapacityMetrics {
    /// Files since the beginning.
    pub files: u64,
    /// Their bytes.
    pub stored_bytes: u64,
    /// The same and what was there before.
    pub used_bytes: u64,
    /// How many bytes there is room for.
    pub quota_bytes: Option<u64>,
    /// How many bytes a day takes, in the mean of the days that are kept; `None` of less than an hour.
    pub bytes_per_day: Option<f64>,
    /// How many days the room lasts if it goes on like that; `None` where that cannot be told.
    pub days_until_full: Option<f64>,
    /// The days with anything, the oldest first.
    pub days: Vec<DayMetrics>,
}

/// One day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct DayMetrics {
    /// The day of UTC, such as `2026-11-25`.
    pub date: String,
    /// Files that were stored.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// A part of a whole; `None` of nothing.
pub(super) fn rate(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| float(part) / float(whole))
}

#[expect(clippy::cast_precision_loss, reason = "beyond 2^53 one more does not matter")]
pub(super) fn float(count: u64) -> f64 {
    count as f64
}
