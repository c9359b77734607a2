//! The steps behind a whole transfer: look back, check, announce, send, wait; each noted where somebody keeps a ledger.

mod memory;

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::StatusCode;
use webmessaging_http::{Answer, Error, ErrorKind, Facts, Progress, Sent, Source};
use webmessaging_model::content_type::HEAD_BYTES;
use webmessaging_model::{
    Code, Limit, Operation, ScanVerdict, TransferId, TransferPayload, TransferStatus, Unit, Violation,
    Violations,
};

use crate::file_transfer::FinishedTransfer;
use crate::get_transfer::TransferState;
use crate::ledger::{LedgerEntry, LedgerState};
use crate::operations::{CREATE_TRANSFER, GET_TRANSFER, PUT_TRANSFER};
use crate::poller::Seen;
use crate::transfer::{Transfer, UploadedTransfer};
use crate::transfer_manager::{PATIENCE, TransferManager};
use crate::wait_for_transfer::Conclusion;

use self::memory::Earlier;
pub(crate) use self::memory::Memory;

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
const LOOKING: u8 = 1;
const ANNOUNCING: u8 = 2;
const SENDING: u8 = 3;
const WAITING: u8 = 4;

/// Where the work begins.
enum Begun {
    /// The platform knows of no transfer that could go on.
    Not,
    Announced(Transfer),
    Uploaded(TransferId),
    Over(TransferId, TransferState, Box<Facts>),
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
        let earlier = match &self.memory {
            Some(memory) => memory.earlier().await?,
            None => None,
        };
        match self.begin(earlier.as_ref()).await? {
            Begun::Over(id, state, facts) => {
                let (sha256, recorded) =
                    earlier.map(|earlier| (earlier.sha256, earlier.recorded)).unwrap_or_default();
                // An end that is on record is not recorded again: what follows from it has followed.
                let is_on_record = recorded.as_deref() == Some(state.verdict().as_str());
                let conclusion = self.conclusion(id, sha256);
                if is_on_record && !conclusion.has_other_bytes(&state) {
                    return Ok(FinishedTransfer { transfer_id: conclusion.id, state, uploaded: None });
                }
                self.conclude(conclusion, state, Some(*facts), None).await
            }
            Begun::Uploaded(id) => {
                let sha256 = earlier.and_then(|earlier| earlier.sha256);
                self.finish(self.conclusion(id, sha256), None).await
            }
            Begun::Announced(transfer) => {
                self.check().await?;
                self.send(&transfer).await
            }
            Begun::Not => {
                self.step.store(CHECKING, Ordering::Relaxed);
                self.check().await?;
                self.step.store(ANNOUNCING, Ordering::Relaxed);
                let (transfer, facts) = self.manager.announce(self.payload.clone(), self.checked).await?;
                // The ledger comes first: without the id, trying again would announce one more. Where it fails, the record is all
                // that is left.
                let noted = match &self.memory {
                    Some(memory) => {
                        memory.note(LedgerState::Announced, &transfer.transfer_id, |entry| entry).await
                    }
                    None => Ok(()),
                };
                self.manager.record_created(&transfer, &facts).await?;
                noted?;
                self.send(&transfer).await
            }
        }
    }

    /// Finds out where to begin, by what an earlier process has noted or the caller knows.
    async fn begin(&self, earlier: Option<&Earlier>) -> Result<Begun, Error> {
        if let Some(earlier) = earlier
            && let Some(verdict) = earlier.verdict()
        {
            // A scan that failed says nothing about the file, which therefore gets another one.
            if verdict == ScanVerdict::Failed {
                return Ok(Begun::Not);
            }
            // A webhook may have said what the platform's answers do not repeat, and verdicts never go back.
            self.manager.tell(&earlier.id, verdict);
        }
        match earlier.map(|earlier| &earlier.id).or(self.resume.as_ref()) {
            Some(id) => {
                self.step.store(LOOKING, Ordering::Relaxed);
                self.look_back(id, earlier.is_some_and(|earlier| earlier.is_stored)).await
            }
            None => Ok(Begun::Not),
        }
    }

    /// What became of a transfer that an earlier process has announced.
    async fn look_back(&self, id: &TransferId, is_stored: bool) -> Result<Begun, Error> {
        let Answer { value: state, facts, .. } = match self.manager.look(id).await {
            Ok(answer) => answer,
            Err(error) if is_gone(&error) => return Ok(Begun::Not),
            Err(error) => return Err(error),
        };
        if state.is_final() {
            return Ok(Begun::Over(id.clone(), state, Box::new(facts)));
        }
        let is_created = state.status == Some(TransferStatus::Created);
        if state.status == Some(TransferStatus::Uploaded) || (is_stored && !is_created) {
            return Ok(Begun::Uploaded(id.clone()));
        }
        // A status that this version does not know can come before the bytes: the platform renews as long as they are not there.
        match self.manager.renew(id).await {
            Ok(ticket) => Ok(Begun::Announced(self.manager.issued(ticket, self.payload.clone()))),
            Err(error) if error.kind() == ErrorKind::Conflict => Ok(Begun::Uploaded(id.clone())),
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
        self.finish(self.conclusion(id.clone(), sha256), Some(uploaded)).await
    }

    fn conclusion(&self, id: TransferId, sha256: Option<String>) -> Conclusion {
        Conclusion { id, sha256, payload: Some(self.payload.clone()) }
    }

    async fn finish(
        &self,
        conclusion: Conclusion,
        uploaded: Option<UploadedTransfer>,
    ) -> Result<FinishedTransfer, Error> {
        self.step.store(WAITING, Ordering::Relaxed);
        let Seen { state, facts } = self.manager.poller.wait(&conclusion.id, self.within).await?;
        self.conclude(conclusion, state, facts, uploaded).await
    }

    /// Draws the conclusion, and notes it.
    async fn conclude(
        &self,
        mut conclusion: Conclusion,
        state: TransferState,
        facts: Option<Facts>,
        uploaded: Option<UploadedTransfer>,
    ) -> Result<FinishedTransfer, Error> {
        // The process that sent the bytes ended before it could note their digest, or the store's answer got lost.
        let is_wanted = self.digest && conclusion.sha256.is_none() && state.verdict() == ScanVerdict::Clean;
        if is_wanted && state.sha256.is_some() {
            let digest = self.source.sha256().await;
            let digest = digest.map_err(|violation| Error::from(Violations::from(violation)))?;
            conclusion.sha256 = Some(digest.map(|byte| format!("{byte:02x}")).concat());
        }
        let state = conclusion.draw(&self.manager, state, facts).await?;
        let Conclusion { id, sha256, .. } = conclusion;
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
            LOOKING => (&GET_TRANSFER, Sent::Maybe),
            ANNOUNCING => (&CREATE_TRANSFER, Sent::Maybe),
            SENDING => (&PUT_TRANSFER, Sent::Maybe),
            _ => (&GET_TRANSFER, Sent::Yes),
        };
        let error = Error::new(ErrorKind::Canceled, sent).with_operation(operation);
        // Neither a look nor a wait changes anything, so nothing failed.
        if step != LOOKING && step != WAITING {
            self.manager.record_failure(&error, operation, self.subject()).await;
        }
        error
    }
}

/// Whether the platform has no such transfer any more.
fn is_gone(error: &Error) -> bool {
    error.kind() == ErrorKind::NotFound
        || (error.kind() == ErrorKind::Rejected && error.status() == Some(StatusCode::GONE))
}
