//! An observer that counts, for programs that show or export their own figures.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::histogram::Histogram;
use super::snapshot::{Bucket, LatencyMetrics, MetricsSnapshot, OperationMetrics, WaitMetrics};
use super::{AttemptEnded, BreakerChanged, CallEnded, LoginEnded, Observer, WaitEnded};
use crate::breaker::BreakerState;

/// No program calls more operations than this; further ones are counted together as [`OTHER`].
const OPERATIONS_MAX: usize = 500;

/// No client speaks with more hosts than this. Above it, closed breakers are forgotten, and further ones are not kept.
const HOSTS_MAX: usize = 1_000;

/// The name under which operations are counted that are too many to have their own.
const OTHER: &str = "other";

/// Counts calls, attempts, bytes, waits and logins, and knows how long calls take.
///
/// Cheap to clone; clones count together. One can observe several clients. Bounded: at most 500 operations, 1,000 hosts
/// and a fixed number of figures for each.
///
/// # Examples
/// ```
/// use webmessaging_http::{Client, Credentials, Metrics};
///
/// let metrics = Metrics::new();
/// let client = Client::builder(Credentials::new("id", "secret")).observer(metrics.clone()).build()?;
/// // ... calls ...
/// for (operation, figures) in metrics.snapshot().operations {
///     println!("{operation}: {} attempts, p99 {:?} s", figures.attempts, figures.latency.p99_seconds);
/// }
/// # Ok::<(), webmessaging_http::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Metrics(Arc<Mutex<Figures>>);

#[derive(Debug, Default)]
struct Figures {
    operations: HashMap<&'static str, Series>,
    logins: BTreeMap<&'static str, u64>,
    breakers: BTreeMap<Box<str>, BreakerState>,
}

#[derive(Debug, Default)]
struct Series {
    calls: BTreeMap<&'static str, u64>,
    attempts: u64,
    retries: u64,
    latency: Histogram,
    sent_bytes: u64,
    received_bytes: u64,
    waits: BTreeMap<&'static str, (u64, Duration)>,
}

impl Metrics {
    /// Figures that are all zero.
    pub fn new() -> Self {
        Self::default()
    }

    /// The figures of this moment.
    pub fn snapshot(&self) -> MetricsSnapshot {
        let figures = self.figures();
        let breakers = figures.breakers.iter().map(|(host, state)| (host.to_string(), state.code()));
        MetricsSnapshot {
            operations: figures.operations.iter().map(|(name, series)| (*name, series.snapshot())).collect(),
            logins: figures.logins.clone(),
            breakers: breakers.collect(),
        }
    }

    fn figures(&self) -> MutexGuard<'_, Figures> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Figures {
    fn of(&mut self, operation: &'static str) -> &mut Series {
        let is_known = self.operations.contains_key(operation);
        let name = if is_known || self.operations.len() < OPERATIONS_MAX { operation } else { OTHER };
        self.operations.entry(name).or_default()
    }
}

impl Series {
    fn snapshot(&self) -> OperationMetrics {
        let waits = self.waits.iter().map(|(cause, (count, sum))| {
            (*cause, WaitMetrics { count: *count, sum_seconds: sum.as_secs_f64() })
        });
        let bucket = |(up_to_seconds, count)| Bucket { up_to_seconds, count };
        OperationMetrics {
            calls: self.calls.clone(),
            attempts: self.attempts,
            retries: self.retries,
            latency: LatencyMetrics {
                count: self.latency.count(),
                sum_seconds: self.latency.sum().as_secs_f64(),
                max_seconds: self.latency.max().as_secs_f64(),
                p50_seconds: self.latency.percentile(0.5),
                p90_seconds: self.latency.percentile(0.9),
                p99_seconds: self.latency.percentile(0.99),
                buckets: self.latency.cumulative().map(bucket).collect(),
            },
            sent_bytes: self.sent_bytes,
            received_bytes: self.received_bytes,
            waits: waits.collect(),
        }
    }
}

impl Observer for Metrics {
    fn attempt_ended(&self, attempt: &AttemptEnded<'_>) {
        let mut figures = self.figures();
        let series = figures.of(attempt.operation().name);
        series.attempts += 1;
        series.retries += u64::from(attempt.retry_in().is_some());
        series.sent_bytes = series.sent_bytes.saturating_add(attempt.sent_bytes());
        series.received_bytes = series.received_bytes.saturating_add(attempt.received_bytes());
    }

    fn wait_ended(&self, wait: &WaitEnded<'_>) {
        let mut figures = self.figures();
        let (count, sum) = figures.of(wait.operation().name).waits.entry(wait.cause().code()).or_default();
        *count += 1;
        *sum = sum.saturating_add(wait.waited());
    }

    fn call_ended(&self, call: &CallEnded<'_>) {
        let mut figures = self.figures();
        let series = figures.of(call.operation().name);
        *series.calls.entry(call.outcome()).or_default() += 1;
        // What was refused before it began took no time, and would make the rest look quick.
        if call.correlation_id().is_some() {
            series.latency.observe(call.latency());
        }
    }

    fn login_ended(&self, login: &LoginEnded) {
        let outcome = if login.is_taken_over() { "taken_over" } else { login.outcome() };
        *self.figures().logins.entry(outcome).or_default() += 1;
    }

    fn breaker_changed(&self, change: &BreakerChanged<'_>) {
        let breakers = &mut self.figures().breakers;
        if let Some(state) = breakers.get_mut(change.host()) {
            *state = change.to();
            return;
        }
        if breakers.len() >= HOSTS_MAX {
            breakers.retain(|_, state| *state != BreakerState::Closed);
        }
        if breakers.len() < HOSTS_MAX {
            breakers.insert(change.host().into(), change.to());
        }
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use webmessaging_model::{Method, Operation};

    use super::super::CallId;
    use super::*;

    fn operation(number: usize) -> &'static Operation {
        let name: &'static str = Box::leak(format!("operation.{number}").into_boxed_str());
        Box::leak(Box::new(Operation::new(name, Method::Get, "/")))
    }

    #[test]
    fn series_have_an_end() {
        let metrics = Metrics::new();
        for number in 0..OPERATIONS_MAX + 10 {
            metrics.call_ended(&CallEnded {
                call: CallId { operation: operation(number), correlation_id: Some("c") },
                error_kind: None,
                status: Some(StatusCode::OK),
                attempts: 1,
                latency: Duration::from_secs(1),
                waited: Duration::ZERO,
                sent_bytes: 0,
                received_bytes: 0,
            });
        }
        let snapshot = metrics.snapshot();
        assert_eq!(snapshot.operations.len(), OPERATIONS_MAX + 1);
        assert_eq!(snapshot.operations[OTHER].calls["ok"], 10);
    }

    #[test]
    fn hosts_have_an_end_and_trouble_is_remembered() {
        let (metrics, closed, open) = (Metrics::new(), BreakerState::Closed, BreakerState::Open);
        let change = |host: &str, from, to| metrics.breaker_changed(&BreakerChanged { host, from, to });
        change("in-trouble", closed, open);
        for number in 0..3 * HOSTS_MAX {
            let host = format!("host-{number}");
            change(&host, closed, open);
            change(&host, open, closed);
        }
        for number in 0..2 * HOSTS_MAX {
            change(&format!("other-{number}"), closed, open);
        }
        let breakers = metrics.snapshot().breakers;
        assert_eq!(breakers.len(), HOSTS_MAX);
        assert_eq!(breakers["in-trouble"], "open");
    }
}
