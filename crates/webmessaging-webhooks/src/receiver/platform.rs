//! What the platform's own events come to: scans that only go forward, files that are kept away, records and synchronisation.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use webmessaging_journal::kind::AccessPolicy;
use webmessaging_journal::kind::{
    ChannelUpdated, FileQuarantined, FileScanned, MessageRead, TransferBlocked, TransferFinished,
    WebhookReceived,
};
use webmessaging_journal::{EventKind, PrivateText, StorageLocation};
use webmessaging_model::{FileId, MessageId, ScanProgress, ScanVerdict};
use webmessaging_store::{Effects, NewQuarantine, NewScan, Store};

use super::handler::{Handled, Handler, HandlerError, Handling, Received};
use crate::event::{EventData, FileTransferChanged};

/// The usual work on deliveries of the platform.
///
/// - A scan moves the state of its file forward, never back. A file that is not clean is quarantined; a clean one is told to whoever
///   synchronises files. A late or repeated state changes nothing.
/// - A transfer that is complete and clean is finished; any other end is a block.
/// - Updates of channels and read receipts are recorded. Everything else is recorded as received.
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use webmessaging_store::Store;
/// use webmessaging_webhooks::receiver::{Handler, Handling, PlatformEvents, Received};
///
/// /// The usual work, and a word on the console.
/// struct Talkative(PlatformEvents);
///
/// impl Handler for Talkative {
///     fn handle<'a>(&'a self, received: &'a Received) -> Handling<'a> {
///         println!("{}", received.event.event_type());
///         self.0.handle(received)
///     }
/// }
///
/// fn talkative(store: Arc<dyn Store>) -> Talkative {
///     Talkative(PlatformEvents::new(store))
/// }
/// ```
#[derive(Clone)]
pub struct PlatformEvents {
    store: Arc<dyn Store>,
    files: Option<Arc<FileLookup>>,
}

/// Asks somebody who knows what a file is.
type FileLookup = dyn Fn(FileId) -> FileFound + Send + Sync;

/// What a file is, in the making; nothing where nobody knows.
pub type FileFound = Pin<Box<dyn Future<Output = Result<Option<FileFacts>, HandlerError>> + Send>>;

/// What the platform's event about a file does not say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileFacts {
    /// Its name.
    pub name: Option<PrivateText>,
    /// Its length in bytes.
    pub size_bytes: Option<u64>,
    /// Its media type.
    pub content_type: Option<String>,
    /// The message it belongs to.
    pub message_id: Option<MessageId>,
}

impl FileFacts {
    /// A file of this name, length in bytes and media type.
    pub fn new(name: impl Into<PrivateText>, size_bytes: u64, content_type: impl Into<String>) -> Self {
        Self {
            name: Some(name.into()),
            size_bytes: Some(size_bytes),
            content_type: Some(content_type.into()),
            message_id: None,
        }
    }

    /// Sets the message it belongs to.
    #[must_use]
    pub fn message_id(mut self, message_id: impl Into<MessageId>) -> Self {
        self.message_id = Some(message_id.into());
        self
    }
}

/// Scan states of files and of transfers do not share their names.
fn file_subject(id: &str) -> String {
    format!("file:{id}")
}

fn transfer_subject(id: &str) -> String {
    format!("transfer:{id}")
}

