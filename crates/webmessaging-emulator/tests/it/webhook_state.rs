//! Webhooks, the organisation and scans under snapshots and resets: what comes back, what ends, what is told again.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use webmessaging_emulator::{
    Channel, DeliveryOutcome, Emulator, Organization, SeededFile, SeededWebhook, StateSeed, Tamper,
};

use crate::client::{SCAN, announce, builder, request, send, start};
use crate::receiver::{
    PLATFORM_WEBHOOKS, Receiver, Reply, WEBHOOKS, attempted, ended, hmac_sha256, let_run, platform_webhook,
    register, send_update, until, webhook,
};

fn outcomes(emulator: &Emulator) -> Vec<Option<DeliveryOutcome>> {
    emulator.deliveries().into_iter().map(|delivery| delivery.outcome).collect()
}

async fn upload(emulator: &Emulator, bytes: &[u8]) {
    let file = announce(emulator, "a.txt", "text/plain", bytes.len()).await;
    assert_eq!(send(emulator, file.put(bytes)).await.status, 200);
}

#[tokio::test]
async fn a_snapshot_brings_back_webhooks_with_their_secrets_and_the_organization_as_often_as_wanted() {
    let emulator = builder().channels(7).webhook_token("token-of-the-organisation").start().await.unwrap();
    let receiver = Receiver::start([]).await;
    let shown = register(&emulator, WEBHOOKS, &webhook(&receiver.url())).await;
    let before = (emulator.state().webhooks, emulator.organization());
    let snapshot = emulator.snapshot();
    for round in 1..=2 {
        let path = format!("{WEBHOOKS}/{}", shown["id"].as_str().unwrap());
        assert_eq!(request(&emulator, "DELETE", &path, None).await.status, 204);
        let other = Organization::empty().channel(Channel::new("1", "One", "webchat"));
        emulator.seed(StateSeed::new().organization(other)).await.unwrap();
        register(&emulator, PLATFORM_WEBHOOKS, &platform_webhook(&receiver.url())).await;

        emulator.restore(&snapshot).unwrap();
        assert_eq!((emulator.state().webhooks, emulator.organization()), before);
        send_update(&emulator, 1);
        emulator.send_event(crate::receiver::SCAN_COMPLETED, json!({ "round": round })).unwrap();
        let event = receiver.nth(round).await;
        assert_eq!(event.json()["data"]["round"], round);
        let mac = hmac_sha256(b"token-of-the-organisation", &event.body);
        let signature = event.header("x-genesys-signature").strip_prefix("sha256=").unwrap().to_owned();
        assert_eq!(signature, base64::Engine::encode(&base64::engine::general_purpose::STANDARD, mac));
        assert_eq!(event.header("authorization"), "Bearer token-of-the-organisation");
        ended(&emulator).await;
    }
    assert_eq!(receiver.count(), 2);
}

#[tokio::test]
async fn a_restore_ends_what_is_under_way_what_waits_and_what_is_held_back() {
    let emulator = start().await;
    let receiver = Receiver::start([Reply::Status(503), Reply::Hang]).await;
    register(&emulator, PLATFORM_WEBHOOKS, &platform_webhook(&receiver.url())).await;
    let snapshot = emulator.snapshot();
    // One waits for its retry, one for its answer, one for the one before it, one is held back.
    send_update(&emulator, 1);
    attempted(&emulator, 1).await;
    send_update(&emulator, 2);
    send_update(&emulator, 3);
    emulator.tamper(Tamper::OutOfOrder);
    send_update(&emulator, 4);
    receiver.nth(2).await;
    assert_eq!(outcomes(&emulator), [None; 4]);
    assert_eq!(emulator.state().deliveries.open, 4);

    emulator.restore(&snapshot).unwrap();
    // The log says so before anything else can run.
    assert_eq!(outcomes(&emulator), [Some(DeliveryOutcome::Canceled); 4]);
    assert_eq!(emulator.state().deliveries.open, 0);
    until(|| receiver.closed() == 2).await;
    emulator.clock().advance(Duration::from_secs(100));
    let_run().await;
    assert_eq!(receiver.count(), 2);
    send_update(&emulator, 5);
    assert_eq!(receiver.nth(3).await.json()["data"]["number"], 5);
    ended(&emulator).await;
    assert_eq!(outcomes(&emulator)[..4], [Some(DeliveryOutcome::Canceled); 4]);
}

