//! Sample events, as the platform would send them.

use serde_json::{Value, json};
use webmessaging::model::Timestamp;
use webmessaging::webhooks::event::{
    CHANNEL_UPDATED, CONVERSATION_PARTICIPATED_READ, FILE_TRANSFER_STATUS_CHANGE, FILE_UPLOAD_COMPLETED,
};

/// An event to send.
pub(super) struct Sample {
    pub(super) event_type: String,
    pub(super) id: String,
    pub(super) body: Vec<u8>,
}

/// The samples by their names.
const NAMES: [&str; 4] = ["file-scanned", "file-transfer", "channel-updated", "message-read"];

/// The type that a name stands for; anything else is a type itself.
pub(super) fn event_type(name: &str) -> &str {
    match name {
        "file-scanned" => FILE_UPLOAD_COMPLETED,
        "file-transfer" => FILE_TRANSFER_STATUS_CHANGE,
        "channel-updated" => CHANNEL_UPDATED,
        "message-read" => CONVERSATION_PARTICIPATED_READ,
        other => other,
    }
}

/// The names of the samples.
pub(super) fn names() -> String {
    NAMES.join(", ")
}

/// The data of a sample about a subject; nothing where the type has no sample.
pub(super) fn data(event_type: &str, subject: &str, at: Timestamp) -> Option<Value> {
    Some(match event_type {
        FILE_UPLOAD_COMPLETED => json!({
            "fileId": subject,
            "status": "completed",
            "virusScanResult": "clean",
            "formatValidation": "passed",
        }),
        FILE_TRANSFER_STATUS_CHANGE => json!({
            "transferId": subject,
            "status": "complete",
            "virusScanResult": "clean",
            "fileName": "sample-document.pdf",
        }),
        CHANNEL_UPDATED => json!({ "id": subject, "channelType": "webchat" }),
        CONVERSATION_PARTICIPATED_READ => json!({
            "conversationId": "sample-conversation",
            "participantId": "sample-participant",
            "messageId": subject,
            "readAt": at,
        }),
        _ => return None,
    })
}

impl Sample {
    /// An event with its data. Transfers come without an envelope, and all others in one.
    pub(super) fn new(event_type: &str, id: String, data: &Value, at: Timestamp) -> Self {
        let body = if event_type == FILE_TRANSFER_STATUS_CHANGE {
            data.to_string()
        } else {
            json!({ "eventType": event_type, "eventId": id, "timestamp": at, "data": data }).to_string()
        };
        Self { event_type: event_type.to_owned(), id, body: body.into_bytes() }
    }
}

#[cfg(test)]
mod tests {
    use webmessaging::webhooks::{Event, EventData};

    use super::*;

    #[test]
    fn each_name_is_an_event_that_is_known_and_about_its_subject() {
        let at = Timestamp::UNIX_EPOCH;
        for name in NAMES {
            let event_type = event_type(name);
            let sample =
                Sample::new(event_type, "event-1".to_owned(), &data(event_type, "it", at).unwrap(), at);
            let event = Event::from_slice(&sample.body).unwrap();
            assert_eq!((event.event_type(), event.subject()), (event_type, Some("it")), "{name}");
            assert!(!matches!(event.data(), EventData::Other(_)), "{name}");
        }
        assert_eq!((event_type("mine"), data("mine", "it", at)), ("mine", None));
    }
}
