//! What a template can name: the parts of every event, and the data of each kind.

use serde_json::{Value, json};
use webmessaging_journal::Event;

/// What every event has.
const COMMON: &[&str] = &[
    "id",
    "at",
    "actor",
    "action",
    "subject.kind",
    "subject.id",
    "outcome.result",
    "outcome.cause",
    "facts.operation",
    "facts.status",
    "facts.attempts",
    "facts.latencyMs",
    "facts.correlationId",
    "facts.requestId",
    "facts.payloadSha256",
];

/// The data of each kind, by its action, as the journal writes it.
const DATA: &[(&str, &[&str])] = &[
    ("file.uploaded", &["fileId", "name", "size", "contentType", "channelId", "messageId"]),
    ("file.upload_failed", &["messageId", "cause", "fileId", "name", "size", "contentType", "channelId"]),
    ("file.scanned", &["fileId", "verdict", "name", "size", "contentType", "messageId"]),
    ("file.quarantined", &["fileId", "cause", "name", "messageId", "deleted"]),
    ("file.download_url_issued", &["attachmentId", "messageId", "expiresAt"]),
    ("transfer.created", &["transferId", "fileName", "size", "contentType", "expiresAt", "accessPolicy"]),
    ("transfer.renewed", &["transferId", "cause", "expiresAt"]),
    ("transfer.uploaded", &["transferId", "size", "contentType"]),
    (
        "transfer.finished",
        &["transferId", "fileName", "storageLocation", "accessPolicy", "size", "contentType"],
    ),
    ("transfer.blocked", &["transferId", "cause", "fileName", "contentType"]),
    ("channel.updated", &["channelId", "changedPaths", "features"]),
    ("webhook.registered", &["name", "existed", "webhookId", "eventType"]),
    ("webhook.received", &["deliveryId", "eventType", "duplicate", "about"]),
    ("guest.created", GUEST),
    ("guest.updated", GUEST),
    ("guest.engagement_calculated", &["guestId", "duration", "messages", "meanResponse", "converted"]),
    ("bot_message.sent", &["conversationId", "messageId", "messageType", "crmTarget"]),
    (
        "bot_message.failed",
        &["conversationId", "cause", "messageId", "messageType", "crmTarget", "maybeSent"],
    ),
    ("message.read", &["conversationId", "messageId", "participantId", "readAt"]),
    ("delivery.succeeded", &["deliveryId", "target", "items", "duplicate"]),
    ("delivery.failed", &["deliveryId", "target", "cause", "items", "dead", "retryIn"]),
    ("operation.failed", &["operation", "about", "cause", "maybeDone"]),
    ("audit.records_removed", &["firstSeq", "lastSeq", "lastHash", "cause"]),
];

const GUEST: &[&str] = &[
    "guestId",
    "change.externalId",
    "change.emailHash",
    "change.consentFlags",
    "change.lastInteraction",
    "change.channelContext",
];

/// Whether a template for these actions can name this.
pub(super) fn is_known(path: &str, actions: &[String]) -> bool {
    let Some(field) = path.strip_prefix("data.") else { return COMMON.contains(&path) };
    let of_wanted = DATA.iter().filter(|(action, _)| actions.iter().any(|wanted| wanted == action));
    of_wanted.flat_map(|(_, fields)| fields.iter()).any(|known| *known == field)
}

/// Everything that a template can name, as one value.
pub(super) fn of(event: &Event) -> Value {
    let (subject, outcome) = (event.subject(), event.outcome());
    let mut value = serde_json::to_value(event).unwrap_or_default();
    if let Some(fields) = value.as_object_mut() {
        fields.insert("subject".to_owned(), json!({ "kind": subject.kind, "id": subject.id }));
        fields.insert("outcome".to_owned(), json!({ "result": outcome.name(), "cause": outcome.cause() }));
        let facts = fields.entry("facts").or_insert_with(|| json!({}));
        if let Some(facts) = facts.as_object_mut() {
            facts.insert("latencyMs".to_owned(), json!(event.facts.latency_millis()));
        }
    }
    value
}

/// What stands at a path; `null` where there is nothing.
pub(super) fn at(value: &Value, path: &str) -> Value {
    let found = path.split('.').try_fold(value, |value, name| value.get(name));
    found.cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::time::Duration;

    use webmessaging_journal::clock::SystemEntropy;
    use webmessaging_journal::kind::{
        AccessPolicy, BotMessageFailed, ChannelUpdated, DeliveryFailed, FileScanned, MessageRead,
        TransferFinished,
    };
    use webmessaging_journal::{EventId, EventKind, Stamp};
    use webmessaging_model::{MessageId, ScanVerdict, Timestamp};

    use super::*;

    #[test]
    fn every_action_has_its_fields() {
        let known: BTreeSet<_> = DATA.iter().map(|(action, _)| *action).collect();
        let actions: BTreeSet<_> = EventKind::ACTIONS.iter().copied().collect();
        assert_eq!(known, actions);
    }

    #[track_caller]
    fn check(kind: impl Into<EventKind>) {
        let at = Timestamp::UNIX_EPOCH;
        let event = Stamp::new(EventId::new(at, &SystemEntropy), at, "a").event(kind);
        let written = of(&event);
        let written: BTreeSet<_> = written["data"].as_object().unwrap().keys().map(String::as_str).collect();
        let (_, fields) = DATA.iter().find(|(action, _)| *action == event.action()).unwrap();
        assert_eq!(fields.iter().copied().collect::<BTreeSet<_>>(), written, "{}", event.action());
    }

    /// Samples with everything set; the journal's own tests hold the names of the others.
    #[test]
    fn the_fields_are_those_that_the_journal_writes() {
        let message = MessageId::new("m");
        check(
            FileScanned::new("f", ScanVerdict::Clean)
                .name("a.pdf")
                .size(1)
                .content_type("application/pdf")
                .message_id(message.clone()),
        );
        check(
            TransferFinished::new("t", "a.pdf")
                .storage_location("s3://b/k")
                .access_policy(AccessPolicy::new(1, "AES-256", true))
                .size(1)
                .content_type("application/pdf"),
        );
        check(ChannelUpdated::new("c", vec!["a".to_owned()]).features(BTreeMap::new()));
        check(
            BotMessageFailed::new("c", "timeout")
                .message_id(message.clone())
                .message_type("text")
                .crm_target("crm")
                .maybe_sent(true),
        );
        check(MessageRead::new("c", message).participant_id("p").read_at(Timestamp::UNIX_EPOCH));
        check(DeliveryFailed::new("d", "crm", "server").items(1).dead(true).retry_in(Duration::ZERO));
    }
}
