//! Snapshots: the emulated platform as it was at one moment, and the way back to it.

use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::fmt;
use std::fmt::{Debug, Display};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use uuid::Uuid;

use crate::files::StoredFile;
use crate::guests;
use crate::messages;
use crate::oauth::Tokens;
use crate::organization::Organization;
use crate::rate::Counters;
use crate::state::Shared;
use crate::subscription::Subscription;
use crate::transfers::TransferRequest;
use crate::uploads::UploadRequest;

/// As many snapshots are kept for the control endpoint at once.
pub(crate) const SNAPSHOTS_MAX: usize = 16;

/// An emulated platform as it was at one moment: tokens, files and transfers with their bytes, the organisation, guests, bot messages,
/// webhooks, rate counters and the clock.
///
/// Faults, their counters, scans that are to fail, tampers, the recorded requests and the log of deliveries are no part of it: they belong to the
/// test, not to the platform. Nor are deliveries that are under way.
/// Clones are cheap and share one content. The bytes of uploads never change once they are complete, so a snapshot
/// copies none: it keeps them on disk, until it is dropped or the emulator stops.
#[derive(Clone)]
pub struct Snapshot {
    content: Arc<Content>,
}

struct Content {
    emulator: Uuid,
    at: SystemTime,
    tokens: Tokens,
    files: HashMap<Uuid, StoredFile<UploadRequest>>,
    transfers: HashMap<Uuid, StoredFile<TransferRequest>>,
    organization: Arc<Organization>,
    guests: Arc<guests::Content>,
    messages: Arc<messages::Content>,
    webhooks: Vec<Arc<Subscription>>,
    rates: Counters,
}

impl Snapshot {
    pub(crate) fn take(shared: &Shared) -> Self {
        let _turn = shared.turn();
        Self {
            content: Arc::new(Content {
                emulator: shared.id,
                at: shared.clock.now(),
                tokens: shared.oauth.capture(),
                files: shared.files.capture(),
                transfers: shared.transfers.capture(),
                organization: shared.organization.capture(),
                guests: shared.guests.capture(),
                messages: shared.messages.capture(),
                webhooks: shared.subscriptions.capture(),
                rates: shared.rates.capture(),
            }),
        }
    }

    pub(crate) fn restore(&self, shared: &Arc<Shared>) -> Result<(), RestoreError> {
        let content = &self.content;
        if content.emulator != shared.id {
            return Err(RestoreError(()));
        }
        let _turn = shared.turn();
        // Ends the deliveries before the clock can make one of them due.
        shared.replace_webhooks(&content.webhooks);
        shared.clock.set(content.at);
        shared.oauth.restore(content.tokens.clone());
        shared.organization.restore(Arc::clone(&content.organization));
        shared.guests.restore(Arc::clone(&content.guests));
        shared.messages.restore(Arc::clone(&content.messages));
        shared.rates.restore(content.rates.clone());
        shared.replace_files(content.files.clone());
        shared.replace_files(content.transfers.clone());
        Ok(())
    }
}

impl Debug for Snapshot {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Snapshot")
            .field("at", &self.content.at)
            .field("tokens", &self.content.tokens.len())
            .field("files", &self.content.files.len())
            .field("transfers", &self.content.transfers.len())
            .field("webhooks", &self.content.webhooks.len())
            .finish_non_exhaustive()
    }
}

/// The snapshot is of another emulator, whose tokens and signed URLs mean nothing here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestoreError(());

impl Display for RestoreError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the snapshot is of another emulator")
    }
}

impl Error for RestoreError {}

/// Brings everything back to how it was at the start, but for the snapshots that were taken.
pub(crate) fn reset(shared: &Arc<Shared>) {
    let _turn = shared.turn();
    shared.sender.cancel();
    shared.clock.reset();
    shared.oauth.restore(Tokens::default());
    shared.rates.restore(Counters::default());
    shared.scan_failures.set(0);
    shared.replace(&shared.start.seed);
    // No seed has any of these.
    shared.guests.restore(Arc::default());
    shared.messages.restore(Arc::default());
    shared.replace_files::<TransferRequest>(HashMap::new());
    shared.faults.reset(shared.start.script.clone());
    shared.journal.clear();
    shared.sender.forget();
}

/// The snapshots of the control endpoint, by their ids.
#[derive(Debug, Default)]
pub(crate) struct Snapshots {
    kept: Mutex<BTreeMap<Uuid, Snapshot>>,
}

impl Snapshots {
    /// Keeps a snapshot under a fresh id; `None` when there are as many as are kept at once.
    pub(crate) fn keep(&self, snapshot: Snapshot) -> Option<Uuid> {
        let mut kept = self.lock();
        if kept.len() >= SNAPSHOTS_MAX {
            return None;
        }
        let id = Uuid::new_v4();
        kept.insert(id, snapshot);
        Some(id)
    }

    pub(crate) fn get(&self, id: Uuid) -> Option<Snapshot> {
        self.lock().get(&id).cloned()
    }

    /// Forgets a snapshot; tells whether there was one.
    pub(crate) fn forget(&self, id: Uuid) -> bool {
        self.lock().remove(&id).is_some()
    }

    pub(crate) fn ids(&self) -> Vec<String> {
        self.lock().keys().map(Uuid::to_string).collect()
    }

    /// No step leaves the map half-changed, so a poisoned lock holds good data.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Uuid, Snapshot>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
