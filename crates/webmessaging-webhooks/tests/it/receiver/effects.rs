//! What follows from deliveries of the platform: once, in every order, and forward only.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::sync::Notify;
use webmessaging_journal::clock::Clock;
use webmessaging_store::{NewItem, Store};
use webmessaging_webhooks::receiver::{FileFacts, Handler, Handling, PlatformEvents, Received};

use super::setup::{Setup, now, scan};
use super::work::work_until;

/// Posts deliveries, works on all that were accepted, and gives what the journal has.
async fn actions_of(setup: &mut Setup, bodies: &[String]) -> Vec<String> {
    let mut accepted = 0;
    for body in bodies {
        accepted += usize::from(setup.post(body).await.1 == json!({ "status": "accepted" }));
    }
    setup.work(accepted).await;
    setup.actions()
}

async fn state_of(setup: &Setup, subject: &str) -> Option<String> {
    setup.store.scan_state(subject).await.unwrap().map(|scan| scan.state)
}

#[tokio::test]
async fn a_clean_file_is_recorded_and_told_to_whoever_synchronises() {
    let mut setup = Setup::with(|builder| {
        builder.items_for(|event, now| {
            vec![NewItem::new("documents", event.id.to_string(), event.action(), now)]
        })
    })
    .await;
    let body = scan("e-1", "f-1", "completed", "clean");
    assert_eq!(actions_of(&mut setup, &[body.clone(), body]).await, ["file.scanned"]);
    assert_eq!(state_of(&setup, "file:f-1").await.as_deref(), Some("clean"));
    assert_eq!(setup.store.outbox_stats(Some("documents"), now()).await.unwrap().due, 1);
    assert_eq!(setup.store.quarantine_entry("f-1").await.unwrap(), None);
}

#[tokio::test]
async fn a_file_that_is_not_clean_is_kept_away() {
    for (status, virus, reason) in [
        ("completed", "malicious", "malicious"),
        ("failed", "clean", "failed"),
        ("completed", "brand new", "unknown"),
    ] {
        let mut setup = Setup::new().await;
        let actions = actions_of(&mut setup, &[scan("e-1", "f-1", status, virus)]).await;
        assert_eq!(actions, ["file.scanned", "file.quarantined"], "{status} {virus}");
        let entry = setup.store.quarantine_entry("f-1").await.unwrap().unwrap();
        assert_eq!(entry.reason, reason);
    }
}

/// cap-js/attachments#432: a late "scanning" took a verdict back.
#[tokio::test]
async fn late_states_change_nothing_and_malice_is_for_good() {
    let mut setup = Setup::new().await;
    let bodies = [
        scan("e-1", "f-1", "completed", "clean"),
        scan("e-2", "f-1", "scanning", "none"),
        scan("e-3", "f-1", "completed", "malicious"),
    ];
    for body in &bodies {
        setup.post(body).await;
    }
    setup.work(3).await;
    assert_eq!(state_of(&setup, "file:f-1").await.as_deref(), Some("malicious"));
}

#[tokio::test]
async fn what_was_malicious_is_never_clean_again() {
    let mut setup = Setup::new().await;
    setup.post(&scan("e-1", "f-1", "completed", "malicious")).await;
    setup.work(1).await;
    let mut setup = setup.again();
    setup.post(&scan("e-2", "f-1", "completed", "clean")).await;
    setup.work(1).await;
    assert_eq!(state_of(&setup, "file:f-1").await.as_deref(), Some("malicious"));
    assert!(setup.store.quarantine_entry("f-1").await.unwrap().is_some());
    // The clean one came too late to be told.
    assert_eq!(setup.actions(), ["file.scanned", "file.quarantined", "webhook.received"]);
}

#[tokio::test]
async fn what_the_event_does_not_say_somebody_else_may_know() {
    let mut setup = Setup::with_work(|usual| {
        usual.files(|id| {
            let facts = (id.as_str() == "f-1").then(|| FileFacts::new("a.pdf", 7, "application/pdf"));
            Box::pin(async move { Ok(facts) })
        })
    })
    .await;
    let bodies = [scan("e-1", "f-1", "completed", "clean"), scan("e-2", "f-2", "completed", "clean")];
    actions_of(&mut setup, &bodies).await;
    let events = setup.journal.events();
    let mut told: Vec<_> =
        events.iter().map(|event| serde_json::to_value(event).unwrap()["data"].clone()).collect();
    told.sort_by_key(|data| data["fileId"].to_string());
    assert_eq!(
        told,
        [
            json!({"fileId": "f-1", "verdict": "clean", "name": "a.pdf", "size": 7, "contentType": "application/pdf"}),
            json!({"fileId": "f-2", "verdict": "clean"}),
        ]
    );
}

fn transfer(id: &str, status: &str, virus: &str) -> String {
    json!({
        "transferId": id,
        "status": status,
        "virusScanResult": virus,
        "fileName": "contract.pdf",
        "downloadUri": "https://store.example/t?signature=secret",
        "metadata": { "accessPolicyDirectives":
            { "retentionDays": 30, "encryptionStandard": "AES-256", "downloadAllowed": true } },
    })
    .to_string()
}

