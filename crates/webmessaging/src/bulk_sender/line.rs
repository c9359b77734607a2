//! A line of a list, and what is kept of it.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use webmessaging_bots::{Message, SendMessage};
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
        let malformed = |path: &'static str| Violation::new(path, Code::Malformed, "bot_message.line");
        let mut value: Value = serde_json::from_str(text).map_err(|_| malformed(""))?;
        let conversation = value.as_object_mut().and_then(|fields| fields.remove("conversationId"));
        let mut found = Vec::new();
        let conversation = match conversation {
            Some(Value::String(id)) if !id.is_empty() => Some(ConversationId::from(id)),
            Some(_) => {
                found.push(malformed("conversationId"));
                None
            }
            None => {
                found.push(Violation::new("conversationId", Code::Required, "bot_message.line.conversation"));
                None
            }
        };
        let message = Message::from_value(&value).map_err(|violations| found.extend(violations.into_vec()));
        Violations::check(found)?;
        let (Some(conversation), Ok(message)) = (conversation, message) else {
            return Err(malformed("").into());
        };
        let digest = SendMessage::new(conversation.clone(), "", &message).sha256();
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let sha256 = format!("{conversation}:{digest}");
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
