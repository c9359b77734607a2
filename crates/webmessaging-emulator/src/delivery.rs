//! The log of webhook deliveries: bounded, without payloads, headers or URLs.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use serde::{Serialize, Serializer};

use crate::clock::timestamp;

/// As many deliveries are kept; older ones are dropped first.
const DELIVERIES_MAX: usize = 10_000;

/// One event on its way to one webhook; see [`Emulator::deliveries`](crate::Emulator::deliveries).
///
/// An event that is sent twice on purpose has two deliveries. Neither the payload nor its signature is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Delivery {
    /// The event's id, in `x-genesys-event-id` as well.
    pub event_id: String,
    /// The event's type, such as `channel.updated`.
    pub event_type: String,
    /// The webhook's id.
    pub webhook_id: String,
    /// The webhook's name.
    pub webhook_name: String,
    /// What was tried so far, oldest first; six at most.
    pub attempts: Vec<DeliveryAttempt>,
    /// How it ended; `None` while it waits or is under way.
    pub outcome: Option<DeliveryOutcome>,
}

/// One request of a [`Delivery`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct DeliveryAttempt {
    /// When it began, on the emulator's clock.
    #[serde(serialize_with = "as_timestamp")]
    pub at: SystemTime,
    /// What came of it; `None` while it is under way.
    pub result: Option<AttemptResult>,
}

/// What came of an attempt at a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum AttemptResult {
    /// The receiver answered with this status.
    Answered(u16),
    /// No answer came within 10 s.
    TimedOut,
    /// Nobody listens there.
    NotConnected,
    /// The connection ended without an answer, or with something that is none.
    ConnectionLost,
}

/// How a delivery ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum DeliveryOutcome {
    /// Answered with 2xx.
    Delivered,
    /// Answered with a status that is final: anything but 2xx, 429 and 5xx.
    Refused,
    /// All retries failed.
    Exhausted,
    /// The 85 s were over before all retries were used.
    Expired,
    /// The URL is an HTTPS one, and the emulator has no TLS.
    NoTls,
    /// Too many deliveries were waiting already.
    Overflow,
    /// The webhook was deleted, or the emulator stopped.
    Canceled,
}

fn as_timestamp<S: Serializer>(at: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&timestamp(*at))
}

/// A delivery that is still being filled in.
#[derive(Debug)]
pub(crate) struct Entry {
    delivery: Mutex<Delivery>,
}

impl Entry {
    /// Notes that an attempt begins.
    pub(crate) fn begin(&self, at: SystemTime) {
        self.lock().attempts.push(DeliveryAttempt { at, result: None });
    }

    /// Notes what came of the attempt and whether that was the last.
    pub(crate) fn attempted(&self, result: AttemptResult, outcome: Option<DeliveryOutcome>) {
        let mut delivery = self.lock();
        if let Some(attempt) = delivery.attempts.last_mut() {
            attempt.result = Some(result);
        }
        delivery.outcome = outcome;
    }

    /// Notes how the delivery ended, unless it had ended before.
    pub(crate) fn end(&self, outcome: DeliveryOutcome) {
        self.lock().outcome.get_or_insert(outcome);
    }

    /// No step leaves an entry half-changed, so a poisoned lock holds good data.
    fn lock(&self) -> MutexGuard<'_, Delivery> {
        self.delivery.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All entries, oldest first.
#[derive(Debug, Default)]
pub(crate) struct DeliveryLog {
    entries: Mutex<VecDeque<Arc<Entry>>>,
}

impl DeliveryLog {
    /// Adds a delivery that has not been tried.
    pub(crate) fn add(&self, delivery: Delivery) -> Arc<Entry> {
        let entry = Arc::new(Entry { delivery: Mutex::new(delivery) });
        let mut entries = self.lock();
        if entries.len() >= DELIVERIES_MAX {
            entries.pop_front();
        }
        entries.push_back(Arc::clone(&entry));
        entry
    }

    /// A copy of everything kept.
    pub(crate) fn deliveries(&self) -> Vec<Delivery> {
        self.lock().iter().map(|entry| entry.lock().clone()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Arc<Entry>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use serde_json::json;

    use super::*;

    fn delivery(event_id: usize) -> Delivery {
        Delivery {
            event_id: event_id.to_string(),
            event_type: "a.b".to_owned(),
            webhook_id: "webhook-1".to_owned(),
            webhook_name: "one".to_owned(),
            attempts: Vec::new(),
            outcome: None,
        }
    }

    #[test]
    fn an_entry_is_filled_in_step_by_step() {
        let log = DeliveryLog::default();
        let entry = log.add(delivery(1));
        entry.begin(UNIX_EPOCH);
        entry.attempted(AttemptResult::Answered(503), None);
        entry.begin(UNIX_EPOCH + Duration::from_secs(5));
        entry.attempted(AttemptResult::TimedOut, Some(DeliveryOutcome::Exhausted));
        entry.end(DeliveryOutcome::Canceled);
        assert_eq!(
            serde_json::to_value(log.deliveries()).unwrap(),
            json!([{
                "eventId": "1",
                "eventType": "a.b",
                "webhookId": "webhook-1",
                "webhookName": "one",
                "attempts": [
                    { "at": "1970-01-01T00:00:00.000Z", "result": { "answered": 503 } },
                    { "at": "1970-01-01T00:00:05.000Z", "result": "timedOut" },
                ],
                "outcome": "exhausted",
            }])
        );
    }

    #[test]
    fn the_oldest_entries_make_room() {
        let log = DeliveryLog::default();
        for number in 0..DELIVERIES_MAX + 2 {
            log.add(delivery(number));
        }
        let deliveries = log.deliveries();
        assert_eq!((deliveries.len(), deliveries[0].event_id.as_str()), (DELIVERIES_MAX, "2"));
    }
}
