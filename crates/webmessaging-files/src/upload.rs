//! The upload of a file: check, announce, stream to the presigned URL.

use std::fmt;
use std::future::IntoFuture;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use webmessaging_http::{
    Error, ErrorKind, Facts, PresignedPut, PresignedTarget, Progress, Sent, Source, Stored,
};
use webmessaging_journal::Facts as EventFacts;
use webmessaging_journal::kind::{FileUploadFailed, FileUploaded};
use webmessaging_model::content_type::HEAD_BYTES;
use webmessaging_model::{
    ChannelId, ContentType, FileId, MessageId, UploadMetadata, Violation, Violations, limits,
};

use crate::client::FilesClient;
use crate::create_upload::{CreateUpload, UploadTicket};
use crate::ledger::{Noted, ledger_failed};
use crate::operations::{CREATE_UPLOAD, PUT_UPLOAD, X_GENESYS_FILE_ID};
use crate::race::Cancel;
use crate::record;

/// An upload; `.await` begins it.
///
/// Before anything is sent, the name, the size, the ids, the media type and the first 4096 bytes are checked. Then the
/// file is announced and streamed to the presigned URL in constant memory, with its exact length. Each attempt starts
/// at the first byte; a URL that expires is asked for anew.
///
/// Dropping the future cancels the upload; [`cancel_on`](Self::cancel_on) does it with an error that says how far it
/// came.
///
/// # Errors
/// [`InvalidInput`](ErrorKind::InvalidInput) with every broken rule, before anything is sent;
/// [`Source`](ErrorKind::Source) when the file cannot be read or changes while it is read;
/// [`Canceled`](ErrorKind::Canceled); and those of [`Client::send`](webmessaging_http::Client::send) and
/// [`Client::put_presigned`](webmessaging_http::Client::put_presigned).
///
/// # Examples
/// ```no_run
/// # async fn example(files: webmessaging_files::FilesClient) -> Result<(), webmessaging_http::Error> {
/// use webmessaging_http::Source;
///
/// let file = files
///     .upload(Source::path("report.pdf"))
///     .channel("12345678-1234-1234-1234-123456789012")
///     .message("87654321-4321-4321-4321-210987654321")
///     .on_progress(|progress| println!("{} of {}", progress.sent_bytes, progress.total_bytes))
///     .await?;
/// println!("{} bytes as {}", file.size_bytes, file.file_id);
/// # Ok(()) }
/// ```
#[must_use = "an upload does nothing until it is awaited"]
pub struct Upload {
    pub(crate) plan: Plan,
    pub(crate) cancel: Cancel,
}

/// What is uploaded, as often as it is asked for.
pub(crate) struct Plan {
    pub(crate) files: FilesClient,
    source: Source,
    channel: ChannelId,
    pub(crate) message: MessageId,
    content_type: Option<ContentType>,
    checked: bool,
    digest: bool,
    on_progress: Option<Arc<dyn Fn(Progress) + Send + Sync>>,
    on_announced: Option<OnAnnounced>,
}

/// Told of the id of a file before its bytes go out, for whoever has to find it again.
pub(crate) type OnAnnounced = Arc<dyn Fn(FileId) -> Noted<'static, ()> + Send + Sync>;

/// A file whose bytes have arrived. It is not scanned yet.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct UploadedFile {
    /// The id the platform gave it, also its attachment id.
    pub file_id: FileId,
    /// The name it was announced with.
    pub file_name: String,
    /// The media type it was announced with.
    pub content_type: ContentType,
    /// Its size in bytes.
    pub size_bytes: u64,
    /// SHA-256 of the bytes sent, in hexadecimal, unless it was switched off.
    pub sha256: Option<String>,
    /// How many presigned URLs it took.
    pub urls: u32,
    /// How the transfer of the bytes went.
    pub facts: Facts,
}

