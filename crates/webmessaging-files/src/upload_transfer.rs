//! The bytes of a transfer: streamed to its presigned URL, which is renewed when it ends too soon or is refused.

use std::fmt;
use std::future::IntoFuture;
use std::pin::Pin;
use std::sync::Arc;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use webmessaging_http::{
    Error, ErrorKind, Facts, PresignedPut, PresignedTarget, Progress, Sent, Source, Stored,
};
use webmessaging_journal::Facts as EventFacts;
use webmessaging_journal::kind::TransferUploaded;
use webmessaging_model::TransferStatus;

use crate::operations::PUT_TRANSFER;
use crate::record;
use crate::transfer::{Transfer, UploadedTransfer};
use crate::transfer_manager::{EXPIRING, TransferManager};

/// The upload of a transfer's bytes; `.await` begins it, dropping the future ends it.
///
/// They are streamed in constant memory, with their exact length and the announced media type. Each attempt starts at the
/// first byte. The URL is renewed when an attempt would begin with less than 30 minutes of it left, however long it waited
/// for its turn, and when the store refuses it: twice when it says that the URL expired, once when it gives no reason. After a
/// failure the platform is asked whether it has the bytes all the same; then nobody knows their digest and the number of URLs.
///
/// # Errors
/// Those of [`Client::put_presigned`](webmessaging_http::Client::put_presigned) and [`TransferManager::renew`].
#[must_use = "an upload does nothing until it is awaited"]
pub struct UploadTransfer {
    manager: TransferManager,
    transfer: Transfer,
    source: Source,
    digest: bool,
    on_progress: Option<Arc<dyn Fn(Progress) + Send + Sync>>,
}

impl UploadTransfer {
    pub(crate) fn new(manager: TransferManager, transfer: Transfer, source: Source) -> Self {
        Self { manager, transfer, source, digest: true, on_progress: None }
    }

    /// Sets whether the bytes are hashed on the way; they are by default.
    pub fn digest(mut self, digest: bool) -> Self {
        self.digest = digest;
        self
    }

    /// Calls back with every chunk that is handed to the network, from whichever thread that is.
    pub fn on_progress(self, report: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.reporting_to(Some(Arc::new(report)))
    }

    pub(crate) fn reporting_to(mut self, report: Option<Arc<dyn Fn(Progress) + Send + Sync>>) -> Self {
        self.on_progress = report;
        self
    }

    async fn run(self) -> Result<UploadedTransfer, Error> {
        let Transfer { transfer_id: id, payload, .. } = &self.transfer;
        let uploaded = |sha256, urls, facts| UploadedTransfer {
            transfer_id: id.clone(),
            size_bytes: payload.file_size,
            sha256,
            urls,
            facts,
        };
        let (uploaded, digest) = match self.put().await {
            Ok(stored) => (uploaded(stored.sha256_hex(), stored.urls, stored.facts), stored.sha256),
            Err(error) => {
                let Some(facts) = self.arrived(&error).await else {
                    self.manager.record_failure(&error, &PUT_TRANSFER, id.as_str()).await;
                    return Err(error);
                };
                (uploaded(None, 0, facts), None)
            }
        };
        let event = || {
            let kind = TransferUploaded::new(id.as_str(), payload.file_size)
                .content_type(payload.mime_type.as_str());
            let mut facts = EventFacts::of(&uploaded.facts);
            facts.payload_sha256 = digest;
            (kind.into(), facts)
        };
        record::success(&self.manager.journal, &uploaded.facts, event).await?;
        Ok(uploaded)
    }

    /// Whether the platform has the bytes in spite of a failure: an answer can get lost, and a store that has looked at the
    /// bytes takes them no second time. The platform's word counts.
    async fn arrived(&self, error: &Error) -> Option<Facts> {
        if error.sent() == Sent::No || error.kind() == ErrorKind::NotRecorded {
            return None;
        }
        let answer = self.manager.look(&self.transfer.transfer_id).await.ok()?;
        // One that failed can have failed for want of bytes.
        let has_bytes = matches!(
            answer.value.status?,
            TransferStatus::Uploaded
                | TransferStatus::Complete
                | TransferStatus::VirusDetected
                | TransferStatus::ValidationFailed
        );
        has_bytes.then_some(answer.facts)
    }

    async fn put(&self) -> Result<Stored, Error> {
        let media_type = self.transfer.payload.mime_type.as_str();
        let media_type = HeaderValue::from_str(media_type).map_err(|_| {
            Error::configuration("no header can hold the media type").with_operation(&PUT_TRANSFER)
        })?;
        let mut put = PresignedPut::new(&PUT_TRANSFER, &self.source, self.transfer.payload.file_size)
            .digest(self.digest);
        if let Some(report) = &self.on_progress {
            put = put.on_progress(Arc::clone(report));
        }
        let mut at_hand = Some(self.transfer.clone());
        let issue = |refusal| self.destination(at_hand.take(), refusal, media_type.clone());
        let (_, stored) = self.manager.http.put_renewed(put, issue).await?;
        Ok(stored)
    }

    /// Where to put the bytes: the URL at hand as long as it lives, a fresh one otherwise.
    async fn destination(
        &self,
        at_hand: Option<Transfer>,
        refusal: Option<Error>,
        media_type: HeaderValue,
    ) -> Result<PresignedTarget, Error> {
        let clock = &**self.manager.http.clock();
        let transfer = match at_hand {
            Some(transfer) if !transfer.is_expiring(clock) => transfer,
            _ => {
                let cause = refusal.map_or(EXPIRING, |refusal| refusal.kind().code());
                self.manager.renewed(&self.transfer, cause).await?
            }
        };
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, media_type)]);
        let (left, margin) = (transfer.left(clock), transfer.margin());
        Ok(PresignedTarget::new(transfer.upload_uri, headers, left).margin(margin))
    }
}

impl IntoFuture for UploadTransfer {
    type Output = Result<UploadedTransfer, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl fmt::Debug for UploadTransfer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UploadTransfer")
            .field("transfer", &self.transfer)
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}
