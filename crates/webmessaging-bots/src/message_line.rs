//! A message on a line of a list, with the conversation that it is for.

use serde_json::Value;
use webmessaging_model::{Code, ConversationId, Violation, Violations};

use crate::message::Message;

/// A message with a `conversationId` beside its fields, as a line of a list has it.
///
/// # Examples
/// ```
/// use webmessaging_bots::MessageLine;
///
/// let line = br#"{"conversationId":"c-1","to":{"id":"a"},"from":{"id":"b"},"type":"text","text":"hi"}"#;
/// let line = MessageLine::from_json(line)?;
/// assert_eq!(line.conversation, Some("c-1".into()));
/// # Ok::<(), webmessaging_model::Violations>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct MessageLine {
    /// The conversation, where the line names one.
    pub conversation: Option<ConversationId>,
    /// The message.
    pub message: Message,
}

impl MessageLine {
    /// Reads a line, strictly.
    ///
    /// # Errors
    /// Every violation, as [`Message::from_json`] has them, and that of the conversation.
    pub fn from_json(json: &[u8]) -> Result<Self, Violations> {
        let mut value: Value = serde_json::from_slice(json)
            .map_err(|_| Violation::new("", Code::Malformed, "bot_message.json"))?;
        let named = value.as_object_mut().and_then(|fields| fields.remove("conversationId"));
        let (conversation, mut found) = match named.as_ref().map(conversation).transpose() {
            Ok(conversation) => (conversation, Vec::new()),
            Err(violation) => (None, vec![violation]),
        };
        match Message::from_value(&value) {
            Ok(message) => {
                Violations::check(found)?;
                Ok(Self { conversation, message })
            }
            Err(violations) if found.is_empty() => Err(violations),
            Err(violations) => {
                found.extend(violations.iter().cloned());
                Err(Violations::check(found).err().unwrap_or(violations))
            }
        }
    }
}

/// An id that can stand in a path.
fn conversation(id: &Value) -> Result<ConversationId, Violation> {
    let refused = match id {
        Value::String(id) if id.is_empty() => (Code::Required, "id.required"),
        Value::String(id) if matches!(&**id, "." | "..") => (Code::Reserved, "id.reserved"),
        Value::String(id) => return Ok(ConversationId::new(id)),
        _ => (Code::Malformed, "bot_message.conversation"),
    };
    Err(Violation::new("conversationId", refused.0, refused.1))
}
