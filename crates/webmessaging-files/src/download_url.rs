//! A URL to download a file from: only of a clean file, for a limited time, on record.

use std::future::IntoFuture;
use std::pin::Pin;
use std::time::Instant;

use webmessaging_http::{Error, ErrorKind, Facts, PresignedUrl, Sent};
use webmessaging_journal::Facts as EventFacts;
use webmessaging_journal::kind::DownloadUrlIssued;
use webmessaging_model::{FileId, ScanVerdict, Timestamp};

use crate::client::FilesClient;
use crate::expiry::ExpiryPolicy;
use crate::gate::ScanGate;
use crate::get_attachment::{Attachment, GetAttachment};
use crate::operations::GET_ATTACHMENT;
use crate::record;
use crate::wait_for_scan::is_blocked;

/// Asks for a download URL; `.await` begins.
///
/// # Errors
/// [`NotFound`](ErrorKind::NotFound) when there is no download: the message says whether the file is quarantined, deleted
/// or not scanned yet. [`InvalidInput`](ErrorKind::InvalidInput) for a lifetime that is none;
/// [`UnexpectedAnswer`](ErrorKind::UnexpectedAnswer) for a URL that is none or has expired already;
/// [`Permission`](ErrorKind::Permission), which names the scope `conversations:read`;
/// [`NotRecorded`](ErrorKind::NotRecorded); and those of [`Client::send`](webmessaging_http::Client::send).
///
/// # Examples
/// ```no_run
/// # async fn example(files: webmessaging_files::FilesClient) -> Result<(), webmessaging_http::Error> {
/// use std::time::Duration;
/// use webmessaging_files::ExpiryPolicy;
///
/// let download = files
///     .download_url("message-1", "file-1")
///     .expiry(ExpiryPolicy::new(Duration::from_secs(600)))
///     .await?;
/// println!("until {}: {}", download.expires_at, download.url.expose());
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
#[must_use = "nothing is asked for until it is awaited"]
pub struct AskDownloadUrl {
    pub(crate) files: FilesClient,
    pub(crate) endpoint: GetAttachment,
    pub(crate) expiry: ExpiryPolicy,
    gate: Option<ScanGate>,
}

/// A URL to download a file from. Whoever has it can use it until it ends.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DownloadUrl {
    /// The URL; a secret.
    pub url: PresignedUrl,
    /// When it ends, by this machine's calendar.
    pub expires_at: Timestamp,
    /// The file.
    pub file_id: FileId,
    /// Its name, where the platform tells it.
    pub file_name: Option<String>,
}

/// What was asked for, and when.
pub(crate) struct Issued {
    pub(crate) download: DownloadUrl,
    pub(crate) at: Instant,
    pub(crate) wall: Timestamp,
}

/// Why there is none.
pub(crate) struct Refused {
    pub(crate) error: Error,
    /// The verdict that keeps the file from everybody, with what was read of it.
    pub(crate) blocked: Option<Box<Attachment>>,
}

impl AskDownloadUrl {
    pub(crate) fn new(files: FilesClient, endpoint: GetAttachment) -> Self {
        Self { files, endpoint, expiry: ExpiryPolicy::default(), gate: None }
    }

    /// Sets how long the URL may be used; one hour by default.
    pub fn expiry(mut self, policy: ExpiryPolicy) -> Self {
        self.expiry = policy;
        self
    }

    /// Asks a gate, too: a file that a webhook has blocked is not handed out, whatever the platform answers.
    pub fn gate(mut self, gate: &ScanGate) -> Self {
        self.gate = Some(gate.clone());
        self
    }

    pub(crate) fn verdict_at_gate(&self) -> ScanVerdict {
        let file = || self.endpoint.attachment.as_str();
        self.gate.as_ref().map_or(ScanVerdict::Pending, |gate| gate.verdict(file()))
    }

    /// Tells the gate of a verdict that keeps the file from everybody.
    fn tell_gate(&self, verdict: ScanVerdict) {
        if let Some(gate) = &self.gate
            && is_blocked(verdict)
        {
            gate.tell(self.endpoint.attachment.as_str(), verdict);
        }
    }

    pub(crate) async fn run(&self) -> Result<Issued, Refused> {
        self.expiry.validate().map_err(|found| refused(Error::from(found)))?;
        let told = self.verdict_at_gate();
        if is_blocked(told) {
            let attachment = Attachment::blocked(self.endpoint.attachment.clone(), told);
            return Err(Self::no_download(attachment, Sent::No));
        }
        let answer = self.files.http.send(&self.endpoint).await.map_err(refused)?;
        // What a webhook said while the platform answered counts as well.
        let attachment = answer.value.with_known(self.verdict_at_gate());
        self.tell_gate(attachment.verdict());
        let clock = self.files.http.clock();
        let (at, wall) = (clock.now(), Timestamp::from(clock.wall()));
        let Some(url) = attachment.download_url() else {
            return Err(Self::no_download(attachment, Sent::Yes));
        };
        let unexpected = |message| {
            let error = Error::new(ErrorKind::UnexpectedAnswer, Sent::Yes).with_message(message);
            refused(error)
        };
        let (url, expires_at) =
            self.expiry.apply(url, wall).ok_or_else(|| unexpected("the download url is not a url"))?;
        if expires_at <= wall {
            return Err(unexpected("the download url has expired already, or this machine's clock is wrong"));
        }
        self.record(&answer.facts, expires_at).await.map_err(refused)?;
        // Recording takes time, in which a webhook can come that blocks the file.
        let told = self.verdict_at_gate();
        if is_blocked(told) {
            return Err(Self::no_download(attachment.with_known(told), Sent::Yes));
        }
        let download = DownloadUrl {
            url,
            expires_at,
            file_id: FileId::new(attachment.id.as_str()),
            file_name: attachment.file_name,
        };
        Ok(Issued { download, at, wall })
    }

    async fn record(&self, facts: &Facts, expires_at: Timestamp) -> Result<(), Error> {
        let event = || {
            let GetAttachment { message, attachment } = &self.endpoint;
            let kind = DownloadUrlIssued::new(attachment.clone(), message.clone()).expires_at(expires_at);
            (kind.into(), EventFacts::of(facts))
        };
        record::success(&self.files.journal, facts, event).await
    }

    fn no_download(attachment: Attachment, sent: Sent) -> Refused {
        let verdict = attachment.verdict();
        let message = match verdict {
            ScanVerdict::Pending => "no download: the file is not scanned yet".to_owned(),
            // A webhook can be ahead of the platform's own answer.
            ScanVerdict::Clean if attachment.answered() == ScanVerdict::Pending => {
                "no download: the platform has not finished with the file yet".to_owned()
            }
            ScanVerdict::Clean => "no download: the file was quarantined or deleted".to_owned(),
            verdict => format!("no download: the file is quarantined, its scan came to {}", verdict.as_str()),
        };
        let error =
            Error::new(ErrorKind::NotFound, sent).with_operation(&GET_ATTACHMENT).with_message(message);
        Refused { error, blocked: is_blocked(verdict).then(|| Box::new(attachment)) }
    }
}

fn refused(error: Error) -> Refused {
    Refused { error: error.with_operation(&GET_ATTACHMENT), blocked: None }
}

impl IntoFuture for AskDownloadUrl {
    type Output = Result<DownloadUrl, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let issued = self.run().await.map_err(|refused| refused.error)?;
            Ok(issued.download)
        })
    }
}
