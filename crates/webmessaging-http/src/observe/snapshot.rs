//! The state of the metrics at one moment, as plain data.

use std::collections::BTreeMap;

use serde::Serialize;

/// What [`Metrics`](super::Metrics) has counted so far. All numbers only grow, but for percentiles and states.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct MetricsSnapshot {
    /// By the name of the operation.
    pub operations: BTreeMap<&'static str, OperationMetrics>,
    /// Logins by outcome: `ok`, `taken_over` (another process had logged in), or the code of an error's kind.
    pub logins: BTreeMap<&'static str, u64>,
    /// By host, the state of each breaker that has ever opened: `closed`, `open` or `half_open`.
    pub breakers: BTreeMap<String, &'static str>,
}

/// The calls of one operation.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct OperationMetrics {
    /// Calls by outcome: `ok`, or the code of an error's kind.
    pub calls: BTreeMap<&'static str, u64>,
    /// Attempts, retries included.
    pub attempts: u64,
    /// Attempts that another one followed.
    pub retries: u64,
    /// How long calls took, waits included.
    pub latency: LatencyMetrics,
    /// Bytes of requests' bodies that were handed to the network.
    pub sent_bytes: u64,
    /// Bytes of answers' bodies that were read.
    pub received_bytes: u64,
    /// Waits by their cause; [`WaitCause::code`](super::WaitCause::code) lists them.
    pub waits: BTreeMap<&'static str, WaitMetrics>,
}

/// How long calls took.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LatencyMetrics {
    /// Calls.
    pub count: u64,
    /// All together.
    pub sum_seconds: f64,
    /// The longest.
    pub max_seconds: f64,
    /// What half of the calls did not exceed; `None` without calls. Percentiles are interpolated between two bounds.
    pub p50_seconds: Option<f64>,
    /// What nine of ten calls did not exceed.
    pub p90_seconds: Option<f64>,
    /// What 99 of 100 calls did not exceed.
    pub p99_seconds: Option<f64>,
    /// How many calls took at most as long, for each of [`LATENCY_BOUNDS_SECONDS`](super::LATENCY_BOUNDS_SECONDS).
    pub buckets: Vec<Bucket>,
}

/// One bound of a histogram.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Bucket {
    /// The bound.
    pub up_to_seconds: f64,
    /// Calls that took at most as long.
    pub count: u64,
}

/// Waits for one cause.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct WaitMetrics {
    /// Waits that are over.
    pub count: u64,
    /// All together.
    pub sum_seconds: f64,
}