impl Upload {
    pub(crate) fn new(files: FilesClient, source: Source) -> Self {
        let plan = Plan {
            files,
            source,
            channel: ChannelId::new(""),
            message: MessageId::new(""),
            content_type: None,
            checked: true,
            digest: true,
            on_progress: None,
            on_announced: None,
        };
        Self { plan, cancel: Cancel::default() }
    }

    /// Sets the channel of the conversation; required.
    pub fn channel(mut self, channel: impl Into<ChannelId>) -> Self {
        self.plan.channel = channel.into();
        self
    }

    /// Sets the message that the file belongs to; required.
    pub fn message(mut self, message: impl Into<MessageId>) -> Self {
        self.plan.message = message.into();
        self
    }

    /// Announces another name than the source's own.
    pub fn file_name(mut self, name: impl Into<String>) -> Self {
        self.plan.source = self.plan.source.named(name);
        self
    }

    /// Announces another media type than the one the name tells.
    pub fn content_type(mut self, content_type: ContentType) -> Self {
        self.plan.content_type = Some(content_type);
        self
    }

    /// Leaves every check to the server for this upload, that of the first bytes included, for a server that has moved
    /// on.
    pub fn unchecked(mut self) -> Self {
        self.plan.checked = false;
        self
    }

    /// Sets whether the bytes are hashed on the way; they are by default.
    pub fn digest(mut self, digest: bool) -> Self {
        self.plan.digest = digest;
        self
    }

    /// Calls back with every chunk that is handed to the network, from whichever thread that is.
    pub fn on_progress(mut self, report: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.plan.on_progress = Some(Arc::new(report));
        self
    }

    /// Waits for somebody to note the id of the file before its bytes go out.
    pub(crate) fn on_announced(mut self, note: OnAnnounced) -> Self {
        self.plan.on_announced = Some(note);
        self
    }

    /// Ends the upload with [`Canceled`](ErrorKind::Canceled) when a future does: a signal, a token, a timer.
    pub fn cancel_on(mut self, signal: impl Future<Output = ()> + Send + 'static) -> Self {
        self.cancel = Cancel::on(signal);
        self
    }
}

impl Plan {
    /// The file, and whether it is on record.
    pub(crate) async fn run(&self, cancel: &mut Cancel) -> Result<(UploadedFile, Result<(), Error>), Error> {
        let announced = AtomicBool::new(false);
        let outcome = cancel.or(self.transfer(&announced)).await.unwrap_or_else(|| {
            let (operation, sent) = if announced.load(Ordering::Relaxed) {
                (&PUT_UPLOAD, Sent::Maybe)
            } else {
                (&CREATE_UPLOAD, Sent::No)
            };
            Err(Error::new(ErrorKind::Canceled, sent).with_operation(operation))
        });
        let (metadata, file_id, stored) = match outcome {
            Ok(transferred) => transferred,
            Err(error) => {
                self.record_failure(&error).await;
                return Err(error);
            }
        };
        // Whoever cancels now is late: the bytes are there, and that goes on record.
        let recorded = self.record_uploaded(&file_id, &metadata, &stored).await;
        let file = UploadedFile {
            file_id,
            file_name: metadata.file_name,
            content_type: metadata.content_type,
            size_bytes: metadata.file_size,
            sha256: stored.sha256_hex(),
            urls: stored.urls,
            facts: stored.facts,
        };
        Ok((file, recorded))
    }

    async fn transfer(&self, announced: &AtomicBool) -> Result<(UploadMetadata, FileId, Stored), Error> {
        let metadata = self.prepare().await.map_err(|error| error.with_operation(&CREATE_UPLOAD))?;
        announced.store(true, Ordering::Relaxed);
        // What there was to check is checked.
        let create = CreateUpload::new(metadata.clone()).unchecked();
        let mut put = PresignedPut::new(&PUT_UPLOAD, &self.source, metadata.file_size).digest(self.digest);
        if let Some(report) = &self.on_progress {
            put = put.on_progress(Arc::clone(report));
        }
        let http = &self.files.http;
        let (destination, stored) = http.put_presigned(put, || self.destination(&create)).await?;
        Ok((metadata, destination.file_id, stored))
    }

