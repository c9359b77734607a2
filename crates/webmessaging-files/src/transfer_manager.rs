//! The client for file transfers: the whole life cycle in one call, and each step on its own.

use std::time::Duration;

use webmessaging_http::{Answer, Client, Error, ErrorKind, Facts, Sent, Source};
use webmessaging_journal::kind::{AccessPolicy, OperationFailed, TransferCreated, TransferRenewed};
use webmessaging_journal::{Facts as EventFacts, Journal};
use webmessaging_model::{
    AccessPolicyDirectives, Operation, OrganizationId, ScanVerdict, TransferId, TransferLimits,
    TransferPayload,
};

use crate::create_transfer::{CreateTransfer, TransferTicket};
use crate::file_transfer::FileTransfer;
use crate::get_transfer::{GetTransfer, TransferState};
use crate::keep_fresh::KeepFresh;
use crate::operations::{CREATE_TRANSFER, RENEW_TRANSFER};
use crate::poller::Poller;
use crate::record;
use crate::renew_transfer::RenewTransfer;
use crate::transfer::Transfer;
use crate::upload_transfer::UploadTransfer;
use crate::wait_for_transfer::WaitForTransfer;

/// Transfers files and tells what became of them. Cheap to clone; clones share one look-out for all transfers that are
/// waited for.
///
/// # Examples
/// ```no_run
/// use webmessaging_files::TransferManager;
/// use webmessaging_http::{Client, Credentials, Source};
/// use webmessaging_model::{AccessPolicyDirectives, EncryptionStandard, TransferPayload};
///
/// # async fn example() -> Result<(), webmessaging_http::Error> {
/// let http = Client::builder(Credentials::new("id", "secret")).build()?;
/// let transfers = TransferManager::new(http, "organization-1");
/// let policy = AccessPolicyDirectives::new(30, EncryptionStandard::Aes256, true);
/// let payload =
///     TransferPayload::new("report.pdf", 20_480, "12345678-1234-1234-1234-123456789abc", policy);
/// let finished = transfers.transfer(payload, Source::path("report.pdf")).await?;
/// println!("{}: {}", finished.transfer_id, finished.verdict().as_str());
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct TransferManager {
    pub(crate) http: Client,
    pub(crate) organization: OrganizationId,
    pub(crate) limits: TransferLimits,
    pub(crate) journal: Journal,
    pub(crate) poller: Poller,
}

impl TransferManager {
    /// A manager with the documented limits.
    pub fn new(http: Client, organization: impl Into<OrganizationId>) -> Self {
        let organization = organization.into();
        let poller = Poller::new(http.clone(), organization.clone());
        Self { http, organization, limits: TransferLimits::default(), journal: Journal::none(), poller }
    }

    /// Replaces the limits that payloads are checked against, and that the platform is told.
    #[must_use]
    pub fn limits(mut self, limits: TransferLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets who is told of what happens: audit log, metrics, outbox; nobody by default. A call is over when its durable sinks have the
    /// record; one that was done and could not be recorded fails with [`NotRecorded`](ErrorKind::NotRecorded).
    #[must_use]
    pub fn journal(mut self, journal: Journal) -> Self {
        self.journal = journal;
        self
    }

    /// Sets how many looks a minute all waiting transfers have together; 200 by default, two thirds of what the platform
    /// allows one OAuth client, so that there is room for everything else.
    #[must_use]
    pub fn looks_per_minute(mut self, looks: u32) -> Self {
        self.poller = self.poller.paced(looks);
        self
    }

    /// Transfers a file from announcement to verdict; see [`FileTransfer`].
    pub fn transfer(&self, payload: TransferPayload, source: Source) -> FileTransfer {
        FileTransfer::new(self.clone(), payload, source)
    }

    /// Announces a transfer.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) with every broken rule; [`NotRecorded`](ErrorKind::NotRecorded), whose
    /// [`subject`](Error::subject) is the id of the transfer; and those of [`Client::send`].
    pub async fn create(&self, payload: TransferPayload) -> Result<Transfer, Error> {
        let (transfer, facts) = self.announce(payload, true).await?;
        let recorded = self.record_created(&transfer, &facts).await;
        recorded.map_err(|error| error.with_subject(transfer.transfer_id.as_str()))?;
        Ok(transfer)
    }

    /// Announces a transfer that is recorded later: whoever keeps its id has it before anything else can fail.
    pub(crate) async fn announce(
        &self,
        payload: TransferPayload,
        checked: bool,
    ) -> Result<(Transfer, Facts), Error> {
        let correlation_id = self.http.new_id();
        let endpoint = CreateTransfer::new(self.organization.clone(), payload.clone(), &*correlation_id);
        let endpoint = endpoint.limits(self.limits.clone());
        let endpoint = if checked { endpoint } else { endpoint.unchecked() };
        let outcome = self.http.send(&endpoint).await;
        // A transfer that never came to be has no id but that of its request.
        let Answer { value, facts, .. } = self.or_failed(outcome, &CREATE_TRANSFER, &correlation_id).await?;
        Ok((self.issued(value, payload), facts))
    }

    pub(crate) async fn record_created(&self, transfer: &Transfer, facts: &Facts) -> Result<(), Error> {
        let event = || {
            let Transfer { transfer_id, payload, expires_at, .. } = transfer;
            let kind =
                TransferCreated::new(transfer_id.as_str(), payload.file_name.as_str(), payload.file_size)
                    .content_type(payload.mime_type.as_str())
                    .expires_at(*expires_at)
                    .access_policy(policy(&payload.access_policy_directives));
            (kind.into(), EventFacts::of(facts))
        };
        record::success(&self.journal, facts, event).await
    }

    /// Asks for fresh URLs; the transfer keeps its id.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) when there is no such transfer any more, and those of [`Client::send`].
    pub async fn renew(&self, transfer: &TransferId) -> Result<TransferTicket, Error> {
        let (ticket, recorded) = self.renew_because(transfer, EXPIRING).await?;
        recorded.map(|()| ticket)
    }

    /// Reads how far a transfer is; a verdict that was heard of before is not taken back.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) when there is no such transfer, and those of [`Client::send`].
    pub async fn status(&self, transfer: &TransferId) -> Result<TransferState, Error> {
        self.look(transfer).await.map(|answer| answer.value)
    }

    /// Sends the bytes of a transfer; see [`UploadTransfer`].
    pub fn upload(&self, transfer: &Transfer, source: Source) -> UploadTransfer {
        UploadTransfer::new(self.clone(), transfer.clone(), source)
    }

    /// Waits until the platform has a verdict on a transfer; see [`WaitForTransfer`].
    pub fn wait(&self, transfer: &TransferId) -> WaitForTransfer {
        WaitForTransfer::new(self.clone(), transfer.clone())
    }

    /// Hands on what a webhook has said. A verdict against a file ends the wait for it at once; one in favor of it has the
    /// platform asked without delay, because only its own answer has the digest and the URI. Tells whether anybody waited.
    ///
    /// It is remembered, for the last few thousand transfers: a webhook may come before the wait, and again after it.
    pub fn tell(&self, transfer: &TransferId, verdict: ScanVerdict) -> bool {
        self.poller.tell(transfer, verdict)
    }

    /// Renews a transfer that waits for its bytes whenever less than 30 minutes remain, until the handle is dropped.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn keep_fresh(&self, transfer: &Transfer) -> KeepFresh {
        KeepFresh::start(self.clone(), transfer.clone())
    }

