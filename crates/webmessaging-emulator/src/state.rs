//! What all calls share, and the settings that it is made from.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use secrecy::SecretString;
use tempfile::TempDir;
use uuid::Uuid;

use crate::announced::Announced;
use crate::answer::Refusal;
use crate::clock::EmulatorClock;
use crate::fault::{FaultScript, Faults};
use crate::files::{Files, StoredFile};
use crate::guests::Guests;
use crate::messages::Messages;
use crate::oauth::Authority;
use crate::organization::LiveOrganization;
use crate::rate::{RateLimit, Rates};
use crate::record::Journal;
use crate::schema::Schemas;
use crate::seed::PreparedSeed;
use crate::sender::Sender;
use crate::sign::Signer;
use crate::snapshot::Snapshots;
use crate::subscription::{Subscription, Subscriptions};
use crate::transfers::TransferRequest;
use crate::uploads::UploadRequest;
use crate::verdicts::ScanFailures;
use crate::watch::{Watches, watch_untold};

/// The platform's limit for the body of an API request, in bytes.
pub(crate) const REQUEST_BYTES_MAX: usize = 512_000;

/// The numbers that a builder can change.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) token_lifetime: Duration,
    pub(crate) upload_url_lifetime: Duration,
    pub(crate) file_size_bytes_max: u64,
    pub(crate) transfer_url_lifetime: Duration,
    pub(crate) transfer_size_bytes_max: u64,
    pub(crate) scan_duration: Duration,
    pub(crate) rate_limit: RateLimit,
    /// Whether other machines may use the control endpoints.
    pub(crate) allows_remote_control: bool,
}

/// What an emulator begins with, and comes back to by a reset.
#[derive(Debug)]
pub(crate) struct Start {
    /// Mentions everything.
    pub(crate) seed: PreparedSeed,
    pub(crate) script: FaultScript,
}

/// The state of one emulator.
pub(crate) struct Shared {
    /// Tells one emulator from another.
    pub(crate) id: Uuid,
    pub(crate) settings: Settings,
    pub(crate) base_url: String,
    pub(crate) clock: EmulatorClock,
    pub(crate) signer: Signer,
    pub(crate) schemas: Schemas,
    pub(crate) oauth: Authority,
    pub(crate) files: Files<UploadRequest>,
    pub(crate) transfers: Files<TransferRequest>,
    pub(crate) scan_failures: Arc<ScanFailures>,
    pub(crate) organization: LiveOrganization,
    pub(crate) guests: Guests,
    pub(crate) messages: Messages,
    pub(crate) subscriptions: Subscriptions,
    pub(crate) sender: Arc<Sender>,
    pub(crate) watches: Watches,
    /// Signs for webhooks that have no secret of their own.
    pub(crate) webhook_token: SecretString,
    pub(crate) rates: Rates,
    pub(crate) faults: Faults,
    pub(crate) snapshots: Snapshots,
    pub(crate) start: Start,
    pub(crate) journal: Journal,
    pub(crate) turn: Mutex<()>,
    /// Holds the uploaded bytes; removed with the emulator.
    pub(crate) directory: TempDir,
}

impl Shared {
    /// Waits until nobody else replaces state or tells an event, so that none of a former state is told in a later one.
    pub(crate) fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts what a seed mentions in place of what is there.
    pub(crate) fn apply(self: &Arc<Self>, seed: &PreparedSeed) {
        let _turn = self.turn();
        self.replace(seed);
    }

    /// The same, for who has the turn.
    pub(crate) fn replace(self: &Arc<Self>, seed: &PreparedSeed) {
        if let Some(organization) = seed.organization(&self.organization.capture()) {
            self.organization.restore(organization.into());
        }
        if let Some(webhooks) = seed.webhooks() {
            self.replace_webhooks(webhooks);
        }
        if let Some(files) = seed.files(&self.files, self.clock.now()) {
            self.replace_files(files);
        }
    }

    /// Puts these webhooks in place of all others, whose deliveries end; for who has the turn.
    pub(crate) fn replace_webhooks(&self, webhooks: &[Arc<Subscription>]) {
        self.sender.cancel();
        self.subscriptions.restore(webhooks);
    }

    /// Puts these files in place of all others of their kind; for who has the turn.
    pub(crate) fn replace_files<A: Announced>(self: &Arc<Self>, files: HashMap<Uuid, StoredFile<A>>) {
        self.watches.end();
        A::files(self).restore(files);
        watch_untold::<UploadRequest>(self);
        watch_untold::<TransferRequest>(self);
    }

    /// No more of any body is read than this, in bytes.
    pub(crate) fn body_bytes_max(&self) -> u64 {
        // One above the request limit: the byte that shows that a body is too long has to be readable.
        let request = u64::try_from(REQUEST_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
        self.settings.file_size_bytes_max.max(self.settings.transfer_size_bytes_max).max(request)
    }
}

/// Locks platform state; a lock poisoned by a panic becomes a 500, since the state may be half-changed.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> Result<MutexGuard<'_, T>, Refusal> {
    mutex.lock().map_err(|_| Refusal::internal("poisoned lock"))
}
