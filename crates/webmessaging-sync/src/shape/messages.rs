//! Messages of bots for a CRM: whether each was delivered, and how long it took.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use webmessaging_journal::{Event, EventKind};
use webmessaging_model::{MessageId, Timestamp};

/// What a CRM is told of a message. What is not known is left out.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Record {
    conversation_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery_latency_ms: Option<u64>,
    status: Status,
    timestamp: Timestamp,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Status {
    Delivered,
    Failed,
}

/// The message of an event. One that names its CRM is for that one alone.
pub(super) fn record(event: &Event, target: &str) -> Option<Value> {
    let (conversation, message, crm, status) = match &event.kind {
        EventKind::BotMessageSent(sent) => {
            (&sent.conversation_id, &sent.message_id, &sent.crm_target, Status::Delivered)
        }
        EventKind::BotMessageFailed(failed) => {
            (&failed.conversation_id, &failed.message_id, &failed.crm_target, Status::Failed)
        }
        _ => return None,
    };
    if crm.as_deref().is_some_and(|crm| crm != target) {
        return None;
    }
    let record = Record {
        conversation_id: conversation.clone(),
        message_id: message.as_ref().map(MessageId::to_string),
        delivery_latency_ms: event.facts.latency_millis(),
        status,
        timestamp: event.at,
    };
    serde_json::to_value(record).ok()
}
