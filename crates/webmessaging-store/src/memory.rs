//! A store in memory: the promises in their simplest form, for tests, and to compare the engines with.

mod dead_letters;
mod inbox;
mod outbox;
mod outbox_stats;
mod retention;
mod shared;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use secrecy::SecretString;
use webmessaging_model::Timestamp;

use crate::dead_letters::Edit;
use crate::error::{Error, ErrorKind};
use crate::inbox::NewDelivery;
use crate::intents::{Intent, IntentOutcome};
use crate::leases::Lease;
use crate::outbox::NewItem;
use crate::quarantine::QuarantineEntry;
use crate::scan_states::ScanState;
use crate::store::Stored;

/// A store that forgets everything when it is dropped, for tests of what stands on a store. It keeps every promise of one but
/// that: the same tests are passed by it and by the engines.
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use webmessaging_store::{MemoryStore, Store};
///
/// let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
/// ```
#[derive(Default)]
pub struct MemoryStore(Mutex<Tables>);

#[derive(Default)]
struct Tables {
    last_id: i64,
    deliveries: BTreeMap<i64, Delivery>,
    items: BTreeMap<i64, Item>,
    intents: BTreeMap<i64, (Intent, Option<IntentOutcome>)>,
    quarantine: BTreeMap<String, QuarantineEntry>,
    scans: BTreeMap<String, ScanState>,
    leases: BTreeMap<String, Lease>,
    values: BTreeMap<String, (Option<SecretString>, Timestamp, i64)>,
    grants: BTreeMap<String, Vec<(Timestamp, u32)>>,
}

struct Delivery {
    sent: NewDelivery,
    work: Work,
}

struct Item {
    sent: NewItem,
    enqueued_at: Timestamp,
    edits: Vec<Edit>,
    failing_since: Option<Timestamp>,
    work: Work,
}

/// Where a delivery or an item is on its way.
struct Work {
    state: State,
    /// When it can be claimed; of a leased one, when its lease runs out.
    due_at: Timestamp,
    fence: i64,
    attempt: u32,
    reason: String,
    note: String,
    changed_at: Timestamp,
    buried_at: Timestamp,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Ready,
    Leased,
    Done,
    Dead,
    Dropped,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn work<'a, T: Send + 'a>(
        &'a self,
        work: impl FnOnce(&mut Tables) -> Result<T, Error> + Send + 'a,
    ) -> Stored<'a, T> {
        Box::pin(async move { work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner)) })
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemoryStore")
    }
}

impl Tables {
    fn next_id(&mut self) -> i64 {
        self.last_id += 1;
        self.last_id
    }
}

impl Work {
    fn new(due_at: Timestamp, now: Timestamp) -> Self {
        let (reason, note) = (String::new(), String::new());
        Self {
            state: State::Ready,
            due_at,
            fence: 0,
            attempt: 0,
            reason,
            note,
            changed_at: now,
            buried_at: now,
        }
    }

    fn is_claimable(&self, now: Timestamp) -> bool {
        matches!(self.state, State::Ready | State::Leased) && self.due_at <= now
    }

    fn claim(&mut self, until: Timestamp, now: Timestamp) {
        self.fence += 1;
        self.attempt += 1;
        self.to(State::Leased, now);
        self.due_at = until;
    }

    /// Whether somebody has it by this token.
    fn fenced(&self, fence: i64) -> Result<(), Error> {
        let is_held = self.state == State::Leased && self.fence == fence;
        if is_held { Ok(()) } else { Err(Error::new(ErrorKind::LeaseLost)) }
    }

    fn to(&mut self, state: State, now: Timestamp) {
        self.state = state;
        self.changed_at = now;
    }

    fn retry(&mut self, at: Timestamp, reason: String, now: Timestamp) {
        self.to(State::Ready, now);
        self.due_at = at;
        self.reason = reason;
    }

    /// As if it had not been claimed.
    fn release(&mut self, at: Timestamp, now: Timestamp) {
        self.to(State::Ready, now);
        self.due_at = at;
        self.attempt -= 1;
    }

    fn bury(&mut self, reason: String, now: Timestamp) {
        self.to(State::Dead, now);
        self.buried_at = now;
        self.reason = reason;
    }

    fn is_settled(&self) -> bool {
        matches!(self.state, State::Done | State::Dropped)
    }
}
