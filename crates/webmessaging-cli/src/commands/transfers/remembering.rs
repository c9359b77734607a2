//! A ledger that remembers which transfer it was about, for whoever has to report a failure.

use std::sync::{Arc, Mutex, PoisonError};

use webmessaging::files::ledger::{FileLedger, Ledger, LedgerEntry, Noted};

/// The ledger of one transfer. Its id is remembered also when it cannot be noted.
#[derive(Debug, Clone)]
pub(super) struct Remembering {
    ledger: FileLedger,
    stamp: String,
    id: Arc<Mutex<Option<String>>>,
}

impl Remembering {
    pub(super) fn new(ledger: FileLedger, stamp: String) -> Self {
        Self { ledger, stamp, id: Arc::default() }
    }

    /// The transfer, as far as there is one.
    pub(super) fn id(&self) -> Option<String> {
        self.id.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn remember(&self, entry: &LedgerEntry) {
        *self.id.lock().unwrap_or_else(PoisonError::into_inner) = Some(entry.id.clone());
    }
}

impl Ledger for Remembering {
    fn find<'a>(&'a self, key: &'a str) -> Noted<'a, Option<LedgerEntry>> {
        Box::pin(async move {
            let found = self.ledger.find(key).await?;
            if let Some(entry) = found.as_ref().filter(|entry| entry.is_of(&self.stamp)) {
                self.remember(entry);
            }
            Ok(found)
        })
    }

    fn note(&self, entry: LedgerEntry) -> Noted<'_, ()> {
        self.remember(&entry);
        self.ledger.note(entry)
    }

    fn entries(&self) -> Noted<'_, Vec<LedgerEntry>> {
        self.ledger.entries()
    }
}
