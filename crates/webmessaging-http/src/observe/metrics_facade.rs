//! An observer that hands everything on to the `metrics` crate, for programs that export through one of its recorders.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

use super::{AttemptEnded, BreakerChanged, CallEnded, LoginEnded, Observer, WaitEnded};
use crate::breaker::BreakerState;

const CALLS: &str = "webmessaging_http_calls_total";
const CALL_DURATION: &str = "webmessaging_http_call_duration_seconds";
const ATTEMPTS: &str = "webmessaging_http_attempts_total";
const ATTEMPT_DURATION: &str = "webmessaging_http_attempt_duration_seconds";
const RETRIES: &str = "webmessaging_http_retries_total";
const SENT: &str = "webmessaging_http_sent_bytes_total";
const RECEIVED: &str = "webmessaging_http_received_bytes_total";
const WAIT_DURATION: &str = "webmessaging_http_wait_duration_seconds";
const LOGINS: &str = "webmessaging_http_logins_total";
const BREAKER_STATE: &str = "webmessaging_http_breaker_state";

/// So many hosts have a label of their own; further ones share [`OTHER`]. Hosts of presigned URLs are named by servers.
const HOSTS_MAX: usize = 100;
const OTHER: &str = "other";

/// Forwards to the recorder of the `metrics` crate (0.24) that the program has installed.
///
/// Names, labels and units are listed in `docs/reference/observability.md` and do not change within a major version. No
/// label holds an id, a URL or anything else without end. Bounds of histograms are the recorder's affair;
/// [`LATENCY_BOUNDS_SECONDS`](super::LATENCY_BOUNDS_SECONDS) are a good choice.
///
/// # Examples
/// ```
/// use webmessaging_http::observe::MetricsFacade;
/// use webmessaging_http::{Client, Credentials};
///
/// let client = Client::builder(Credentials::new("id", "secret")).observer(MetricsFacade::new()).build()?;
/// # Ok::<(), webmessaging_http::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct MetricsFacade {
    hosts: Mutex<BTreeSet<Box<str>>>,
}

impl MetricsFacade {
    /// Describes the metrics to the recorder, which should be installed before.
    pub fn new() -> Self {
        describe_counter!(CALLS, Unit::Count, "Calls that ended, by outcome.");
        describe_histogram!(CALL_DURATION, Unit::Seconds, "Time from a call to its end, waits included.");
        describe_counter!(ATTEMPTS, Unit::Count, "Attempts that ended, by outcome.");
        describe_histogram!(ATTEMPT_DURATION, Unit::Seconds, "Time from sending to the end of the answer.");
        describe_counter!(RETRIES, Unit::Count, "Attempts that another one followed.");
        describe_counter!(SENT, Unit::Bytes, "Bytes of requests' bodies handed to the network.");
        describe_counter!(RECEIVED, Unit::Bytes, "Bytes of answers' bodies read.");
        describe_histogram!(WAIT_DURATION, Unit::Seconds, "Time spent waiting, by cause.");
        describe_counter!(LOGINS, Unit::Count, "Logins that ended, by outcome.");
        describe_gauge!(
            BREAKER_STATE,
            Unit::Count,
            "State of a host's breaker: 0 closed, 1 half open, 2 open."
        );
        Self::default()
    }

    /// The host as a label.
    fn label(&self, host: &str) -> String {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if hosts.len() < HOSTS_MAX {
            hosts.insert(host.into());
        }
        if hosts.contains(host) { host.to_owned() } else { OTHER.to_owned() }
    }
}

impl Observer for MetricsFacade {
    fn attempt_ended(&self, attempt: &AttemptEnded<'_>) {
        let operation = attempt.operation().name;
        counter!(ATTEMPTS, "operation" => operation, "outcome" => attempt.outcome()).increment(1);
        histogram!(ATTEMPT_DURATION, "operation" => operation).record(attempt.latency());
        if attempt.retry_in().is_some() {
            counter!(RETRIES, "operation" => operation).increment(1);
        }
        counter!(SENT, "operation" => operation).increment(attempt.sent_bytes());
        counter!(RECEIVED, "operation" => operation).increment(attempt.received_bytes());
    }

    fn wait_ended(&self, wait: &WaitEnded<'_>) {
        let (operation, cause) = (wait.operation().name, wait.cause().code());
        histogram!(WAIT_DURATION, "operation" => operation, "cause" => cause).record(wait.waited());
    }

    fn call_ended(&self, call: &CallEnded<'_>) {
        let operation = call.operation().name;
        counter!(CALLS, "operation" => operation, "outcome" => call.outcome()).increment(1);
        // What was refused before it began took no time.
        if call.correlation_id().is_some() {
            histogram!(CALL_DURATION, "operation" => operation).record(call.latency());
        }
    }

    fn login_ended(&self, login: &LoginEnded) {
        let outcome = if login.is_taken_over() { "taken_over" } else { login.outcome() };
        counter!(LOGINS, "outcome" => outcome).increment(1);
    }

    fn breaker_changed(&self, change: &BreakerChanged<'_>) {
        let state = match change.to() {
            BreakerState::Closed => 0.0,
            BreakerState::HalfOpen => 1.0,
            BreakerState::Open => 2.0,
        };
        gauge!(BREAKER_STATE, "host" => self.label(change.host())).set(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_have_an_end() {
        let facade = MetricsFacade::new();
        let labels: Vec<_> =
            (0..HOSTS_MAX + 5).map(|number| facade.label(&format!("host-{number}"))).collect();
        assert_eq!(labels[HOSTS_MAX - 1], format!("host-{}", HOSTS_MAX - 1));
        assert_eq!(labels[HOSTS_MAX..], [OTHER; 5]);
        assert_eq!(facade.label("host-0"), "host-0");
    }
}
