//! The whole life of a transfer in one call; or what is left of it, from wherever an earlier process stopped.

use std::fmt;
use std::future::IntoFuture;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use webmessaging_http::{Error, PresignedUrl, Progress, Source};
use webmessaging_model::{ScanVerdict, TransferId, TransferPayload};

use crate::get_transfer::TransferState;
use crate::ledger::Ledger;
use crate::life_cycle::{Memory, Plan};
use crate::race::Cancel;
use crate::transfer::UploadedTransfer;
use crate::transfer_manager::TransferManager;

/// A transfer from announcement to verdict; `.await` begins it.
///
/// The payload, the length of the source and its first 4096 bytes are checked before anything is sent. Dropping the future ends
/// the transfer where it is; [`cancel_on`](Self::cancel_on) does it with an error that says how far it came.
///
/// # Errors
/// [`InvalidInput`](webmessaging_http::ErrorKind::InvalidInput) with every broken rule, before anything is sent;
/// [`Canceled`](webmessaging_http::ErrorKind::Canceled); and those of [`TransferManager::create`],
/// [`UploadTransfer`](crate::UploadTransfer) and [`WaitForTransfer`](crate::WaitForTransfer). A file that is not clean is no
/// error.
#[must_use = "a transfer does nothing until it is awaited"]
pub struct FileTransfer {
    plan: Plan,
    cancel: Cancel,
}

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

impl FileTransfer {
    pub(crate) fn new(manager: TransferManager, payload: TransferPayload, source: Source) -> Self {
        Self { plan: Plan::new(manager, payload, source), cancel: Cancel::default() }
    }

    /// Goes on with a transfer that an earlier process has announced. The platform is asked what became of it: one without its
    /// bytes is renewed and gets them, one that has them is waited for, one that is over is the outcome, and in place of one
    /// that is gone a new one is announced.
    pub fn resume(mut self, transfer: impl Into<TransferId>) -> Self {
        self.plan.resume = Some(transfer.into());
        self
    }

    /// Notes in a ledger how far it came, and goes on from there when the ledger knows the key: a process that was ended in the
    /// middle starts the same transfer again and sends nothing twice. The stamp says whether the thing behind the key is still
    /// the same; what is noted under another one is begun anew, and so is one whose scan failed.
    pub fn ledger(mut self, ledger: impl Ledger, key: impl Into<String>, stamp: impl Into<String>) -> Self {
        self.plan.memory = Some(Memory::new(Arc::new(ledger), key.into(), stamp.into()));
        self
    }

    /// Leaves every check to the server for this transfer, that of the first bytes included, for a server that has moved on.
    pub fn unchecked(mut self) -> Self {
        self.plan.checked = false;
        self
    }

    /// Sets how long to wait for the verdict once the bytes are there; 120 seconds by default.
    pub fn within(mut self, limit: Duration) -> Self {
        self.plan.within = limit;
        self
    }

    /// Sets whether the bytes are hashed on the way, and held against what the platform says of them; they are by default.
    /// Where nobody knows the digest any more, after a crash or a lost answer, the source is read once more for it.
    pub fn digest(mut self, digest: bool) -> Self {
        self.plan.digest = digest;
        self
    }

    /// Calls back with every chunk that is handed to the network, from whichever thread that is.
    pub fn on_progress(mut self, report: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.plan.on_progress = Some(Arc::new(report));
        self
    }

    /// Ends the transfer with [`Canceled`](webmessaging_http::ErrorKind::Canceled) when a future does: a signal, a token, a
    /// timer.
    pub fn cancel_on(mut self, signal: impl Future<Output = ()> + Send + 'static) -> Self {
        self.cancel = Cancel::on(signal);
        self
    }

    async fn run(mut self) -> Result<FinishedTransfer, Error> {
        match self.cancel.or(self.plan.run()).await {
            Some(outcome) => outcome,
            None => Err(self.plan.canceled().await),
        }
    }
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