#[tokio::test]
async fn what_ended_with_a_restore_takes_no_place_from_what_comes_later() {
    let emulator = start().await;
    let receiver = Receiver::start([Reply::Hang]).await;
    register(&emulator, PLATFORM_WEBHOOKS, &platform_webhook(&receiver.url())).await;
    let snapshot = emulator.snapshot();
    for round in 0..3 {
        for number in 0..1_000 {
            send_update(&emulator, number);
        }
        assert_eq!(outcomes(&emulator)[1_000 * round..], [None; 1_000], "{round}");
        emulator.restore(&snapshot).unwrap();
    }
    send_update(&emulator, 1);
    assert_eq!(outcomes(&emulator).last(), Some(&None));
}

#[tokio::test]
async fn the_end_of_a_scan_is_told_once_in_each_life() {
    let emulator = start().await;
    let receiver = Receiver::start([]).await;
    register(&emulator, WEBHOOKS, &webhook(&receiver.url())).await;
    upload(&emulator, b"hello").await;
    let scanning = emulator.snapshot();
    emulator.clock().advance(SCAN);
    receiver.nth(1).await;
    let told = emulator.snapshot();

    emulator.restore(&scanning).unwrap();
    emulator.restore(&scanning).unwrap();
    let_run().await;
    assert_eq!(receiver.count(), 1);
    emulator.clock().advance(SCAN);
    let events = (receiver.nth(1).await.json(), receiver.nth(2).await.json());
    assert_eq!(events.0["data"], events.1["data"]);
    assert_ne!(events.0["eventId"], events.1["eventId"]);

    emulator.restore(&told).unwrap();
    emulator.clock().advance(SCAN);
    let_run().await;
    assert_eq!(receiver.count(), 2);
}

#[tokio::test]
async fn a_clock_that_is_set_back_puts_the_end_of_a_scan_off() {
    let emulator = start().await;
    let receiver = Receiver::start([]).await;
    register(&emulator, WEBHOOKS, &webhook(&receiver.url())).await;
    upload(&emulator, b"hello").await;
    let snapshot = emulator.snapshot();
    emulator.clock().advance(SCAN / 2);
    let_run().await;
    emulator.restore(&snapshot).unwrap();
    emulator.clock().advance(SCAN * 3 / 5);
    let_run().await;
    assert_eq!((receiver.count(), emulator.state().files[0].status.as_str()), (0, "scanning"));
    emulator.clock().advance(SCAN * 2 / 5);
    receiver.nth(1).await;
}

#[tokio::test]
async fn a_file_that_is_not_part_of_a_snapshot_is_not_told() {
    let emulator = start().await;
    let receiver = Receiver::start([]).await;
    register(&emulator, WEBHOOKS, &webhook(&receiver.url())).await;
    let snapshot = emulator.snapshot();
    upload(&emulator, b"hello").await;
    emulator.restore(&snapshot).unwrap();
    emulator.clock().advance(2 * SCAN);
    let_run().await;
    assert!(emulator.deliveries().is_empty());
}

#[tokio::test]
async fn restores_leave_no_tasks_behind() {
    let emulator = start().await;
    let receiver = Receiver::start([Reply::Hang, Reply::Status(503)]).await;
    register(&emulator, PLATFORM_WEBHOOKS, &platform_webhook(&receiver.url())).await;
    upload(&emulator, b"hello").await;
    let snapshot = emulator.snapshot();
    let_run().await;
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    for round in 1..=20 {
        send_update(&emulator, round);
        receiver.nth(round).await;
        emulator.restore(&snapshot).unwrap();
    }
    until(|| receiver.closed() == 20).await;
    until(|| tasks() <= before).await;
}

