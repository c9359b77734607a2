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
    ("operation.failed", &["operation", "subjectKind", "subjectId", "cause", "maybeDone"]),
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
        AccessPolicy, BotMessageFailed, BotMessageSent, ChannelContext, ChannelUpdated, Consent, DataChanges,
        DeliveryFailed, DeliverySucceeded, DownloadUrlIssued, EngagementCalculated, FileQuarantined,
        FileScanned, FileUploadFailed, FileUploaded, GuestChange, GuestCreated, GuestUpdated, MessageRead,
        OperationFailed, RecordsRemoved, TransferBlocked, TransferCreated, TransferFinished, TransferRenewed,
        TransferUploaded, WebhookReceived, WebhookRegistered,
    };
    use webmessaging_journal::{EventId, EventKind, Stamp};
    use webmessaging_model::{ScanVerdict, Timestamp};

    use super::*;

    const AT: Timestamp = Timestamp::UNIX_EPOCH;

    /// One of each kind, with everything set.
    fn samples() -> Vec<EventKind> {
        let policy = AccessPolicy::new(1, "AES-256", true);
        let change = GuestChange::new(DataChanges::new())
            .external_id("e")
            .email_hash("h")
            .consent_flags(Consent::new(true, true))
            .last_interaction(AT)
            .channel_context(ChannelContext::new(None, None));
        let change = Box::new(change);
        vec![
            FileUploaded::new("f", "a.pdf", 1).content_type("a/b").channel_id("c").message_id("m").into(),
            FileUploadFailed::new("m", "server")
                .file_id("f")
                .name("a.pdf")
                .size(1)
                .content_type("a/b")
                .channel_id("c")
                .into(),
            FileScanned::new("f", ScanVerdict::Clean)
                .name("a.pdf")
                .size(1)
                .content_type("a/b")
                .message_id("m")
                .into(),
            FileQuarantined::new("f", "malicious").name("a.pdf").message_id("m").deleted(true).into(),
            DownloadUrlIssued::new("a", "m").expires_at(AT).into(),
            TransferCreated::new("t", "a.pdf", 1)
                .content_type("a/b")
                .expires_at(AT)
                .access_policy(policy.clone())
                .into(),
            TransferRenewed::new("t", "expiring").expires_at(AT).into(),
            TransferUploaded::new("t", 1).content_type("a/b").into(),
            TransferFinished::new("t", "a.pdf")
                .storage_location("s3://b/k")
                .access_policy(policy)
                .size(1)
                .content_type("a/b")
                .into(),
            TransferBlocked::new("t", "failed").file_name("a.pdf").content_type("a/b").into(),
            ChannelUpdated::new("c", vec!["a".to_owned()]).features(BTreeMap::new()).into(),
            WebhookRegistered::new("w", true).webhook_id("w").event_type("e").into(),
            WebhookReceived::new("d", "e", false).about("a").into(),
            GuestCreated::new("g", change.clone()).into(),
            GuestUpdated::new("g", change).into(),
            EngagementCalculated::new("g", Duration::ZERO, 1)
                .mean_response(Duration::ZERO)
                .converted(true)
                .into(),
            BotMessageSent::new("c").message_id("m").message_type("text").crm_target("crm").into(),
            BotMessageFailed::new("c", "timeout")
                .message_id("m")
                .message_type("text")
                .crm_target("crm")
                .maybe_sent(true)
                .into(),
            MessageRead::new("c", "m").participant_id("p").read_at(AT).into(),
            DeliverySucceeded::new("d", "crm").items(1).duplicate(true).into(),
            DeliveryFailed::new("d", "crm", "server").items(1).dead(true).retry_in(Duration::ZERO).into(),
            OperationFailed::new("channels.update", "channel", "c", "server").maybe_done(true).into(),
            RecordsRemoved::new(1, 2, "h", "retention").into(),
        ]
    }

    #[test]
    fn the_fields_of_each_kind_are_those_that_the_journal_writes() {
        let mut actions = BTreeSet::new();
        for kind in samples() {
            let event = Stamp::new(EventId::new(AT, &SystemEntropy), AT, "a").event(kind);
            let written = of(&event);
            let mut names: BTreeSet<_> = written["data"].as_object().unwrap().keys().cloned().collect();
            // Of a guest's change the fields that a CRM is told are named; what the audit log alone has is not.
            if names.remove("change") {
                names.extend(GUEST.iter().filter(|name| **name != "guestId").map(|name| (*name).to_owned()));
                assert!(GUEST.iter().all(|name| !at(&written["data"], name).is_null()));
            }
            let (action, fields) = DATA.iter().find(|(action, _)| *action == event.action()).unwrap();
            assert_eq!(
                fields.iter().map(|&name| name.to_owned()).collect::<BTreeSet<_>>(),
                names,
                "{action}"
            );
            actions.insert(*action);
        }
        assert_eq!(actions, EventKind::ACTIONS.iter().copied().collect());
    }

    #[test]
    fn what_every_event_has_can_be_named() {
        let kind = FileQuarantined::new("f", "malicious");
        let facts = webmessaging_journal::Facts::new()
            .operation("o")
            .status(200)
            .attempts(1)
            .latency(Duration::from_millis(1))
            .correlation_id("c")
            .request_id("r")
            .payload_sha256([0; 32]);
        let event = Stamp::new(EventId::new(AT, &SystemEntropy), AT, "a").event(kind).facts(facts);
        let value = of(&event);
        for path in COMMON {
            assert!(!at(&value, path).is_null(), "{path}");
        }
    }
}
