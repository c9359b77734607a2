//! Events: what a delivery says, typed where it is known, kept where it is not.

mod channel;
mod content_key;
mod envelope;
mod message;
mod payload;
mod person;
mod read_receipt;
mod scan;
mod transfer;

use std::fmt;

use webmessaging_model::Timestamp;

use crate::error::Error;

pub use self::channel::ChannelUpdated;
pub use self::content_key::ContentKey;
pub use self::message::{MessageKind, OpenAttachment, OpenChannel, OpenContent, OpenMessage};
pub use self::payload::Payload;
pub use self::person::Person;
pub use self::read_receipt::MessageRead;
pub use self::scan::FileScanned;
pub use self::transfer::{DownloadUri, FileTransferChanged, TransferMetadata};
pub use webmessaging_model::TransferStatus;

/// The scan of an uploaded file has ended. Contract: design.
pub const FILE_UPLOAD_COMPLETED: &str = "genesys.cloud.messaging.file.upload.completed";

/// A file transfer has another status. Contract: design; the one event without an envelope.
pub const FILE_TRANSFER_STATUS_CHANGE: &str = "webchat.fileTransfer.statusChange";

/// A channel was changed. Contract: design.
pub const CHANNEL_UPDATED: &str = "channel.updated";

/// Somebody has read messages. Contract: design.
pub const CONVERSATION_PARTICIPATED_READ: &str = "conversation:participated:read";

/// The name of this crate for the messages of Open Messaging, which carry no event type. Contract: live platform.
pub const OPEN_MESSAGE: &str = "openmessaging.message";

/// What happened.
///
/// Types that this version does not know are [`EventData::Other`], never an error; fields it does not know are in the bytes
/// ([`Delivery::decode`](crate::Delivery::decode)).
///
/// # Examples
/// ```
/// use webmessaging_model::ScanVerdict;
/// use webmessaging_webhooks::{Event, EventData};
///
/// let event = Event::from_slice(
///     br#"{"eventType":"genesys.cloud.messaging.file.upload.completed","eventId":"1","data":
///         {"fileId":"file-1","virusScanResult":"clean","formatValidation":"passed","status":"completed"}}"#,
/// )?;
/// let EventData::FileScanned(scanned) = event.data() else { panic!("another event") };
/// assert_eq!(scanned.verdict(), ScanVerdict::Clean);
/// assert_eq!(event.subject(), Some("file-1"));
/// # Ok::<(), webmessaging_webhooks::Error>(())
/// ```
#[derive(Clone)]
pub struct Event {
    type_name: Box<str>,
    id: Option<Box<str>>,
    occurred_at: Option<Timestamp>,
    content_key: ContentKey,
    data: EventData,
}

/// What happened, by its type.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum EventData {
    /// `genesys.cloud.messaging.file.upload.completed`
    FileScanned(FileScanned),
    /// `webchat.fileTransfer.statusChange`
    FileTransferChanged(Box<FileTransferChanged>),
    /// `channel.updated`
    ChannelUpdated(ChannelUpdated),
    /// `conversation:participated:read`
    MessageRead(MessageRead),
    /// A message, event or receipt of Open Messaging.
    OpenMessage(Box<OpenMessage>),
    /// An event of a type that this version does not know, with its data.
    Other(Payload),
}

impl Event {
    /// Reads an event from the body of a delivery that was verified earlier; [`Verifier::verify`](crate::Verifier::verify)
    /// does both.
    ///
    /// # Errors
    /// [`NotJson`](crate::ErrorKind::NotJson) when it is not JSON in UTF-8, [`UnknownShape`](crate::ErrorKind::UnknownShape)
    /// when it is no object, has neither an `eventType` nor the fields of an event without one, or lacks what an event of its
    /// type cannot do without.
    pub fn from_slice(body: &[u8]) -> Result<Self, Error> {
        envelope::read(body)
    }

    /// The type, as the sender wrote it; for events without one it is [`FILE_TRANSFER_STATUS_CHANGE`] or [`OPEN_MESSAGE`].
    pub fn event_type(&self) -> &str {
        &self.type_name
    }

    /// The envelope's `eventId`.
    pub fn event_id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// When it happened, if the event says so in a form that can be read.
    pub fn occurred_at(&self) -> Option<Timestamp> {
        self.occurred_at
    }

    /// The id of what it is about: the file, transfer, channel, or message, or else its conversation.
    pub fn subject(&self) -> Option<&str> {
        match &self.data {
            EventData::FileScanned(scanned) => Some(scanned.file_id.as_str()),
            EventData::FileTransferChanged(transfer) => Some(&transfer.transfer_id),
            EventData::ChannelUpdated(channel) => channel.id.as_ref().map(AsRef::as_ref),
            EventData::MessageRead(read) => read.subject(),
            EventData::OpenMessage(message) => message.subject(),
            EventData::Other(_) => None,
        }
    }

    /// What the event says, as a key: the same for every delivery of it, whatever ids they carry, and another one for another
    /// state of the same subject.
    ///
    /// It is SHA-256 over the event's type and
    /// - for a scan: file, status and both results;
    /// - for a transfer: transfer, status and result, and not the download URI, which is signed afresh;
    /// - for a message of Open Messaging that has id and time: its kind, ids, time, status, conversation and events;
    /// - for everything else: the time of the envelope and all of the data, whatever the order of its keys.
    pub fn content_key(&self) -> ContentKey {
        self.content_key
    }

    /// What happened.
    pub fn data(&self) -> &EventData {
        &self.data
    }

    /// What happened, to keep.
    pub fn into_data(self) -> EventData {
        self.data
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("event_type", &self.type_name)
            .field("event_id", &self.id)
            .field("occurred_at", &self.occurred_at)
            .field("content_key", &self.content_key)
            .field("data", &self.data)
            .finish()
    }
}
