//! The whole life of a transfer: check, announce, send, wait for the verdict; or from wherever an earlier process left it.

mod book;

use std::fmt;
use std::future::{IntoFuture, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::Poll;
use std::time::Duration;

use http::StatusCode;
use webmessaging_http::{Answer, Error, ErrorKind, Facts, PresignedUrl, Progress, Sent, Source};
use webmessaging_model::content_type::HEAD_BYTES;
use webmessaging_model::{
    Code, Limit, Operation, ScanVerdict, TransferId, TransferPayload, TransferStatus, Unit, Violation,
    Violations,
};

use self::book::{Left, Page};
use crate::get_transfer::TransferState;
use crate::ledger::Ledger;
use crate::operations::{CREATE_TRANSFER, GET_TRANSFER, PUT_TRANSFER};
use crate::transfer::{Transfer, UploadedTransfer};
use crate::transfer_manager::{PATIENCE, TransferManager};
use crate::wait_for_transfer::{Conclusion, WaitForTransfer};

/// A transfer from announcement to verdict; `.await` begins it.
///
/// The payload, the length of the source and its first 4096 bytes are checked before anything is sent. Dropping the future ends
/// the transfer where it is; [`cancel_on`](Self::cancel_on) does it with an error that says how far it came.
///
/// # Errors
/// [`InvalidInput`](ErrorKind::InvalidInput) with every broken rule, before anything is sent;
/// [`Canceled`](ErrorKind::Canceled); and those of [`TransferManager::create`],
/// [`UploadTransfer`](crate::UploadTransfer) and [`WaitForTransfer`]. A file that is not clean is no error.
#[must_use = "a transfer does nothing until it is awaited"]
pub struct FileTransfer {
    plan: Plan,
    cancel: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

struct Plan {
    manager: TransferManager,
    payload: TransferPayload,
    source: Source,
    resume: Option<TransferId>,
    page: Option<Page>,
    within: Duration,
    digest: bool,
    on_progress: Option<Arc<dyn Fn(Progress) + Send + Sync>>,
    place: Place,
}

/// How far it is, for whoever cancels it.
#[derive(Default)]
struct Place {
    step: AtomicU8,
    id: OnceLock<TransferId>,
}

const CHECKING: u8 = 0;
const ANNOUNCING: u8 = 1;
const SENDING: u8 = 2;
const WAITING: u8 = 3;

/// A transfer that is over.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct FinishedTransfer {
    /// The transfer.
    pub transfer_id: TransferId,
    /// What the platform says of it.
    pub state: TransferState,
    /// How the bytes went, unless an earlier process had sent them.
    pub uploaded: Option<UploadedTransfer>,
}

impl FinishedTransfer {
    /// What it came to.
    pub fn verdict(&self) -> ScanVerdict {
        self.state.verdict()
    }

    /// The URI to download it from: only for a file that was found clean.
    pub fn download_uri(&self) -> Option<&PresignedUrl> {
        self.state.download_uri()
    }
}

/// Where the work begins.
enum Begun {
    /// The platform knows of no transfer that could go on.
    Not,
    Announced(Transfer),
    Uploaded(TransferId),
    Over(TransferId, TransferState, Facts),
}

impl FileTransfer {
    pub(crate) fn new(manager: TransferManager, payload: TransferPayload, source: Source) -> Self {
        let place = Place::default();
        let (resume, page, within, digest, on_progress) = (None, None, PATIENCE, true, None);
        Self {
            plan: Plan { manager, payload, source, resume, page, within, digest, on_progress, place },
            cancel: None,
        }
    }

    /// Goes on with a transfer that an earlier process has announced. The platform is asked what became of it: one without its
    /// bytes is renewed and gets them, one that has them is waited for, one that is over is the outcome, and in place of one
    /// that is gone a new one is announced.
    pub fn resume(mut self, transfer: impl Into<TransferId>) -> Self {
        self.plan.resume = Some(transfer.into());
        self
    }

    /// Keeps in a ledger how far the transfer is, under a key of the caller's. When the process ends before the transfer does, the same
    /// call goes on with it as [`resume`](Self::resume) would; under the same key, a payload that differs is a new transfer.
    ///
    /// A process that ends between the announcement and its note leaves a transfer that nobody knows of, and that expires unused.
    pub fn ledger(mut self, ledger: impl Ledger, key: impl Into<String>) -> Self {
        self.plan.page = Some(Page::new(Arc::new(ledger), key.into()));
        self
    }

    /// Sets how long to wait for the verdict once the bytes are there; 120 seconds by default.
    pub fn within(mut self, limit: Duration) -> Self {
        self.plan.within = limit;
        self
    }

    /// Sets whether the bytes are hashed on the way, and held against what the platform says of them; they are by default.
    pub fn digest(mut self, digest: bool) -> Self {
        self.plan.digest = digest;
        self
    }

    /// Calls back with every chunk that is handed to the network, from whichever thread that is.
    pub fn on_progress(mut self, report: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.plan.on_progress = Some(Arc::new(report));
        self
    }

    /// Ends the transfer with [`Canceled`](ErrorKind::Canceled) when a future does: a signal, a token, a timer.
    pub fn cancel_on(mut self, signal: impl Future<Output = ()> + Send + 'static) -> Self {
        self.cancel = Some(Box::pin(signal));
        self
    }

    async fn run(self) -> Result<FinishedTransfer, Error> {
        let Self { plan, mut cancel } = self;
        let mut work = Box::pin(plan.run());
        let outcome = poll_fn(|cx| {
            if cancel.as_mut().is_some_and(|signal| signal.as_mut().poll(cx).is_ready()) {
                return Poll::Ready(None);
            }
            work.as_mut().poll(cx).map(Some)
        })
        .await;
        drop(work);
        match outcome {
            Some(outcome) => outcome,
            None => Err(plan.canceled().await),
        }
    }
}

impl Plan {
    async fn run(&self) -> Result<FinishedTransfer, Error> {
        let left = self.left().await?;
        let begun = match &left {
            Some(left) => self.look_back(&left.id).await?,
            None => Begun::Not,
        };
        let (sha256, is_on_record) = left.map_or((None, false), |left| (left.sha256, left.is_finished));
        match begun {
            // An end that is on record is not recorded again: what follows from it has followed.
            Begun::Over(id, state, _) if is_on_record => {
                Ok(FinishedTransfer { transfer_id: id, state, uploaded: None })
            }
            Begun::Over(id, state, facts) => {
                let conclusion = Conclusion { id, sha256, payload: Some(self.payload.clone()) };
                let state = conclusion.draw(&self.manager, state, Some(facts)).await?;
                self.note_end(&conclusion.id, conclusion.sha256, &state).await?;
                Ok(FinishedTransfer { transfer_id: conclusion.id, state, uploaded: None })
            }
            Begun::Uploaded(id) => self.finish(id, None, sha256).await,
            Begun::Announced(transfer) => {
                self.check(&[]).await?;
                self.send(&transfer).await
            }
            Begun::Not => {
                let found = self.payload.validate(&self.manager.limits).err();
                self.check(&found.map(Violations::into_vec).unwrap_or_default()).await?;
                self.place.step.store(ANNOUNCING, Ordering::Relaxed);
                let transfer = self.manager.create(self.payload.clone()).await?;
                if let Some(page) = &self.page {
                    page.announced(&self.payload, &transfer.transfer_id).await?;
                }
                self.send(&transfer).await
            }
        }
    }

    /// Where an earlier process left it, by its id or by the ledger.
    async fn left(&self) -> Result<Option<Left>, Error> {
        let left = match &self.page {
            Some(page) => page.left(&self.payload).await?,
            None => None,
        };
        let given = self.resume.clone().map(|id| Left { id, sha256: None, is_finished: false });
        Ok(left.or(given))
    }

    async fn note_end(
        &self,
        id: &TransferId,
        sha256: Option<String>,
        state: &TransferState,
    ) -> Result<(), Error> {
        match &self.page {
            Some(page) => page.finished(&self.payload, id, sha256, state.verdict()).await,
            None => Ok(()),
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

    /// Looks at the source, and adds what is wrong with it to what was found.
    async fn check(&self, found: &[Violation]) -> Result<(), Error> {
        let mut found = found.to_vec();
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
                if length > 0
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
        let _ = self.place.id.set(transfer.transfer_id.clone());
        self.place.step.store(SENDING, Ordering::Relaxed);
        let upload = self.manager.upload(transfer, self.source.clone()).digest(self.digest);
        let uploaded = upload.reporting_to(self.on_progress.clone()).await?;
        if let Some(page) = &self.page {
            page.stored(&self.payload, &uploaded).await?;
        }
        let (id, sha256) = (uploaded.transfer_id.clone(), uploaded.sha256.clone());
        self.finish(id, Some(uploaded), sha256).await
    }

    async fn finish(
        &self,
        id: TransferId,
        uploaded: Option<UploadedTransfer>,
        sha256: Option<String>,
    ) -> Result<FinishedTransfer, Error> {
        self.place.step.store(WAITING, Ordering::Relaxed);
        let mut wait = WaitForTransfer::new(self.manager.clone(), id.clone())
            .within(self.within)
            .knowing(self.payload.clone());
        if let Some(digest) = &sha256 {
            wait = wait.sha256(digest.as_str());
        }
        let state = wait.await?;
        self.note_end(&id, sha256, &state).await?;
        Ok(FinishedTransfer { transfer_id: id, state, uploaded })
    }

    /// The transfer, or nothing where there is none yet.
    fn subject(&self) -> &str {
        self.place.id.get().or(self.resume.as_ref()).map_or("", TransferId::as_str)
    }

    async fn canceled(&self) -> Error {
        let step = self.place.step.load(Ordering::Relaxed);
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

impl IntoFuture for FileTransfer {
    type Output = Result<FinishedTransfer, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl fmt::Debug for FileTransfer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileTransfer")
            .field("source", &self.plan.source)
            .field("resume", &self.plan.resume)
            .finish_non_exhaustive()
    }
}