    /// The same transfer with a fresh URL.
    pub(crate) async fn renewed(&self, transfer: &Transfer, cause: &'static str) -> Result<Transfer, Error> {
        let (renewed, recorded) = self.renewed_even_if_unrecorded(transfer, cause).await?;
        recorded.map(|()| renewed)
    }

    /// The same transfer with a fresh URL, and whether that is on record.
    pub(crate) async fn renewed_even_if_unrecorded(
        &self,
        transfer: &Transfer,
        cause: &'static str,
    ) -> Result<(Transfer, Result<(), Error>), Error> {
        let (ticket, recorded) = self.renew_because(&transfer.transfer_id, cause).await?;
        Ok((self.issued(ticket, transfer.payload.clone()), recorded))
    }

    async fn renew_because(
        &self,
        id: &TransferId,
        cause: &'static str,
    ) -> Result<(TransferTicket, Result<(), Error>), Error> {
        let outcome = self.http.send(&RenewTransfer::new(self.organization.clone(), id.clone())).await;
        let outcome = outcome.and_then(|answer| {
            if answer.value.transfer_id == *id {
                return Ok(answer);
            }
            Err(Error::new(ErrorKind::UnexpectedAnswer, Sent::Yes)
                .with_operation(&RENEW_TRANSFER)
                .with_message("answered the urls of another transfer"))
        });
        let Answer { value, facts, .. } = self.or_failed(outcome, &RENEW_TRANSFER, id.as_str()).await?;
        let event = || {
            let mut kind = TransferRenewed::new(id.as_str(), cause);
            kind.expires_at = value.expires_at;
            (kind.into(), EventFacts::of(&facts))
        };
        let recorded = record::success(&self.journal, &facts, event).await;
        Ok((value, recorded))
    }

    /// One look, with what was known before.
    pub(crate) async fn look(&self, id: &TransferId) -> Result<Answer<TransferState>, Error> {
        let endpoint = GetTransfer::new(self.organization.clone(), id.clone());
        let mut answer = self.http.send(&endpoint).await?;
        answer.value = self.poller.knowing(id, answer.value);
        Ok(answer)
    }

    pub(crate) fn issued(&self, ticket: TransferTicket, payload: TransferPayload) -> Transfer {
        Transfer::new(ticket, payload, self.http.clock().wall().into())
    }

    async fn or_failed<T>(
        &self,
        outcome: Result<T, Error>,
        operation: &'static Operation,
        subject: &str,
    ) -> Result<T, Error> {
        if let Err(error) = &outcome {
            self.record_failure(error, operation, subject).await;
        }
        outcome
    }

    /// That a step came to nothing; one that was done and only not recorded is none of these.
    pub(crate) async fn record_failure(&self, error: &Error, operation: &'static Operation, subject: &str) {
        if error.kind() == ErrorKind::NotRecorded {
            return;
        }
        let event = || {
            let maybe_done = error.sent() == Sent::Maybe;
            OperationFailed::new(operation.name, "transfer", subject, error.kind().code())
                .maybe_done(maybe_done)
                .into()
        };
        record::failure(&self.journal, error, event).await;
    }
}

/// Why a URL is renewed that nobody has refused yet.
pub(crate) const EXPIRING: &str = "expiring";

/// How long to wait for a verdict, unless the caller says otherwise.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) fn policy(directives: &AccessPolicyDirectives) -> AccessPolicy {
    let AccessPolicyDirectives { retention_days, encryption_standard, download_allowed, .. } = directives;
    AccessPolicy::new(*retention_days, encryption_standard.as_str(), *download_allowed)
}
