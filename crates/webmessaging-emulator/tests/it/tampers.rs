//! Deliveries that go wrong on purpose, each once.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use webmessaging_emulator::{DeliveryOutcome, Emulator, Tamper};

use crate::client::start;
use crate::receiver::{
    PLATFORM_WEBHOOKS, Received, Receiver, SECRET, ended, hmac_sha256, let_run, platform_webhook, register,
    send_update,
};

async fn subscribed() -> (Emulator, Receiver) {
    let emulator = start().await;
    let receiver = Receiver::start([]).await;
    register(&emulator, PLATFORM_WEBHOOKS, &platform_webhook(&receiver.url())).await;
    (emulator, receiver)
}

fn is_signed(event: &Received) -> bool {
    let mac = hmac_sha256(SECRET.as_bytes(), &event.body);
    event.header("x-genesys-signature") == format!("sha256={}", STANDARD.encode(mac))
}

fn numbers(receiver: &Receiver) -> Vec<u64> {
    receiver.received().iter().map(|event| event.json()["data"]["number"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn a_duplicate_has_the_id_and_the_bytes_of_its_original() {
    let (emulator, receiver) = subscribed().await;
    emulator.tamper(Tamper::Duplicate);
    let id = send_update(&emulator, 1);
    send_update(&emulator, 2);
    let deliveries = ended(&emulator).await;
    assert_eq!(numbers(&receiver), [1, 1, 2]);
    let events = receiver.received();
    assert_eq!(events[0].body, events[1].body);
    assert_eq!(events[1].header("x-genesys-event-id"), id);
    assert!(events.iter().all(|event| is_signed(event)));
    assert_eq!((&deliveries[0].event_id, &deliveries[1].event_id), (&id, &id));
    assert!(deliveries.iter().all(|delivery| delivery.outcome == Some(DeliveryOutcome::Delivered)));
}

#[tokio::test]
async fn an_event_out_of_order_comes_after_the_next_one() {
    let (emulator, receiver) = subscribed().await;
    emulator.tamper(Tamper::OutOfOrder);
    for number in 1..=3 {
        send_update(&emulator, number);
    }
    ended(&emulator).await;
    assert_eq!(numbers(&receiver), [2, 1, 3]);
}

#[tokio::test]
async fn an_event_out_of_order_waits_a_minute_for_the_next_one() {
    let (emulator, receiver) = subscribed().await;
    emulator.tamper(Tamper::OutOfOrder);
    send_update(&emulator, 1);
    let_run().await;
    emulator.clock().advance(Duration::from_secs(56));
    let_run().await;
    assert_eq!(receiver.count(), 0);
    emulator.clock().advance(Duration::from_secs(4));
    ended(&emulator).await;
    assert_eq!(numbers(&receiver), [1]);
}

#[tokio::test]
async fn a_wrong_signature_looks_like_a_right_one() {
    let (emulator, receiver) = subscribed().await;
    emulator.tamper(Tamper::WrongSignature);
    emulator.tamper(Tamper::Unsigned);
    for number in 1..=3 {
        send_update(&emulator, number);
    }
    ended(&emulator).await;
    let events = receiver.received();
    let lengths: Vec<usize> = events.iter().map(|event| event.header("x-genesys-signature").len()).collect();
    assert_eq!(lengths, [51, 0, 51]);
    let signed: Vec<bool> = events.iter().map(|event| is_signed(event)).collect();
    assert_eq!(signed, [false, false, true]);
}

#[tokio::test]
async fn an_event_that_nobody_wants_takes_no_tamper() {
    let (emulator, receiver) = subscribed().await;
    emulator.tamper(Tamper::Unsigned);
    emulator.send_event("channel.deleted", ()).unwrap();
    send_update(&emulator, 1);
    assert_eq!(receiver.nth(1).await.headers.get("x-genesys-signature"), None);
}
