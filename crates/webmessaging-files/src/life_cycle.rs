//! The steps behind a whole transfer: look back, check, announce, send, wait; each noted where somebody keeps a ledger.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::StatusCode;
use webmessaging_http::{Answer, Error, ErrorKind, Facts, Progress, Sent, Source};
use webmessaging_model::content_type::HEAD_BYTES;
use webmessaging_model::{
    Code, Limit, Operation, TransferId, TransferPayload, TransferStatus, Unit, Violation, Violations,
};

use crate::file_transfer::FinishedTransfer;
use crate::get_transfer::TransferState;
use crate::ledger::{Ledger, LedgerEntry, LedgerState, ledger_failed};
use crate::operations::{CREATE_TRANSFER, GET_TRANSFER, PUT_TRANSFER};
use crate::transfer::{Transfer, UploadedTransfer};
use crate::transfer_manager::{PATIENCE, TransferManager};
use crate::wait_for_transfer::{Conclusion, WaitForTransfer};

pub(crate) struct Plan {
    pub(crate) manager: TransferManager,
    pub(crate) payload: TransferPayload,
    pub(crate) source: Source,
    pub(crate) resume: Option<TransferId>,
    pub(crate) memory: Option<Memory>,
    pub(crate) checked: bool,
    pub(crate) within: Duration,
    pub(crate) digest: bool,
    pub(crate) on_progress: Option<Arc<dyn Fn(Progress) + Send + Sync>>,
    step: AtomicU8,
    id: OnceLock<TransferId>,
}

// How far it is, for whoever cancels it.
const CHECKING: u8 = 0;
const ANNOUNCING: u8 = 1;
const SENDING: u8 = 2;
const WAITING: u8 = 3;

/// Where an earlier process stopped, and where this one does.
pub(crate) struct Memory {
    ledger: Arc<dyn Ledger>,
    key: String,
    stamp: String,
}

/// Where the work begins.
enum Begun {
    /// The platform knows of no transfer that could go on.
    Not,
    Announced(Transfer),
    Uploaded(TransferId),
    Over(TransferId, TransferState, Facts),
}

impl Memory {
    pub(crate) fn new(ledger: Arc<dyn Ledger>, key: String, stamp: String) -> Self {
        Self { ledger, key, stamp }
    }

    async fn entry(&self) -> Result<Option<LedgerEntry>, Error> {
        let entry = self.ledger.find(&self.key).await.map_err(ledger_failed)?;
        Ok(entry.filter(|entry| entry.is_of(&self.stamp)))
    }

    async fn note(
        &self,
        state: LedgerState,
        id: &TransferId,
        more: impl FnOnce(LedgerEntry) -> LedgerEntry,
    ) -> Result<(), Error> {
        let entry = LedgerEntry::new(&*self.key, &*self.stamp, state, id.as_str());
        self.ledger.note(more(entry)).await.map_err(ledger_failed)
    }
}

impl Plan {
    pub(crate) fn new(manager: TransferManager, payload: TransferPayload, source: Source) -> Self {
        Self {
            manager,
            payload,
            source,
            resume: None,
            memory: None,
            checked: true,
            within: PATIENCE,
            digest: true,
            on_progress: None,
            step: AtomicU8::new(CHECKING),
            id: OnceLock::new(),
        }
    }

    pub(crate) async fn run(&self) -> Result<FinishedTransfer, Error> {
        let entry = match &self.memory {
            Some(memory) => memory.entry().await?,
            None => None,
        };
        let noted = entry.as_ref().map(|entry| TransferId::new(&*entry.id));
        let (sha256, recorded) = entry.map(|entry| (entry.sha256, entry.verdict)).unwrap_or_default();
        let begun = match noted.as_ref().or(self.resume.as_ref()) {
            Some(id) => self.look_back(id).await?,
            None => Begun::Not,
        };
        match begun {
            Begun::Over(id, state, facts) => {
                let conclusion =
                    Conclusion { id, sha256: sha256.clone(), payload: Some(self.payload.clone()) };
                // An end that is on record is not recorded again: what follows from it has followed.
                let is_on_record = recorded.as_deref() == Some(state.verdict().as_str());
                if is_on_record && !conclusion.has_other_bytes(&state) {
                    return Ok(FinishedTransfer { transfer_id: conclusion.id, state, uploaded: None });
                }
                let state = conclusion.draw(&self.manager, state, Some(facts)).await?;
                self.over(FinishedTransfer { transfer_id: conclusion.id, state, uploaded: None }, sha256)
                    .await
            }
            Begun::Uploaded(id) => self.finish(id, None, sha256).await,
            Begun::Announced(transfer) => {
                self.check().await?;
                self.send(&transfer).await
            }
            Begun::Not => {
                self.check().await?;
                self.step.store(ANNOUNCING, Ordering::Relaxed);
                let transfer = self.manager.announce(self.payload.clone(), self.checked).await?;
                if let Some(memory) = &self.memory {
                    memory.note(LedgerState::Announced, &transfer.transfer_id, |entry| entry).await?;
                }
                self.send(&transfer).await
            }
        }
    }

