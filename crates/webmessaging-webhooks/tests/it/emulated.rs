//! The emulator as the sender: what it posts to a listener of this test verifies, in all its spellings, and what it breaks on
//! purpose does not.

use std::time::Duration;

use http::HeaderMap;
use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use webmessaging_emulator::{Emulator, SeededFile, SeededWebhook, SignatureFormat, StateSeed, Tamper};
use webmessaging_model::ScanVerdict;
use webmessaging_webhooks::{ErrorKind, EventData, Verifier};

use crate::setup::{NEW, kind, now, secret};

const TYPES: [&str; 4] = [
    "genesys.cloud.messaging.file.upload.completed",
    "webchat.fileTransfer.statusChange",
    "channel.updated",
    "conversation:participated:read",
];

/// Nothing that is waited for here takes as long.
const PATIENCE: Duration = Duration::from_secs(30);

struct Received {
    headers: HeaderMap,
    body: Bytes,
}

/// An emulator whose webhooks for all types lead here, and what arrives.
async fn start(format: SignatureFormat) -> (Emulator, mpsc::UnboundedReceiver<Received>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("http://{}/hooks", listener.local_addr().unwrap());
    let (sender, receiver) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let sender = sender.clone();
            let service = service_fn(move |request: Request<Incoming>| {
                let sender = sender.clone();
                async move {
                    let (parts, body) = request.into_parts();
                    let body = body.collect().await?.to_bytes();
                    // Nobody listens any more once a test is over.
                    let _ = sender.send(Received { headers: parts.headers, body });
                    Ok::<_, hyper::Error>(Response::new(Empty::<Bytes>::new()))
                }
            });
            tokio::spawn(
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
            );
        }
    });
    let webhook = |event_type: &str| {
        SeededWebhook::webhook(serde_json::json!({
            "name": event_type,
            "uri": uri,
            "method": "POST",
            "eventFilter": format!("eventType = \"{event_type}\""),
            "contentType": "application/json",
        }))
    };
    let file = SeededFile::new("hello.txt", "text/plain", "message-1").content("hello").scanning();
    let seed = StateSeed::new().webhooks(TYPES.map(webhook)).files([file]);
    let emulator = Emulator::builder()
        .webhook_token(NEW)
        .signature_format(format)
        .scan_duration(Duration::from_secs(5))
        .seed(seed)
        .start()
        .await
        .unwrap();
    (emulator, receiver)
}

async fn next(arrived: &mut mpsc::UnboundedReceiver<Received>) -> Received {
    #[expect(clippy::disallowed_methods, reason = "a test that would hang fails instead")]
    let received = tokio::time::timeout(PATIENCE, arrived.recv()).await;
    received.expect("nothing arrived").unwrap()
}

#[tokio::test]
async fn real_events_verify_in_all_spellings() {
    for format in [
        SignatureFormat::PrefixedBase64,
        SignatureFormat::Base64,
        SignatureFormat::PrefixedHex,
        SignatureFormat::Hex,
    ] {
        let (emulator, mut arrived) = start(format).await;
        let verifier = Verifier::new(secret(NEW));

        emulator.clock().advance(Duration::from_secs(5));
        let received = next(&mut arrived).await;
        let delivery = verifier.verify(received.body.clone(), &received.headers, now()).unwrap();
        let EventData::FileScanned(scanned) = delivery.event().data() else { panic!("{delivery:?}") };
        assert_eq!(scanned.verdict(), ScanVerdict::Clean);
        assert_eq!(scanned.file_id.as_str(), emulator.state().files[0].id);
        assert_eq!(delivery.delivery_id(), received.headers["x-genesys-event-id"].to_str().ok());
        assert!(delivery.is_delivery_id_signed());
        assert!(delivery.event().occurred_at().is_some());

        // The same bytes, and one more.
        let longer = [&received.body[..], b" "].concat();
        assert_eq!(kind(verifier.verify(longer, &received.headers, now())), ErrorKind::Mismatch);
        emulator.shutdown().await;
    }
}

#[tokio::test]
async fn each_type_is_read() {
    let (emulator, mut arrived) = start(SignatureFormat::default()).await;
    let verifier = Verifier::new(secret(NEW));
    let transfer = serde_json::json!({
        "transferId": "transfer-1", "status": "failed", "virusScanResult": "detected", "fileName": "a.pdf",
        "downloadUri": "https://files.example/f?signature=hush", "metadata": {},
    });
    for (event_type, data) in [
        (TYPES[1], transfer),
        (TYPES[2], serde_json::json!({ "id": "channel-1", "channelType": "webchat" })),
        (TYPES[3], serde_json::json!({ "conversationId": "conversation-1" })),
    ] {
        let id = emulator.send_event(event_type, data).unwrap();
        let received = next(&mut arrived).await;
        let delivery = verifier.verify(received.body, &received.headers, now()).unwrap();
        assert_eq!(delivery.event().event_type(), event_type);
        assert_eq!(delivery.delivery_id(), Some(&*id));
        // The one event without an envelope has its id in a header only.
        assert_eq!(delivery.is_delivery_id_signed(), event_type != TYPES[1]);
        match delivery.event().data() {
            EventData::FileTransferChanged(transfer) => {
                assert_eq!(transfer.verdict(), ScanVerdict::Malicious);
                assert!(transfer.download_uri().is_none());
            }
            EventData::ChannelUpdated(channel) => {
                assert_eq!(channel.channel_type.as_deref(), Some("webchat"));
            }
            EventData::MessageRead(read) => {
                assert_eq!(read.conversation_id.as_deref(), Some("conversation-1"));
            }
            other => panic!("{other:?}"),
        }
    }
    emulator.shutdown().await;
}

#[tokio::test]
async fn what_is_broken_on_purpose_is_refused_and_what_is_doubled_has_the_same_keys() {
    let (emulator, mut arrived) = start(SignatureFormat::default()).await;
    let verifier = Verifier::new(secret(NEW));
    let send = || emulator.send_event("channel.updated", serde_json::json!({ "id": "channel-1" })).unwrap();
    for (tamper, expected) in
        [(Tamper::Unsigned, ErrorKind::MissingSignature), (Tamper::WrongSignature, ErrorKind::Mismatch)]
    {
        emulator.tamper(tamper);
        send();
        let received = next(&mut arrived).await;
        assert_eq!(kind(verifier.verify(received.body, &received.headers, now())), expected);
    }
    emulator.tamper(Tamper::Duplicate);
    send();
    let mut keys = Vec::new();
    for _ in 0..2 {
        let received = next(&mut arrived).await;
        let delivery = verifier.verify(received.body, &received.headers, now()).unwrap();
        keys.push((delivery.delivery_id().unwrap().to_owned(), delivery.content_key()));
    }
    assert_eq!(keys[0], keys[1]);
    emulator.shutdown().await;
}
