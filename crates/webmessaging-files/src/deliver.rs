//! The whole way of a file: uploaded, scanned, recorded, and blocked unless it is clean.

use std::fmt;
use std::future::IntoFuture;
use std::pin::Pin;
use std::time::Duration;

use webmessaging_http::{Error, ErrorKind, Progress, Sent, Source};
use webmessaging_model::{ChannelId, ContentType, MessageId, ScanVerdict};

use crate::client::FilesClient;
use crate::delivered::{DeliverError, Delivered};
use crate::gate::ScanGate;
use crate::get_attachment::Attachment;
use crate::judge::{Arrived, Scan};
use crate::operations::GET_ATTACHMENT;
use crate::upload::{Upload, UploadedFile};
use crate::wait_for_scan::is_blocked;

/// Delivers a file; `.await` begins.
///
/// The file is uploaded as [`Upload`] does it, its scan is waited for, and what that came to is recorded. A file that is not
/// clean is blocked: it is recorded as such and the hook for quarantine is called. When the scan itself failed, the file is
/// uploaded once more after 5 minutes. When the platform names a digest of the bytes, it has to be that of the bytes sent.
///
/// # Errors
/// A [`DeliverError`], which keeps the file when its bytes have arrived: those of [`Upload`] and
/// [`FilesClient::attachment`], [`NotRecorded`](ErrorKind::NotRecorded) when a sink of the journal or the hook has failed, and
/// [`UnexpectedAnswer`](ErrorKind::UnexpectedAnswer) when the platform has other bytes than were sent. No verdict in time is
/// no error: the outcome then has the file, and the verdict [`Pending`](ScanVerdict::Pending).
///
/// # Examples
/// ```no_run
/// # async fn example(files: webmessaging_files::FilesClient) -> Result<(), webmessaging_http::Error> {
/// use webmessaging_http::Source;
///
/// let delivered = files
///     .deliver(Source::path("report.pdf"))
///     .channel("12345678-1234-1234-1234-123456789012")
///     .message("87654321-4321-4321-4321-210987654321")
///     .await?;
/// println!("{} is {}", delivered.file.file_id, delivered.verdict.as_str());
/// # Ok(()) }
/// ```
#[must_use = "nothing is delivered until it is awaited"]
pub struct Deliver {
    upload: Upload,
    gate: ScanGate,
    within: Duration,
    scan_retries: u32,
    scan_retry_after: Duration,
}

impl Deliver {
    pub(crate) fn new(files: FilesClient, source: Source) -> Self {
        Self {
            upload: Upload::new(files, source),
            gate: ScanGate::new(),
            within: Duration::from_secs(120),
            scan_retries: 1,
            scan_retry_after: Duration::from_secs(300),
        }
    }

    /// Sets the channel of the conversation; required.
    pub fn channel(mut self, channel: impl Into<ChannelId>) -> Self {
        self.upload = self.upload.channel(channel);
        self
    }

    /// Sets the message that the file belongs to; required.
    pub fn message(mut self, message: impl Into<MessageId>) -> Self {
        self.upload = self.upload.message(message);
        self
    }

    /// Announces another name than the source's own.
    pub fn file_name(mut self, name: impl Into<String>) -> Self {
        self.upload = self.upload.file_name(name);
        self
    }

    /// Announces another media type than the one the name tells.
    pub fn content_type(mut self, content_type: ContentType) -> Self {
        self.upload = self.upload.content_type(content_type);
        self
    }

    /// As [`Upload::unchecked`].
    pub fn unchecked(mut self) -> Self {
        self.upload = self.upload.unchecked();
        self
    }

    /// As [`Upload::digest`]. Without a digest, that of the platform is compared with nothing.
    pub fn digest(mut self, digest: bool) -> Self {
        self.upload = self.upload.digest(digest);
        self
    }

    /// As [`Upload::on_progress`]; a second upload after a failed scan begins at its first attempt again.
    pub fn on_progress(mut self, report: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.upload = self.upload.on_progress(report);
        self
    }

