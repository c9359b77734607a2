//! The log of webhook deliveries: bounded, without payloads, headers or URLs.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
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
    /// The webhook was deleted, the state of the emulator was replaced, or it stopped.
    Canceled,
}

fn as_timestamp<S: Serializer>(at: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&timestamp(*at))
}

/// A delivery that is still being filled in.
#[derive(Debug)]
pub(crate) struct Entry {
    delivery: Mutex<Delivery>,
    /// How many deliveries of the log have no outcome.
    open: Arc<AtomicUsize>,
}

impl Entry {
    /// Notes that an attempt begins, unless the delivery has ended; tells whether it may.
    pub(crate) fn begin(&self, at: SystemTime) -> bool {
        let mut delivery = self.lock();
        let is_open = delivery.outcome.is_none();
        if is_open {
            delivery.attempts.push(DeliveryAttempt { at, result: None });
        }
        is_open
    }

    /// Notes what came of the attempt and whether that was the last.
    pub(crate) fn attempted(&self, result: AttemptResult, outcome: Option<DeliveryOutcome>) {
        let mut delivery = self.lock();
        if let Some(attempt) = delivery.attempts.last_mut() {
            attempt.result = Some(result);
        }
        self.close(&mut delivery, outcome);
    }

    /// Notes how the delivery ended, unless it had ended before.
    pub(crate) fn end(&self, outcome: DeliveryOutcome) {
        self.close(&mut self.lock(), Some(outcome));
    }

    /// The first outcome counts.
    fn close(&self, delivery: &mut Delivery, outcome: Option<DeliveryOutcome>) {
        if delivery.outcome.is_none() && outcome.is_some() {
            delivery.outcome = outcome;
            self.open.fetch_sub(1, Ordering::SeqCst);
        }
    }

    /// No step leaves an entry half-changed, so a poisoned lock holds good data.
    fn lock(&self) -> MutexGuard<'_, Delivery> {
        self.delivery.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All entries, oldest first.
#[derive(Debug, Default)]
pub(crate) struct DeliveryLog {
    entries: Mutex<Entries>,
    open: Arc<AtomicUsize>,
}

#[derive(Debug, Default)]
struct Entries {
    kept: VecDeque<Arc<Entry>>,
    /// Entries that came before those, so that each keeps its number.
    dropped: u64,
}

impl DeliveryLog {
    /// Adds a delivery that has not been tried.
    pub(crate) fn add(&self, delivery: Delivery) -> Arc<Entry> {
        self.open.fetch_add(1, Ordering::SeqCst);
        let entry = Arc::new(Entry { delivery: Mutex::new(delivery), open: Arc::clone(&self.open) });
        let mut entries = self.lock();
        if entries.kept.len() >= DELIVERIES_MAX {
            entries.kept.pop_front();
            entries.dropped = entries.dropped.saturating_add(1);
        }
        entries.kept.push_back(Arc::clone(&entry));
        entry
    }

    /// A copy of everything kept.
    pub(crate) fn deliveries(&self) -> Vec<Delivery> {
        self.lock().kept.iter().map(|entry| entry.lock().clone()).collect()
    }

    /// Up to `limit` deliveries behind the one with the number `after`, oldest first, with their numbers from 1. With an
    /// event's id, only those of this event.
    pub(crate) fn page(&self, event_id: Option<&str>, after: u64, limit: usize) -> Vec<(u64, Delivery)> {
        let entries = self.lock();
        let numbered = (entries.dropped.saturating_add(1)..).zip(&entries.kept);
        let behind = numbered.filter(|(number, _)| *number > after);
        let wanted = behind.filter_map(|(number, entry)| {
            let delivery = entry.lock();
            event_id.is_none_or(|id| delivery.event_id == id).then(|| (number, delivery.clone()))
        });
        wanted.take(limit).collect()
    }

    /// How many deliveries have no outcome.
    pub(crate) fn open(&self) -> usize {
        self.open.load(Ordering::SeqCst)
    }

    /// Notes that every open delivery is canceled.
    pub(crate) fn cancel(&self) {
        for entry in &self.lock().kept {
            entry.end(DeliveryOutcome::Canceled);
        }
    }

    /// Forgets all entries; numbers go on.
    pub(crate) fn clear(&self) {
        let mut entries = self.lock();
        let kept = u64::try_from(entries.kept.len()).unwrap_or(u64::MAX);
        *entries = Entries { dropped: entries.dropped.saturating_add(kept), ..Entries::default() };
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
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
        assert_eq!(log.open(), 1);
        entry.attempted(AttemptResult::TimedOut, Some(DeliveryOutcome::Exhausted));
        entry.end(DeliveryOutcome::Canceled);
        assert_eq!(log.open(), 0);
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
        assert_eq!(log.page(None, 0, 1)[0].0, 3);
    }

    #[test]
    fn what_is_canceled_stays_so_and_is_not_tried_again() {
        let log = DeliveryLog::default();
        let (under_way, waiting) = (log.add(delivery(1)), log.add(delivery(2)));
        assert!(under_way.begin(UNIX_EPOCH));
        log.cancel();
        assert!(!waiting.begin(UNIX_EPOCH));
        under_way.attempted(AttemptResult::Answered(200), Some(DeliveryOutcome::Delivered));
        let ended: Vec<_> =
            log.deliveries().into_iter().map(|known| (known.attempts.len(), known.outcome)).collect();
        let canceled = Some(DeliveryOutcome::Canceled);
        assert_eq!(ended, [(1, canceled), (0, canceled)]);
        assert_eq!(log.open(), 0);
    }

    #[test]
    fn pages_are_bounded_and_numbers_outlive_a_clearing() {
        let log = DeliveryLog::default();
        for event_id in [1, 2, 1] {
            log.add(delivery(event_id));
        }
        let numbers = |event_id, after, limit| -> Vec<u64> {
            log.page(event_id, after, limit).into_iter().map(|(number, _)| number).collect()
        };
        assert_eq!(numbers(None, 0, 9), [1, 2, 3]);
        assert_eq!(numbers(None, 1, 1), [2]);
        assert_eq!(numbers(Some("1"), 0, 9), [1, 3]);
        log.clear();
        assert_eq!(numbers(None, 0, 9), [0; 0]);
        log.add(delivery(4));
        assert_eq!(numbers(None, 0, 9), [4]);
    }
}
