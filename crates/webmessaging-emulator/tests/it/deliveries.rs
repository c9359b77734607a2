//! What webhooks are sent: the bytes, their signature, the headers, to whom, and what becomes of it at the end.

use std::io;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use webmessaging_emulator::{AttemptResult, DeliveryOutcome, Emulator, EventError, SignatureFormat};

use crate::client::{SCAN, announce, builder, request, send, start, state};
use crate::receiver::{
    PLATFORM_WEBHOOKS, Receiver, Reply, SCAN_COMPLETED, SECRET, WEBHOOKS, ended, hmac_sha256, let_run,
    platform_webhook, register, send_update, until, webhook,
};

async fn upload(emulator: &Emulator, bytes: &[u8]) -> String {
    let file = announce(emulator, "a.txt", "text/plain", bytes.len()).await;
    assert_eq!(send(emulator, file.put(bytes)).await.status, 200);
    assert_eq!(send(emulator, file.put(bytes)).await.status, 200);
    assert_eq!(state(emulator, &file).await["status"], "scanning");
    file.id
}

#[tokio::test]
async fn the_end_of_a_scan_is_told_once_with_what_the_scan_found() {
    let eicar = ["X5O!P%@AP[4\\PZX54(P^)7CC)7}$", "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"].concat();
    for (bytes, scan, format, status) in [
        (&b"hello"[..], "clean", "passed", "completed"),
        (eicar.as_bytes(), "malicious", "passed", "failed"),
        (b"a\0b", "clean", "failed", "failed"),
    ] {
        let emulator = start().await;
        let receiver = Receiver::start([]).await;
        register(&emulator, WEBHOOKS, &webhook(&receiver.url())).await;
        let file_id = upload(&emulator, bytes).await;
        let_run().await;
        assert_eq!(receiver.count(), 0);

        emulator.clock().advance(SCAN);
        let event = receiver.nth(1).await.json();
        assert_eq!(event["eventType"], SCAN_COMPLETED);
        assert_eq!(
            event["data"],
            json!({ "fileId": file_id, "virusScanResult": scan, "formatValidation": format, "status": status })
        );
        emulator.clock().advance(SCAN);
        let_run().await;
        assert_eq!((receiver.count(), emulator.deliveries().len()), (1, 1), "{status}");
    }
}

#[tokio::test]
async fn other_bytes_before_the_verdict_put_the_event_off() {
    let emulator = start().await;
    let receiver = Receiver::start([]).await;
    register(&emulator, WEBHOOKS, &webhook(&receiver.url())).await;
    let file = announce(&emulator, "a.txt", "text/plain", 3).await;
    assert_eq!(send(&emulator, file.put(b"a\0b")).await.status, 200);
    emulator.clock().advance(SCAN / 2);
    assert_eq!(send(&emulator, file.put(b"abc")).await.status, 200);
    emulator.clock().advance(SCAN / 2);
    let_run().await;
    assert_eq!(receiver.count(), 0);
    emulator.clock().advance(SCAN / 2);
    assert_eq!(receiver.nth(1).await.json()["data"]["formatValidation"], "passed");
}

#[tokio::test]
async fn the_signature_is_over_the_exact_bytes_in_the_spelling_that_was_asked_for() {
    for format in [
        SignatureFormat::default(),
        SignatureFormat::Base64,
        SignatureFormat::PrefixedHex,
        SignatureFormat::Hex,
    ] {
        let emulator = builder().signature_format(format).start().await.unwrap();
        let receiver = Receiver::start([]).await;
        register(&emulator, PLATFORM_WEBHOOKS, &platform_webhook(&receiver.url())).await;
        let data = json!({ "channelType": "webchat", "name": "\u{fc}mlaut \" \\ \n \u{1f600}", "half": 0.5 });
        emulator.send_event("channel.updated", data).unwrap();
        let event = receiver.nth(1).await;
        let mac = hmac_sha256(SECRET.as_bytes(), &event.body);
        let expected = match format {
            SignatureFormat::Base64 => STANDARD.encode(&mac),
            SignatureFormat::PrefixedHex => format!("sha256={}", hex::encode(&mac)),
            SignatureFormat::Hex => hex::encode(&mac),
            _ => format!("sha256={}", STANDARD.encode(&mac)),
        };
        assert_eq!(event.header("x-genesys-signature"), expected, "{format:?}");
    }
}