    /// Ends the delivery with [`Canceled`](ErrorKind::Canceled) when a future does, wherever it is. A file that has arrived by then
    /// stays, and is named by the error.
    pub fn cancel_on(mut self, signal: impl Future<Output = ()> + Send + 'static) -> Self {
        self.upload = self.upload.cancel_on(signal);
        self
    }

    /// Listens to what webhooks say of the file, as [`WaitForScan::gate`](crate::WaitForScan::gate) does.
    pub fn gate(mut self, gate: &ScanGate) -> Self {
        self.gate = gate.clone();
        self
    }

    /// Sets how long each scan is waited for; 120 seconds by default.
    pub fn within(mut self, limit: Duration) -> Self {
        self.within = limit;
        self
    }

    /// Sets how often the file is uploaded again after a scan that failed; once by default.
    pub fn scan_retries(mut self, retries: u32) -> Self {
        self.scan_retries = retries;
        self
    }

    /// Sets how long to wait before that; 5 minutes by default.
    pub fn scan_retry_after(mut self, wait: Duration) -> Self {
        self.scan_retry_after = wait;
        self
    }

    async fn run(self) -> Result<Delivered, DeliverError> {
        let Self { upload: Upload { plan, mut cancel }, gate, within, scan_retries, scan_retry_after } = self;
        let (files, message) = (&plan.files, &plan.message);
        let mut scan = Scan { files, message, gate, within, retries_left: scan_retries };
        // Of an earlier round, whose scan failed: it is on the platform all the same.
        let mut before: Option<UploadedFile> = None;
        loop {
            let (file, recorded) = match plan.run(&mut cancel).await {
                Ok(uploaded) => uploaded,
                Err(error) => {
                    return Err(match before {
                        Some(file) => DeliverError::after(error, file),
                        None => DeliverError::before(error),
                    });
                }
            };
            if let Err(error) = recorded {
                return Err(DeliverError::after(error, file));
            }
            let arrived = Arrived::from(&file);
            let scanned = match cancel.or(Box::pin(scan.wait(&arrived))).await {
                Some(Ok(Some(scanned))) => scanned,
                Some(Ok(None)) => {
                    return Ok(Delivered { file, verdict: ScanVerdict::Pending, attachment: None });
                }
                Some(Err(error)) => return Err(DeliverError::after(error, file)),
                None => return Err(DeliverError::after(canceled(), file)),
            };
            let (attachment, concluded) = scan.conclude(&arrived, scanned).await;
            if let Err(error) = concluded {
                return Err(DeliverError::after(error, file));
            }
            let (verdict, attachment) = (attachment.verdict(), Some(attachment));
            if verdict != ScanVerdict::Failed || scan.retries_left == 0 {
                return Ok(Delivered { file, verdict, attachment });
            }
            scan.retries_left -= 1;
            if cancel.or(plan.files.http.clock().sleep(scan_retry_after)).await.is_none() {
                return Err(DeliverError::after(canceled(), file));
            }
            // What a webhook has said of the file meanwhile can be worse than a scan that failed.
            let told = scan.gate.verdict(file.file_id.clone());
            if is_blocked(told) && told != ScanVerdict::Failed {
                let attachment = Attachment::blocked(file.file_id.clone().into(), told);
                return match scan.judge(&arrived, &attachment, None).await {
                    Ok(()) => Ok(Delivered { file, verdict: told, attachment: Some(attachment) }),
                    Err(error) => Err(DeliverError::after(error, file)),
                };
            }
            before = Some(file);
        }
    }
}

fn canceled() -> Error {
    Error::new(ErrorKind::Canceled, Sent::Yes).with_operation(&GET_ATTACHMENT)
}

impl IntoFuture for Deliver {
    type Output = Result<Delivered, DeliverError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl fmt::Debug for Deliver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deliver")
            .field("upload", &self.upload)
            .field("within", &self.within)
            .field("scan_retries", &self.scan_retries)
            .field("scan_retry_after", &self.scan_retry_after)
            .finish_non_exhaustive()
    }
}
