//! Read receipts: who has read what, of which the documents fix the type and nothing else.

use serde::Deserialize;
use webmessaging_model::{MessageId, Timestamp};

use super::envelope::time;

/// Somebody has read messages: `conversation:participated:read`. Contract: design.
///
/// The documents have no body for it; these are the fields that a receipt needs to be matched with a message that was sent.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct MessageRead {
    /// The conversation.
    #[serde(default)]
    pub conversation_id: Option<String>,
    /// Who has read.
    #[serde(default)]
    pub participant_id: Option<String>,
    /// The message, or the last one of those that were read.
    #[serde(default)]
    pub message_id: Option<MessageId>,
    /// When.
    #[serde(default, deserialize_with = "time")]
    pub read_at: Option<Timestamp>,
}

impl MessageRead {
    pub(super) fn subject(&self) -> Option<&str> {
        self.message_id.as_ref().map(MessageId::as_str).or(self.conversation_id.as_deref())
    }
}