#[tokio::test]
async fn a_request_has_the_headers_of_the_sender_and_of_the_webhook() {
    let emulator = builder().webhook_token("token-of-the-organisation").start().await.unwrap();
    let receiver = Receiver::start([]).await;
    register(&emulator, WEBHOOKS, &webhook(&receiver.url())).await;
    let id = emulator.send_event(SCAN_COMPLETED, json!({ "fileId": "1" })).unwrap();
    let event = receiver.nth(1).await;
    assert_eq!((event.method.as_str(), event.path_and_query.as_str()), ("POST", "/hooks?a=b"));
    for (name, value) in [
        ("host", receiver.address.to_string()),
        ("content-type", "application/json".to_owned()),
        ("content-length", event.body.len().to_string()),
        ("authorization", "Bearer token-of-the-organisation".to_owned()),
        ("x-genesys-event-id", id.clone()),
    ] {
        assert_eq!(event.header(name), value, "{name}");
    }
    let mac = hmac_sha256(b"token-of-the-organisation", &event.body);
    assert_eq!(event.header("x-genesys-signature"), format!("sha256={}", STANDARD.encode(mac)));
    assert_eq!(event.json()["eventId"], id);
}

#[tokio::test]
async fn a_header_of_the_webhook_takes_the_place_of_the_content_type() {
    let emulator = start().await;
    let receiver = Receiver::start([]).await;
    let mut body = platform_webhook(&receiver.url());
    body["httpHeaders"] = json!({ "Content-Type": "application/cloudevents+json" });
    register(&emulator, PLATFORM_WEBHOOKS, &body).await;
    send_update(&emulator, 1);
    assert_eq!(receiver.nth(1).await.header("content-type"), "application/cloudevents+json");
}

#[tokio::test]
async fn an_event_goes_to_all_who_want_it_and_to_nobody_else() {
    let emulator = start().await;
    let (wanting, other) = (Receiver::start([]).await, Receiver::start([]).await);
    for (name, receiver, changes) in [
        ("one", &wanting, json!({})),
        ("two", &wanting, json!({ "eventFilters": [{ "resource": "channel", "action": "updated" }] })),
        ("disabled", &other, json!({ "enabled": false })),
        ("elsewhere", &other, json!({ "eventFilters": [{ "resource": "channel", "action": "deleted" }] })),
    ] {
        let mut body = platform_webhook(&receiver.url());
        body["name"] = json!(name);
        body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        register(&emulator, PLATFORM_WEBHOOKS, &body).await;
    }
    send_update(&emulator, 1);
    emulator.send_event("channel.updated", json!({ "channelType": "email" })).unwrap();
    let mut names: Vec<String> =
        ended(&emulator).await.into_iter().map(|delivery| delivery.webhook_name).collect();
    names.sort();
    assert_eq!(names, ["one", "two", "two"]);
    assert_eq!((wanting.count(), other.count()), (3, 0));
}

