//! The exact requests: a look at them is a look at the contract with each system.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use webmessaging_journal::kind::{
    AccessPolicy, BotMessageFailed, BotMessageSent, ChannelContext, ChannelUpdated, Consent, DataChanges,
    FileScanned, GuestChange, GuestCreated, TransferFinished,
};
use webmessaging_journal::{Event, Facts};
use webmessaging_model::ScanVerdict;
use webmessaging_sync::{Auth, LaneRule, ShapeName, TargetConfig};

use crate::judge::{Judge, Seen, take};
use crate::setup::{AT, Bench, config, event, file, message, targets};

async fn sent(set_up: impl FnOnce(&Judge) -> TargetConfig, events: &[Event]) -> Vec<Seen> {
    let (bench, judge) = (Bench::new().await, Judge::start(|_| take()).await);
    let targets = targets([set_up(&judge)]);
    bench.enqueue(&targets, events).await;
    bench.worker(&targets).deliver_due().await.unwrap();
    judge.seen()
}

async fn one(shape: ShapeName, event: Event) -> Seen {
    let mut seen = sent(|judge| config(judge, shape), &[event]).await;
    assert_eq!(seen.len(), 1);
    seen.remove(0)
}

fn check(seen: &Seen, expected: &Value) {
    assert_eq!(&seen.body, expected);
    assert_eq!(seen.header("content-type"), "application/json");
    let key: uuid::Uuid = seen.key().parse().unwrap();
    assert_eq!(key.get_version_num(), 8);
}

#[tokio::test]
async fn clean_files_go_to_a_document_system_in_batches() {
    let dirty = event(FileScanned::new("file-3", ScanVerdict::Malicious));
    let unknown = event(FileScanned::new("file-4", ScanVerdict::Unknown));
    let seen = sent(
        |judge| config(judge, ShapeName::Documents).auth(Auth::Bearer("s3cret".into())),
        &[file(1), file(2), dirty, unknown],
    )
    .await;
    let [seen] = &seen[..] else { panic!("{seen:?}") };
    let of = |id| {
        json!({
            "id": id, "name": "a.pdf", "size": 7, "contentType": "application/pdf",
            "source": "genesys-cloud-web-messaging", "processedAt": AT,
        })
    };
    let batch = seen.header("x-request-id");
    check(seen, &json!({ "batchId": batch, "timestamp": AT, "files": [of("file-1"), of("file-2")] }));
    assert_eq!((seen.header("authorization"), seen.key()), ("Bearer s3cret", batch));
    assert_eq!(seen.item_keys().len(), 2);
}

#[tokio::test]
async fn a_finished_transfer_goes_to_the_archive() {
    let kind = TransferFinished::new("transfer-1", "contract.pdf")
        .storage_location("https://bucket.example/a?signature=x")
        .access_policy(AccessPolicy::new(30, "AES-256", false));
    let seen = one(ShapeName::Archive, event(kind)).await;
    let policy = json!({ "retentionDays": 30, "encryptionStandard": "AES-256", "downloadAllowed": false });
    let expected = json!({
        "documentId": "transfer-1", "fileName": "contract.pdf", "accessPolicy": policy,
        "storageLocation": "https://bucket.example/a?signature=x", "archivedAt": AT,
    });
    check(&seen, &expected);
}

#[tokio::test]
async fn guests_go_to_a_crm_and_what_is_no_hash_stays() {
    let change = |hash: String| {
        Box::new(
            GuestChange::new(DataChanges::new())
                .external_id("crm-7")
                .email_hash(hash)
                .consent_flags(Consent::new(true, false))
                .channel_context(ChannelContext::new(
                    Some("https://shop.example/".into()),
                    Some("SPRING".into()),
                )),
        )
    };
    let hash = "ab".repeat(32);
    let seen = one(ShapeName::CrmGuests, event(GuestCreated::new("guest-1", change(hash.clone())))).await;
    let mut record = json!({
        "externalId": "crm-7", "emailHash": hash, "lastInteraction": AT,
        "consentFlags": { "marketing": true, "dataProcessing": false },
        "channelContext": { "originPage": "https://shop.example/", "campaignId": "SPRING" },
    });
    check(&seen, &json!({ "idempotencyKey": seen.key(), "records": [record] }));

    let plain = event(GuestCreated::new("guest-1", change("jane@example.com".to_owned())));
    let seen = one(ShapeName::CrmGuests, plain).await;
    record.as_object_mut().unwrap().remove("emailHash");
    check(&seen, &json!({ "idempotencyKey": seen.key(), "records": [record] }));
}

#[tokio::test]
async fn messages_go_to_the_crm_that_they_name() {
    let seen = one(ShapeName::CrmMessages, message("c-1", 1)).await;
    let expected = json!({
        "conversationId": "c-1", "messageId": "c-1-1", "deliveryLatencyMs": 42, "status": "delivered",
        "timestamp": AT,
    });
    check(&seen, &expected);

    let failed = event(BotMessageFailed::new("c-1", "timeout").crm_target("judge"));
    let seen = one(ShapeName::CrmMessages, failed).await;
    check(&seen, &json!({ "conversationId": "c-1", "status": "failed", "timestamp": AT }));

    let elsewhere = event(BotMessageSent::new("c-1").crm_target("other"));
    assert_eq!(sent(|judge| config(judge, ShapeName::CrmMessages), &[elsewhere]).await.len(), 0);
}

#[tokio::test]
async fn changes_of_channels_go_to_monitoring() {
    let kind = ChannelUpdated::new("channel-1", vec!["configuration.webchat".to_owned()])
        .features(BTreeMap::from([("rich-media".to_owned(), true)]));
    let event = event(kind).facts(Facts::new().latency(std::time::Duration::from_millis(9)));
    let id = event.id.to_string();
    let seen = one(ShapeName::Monitoring, event).await;
    let expected = json!({
        "eventId": id, "eventType": "channel.updated", "channelId": "channel-1", "latencyMs": 9,
        "changedPaths": ["configuration.webchat"], "features": { "rich-media": true }, "updatedAt": AT,
    });
    check(&seen, &expected);
}

#[tokio::test]
async fn a_template_is_filled_with_values_of_their_own_type() {
    let template =
        json!({ "about": "{{subject.id}}", "ms": "{{facts.latencyMs}}", "from": { "who": "{{actor}}" } });
    let set_up = |judge: &Judge| {
        config(judge, ShapeName::Template)
            .template(template)
            .events(["bot_message.sent"])
            .lane(LaneRule::None)
            .auth(Auth::Header("x-api-key".to_owned(), "s3cret".into()))
    };
    let seen = sent(set_up, &[message("a \"b\"\n", 1), file(1)]).await;
    let [seen] = &seen[..] else { panic!("{seen:?}") };
    check(seen, &json!({ "about": "a \"b\"\n", "ms": 42, "from": { "who": "test" } }));
    assert_eq!(seen.header("x-api-key"), "s3cret");
}
