//! The client for files.

use std::sync::Arc;
use std::time::Duration;

use webmessaging_http::{Client, Error, Source};
use webmessaging_journal::Journal;
use webmessaging_model::{AttachmentId, MessageId, UploadLimits, limits};

use crate::deliver::Deliver;
use crate::download_url::AskDownloadUrl;
use crate::get_attachment::{Attachment, GetAttachment};
use crate::quarantine::{Hook, QuarantineHook};
use crate::signed_download::SignedDownload;
use crate::upload::Upload;
use crate::wait_for_scan::WaitForScan;

/// Uploads files and tells what became of them. Cheap to clone.
///
/// # Examples
/// ```no_run
/// use webmessaging_files::FilesClient;
/// use webmessaging_http::{Client, Credentials, Source};
///
/// # async fn example() -> Result<(), webmessaging_http::Error> {
/// let files = FilesClient::new(Client::builder(Credentials::new("id", "secret")).build()?);
/// let file = files.upload(Source::path("report.pdf")).channel("channel-1").message("message-1").await?;
/// println!("{} has {} bytes", file.file_id, file.size_bytes);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct FilesClient {
    pub(crate) http: Client,
    pub(crate) limits: UploadLimits,
    pub(crate) url_lifetime: Duration,
    pub(crate) journal: Journal,
    pub(crate) hook: Hook,
    pub(crate) hook_limit: Duration,
}

impl FilesClient {
    /// A client with the documented limits.
    pub fn new(http: Client) -> Self {
        let url_lifetime = Duration::from_secs(limits::UPLOAD_URL_SECONDS.value);
        Self {
            http,
            limits: UploadLimits::default(),
            url_lifetime,
            journal: Journal::none(),
            hook: Hook::default(),
            hook_limit: Duration::from_secs(30),
        }
    }

    /// Replaces the limits that uploads are checked against.
    #[must_use]
    pub fn limits(mut self, limits: UploadLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets how long a presigned upload URL is taken to live; 5 minutes by default. An attempt that would begin after
    /// nine tenths of it (or 10 seconds before its end, whichever is later) asks for a new URL first.
    #[must_use]
    pub fn upload_url_lifetime(mut self, lifetime: Duration) -> Self {
        self.url_lifetime = lifetime;
        self
    }

    /// Sets who is told of what happens: audit log, metrics, outbox; nobody by default. A call is over when its durable sinks have the
    /// record; one that was done and could not be recorded fails with [`NotRecorded`](webmessaging_http::ErrorKind::NotRecorded).
    #[must_use]
    pub fn journal(mut self, journal: Journal) -> Self {
        self.journal = journal;
        self
    }

    /// Sets who is told of files that are blocked; nobody by default. See [`QuarantineHook`].
    #[must_use]
    pub fn on_quarantine(mut self, hook: impl QuarantineHook) -> Self {
        self.hook = Hook(Some(Arc::new(hook)));
        self
    }

    /// Sets how long the hook may take for a file; 30 seconds by default.
    #[must_use]
    pub fn quarantine_within(mut self, limit: Duration) -> Self {
        self.hook_limit = limit;
        self
    }

    /// Uploads a file and waits for its scan, with everything that follows from it; see [`Deliver`].
    pub fn deliver(&self, source: Source) -> Deliver {
        Deliver::new(self.clone(), source)
    }

    /// Uploads a file; see [`Upload`].
    pub fn upload(&self, source: Source) -> Upload {
        Upload::new(self.clone(), source)
    }

    /// Reads what became of an attachment; the id of an uploaded file is its attachment id.
    ///
    /// # Errors
    /// [`NotFound`](webmessaging_http::ErrorKind::NotFound) when the message has no such attachment, and those of
    /// [`Client::send`].
    pub async fn attachment(
        &self,
        message: impl Into<MessageId>,
        attachment: impl Into<AttachmentId>,
    ) -> Result<Attachment, Error> {
        let endpoint = GetAttachment::new(message.into(), attachment.into());
        self.http.send(&endpoint).await.map(|answer| answer.value)
    }

    /// Waits until the platform has scanned an attachment; see [`WaitForScan`].
    pub fn wait_for_scan(
        &self,
        message: impl Into<MessageId>,
        attachment: impl Into<AttachmentId>,
    ) -> WaitForScan {
        WaitForScan::new(self.clone(), GetAttachment::new(message.into(), attachment.into()))
    }

    /// Asks for a URL to download a file from, once; see [`AskDownloadUrl`].
    pub fn download_url(
        &self,
        message: impl Into<MessageId>,
        attachment: impl Into<AttachmentId>,
    ) -> AskDownloadUrl {
        AskDownloadUrl::new(self.clone(), GetAttachment::new(message.into(), attachment.into()))
    }

    /// Hands out URLs to download a file from for as long as that is needed; see [`SignedDownload`].
    pub fn signed_download(
        &self,
        message: impl Into<MessageId>,
        attachment: impl Into<AttachmentId>,
    ) -> SignedDownload {
        SignedDownload::new(self.download_url(message, attachment))
    }
}