#[tokio::test]
async fn a_transfer_is_finished_when_it_is_clean_and_blocked_otherwise() {
    let mut setup = Setup::new().await;
    let bodies = [
        transfer("t-1", "uploaded", "pending"),
        transfer("t-2", "complete", "clean"),
        transfer("t-3", "complete", "detected"),
        transfer("t-4", "validation_failed", "clean"),
    ];
    let mut actions = actions_of(&mut setup, &bodies).await;
    actions.sort_unstable();
    assert_eq!(actions, ["transfer.blocked", "transfer.blocked", "transfer.finished", "webhook.received"]);
    let events = setup.journal.events();
    let finished = events.iter().find(|event| event.action() == "transfer.finished").unwrap();
    let written = serde_json::to_value(finished).unwrap();
    assert_eq!(written["data"]["storageLocation"], "https://store.example/t?signature=secret");
    assert_eq!(written["data"]["accessPolicy"]["retentionDays"], 30);
    assert!(!format!("{finished:?}").contains("signature"), "{finished:?}");
    for (id, reason) in [("t-3", "malicious"), ("t-4", "format_rejected")] {
        assert_eq!(setup.store.quarantine_entry(id).await.unwrap().unwrap().reason, reason);
    }
    assert_eq!(setup.store.quarantine_entry("t-2").await.unwrap(), None);
}

#[tokio::test]
async fn updates_and_receipts_are_recorded_and_the_rest_is_received() {
    let mut setup = Setup::new().await;
    let event = |kind: &str, data: serde_json::Value| json!({ "eventType": kind, "data": data }).to_string();
    let bodies = [
        event("channel.updated", json!({ "id": "channel-1" })),
        event("channel.updated", json!({})),
        event("conversation:participated:read", json!({ "conversationId": "c-1", "messageId": "m-1" })),
        event("conversation:participated:read", json!({})),
        event("brand.new", json!({ "level": 7 })),
    ];
    let mut actions = actions_of(&mut setup, &bodies).await;
    actions.sort_unstable();
    let received = "webhook.received";
    assert_eq!(actions, ["channel.updated", "message.read", received, received, received]);
}

#[tokio::test]
async fn what_is_recorded_again_is_the_same_record() {
    let body = scan("e-1", "f-1", "completed", "malicious");
    let mut ids = Vec::new();
    for _ in 0..2 {
        let mut setup = Setup::new().await;
        actions_of(&mut setup, std::slice::from_ref(&body)).await;
        ids.push(setup.journal.events().iter().map(|event| event.id).collect::<Vec<_>>());
    }
    assert_eq!(ids[0], ids[1]);
    assert_ne!(ids[0][0], ids[0][1]);
}

/// Two deliveries about one file are worked on at once: the one that was looked at first is finished last.
#[tokio::test]
async fn clean_is_not_announced_after_malicious_however_the_work_falls() {
    /// Holds the work on the clean one back until the malicious one is finished.
    struct Overtaken {
        usual: PlatformEvents,
        store: Arc<dyn Store>,
        seen_clean: Arc<Notify>,
    }

    impl Handler for Overtaken {
        fn handle<'a>(&'a self, received: &'a Received) -> Handling<'a> {
            Box::pin(async move {
                if received.delivery.attempt > 1 {
                    return self.usual.handle(received).await;
                }
                if received.delivery.delivery_id.as_deref() == Some("e-malicious") {
                    self.seen_clean.notified().await;
                    return self.usual.handle(received).await;
                }
                let handled = self.usual.handle(received).await;
                self.seen_clean.notify_one();
                while self.store.scan_state("file:f-1").await?.is_none() {
                    tokio::task::yield_now().await;
                }
                handled
            })
        }
    }

    let setup = Setup::with_store(|store, builder| {
        let usual = PlatformEvents::new(Arc::clone(store));
        let overtaken = Overtaken { usual, store: Arc::clone(store), seen_clean: Arc::new(Notify::new()) };
        builder.handler(overtaken).items_for(|event, now| {
            let shown = serde_json::to_value(event).unwrap();
            let key = shown["data"]["verdict"].as_str().unwrap_or_else(|| event.action()).to_owned();
            vec![NewItem::new("documents", key, event.action(), now)]
        })
    })
    .await;
    setup.post(&scan("e-clean", "f-1", "completed", "clean")).await;
    setup.post(&scan("e-malicious", "f-1", "completed", "malicious")).await;
    work_until(&setup.receiver, &setup.clock, |receiver| receiver.status().handled == 2).await;
    assert_eq!(state_of(&setup, "file:f-1").await.as_deref(), Some("malicious"));
    let claimed =
        setup.store.claim_items("documents", "test", 9, Duration::from_secs(60), setup.clock.wall()).await;
    let mut told: Vec<_> = claimed.unwrap().into_iter().map(|item| item.idempotency_key).collect();
    told.sort();
    assert_eq!(told, ["file.quarantined", "malicious", "webhook.received"]);
    assert_eq!(setup.receiver.status().retried, 1);
    let ids: HashSet<_> = setup.journal.events().iter().map(|event| event.id).collect();
    assert_eq!(ids.len(), 4, "what was recorded is told apart by its id");
}