impl PlatformEvents {
    /// Works with what this store knows of scans.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, files: None }
    }

    /// Sets who knows what a file is: the event about its scan has its id and nothing else, and a document system wants name,
    /// length and type. By default nobody does.
    #[must_use]
    pub fn files(mut self, lookup: impl Fn(FileId) -> FileFound + Send + Sync + 'static) -> Self {
        self.files = Some(Arc::new(lookup));
        self
    }

    async fn scanned(&self, id: &FileId, verdict: ScanVerdict) -> Result<FileScanned, HandlerError> {
        let mut scanned = FileScanned::new(id.clone(), verdict);
        let Some(files) = &self.files else { return Ok(scanned) };
        if let Some(facts) = files(id.clone()).await? {
            scanned.name = facts.name;
            scanned.size = facts.size_bytes;
            scanned.content_type = facts.content_type;
            scanned.message_id = facts.message_id;
        }
        Ok(scanned)
    }

    async fn file_scanned(
        &self,
        received: &Received,
        id: &FileId,
        verdict: ScanVerdict,
    ) -> Result<Handled, HandlerError> {
        let subject = file_subject(id.as_str());
        let Some(effects) = self.advance(received, &subject, verdict).await? else {
            return Ok(received_only(received));
        };
        let scanned = received.journal_event(0, self.scanned(id, verdict).await?);
        if !is_blocked(verdict) {
            return Ok(Handled::nothing().event(scanned).effects(effects));
        }
        let at = received.delivery.received_at;
        let effects = effects.quarantine(NewQuarantine::new(id.as_str(), verdict.as_str(), at));
        let quarantined = received.journal_event(1, FileQuarantined::new(id.clone(), verdict.as_str()));
        Ok(Handled::nothing().event(scanned).event(quarantined).effects(effects))
    }

    async fn transfer_changed(
        &self,
        received: &Received,
        transfer: &FileTransferChanged,
    ) -> Result<Handled, HandlerError> {
        let (id, verdict) = (&transfer.transfer_id, transfer.verdict());
        let Some(effects) = self.advance(received, &transfer_subject(id), verdict).await? else {
            return Ok(received_only(received));
        };
        // A document without a name would be one that nobody finds.
        let name = transfer.file_name.clone().unwrap_or_else(|| id.clone());
        if is_blocked(verdict) {
            let at = received.delivery.received_at;
            let blocked = TransferBlocked::new(id.clone(), cause(verdict)).file_name(name);
            let effects = effects.quarantine(NewQuarantine::new(id.clone(), verdict.as_str(), at));
            return Ok(Handled::nothing().event(received.journal_event(0, blocked)).effects(effects));
        }
        if verdict != ScanVerdict::Clean {
            return Ok(received_only(received).effects(effects));
        }
        let mut finished = TransferFinished::new(id.clone(), name);
        if let Some(uri) = transfer.download_uri() {
            finished = finished.storage_location(StorageLocation::new(uri.expose()));
        }
        if let Some(policy) = access_policy(transfer) {
            finished = finished.access_policy(policy);
        }
        Ok(Handled::nothing().event(received.journal_event(0, finished)).effects(effects))
    }

    /// The move of a scan, or nothing when what is known is as far.
    async fn advance(
        &self,
        received: &Received,
        subject: &str,
        verdict: ScanVerdict,
    ) -> Result<Option<Effects>, HandlerError> {
        let rank = u16::from(ScanProgress::rank(verdict));
        let known = self.store.scan_state(subject).await?;
        if known.is_some_and(|known| known.rank >= rank) {
            return Ok(None);
        }
        let scan = NewScan::new(subject, rank, verdict.as_str(), received.delivery.received_at);
        // Two deliveries about one file can be worked on at once: what follows from the slower one must not be kept.
        Ok(Some(Effects::none().advance_scan(scan).scans_must_move()))
    }
}

impl Handler for PlatformEvents {
    fn handle<'a>(&'a self, received: &'a Received) -> Handling<'a> {
        Box::pin(async move {
            let kind: EventKind = match received.event.data() {
                EventData::FileScanned(scanned) => {
                    return self.file_scanned(received, &scanned.file_id, scanned.verdict()).await;
                }
                EventData::FileTransferChanged(transfer) => {
                    return self.transfer_changed(received, transfer).await;
                }
                EventData::ChannelUpdated(channel) => match &channel.id {
                    // The platform does not say what changed.
                    Some(id) => ChannelUpdated::new(id.clone(), Vec::new()).into(),
                    None => return Ok(received_only(received)),
                },
                EventData::MessageRead(read) => match (&read.conversation_id, &read.message_id) {
                    (Some(conversation), Some(message)) => {
                        let mut kind = MessageRead::new(conversation.clone(), message.clone());
                        kind.participant_id.clone_from(&read.participant_id);
                        kind.read_at = read.read_at;
                        kind.into()
                    }
                    _ => return Ok(received_only(received)),
                },
                _ => return Ok(received_only(received)),
            };
            Ok(Handled::nothing().event(received.journal_event(0, kind)))
        })
    }
}

impl fmt::Debug for PlatformEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlatformEvents").field("store", &self.store).finish_non_exhaustive()
    }
}

/// Nobody gets to see it: everything final that is not clean.
fn is_blocked(verdict: ScanVerdict) -> bool {
    verdict.is_final() && verdict != ScanVerdict::Clean
}

/// The reason as the design document's transfers name it.
fn cause(verdict: ScanVerdict) -> &'static str {
    match verdict {
        ScanVerdict::Malicious => "virus_detected",
        ScanVerdict::FormatRejected => "validation_failed",
        ScanVerdict::Failed => "failed",
        _ => "unknown",
    }
}

fn access_policy(transfer: &FileTransferChanged) -> Option<AccessPolicy> {
    let directives = transfer.metadata.as_ref()?.access_policy_directives.as_ref()?;
    directives.decode().ok()
}

fn received_only(received: &Received) -> Handled {
    let id = received.delivery.delivery_id.clone().unwrap_or_else(|| received.delivery.content_key.clone());
    let mut kind = WebhookReceived::new(id, received.event.event_type(), false);
    kind.about = received.event.subject().map(str::to_owned);
    Handled::nothing().event(received.journal_event(0, kind))
}
