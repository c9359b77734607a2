//! The quarantine of the store, for files that this process has found blocked.

use std::sync::Arc;

use webmessaging_files::{BlockedFile, Hooked, QuarantineHook, Quarantined};
use webmessaging_http::Clock;
use webmessaging_http::clock::TokioClock;
use webmessaging_store::{NewQuarantine, Store};

/// Puts blocked files on the list of a [`Store`], with the reason; `webmessaging files quarantine list` shows it.
///
/// A file whose scan failed is put there also when it is tried again: the next attempt is another file.
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use webmessaging::files::FilesClient;
/// use webmessaging::store::Store;
/// use webmessaging::{Client, StoreQuarantine};
///
/// fn files(client: &Client, store: Arc<dyn Store>) -> FilesClient {
///     client.files().on_quarantine(StoreQuarantine::new(store))
/// }
/// ```
#[derive(Debug, Clone)]
pub struct StoreQuarantine {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
}

impl StoreQuarantine {
    /// The quarantine of this store.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, clock: Arc::new(TokioClock) }
    }

    /// Replaces the clock.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }
}

impl QuarantineHook for StoreQuarantine {
    fn quarantined<'a>(&'a self, file: &'a BlockedFile) -> Hooked<'a> {
        Box::pin(async move {
            let (id, reason) = (file.file_id.as_str(), file.reason.as_str());
            self.store.quarantine(NewQuarantine::new(id, reason, self.clock.wall().into())).await?;
            Ok(Quarantined::Listed)
        })
    }
}
