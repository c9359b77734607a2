//! Waits for the verdict on a transfer, and holds it against the digest of what was sent.

use std::future::IntoFuture;
use std::pin::Pin;
use std::time::Duration;

use webmessaging_http::{Error, ErrorKind, Facts, Sent};
use webmessaging_journal::kind::{TransferBlocked, TransferFinished};
use webmessaging_journal::{EventKind, Facts as EventFacts};
use webmessaging_model::{ScanVerdict, TransferId, TransferPayload};

use crate::get_transfer::TransferState;
use crate::operations::GET_TRANSFER;
use crate::poller::Seen;
use crate::record;
use crate::transfer_manager::{PATIENCE, TransferManager, policy};

/// Waits for a verdict; `.await` begins. Dropping the future ends the wait.
///
/// The first look is after 2 seconds, then each wait is twice the one before, up to 30 seconds; all waits of a manager share
/// one pace, so with many of them a look can come later. [`TransferManager::tell`] ends it earlier. Trouble that can pass is
/// waited out.
///
/// # Errors
/// [`Timeout`](ErrorKind::Timeout) when there is no verdict within the time, with the last trouble as its source;
/// [`UnexpectedAnswer`](ErrorKind::UnexpectedAnswer) when the file is said to be clean and is not the one that was sent; and
/// those of [`TransferManager::status`].
#[derive(Debug, Clone)]
#[must_use = "nothing is waited for until it is awaited"]
pub struct WaitForTransfer {
    manager: TransferManager,
    conclusion: Conclusion,
    within: Duration,
}

/// What is held against the verdict and goes into its record.
#[derive(Debug, Clone)]
pub(crate) struct Conclusion {
    pub(crate) id: TransferId,
    pub(crate) sha256: Option<String>,
    pub(crate) payload: Option<TransferPayload>,
}

impl WaitForTransfer {
    pub(crate) fn new(manager: TransferManager, id: TransferId) -> Self {
        Self { manager, conclusion: Conclusion { id, sha256: None, payload: None }, within: PATIENCE }
    }

    /// Sets how long to wait in all; 120 seconds by default.
    pub fn within(mut self, limit: Duration) -> Self {
        self.within = limit;
        self
    }

    /// Sets the SHA-256 of the bytes that were sent, in hexadecimal. When the platform reports another one, the file is not the
    /// one that was sent, whatever the scanner says.
    pub fn sha256(mut self, digest: impl Into<String>) -> Self {
        self.conclusion.sha256 = Some(digest.into());
        self
    }

    async fn run(self) -> Result<TransferState, Error> {
        let Seen { state, facts } = self.manager.poller.wait(&self.conclusion.id, self.within).await?;
        self.conclusion.draw(&self.manager, state, facts).await
    }
}

impl Conclusion {
    /// Holds a final state against the digest, and records it.
    pub(crate) async fn draw(
        &self,
        manager: &TransferManager,
        state: TransferState,
        facts: Option<Facts>,
    ) -> Result<TransferState, Error> {
        let is_clean = state.verdict() == ScanVerdict::Clean;
        let mismatch = self.has_other_bytes(&state);
        let event =
            || if is_clean && !mismatch { self.finished(&state) } else { self.blocked(&state, mismatch) };
        match &facts {
            Some(facts) => {
                record::success(&manager.journal, facts, || (event(), EventFacts::of(facts))).await?;
            }
            None => record::done(&manager.journal, &GET_TRANSFER, || (event(), EventFacts::new())).await?,
        }
        if mismatch {
            return Err(Error::new(ErrorKind::UnexpectedAnswer, Sent::Yes)
                .with_operation(&GET_TRANSFER)
                .with_message("the platform has other bytes than were sent, by their sha-256"));
        }
        Ok(state)
    }

    /// Whether the platform calls a file clean that is not the one that was sent.
    pub(crate) fn has_other_bytes(&self, state: &TransferState) -> bool {
        let is_other = |sent: &str| state.sha256.as_ref().is_some_and(|has| !has.eq_ignore_ascii_case(sent));
        state.verdict() == ScanVerdict::Clean && self.sha256.as_deref().is_some_and(is_other)
    }

    fn file_name<'a>(&'a self, state: &'a TransferState) -> Option<&'a str> {
        state.file_name.as_deref().or_else(|| Some(self.payload.as_ref()?.file_name.as_str()))
    }

    fn content_type(&self, state: &TransferState) -> Option<String> {
        let announced = || self.payload.as_ref().map(|payload| &payload.mime_type);
        state.mime_type.as_ref().or_else(announced).map(ToString::to_string)
    }

    fn finished(&self, state: &TransferState) -> EventKind {
        let reported =
            state.metadata.as_ref().and_then(|metadata| metadata.access_policy_directives.as_ref());
        let payload = self.payload.as_ref();
        let directives = reported.or_else(|| payload.map(|payload| &payload.access_policy_directives));
        let mut kind = TransferFinished::new(self.id.as_str(), self.file_name(state).unwrap_or_default());
        kind.storage_location = state.download_uri().map(|uri| uri.expose().into());
        kind.access_policy = directives.map(policy);
        kind.size = state.file_size.or_else(|| payload.map(|payload| payload.file_size));
        kind.content_type = self.content_type(state);
        kind.into()
    }

    fn blocked(&self, state: &TransferState, mismatch: bool) -> EventKind {
        let cause = match state.verdict() {
            _ if mismatch => "digest_mismatch",
            ScanVerdict::Malicious => "virus_detected",
            ScanVerdict::FormatRejected => "validation_failed",
            ScanVerdict::Failed => "failed",
            _ => "unknown",
        };
        let mut kind = TransferBlocked::new(self.id.as_str(), cause);
        kind.file_name = self.file_name(state).map(Into::into);
        kind.content_type = self.content_type(state);
        kind.into()
    }
}

impl IntoFuture for WaitForTransfer {
    type Output = Result<TransferState, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}