#[tokio::test]
async fn first_attempts_at_a_webhook_come_in_the_order_of_the_events() {
    let emulator = start().await;
    let receiver = Receiver::start([]).await;
    register(&emulator, PLATFORM_WEBHOOKS, &platform_webhook(&receiver.url())).await;
    for number in 1..=20 {
        send_update(&emulator, number);
    }
    receiver.nth(20).await;
    let numbers: Vec<u64> =
        receiver.received().iter().map(|event| event.json()["data"]["number"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (1..=20).collect::<Vec<_>>());
}

#[tokio::test]
async fn nothing_is_sent_to_an_https_webhook_and_the_log_says_why() {
    let emulator = start().await;
    register(&emulator, PLATFORM_WEBHOOKS, &platform_webhook("https://hooks.example/")).await;
    let id = send_update(&emulator, 1);
    let delivery = emulator.deliveries().remove(0);
    assert_eq!((delivery.event_id, delivery.outcome), (id, Some(DeliveryOutcome::NoTls)));
    assert!(delivery.attempts.is_empty());
}

#[tokio::test]
async fn deleting_a_webhook_ends_what_is_under_way_and_what_waits() {
    let emulator = start().await;
    let receiver = Receiver::start([Reply::Status(503), Reply::Hang]).await;
    let shown = register(&emulator, PLATFORM_WEBHOOKS, &platform_webhook(&receiver.url())).await;
    for number in 1..=3 {
        send_update(&emulator, number);
    }
    receiver.nth(2).await;
    let path = format!("{PLATFORM_WEBHOOKS}/{}", shown["id"].as_str().unwrap());
    assert_eq!(request(&emulator, "DELETE", &path, None).await.status, 204);
    for delivery in ended(&emulator).await {
        assert_eq!(delivery.outcome, Some(DeliveryOutcome::Canceled));
    }
    until(|| receiver.closed() == 2).await;
    send_update(&emulator, 4);
    assert_eq!(emulator.deliveries().len(), 3);
}

#[tokio::test]
async fn more_than_a_thousand_open_deliveries_are_not_taken() {
    let emulator = start().await;
    let receiver = Receiver::start([Reply::Hang]).await;
    register(&emulator, PLATFORM_WEBHOOKS, &platform_webhook(&receiver.url())).await;
    for number in 1..=1_001 {
        send_update(&emulator, number);
    }
    let outcomes: Vec<_> = emulator.deliveries().iter().map(|delivery| delivery.outcome).collect();
    assert_eq!(outcomes[..1_000], [None; 1_000]);
    assert_eq!(outcomes[1_000..], [Some(DeliveryOutcome::Overflow)]);
}

#[tokio::test]
async fn a_shutdown_cuts_deliveries_that_are_under_way() {
    let receiver = Receiver::start([Reply::Hang, Reply::Hang]).await;
    for dropped in [false, true] {
        let emulator = start().await;
        register(&emulator, PLATFORM_WEBHOOKS, &platform_webhook(&receiver.url())).await;
        upload(&emulator, b"still being scanned").await;
        send_update(&emulator, 1);
        send_update(&emulator, 2);
        let closed = receiver.closed();
        receiver.nth(closed + 1).await;
        if dropped {
            drop(emulator);
        } else {
            emulator.shutdown().await;
        }
        until(|| receiver.closed() == closed + 1).await;
    }
    let_run().await;
    assert_eq!(receiver.count(), 2);
}

#[tokio::test]
async fn events_that_cannot_be_sent_are_refused() {
    let emulator = start().await;
    let error = emulator.send_event("no type", json!({})).unwrap_err();
    assert!(matches!(error, EventError::EventType), "{error:?}");
    let error =
        emulator.send_event("a.b", [(1, 2)].map(|pair| std::collections::BTreeMap::from([(pair, 3)])));
    assert!(matches!(error, Err(EventError::Data(_))), "{error:?}");
    let error = emulator.send_event("a.b", "x".repeat(512_000)).unwrap_err();
    assert!(matches!(error, EventError::TooLong { bytes_max: 512_000, .. }), "{error:?}");
    assert!(emulator.deliveries().is_empty());
}

/// Collects what is traced.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn neither_logs_nor_debug_forms_show_a_secret() {
    let log = Log::default();
    let writer = log.clone();
    // For all tests of the process: tracing asks only one thread whether an event is wanted, and it need not be this one.
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .init();

    let emulator = builder().webhook_token("tunafish-tunafish").start().await.unwrap();
    let receiver = Receiver::start([Reply::Status(503)]).await;
    let mut body = platform_webhook(&format!("http://{}/?key=swordfish", receiver.address));
    body["httpHeaders"] = json!({ "X-Key": "swordfish", "X-Token": "tunafish" });
    register(&emulator, PLATFORM_WEBHOOKS, &body).await;
    register(&emulator, WEBHOOKS, &webhook(&receiver.url())).await;
    send_update(&emulator, 1);
    emulator.send_event(SCAN_COMPLETED, json!({ "fileId": "herring" })).unwrap();
    receiver.nth(2).await;
    until(|| emulator.deliveries().iter().all(|delivery| delivery.attempts[0].result.is_some())).await;

    let printed = format!("{:?} {emulator:?} {:?}", emulator.deliveries(), emulator.requests());
    let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for delivery in emulator.deliveries() {
        assert!(logged.contains(&delivery.webhook_id), "{logged}");
    }
    let signatures: Vec<String> =
        receiver.received().iter().map(|event| event.header("x-genesys-signature").to_owned()).collect();
    assert!(signatures.iter().all(|signature| signature.starts_with("sha256=")));
    for secret in
        ["swordfish", "tunafish", "herring"].into_iter().chain(signatures.iter().map(String::as_str))
    {
        assert!(!printed.contains(secret), "{secret} in {printed}");
        assert!(!logged.contains(secret), "{secret} in {logged}");
    }
    assert!(matches!(emulator.deliveries()[0].attempts[0].result, Some(AttemptResult::Answered(_))));
}