    async fn record_uploaded(
        &self,
        file_id: &FileId,
        metadata: &UploadMetadata,
        stored: &Stored,
    ) -> Result<(), Error> {
        let event = || {
            let mut kind =
                FileUploaded::new(file_id.clone(), metadata.file_name.as_str(), metadata.file_size);
            kind.content_type = Some(metadata.content_type.to_string());
            kind.channel_id = Some(metadata.channel_id.clone());
            kind.message_id = Some(metadata.message_id.clone());
            let mut facts = EventFacts::of(&stored.facts);
            facts.payload_sha256 = stored.sha256;
            (kind.into(), facts)
        };
        record::success(&self.files.journal, &stored.facts, event).await
    }

    /// That nothing came of it.
    async fn record_failure(&self, error: &Error) {
        let event = || {
            let mut kind = FileUploadFailed::new(self.message.clone(), error.kind().code());
            kind.name = Some(self.source.name().into());
            kind.channel_id = Some(self.channel.clone());
            kind.into()
        };
        record::failure(&self.files.journal, error, event).await;
    }

    /// Looks at the source and checks everything about it.
    async fn prepare(&self) -> Result<UploadMetadata, Error> {
        let looked = self.source.head(HEAD_BYTES).await;
        // Of a source that cannot be looked at, everything else can still be checked.
        let length = looked.as_ref().map_or(limits::FILE_SIZE_BYTES_MIN.value, |(length, _)| *length);
        let mut metadata =
            UploadMetadata::new(self.source.name(), length, self.channel.clone(), self.message.clone());
        if let Some(content_type) = &self.content_type {
            metadata = metadata.content_type(content_type.clone());
        }
        let mut found: Vec<Violation> = Vec::new();
        if self.checked {
            found.extend(
                metadata.validate(&self.files.limits).err().into_iter().flat_map(Violations::into_vec),
            );
        }
        match looked {
            Err(violation) => found.push(violation),
            // An empty file looks like no type at all, which would only repeat that it is empty.
            Ok((_, head)) if self.checked && length > 0 => {
                found.extend(metadata.content_type.check_head(&head).err());
            }
            Ok(_) => {}
        }
        Violations::check(found)?;
        Ok(metadata)
    }

    async fn destination(&self, create: &CreateUpload) -> Result<Destination, Error> {
        let UploadTicket { upload_url, file_id } = self.files.http.send(create).await?.value;
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        let id = HeaderValue::from_str(file_id.as_str()).map_err(|_| {
            Error::new(ErrorKind::UnexpectedAnswer, Sent::Yes)
                .with_operation(&CREATE_UPLOAD)
                .with_message("answered a file id that no header can hold")
        })?;
        headers.insert(X_GENESYS_FILE_ID, id);
        if let Some(note) = &self.on_announced {
            note(file_id.clone())
                .await
                .map_err(|error| ledger_failed(error).with_operation(&CREATE_UPLOAD))?;
        }
        let target = PresignedTarget::new(upload_url, headers, self.files.url_lifetime);
        Ok(Destination { file_id, target })
    }
}

struct Destination {
    file_id: FileId,
    target: PresignedTarget,
}

impl AsRef<PresignedTarget> for Destination {
    fn as_ref(&self) -> &PresignedTarget {
        &self.target
    }
}

impl IntoFuture for Upload {
    type Output = Result<UploadedFile, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let Self { plan, mut cancel } = self;
            let (file, recorded) = plan.run(&mut cancel).await?;
            recorded.map(|()| file)
        })
    }
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload")
            .field("source", &self.plan.source)
            .field("channel", &self.plan.channel)
            .field("message", &self.plan.message)
            .finish_non_exhaustive()
    }
}
