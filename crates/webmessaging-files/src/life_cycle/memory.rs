//! What a ledger knows of a transfer, and what it is told.

use std::sync::Arc;

use webmessaging_http::Error;
use webmessaging_model::{ScanVerdict, TransferId};

use crate::ledger::{Ledger, LedgerEntry, LedgerState, ledger_failed};

/// Where an earlier process stopped, and where this one does.
pub(crate) struct Memory {
    ledger: Arc<dyn Ledger>,
    key: String,
    stamp: String,
}

/// What an earlier process has noted.
pub(super) struct Earlier {
    pub(super) id: TransferId,
    /// Its bytes are known to be there.
    pub(super) is_stored: bool,
    pub(super) sha256: Option<String>,
    /// The verdict, by the name it was noted with.
    pub(super) recorded: Option<String>,
}

impl From<LedgerEntry> for Earlier {
    fn from(entry: LedgerEntry) -> Self {
        Self {
            id: TransferId::new(entry.id),
            is_stored: entry.state > LedgerState::Announced,
            sha256: entry.sha256,
            recorded: entry.verdict,
        }
    }
}

impl Earlier {
    pub(super) fn verdict(&self) -> Option<ScanVerdict> {
        self.recorded.as_deref().map(verdict_named)
    }
}

impl Memory {
    pub(crate) fn new(ledger: Arc<dyn Ledger>, key: String, stamp: String) -> Self {
        Self { ledger, key, stamp }
    }

    /// What is noted of this state of the thing behind the key.
    pub(super) async fn earlier(&self) -> Result<Option<Earlier>, Error> {
        let entry = self.ledger.find(&self.key).await.map_err(ledger_failed)?;
        Ok(entry.filter(|entry| entry.is_of(&self.stamp)).map(Earlier::from))
    }

    pub(super) async fn note(
        &self,
        state: LedgerState,
        id: &TransferId,
        more: impl FnOnce(LedgerEntry) -> LedgerEntry,
    ) -> Result<(), Error> {
        let entry = LedgerEntry::new(&*self.key, &*self.stamp, state, id.as_str());
        self.ledger.note(more(entry)).await.map_err(ledger_failed)
    }
}

/// The verdict with a stable name; one that this version does not know blocks.
fn verdict_named(name: &str) -> ScanVerdict {
    use ScanVerdict::{Clean, Failed, FormatRejected, Malicious, Pending, Unknown};

    let known = [Pending, Clean, Malicious, FormatRejected, Failed];
    known.into_iter().find(|verdict| verdict.as_str() == name).unwrap_or(Unknown)
}
