//! Files that are kept from everybody: who is told, and what is recorded.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use webmessaging_http::{Error, ErrorKind, Sent};
use webmessaging_journal::Facts as EventFacts;
use webmessaging_journal::kind::{FileQuarantined, FileScanned};
use webmessaging_model::{ContentType, FileId, MessageId, ScanVerdict};

use crate::client::FilesClient;
use crate::operations::GET_ATTACHMENT;
use crate::race::{First, first};
use crate::record;

/// What a hook came to; the error is that of whoever wrote the hook.
pub type HookOutcome = Result<Quarantined, Box<dyn std::error::Error + Send + Sync>>;

/// A hook at work.
pub type Hooked<'a> = Pin<Box<dyn Future<Output = HookOutcome> + Send + 'a>>;

/// Is told of every file that is blocked: keeps a durable list with the reason, or deletes the file.
///
/// It can be told of the same file more than once, after a crash or by two processes.
///
/// # Examples
/// ```
/// use webmessaging_files::{BlockedFile, Hooked, Quarantined, QuarantineHook};
///
/// struct Listed(std::path::PathBuf);
///
/// impl QuarantineHook for Listed {
///     fn quarantined<'a>(&'a self, file: &'a BlockedFile) -> Hooked<'a> {
///         Box::pin(async move {
///             let place = self.0.join(file.file_id.as_str());
///             std::fs::write(place, file.reason.as_str())?;
///             Ok(Quarantined::Listed)
///         })
///     }
/// }
/// ```
pub trait QuarantineHook: Send + Sync + 'static {
    /// Takes a blocked file. Until it has succeeded, whoever delivers the file gets an error.
    fn quarantined<'a>(&'a self, file: &'a BlockedFile) -> Hooked<'a>;
}

/// What became of a blocked file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Quarantined {
    /// It is on a list.
    Listed,
    /// It was deleted on the platform.
    Deleted,
}

/// Why a file is blocked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BlockReason {
    /// The scan came to this.
    Verdict(ScanVerdict),
    /// The platform has other bytes than were sent.
    DigestMismatch,
}

impl BlockReason {
    /// The stable name: `digest_mismatch`, or that of the verdict.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Verdict(verdict) => verdict.as_str(),
            Self::DigestMismatch => "digest_mismatch",
        }
    }
}

/// A file that is kept from everybody.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BlockedFile {
    /// The file.
    pub file_id: FileId,
    /// The message it belongs to.
    pub message_id: MessageId,
    /// Why.
    pub reason: BlockReason,
    /// Its name, where it is known. A person gave it.
    pub file_name: Option<String>,
    /// Its size in bytes, where it is known.
    pub size_bytes: Option<u64>,
    /// Its media type, where it is known.
    pub content_type: Option<ContentType>,
    /// Whether its source is about to be uploaded again, because the scan failed and not the file.
    pub is_tried_again: bool,
}

impl BlockedFile {
    /// A file of which no more is known.
    pub fn new(file_id: impl Into<FileId>, message_id: impl Into<MessageId>, reason: BlockReason) -> Self {
        Self {
            file_id: file_id.into(),
            message_id: message_id.into(),
            reason,
            file_name: None,
            size_bytes: None,
            content_type: None,
            is_tried_again: false,
        }
    }
}

/// The hook of a client; nobody by default.
#[derive(Clone, Default)]
pub(crate) struct Hook(pub(crate) Option<Arc<dyn QuarantineHook>>);

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Hook(set)" } else { "Hook(none)" })
    }
}

impl FilesClient {
    /// Keeps a file from everybody: calls the hook and records it. [`deliver`](Self::deliver) and
    /// [`SignedDownload`](crate::SignedDownload) do it by themselves; it is for whoever hears of a verdict later, as when
    /// [`ScanGate::tell`](crate::ScanGate::tell) has changed something.
    ///
    /// # Errors
    /// [`NotRecorded`](ErrorKind::NotRecorded) when the hook has failed or taken too long, or a durable sink of the journal. The hook's own
    /// error is its [`source`](std::error::Error::source).
    pub async fn quarantine(&self, file: &BlockedFile) -> Result<(), Error> {
        self.quarantine_with(file, EventFacts::new()).await
    }

    pub(crate) async fn quarantine_with(&self, file: &BlockedFile, facts: EventFacts) -> Result<(), Error> {
        let hooked = match &self.hook.0 {
            Some(hook) => {
                let limit = self.http.clock().watchdog(self.hook_limit);
                match first(hook.quarantined(file), limit).await {
                    First::Left(outcome) => Some(outcome),
                    First::Right(()) => Some(Err("it took too long".into())),
                }
            }
            None => None,
        };
        // That the file is blocked stands, whatever the hook came to.
        let event = || {
            let mut kind = FileQuarantined::new(file.file_id.clone(), file.reason.as_str());
            kind.name = file.file_name.as_deref().map(Into::into);
            kind.message_id = Some(file.message_id.clone());
            kind.deleted = matches!(hooked, Some(Ok(Quarantined::Deleted))).then_some(true);
            (kind.into(), facts)
        };
        let recorded = record::done(&self.journal, &GET_ATTACHMENT, event).await;
        match hooked {
            Some(Err(cause)) => Err(Error::new(ErrorKind::NotRecorded, Sent::Yes)
                .with_operation(&GET_ATTACHMENT)
                .with_message("the file is blocked, and its quarantine failed")
                .with_source(cause)),
            _ => recorded,
        }
    }

    /// Records what a scan came to, and keeps what is not clean from everybody. Both are tried, whatever the other came to.
    pub(crate) async fn scanned(
        &self,
        file: &BlockedFile,
        verdict: ScanVerdict,
        facts: EventFacts,
    ) -> Result<(), Error> {
        let event = || {
            let mut kind = FileScanned::new(file.file_id.clone(), verdict);
            kind.name = file.file_name.as_deref().map(Into::into);
            kind.size = file.size_bytes;
            kind.content_type = file.content_type.as_ref().map(ToString::to_string);
            kind.message_id = Some(file.message_id.clone());
            (kind.into(), facts.clone())
        };
        let recorded = record::done(&self.journal, &GET_ATTACHMENT, event).await;
        if verdict == ScanVerdict::Clean {
            return recorded;
        }
        let quarantined = self.quarantine_with(file, facts.clone()).await;
        recorded.and(quarantined)
    }
}
