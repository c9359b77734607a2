//! What a ledger knows of a transfer: where an earlier process left it, and how far this one has come.

use std::sync::Arc;

use webmessaging_http::Error;
use webmessaging_model::{ScanVerdict, TransferId, TransferPayload};

use crate::ledger::{Ledger, LedgerEntry, LedgerState, ledger_failed};
use crate::transfer::UploadedTransfer;

/// The page of one transfer in a ledger.
#[derive(Clone)]
pub(super) struct Page {
    ledger: Arc<dyn Ledger>,
    key: String,
}

/// Where an earlier process left a transfer.
pub(super) struct Left {
    pub(super) id: TransferId,
    pub(super) sha256: Option<String>,
    /// The verdict that is on record, by its stable name.
    pub(super) verdict: Option<String>,
}

impl Page {
    pub(super) fn new(ledger: Arc<dyn Ledger>, key: String) -> Self {
        Self { ledger, key }
    }

    /// Where the same transfer was left; one with another payload is another one.
    pub(super) async fn left(&self, payload: &TransferPayload) -> Result<Option<Left>, Error> {
        let entry = self.ledger.find(&self.key).await.map_err(ledger_failed)?;
        let entry = entry.filter(|entry| entry.is_of(&stamp(payload)));
        Ok(entry.map(|entry| Left {
            id: TransferId::new(entry.id),
            sha256: entry.sha256,
            verdict: entry.verdict.filter(|_| entry.state == LedgerState::Finished),
        }))
    }

    pub(super) async fn announced(&self, payload: &TransferPayload, id: &TransferId) -> Result<(), Error> {
        self.note(self.entry(payload, LedgerState::Announced, id)).await
    }

    pub(super) async fn stored(
        &self,
        payload: &TransferPayload,
        uploaded: &UploadedTransfer,
    ) -> Result<(), Error> {
        let entry = self.entry(payload, LedgerState::Stored, &uploaded.transfer_id);
        self.note(entry.stored(uploaded.size_bytes, uploaded.sha256.clone())).await
    }

    pub(super) async fn finished(
        &self,
        payload: &TransferPayload,
        id: &TransferId,
        sha256: Option<String>,
        verdict: ScanVerdict,
    ) -> Result<(), Error> {
        let entry = self.entry(payload, LedgerState::Finished, id).stored(payload.file_size, sha256);
        self.note(entry.verdict(verdict.as_str())).await
    }

    fn entry(&self, payload: &TransferPayload, state: LedgerState, id: &TransferId) -> LedgerEntry {
        LedgerEntry::new(&*self.key, stamp(payload), state, id.as_str())
    }

    async fn note(&self, entry: LedgerEntry) -> Result<(), Error> {
        self.ledger.note(entry).await.map_err(ledger_failed)
    }
}

/// By which it is seen that something else is to be transferred under the same key.
fn stamp(payload: &TransferPayload) -> String {
    // A payload is plain text and numbers, which JSON can always be made of.
    serde_json::to_string(payload).unwrap_or_default()
}