#[tokio::test]
async fn a_reset_brings_back_the_webhooks_of_the_start_and_forgets_deliveries_and_tampers() {
    let receiver = Receiver::start([Reply::Hang]).await;
    let own = SeededWebhook::platform_webhook(platform_webhook(&receiver.url()));
    let file = SeededFile::new("a.txt", "text/plain", "message-1").content("hello").scanning();
    let scans = SeededWebhook::webhook(webhook(&receiver.url()));
    let seed = StateSeed::new().webhooks([own, scans]).files([file]);
    let emulator = builder().channels(4).seed(seed).start().await.unwrap();
    let before = emulator.state().webhooks;
    assert_eq!(before.iter().map(|webhook| &*webhook.name).collect::<Vec<_>>(), ["channels", "scans"]);
    send_update(&emulator, 1);
    receiver.nth(1).await;
    emulator.tamper(Tamper::Unsigned);
    let path = format!("{WEBHOOKS}/{}", before[1].id);
    assert_eq!(request(&emulator, "DELETE", &path, None).await.status, 204);
    emulator.seed(StateSeed::new().organization(Organization::empty())).await.unwrap();

    emulator.reset();
    let state = emulator.state();
    assert_eq!((state.webhooks, state.organization.channels), (before, 4));
    assert_eq!((state.deliveries.open, state.deliveries.tampers), (0, vec![]));
    assert!(emulator.deliveries().is_empty());
    until(|| receiver.closed() == 1).await;
    send_update(&emulator, 2);
    let event = receiver.nth(2).await;
    assert_eq!(event.json()["data"]["number"], 2);
    assert_ne!(event.header("x-genesys-signature"), "");
    // The scan of the seeded file began anew, and its end is told.
    let_run().await;
    assert_eq!(receiver.count(), 2);
    emulator.clock().advance(SCAN);
    assert_eq!(receiver.nth(3).await.json()["data"]["fileId"], emulator.state().files[0].id);
}

#[tokio::test]
async fn a_snapshot_leaves_the_log_and_the_tampers_alone() {
    let emulator = start().await;
    let receiver = Receiver::start([]).await;
    register(&emulator, PLATFORM_WEBHOOKS, &platform_webhook(&receiver.url())).await;
    let snapshot = emulator.snapshot();
    send_update(&emulator, 1);
    let log = ended(&emulator).await;
    emulator.tamper(Tamper::Unsigned);
    emulator.restore(&snapshot).unwrap();
    assert_eq!(emulator.deliveries(), log);
    assert_eq!(emulator.state().deliveries.tampers, ["unsigned"]);
}

/// Events, scans, registrations and restores at once; afterwards nothing is left open and everything still works.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn restores_in_the_middle_of_everything_leave_nothing_behind() {
    let emulator = Arc::new(builder().scan_duration(Duration::ZERO).start().await.unwrap());
    let receiver = Receiver::start([]).await;
    register(&emulator, PLATFORM_WEBHOOKS, &platform_webhook(&receiver.url())).await;
    register(&emulator, WEBHOOKS, &webhook(&receiver.url())).await;
    let snapshot = emulator.snapshot();
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..4 {
        let emulator = Arc::clone(&emulator);
        tasks.spawn(async move {
            for number in 0..25 {
                send_update(&emulator, 100 * task + number);
                let file = SeededFile::new("a.txt", "text/plain", "message-1").content("hello").scanning();
                emulator.seed(StateSeed::new().files([file])).await.unwrap();
            }
        });
    }
    for _ in 0..50 {
        emulator.restore(&snapshot).unwrap();
        tokio::task::yield_now().await;
    }
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
    emulator.restore(&snapshot).unwrap();
    assert!(outcomes(&emulator).iter().all(Option::is_some));
    assert_eq!(emulator.state().deliveries.open, 0);
    let earlier = emulator.deliveries().len();
    for number in 0..1_000 {
        send_update(&emulator, number);
    }
    until(|| emulator.state().deliveries.open == 0).await;
    assert_eq!(outcomes(&emulator)[earlier..], [Some(DeliveryOutcome::Delivered); 1_000]);
}
