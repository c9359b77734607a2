//! Open Messaging: the normalized message that the live platform posts to its one webhook.

use std::fmt;

use serde::{Deserialize, Deserializer};
use webmessaging_model::{MessageId, Timestamp};

use super::content_key::Digest;
use super::envelope::{nullable, time};
use super::{DownloadUri, Payload, Person};

/// A message, event or receipt of an Open Messaging integration. Contract: live platform.
///
/// It has no event type and no envelope. The pair of id and time is unique for each message. `Debug` shows ids, kinds and
/// states, and nothing that people wrote.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct OpenMessage {
    /// The platform's id; receipts have the id of the message they are about.
    #[serde(default)]
    pub id: Option<MessageId>,
    /// What it is.
    #[serde(rename = "type")]
    pub kind: MessageKind,
    /// Where it runs, from whom, to whom, when.
    pub channel: OpenChannel,
    /// The conversation.
    #[serde(default)]
    pub conversation_id: Option<String>,
    /// `Outbound`, `Inbound`, or what the platform invents.
    #[serde(default)]
    pub direction: Option<String>,
    /// The text of a message.
    #[serde(default)]
    pub text: Option<String>,
    /// What else a message has.
    #[serde(default, deserialize_with = "nullable")]
    pub content: Vec<OpenContent>,
    /// The events, such as typing, of a message of the kind [`Event`](MessageKind::Event).
    #[serde(default, deserialize_with = "nullable")]
    pub events: Vec<Payload>,
    /// The status that a receipt tells: `Sent`, `Delivered`, `Failed`, `Published`, `Removed`, or what the platform invents.
    #[serde(default)]
    pub status: Option<String>,
    /// Why, in the words of a receipt.
    #[serde(default, deserialize_with = "nullable")]
    pub reasons: Vec<Payload>,
    /// Whether no receipt follows this one.
    #[serde(default)]
    pub is_final_receipt: Option<bool>,
    /// What the integration itself put there.
    #[serde(default)]
    pub metadata: Option<Payload>,
}

/// What a normalized message is. Contract: live platform.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MessageKind {
    /// Text, perhaps with attachments.
    Text,
    /// Cards, quick replies and the like.
    Structured,
    /// What became of a message.
    Receipt,
    /// Typing and the like.
    Event,
    /// A value this version does not know, kept as the server wrote it.
    Unknown(String),
}

impl MessageKind {
    /// The value as the wire writes it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Text => "Text",
            Self::Structured => "Structured",
            Self::Receipt => "Receipt",
            Self::Event => "Event",
            Self::Unknown(text) => text,
        }
    }
}

impl From<String> for MessageKind {
    fn from(text: String) -> Self {
        let known = [Self::Text, Self::Structured, Self::Receipt, Self::Event];
        known.into_iter().find(|kind| kind.as_str() == text).unwrap_or(Self::Unknown(text))
    }
}

impl<'de> Deserialize<'de> for MessageKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

/// Where a message runs, from whom, to whom, when.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct OpenChannel {
    /// The id of the channel.
    #[serde(default)]
    pub id: Option<String>,
    /// `Open`, or what the platform invents.
    #[serde(default)]
    pub platform: Option<String>,
    /// The id that the sending side gave the message.
    #[serde(default)]
    pub message_id: Option<String>,
    /// Whom it is from.
    #[serde(default)]
    pub from: Option<Person>,
    /// Whom it is to.
    #[serde(default)]
    pub to: Option<Person>,
    /// When.
    #[serde(default, deserialize_with = "time")]
    pub time: Option<Timestamp>,
}

/// A part of a message.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct OpenContent {
    /// `Attachment`, or another one of the many that the platform has.
    #[serde(default)]
    pub content_type: Option<String>,
    /// The attachment.
    #[serde(default)]
    pub attachment: Option<OpenAttachment>,
}

/// A file that belongs to a message. `Debug` shows its id and type.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct OpenAttachment {
    /// Its id.
    #[serde(default)]
    pub id: Option<String>,
    /// `Image`, `Video`, `Audio`, `File`, `Link`, or what the platform invents.
    #[serde(default)]
    pub media_type: Option<String>,
    /// Its media type, for example `image/png`.
    #[serde(default)]
    pub mime: Option<String>,
    /// Its file name.
    #[serde(default)]
    pub filename: Option<String>,
    /// Its length in bytes.
    #[serde(default)]
    pub content_size_bytes: Option<u64>,
    /// Where it can be had.
    #[serde(default)]
    pub url: Option<DownloadUri>,
}

impl OpenMessage {
    pub(super) fn subject(&self) -> Option<&str> {
        let id = self.id.as_ref().map(MessageId::as_str);
        id.or(self.channel.message_id.as_deref()).or(self.conversation_id.as_deref())
    }

    /// Whether id and time tell it from all others, as the platform promises.
    pub(super) fn is_identified(&self) -> bool {
        (self.id.is_some() || self.channel.message_id.is_some()) && self.channel.time.is_some()
    }

    /// What makes one message another: kind, ids, time, and what it says of states.
    pub(super) fn digest(&self, digest: &mut Digest) {
        digest.text(self.kind.as_str());
        digest.maybe(self.id.as_ref().map(MessageId::as_str));
        digest.maybe(self.channel.message_id.as_deref());
        digest.maybe(self.conversation_id.as_deref());
        digest.maybe(self.channel.time.map(|time| time.to_string()).as_deref());
        digest.maybe(self.status.as_deref());
        digest.maybe(self.is_final_receipt.map(|is_final| if is_final { "final" } else { "" }));
        for event in &self.events {
            digest.value(event.value());
        }
    }
}

impl fmt::Debug for OpenMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenMessage")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .field("channel", &self.channel)
            .field("conversation_id", &self.conversation_id)
            .field("direction", &self.direction)
            .field("content", &self.content)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for OpenAttachment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenAttachment")
            .field("id", &self.id)
            .field("media_type", &self.media_type)
            .field("mime", &self.mime)
            .finish_non_exhaustive()
    }
}
