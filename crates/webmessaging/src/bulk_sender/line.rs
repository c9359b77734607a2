//! A line of a list, and what is kept of it.

use serde::{Deserialize, Serialize};
use webmessaging_bots::{Message, MessageLine, SendMessage};
use webmessaging_model::{Code, ConversationId, Violation, Violations};

/// A line that can be sent.
pub(super) struct Line {
    pub(super) conversation: ConversationId,
    pub(super) message: Message,
    /// Of conversation and message, by which a list that was changed is found out.
    pub(super) sha256: String,
}

/// What the store keeps of a line: nothing that it says.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Noted {
    pub(super) request_id: String,
    pub(super) sha256: String,
}

impl Line {
    pub(super) fn read(text: &str) -> Result<Self, Violations> {
        let MessageLine { conversation, message, .. } = MessageLine::from_json(text.as_bytes())?;
        let missing = || Violation::new("conversationId", Code::Required, "bot_message.line.conversation");
        let conversation = conversation.ok_or_else(missing)?;
        let digest = SendMessage::new(conversation.clone(), "", &message).sha256();
        let sha256 = format!("{conversation}:{}", hex::encode(digest));
        Ok(Self { conversation, message, sha256 })
    }
}

impl Noted {
    pub(super) fn to_json(&self) -> String {
        // Two texts always have a JSON form.
        serde_json::to_string(self).unwrap_or_default()
    }

    pub(super) fn of(details: &str) -> Option<Self> {
        serde_json::from_str(details).ok()
    }
}