    /// What became of a transfer that an earlier process has announced.
    async fn look_back(&self, id: &TransferId) -> Result<Begun, Error> {
        let Answer { value: state, facts, .. } = match self.manager.look(id).await {
            Ok(answer) => answer,
            Err(error) if is_gone(&error) => return Ok(Begun::Not),
            Err(error) => return Err(error),
        };
        if state.is_final() {
            return Ok(Begun::Over(id.clone(), state, facts));
        }
        if state.status != Some(TransferStatus::Created) {
            return Ok(Begun::Uploaded(id.clone()));
        }
        match self.manager.renew(id).await {
            Ok(ticket) => Ok(Begun::Announced(self.manager.issued(ticket, self.payload.clone()))),
            Err(error) if is_gone(&error) => Ok(Begun::Not),
            Err(error) => Err(error),
        }
    }

    /// Checks the payload, and the source against it.
    async fn check(&self) -> Result<(), Error> {
        let mut found = Vec::new();
        if self.checked {
            let broken = self.payload.validate(&self.manager.limits).err();
            found.extend(broken.into_iter().flat_map(Violations::into_vec));
        }
        let announced = self.payload.file_size;
        match self.source.head(HEAD_BYTES).await {
            Err(violation) => found.push(violation),
            Ok((length, head)) => {
                if length != announced {
                    let other =
                        Violation::new("fileSize", Code::ContentMismatch, "transfer.file_size.content");
                    found.push(other.limit(Limit::Exactly(length), Unit::Bytes).count(announced));
                }
                // An empty file looks like no type at all, which would only repeat that it is empty.
                if self.checked
                    && length > 0
                    && let Err(mut violation) = self.payload.mime_type.check_head(&head)
                {
                    violation.path = "mimeType".into();
                    violation.rule = "transfer.mime_type.content";
                    found.push(violation);
                }
            }
        }
        let Err(violations) = Violations::check(found) else { return Ok(()) };
        let error = Error::from(violations).with_operation(&CREATE_TRANSFER);
        self.manager.record_failure(&error, &CREATE_TRANSFER, self.subject()).await;
        Err(error)
    }

    async fn send(&self, transfer: &Transfer) -> Result<FinishedTransfer, Error> {
        let id = &transfer.transfer_id;
        let _ = self.id.set(id.clone());
        self.step.store(SENDING, Ordering::Relaxed);
        let upload = self.manager.upload(transfer, self.source.clone()).digest(self.digest);
        let uploaded = upload.reporting_to(self.on_progress.clone()).await?;
        let (size, sha256) = (uploaded.size_bytes, uploaded.sha256.clone());
        if let Some(memory) = &self.memory {
            memory.note(LedgerState::Stored, id, |entry| entry.stored(size, sha256.clone())).await?;
        }
        self.finish(id.clone(), Some(uploaded), sha256).await
    }

    async fn finish(
        &self,
        id: TransferId,
        uploaded: Option<UploadedTransfer>,
        sha256: Option<String>,
    ) -> Result<FinishedTransfer, Error> {
        self.step.store(WAITING, Ordering::Relaxed);
        let mut wait = WaitForTransfer::new(self.manager.clone(), id.clone())
            .within(self.within)
            .knowing(self.payload.clone());
        if let Some(digest) = &sha256 {
            wait = wait.sha256(digest.as_str());
        }
        let state = wait.await?;
        self.over(FinishedTransfer { transfer_id: id, state, uploaded }, sha256).await
    }

    /// Notes the end.
    async fn over(
        &self,
        finished: FinishedTransfer,
        sha256: Option<String>,
    ) -> Result<FinishedTransfer, Error> {
        if let Some(memory) = &self.memory {
            let (size, verdict) = (self.payload.file_size, finished.verdict().as_str());
            let more = |entry: LedgerEntry| entry.stored(size, sha256).verdict(verdict);
            memory.note(LedgerState::Finished, &finished.transfer_id, more).await?;
        }
        Ok(finished)
    }

    /// The transfer, or nothing where there is none yet.
    fn subject(&self) -> &str {
        self.id.get().or(self.resume.as_ref()).map_or("", TransferId::as_str)
    }

    /// That it was ended from outside, and how far it came.
    pub(crate) async fn canceled(&self) -> Error {
        let step = self.step.load(Ordering::Relaxed);
        let (operation, sent): (&'static Operation, _) = match step {
            CHECKING => (&CREATE_TRANSFER, Sent::No),
            ANNOUNCING => (&CREATE_TRANSFER, Sent::Maybe),
            SENDING => (&PUT_TRANSFER, Sent::Maybe),
            _ => (&GET_TRANSFER, Sent::Yes),
        };
        let error = Error::new(ErrorKind::Canceled, sent).with_operation(operation);
        // A wait changes nothing, so nothing failed.
        if step != WAITING {
            self.manager.record_failure(&error, operation, self.subject()).await;
        }
        error
    }
}

/// Whether the platform has no such transfer any more.
fn is_gone(error: &Error) -> bool {
    error.kind() == ErrorKind::NotFound || error.status() == Some(StatusCode::GONE)
}
