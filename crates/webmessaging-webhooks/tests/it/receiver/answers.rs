//! What the sender hears, and that it is true.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use bytes::Bytes;
use futures_util::stream;
use serde_json::{Value, json};
use tower::ServiceExt;
use webmessaging_journal::clock::Clock;
use webmessaging_model::Timestamp;
use webmessaging_webhooks::receiver::Receiver;
use webmessaging_webhooks::{Secrets, Signer, Verifier};

use super::setup::{PATH, Setup, TestClock, answer, get, open, post, scan, secret};

const LEASE: Duration = Duration::from_secs(60);

fn accepted() -> (StatusCode, Value) {
    (StatusCode::OK, json!({ "status": "accepted" }))
}

fn duplicate() -> (StatusCode, Value) {
    (StatusCode::OK, json!({ "status": "duplicate" }))
}

#[tokio::test]
async fn what_is_answered_200_is_there_when_the_process_is_gone() {
    let setup = Setup::new().await;
    let body = scan("e-1", "f-1", "completed", "clean");
    assert_eq!(setup.post(&body).await, accepted());
    let Setup { folder, store, receiver, clock, .. } = setup;
    drop((store, receiver));
    let store = open(&folder, None).await;
    let kept = store.claim_deliveries("test", 9, LEASE, clock.wall()).await.unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].body, body);
    assert_eq!(kept[0].delivery_id.as_deref(), Some("e-1"));
    assert_eq!(kept[0].event_type, "genesys.cloud.messaging.file.upload.completed");
}

/// node-slack-sdk#2141, bolt-python#868: the same event comes under another id, and other events under the same.
#[tokio::test]
async fn a_repeated_delivery_is_told_by_its_id_and_by_its_content() {
    let setup = Setup::new().await;
    let body = scan("e-1", "f-1", "completed", "clean");
    assert_eq!(setup.post(&body).await, accepted());
    assert_eq!(setup.post(&body).await, duplicate());
    assert_eq!(setup.post(&scan("e-2", "f-1", "completed", "clean")).await, duplicate());
    assert_eq!(setup.post(&scan("e-1", "f-1", "failed", "malicious")).await, duplicate());
    assert_eq!(setup.post(&scan("e-3", "f-1", "failed", "malicious")).await, accepted());
    let status = setup.receiver.status();
    assert_eq!((status.accepted, status.duplicates), (2, 3));
}

/// Whoever recorded a delivery can send it again with any header that is not signed.
#[tokio::test]
async fn an_id_that_is_not_signed_keeps_nothing_out() {
    let setup = Setup::new().await;
    let transfer = |id: &str| json!({ "transferId": id, "status": "uploaded" }).to_string();
    for (body, id, expected) in [
        (transfer("t-1"), "x", accepted()),
        (transfer("t-2"), "x", accepted()),
        (transfer("t-1"), "y", duplicate()),
    ] {
        let mut headers = Signer::new(secret("new")).sign(body.as_bytes());
        headers.insert("x-genesys-event-id", id.parse().unwrap());
        assert_eq!(post(&setup.receiver.router(), &body, headers).await, expected, "{body} {id}");
    }
}

#[tokio::test]
async fn what_is_refused_is_refused_for_good_and_says_why() {
    let setup = Setup::with(|builder| builder.body_bytes_max(1_000)).await;
    let signed = |body: &str| Signer::new(secret("new")).sign(body.as_bytes());
    let good = scan("e-1", "f-1", "completed", "clean");
    let long = format!("{good}{}", " ".repeat(1_000));
    for (body, headers, status, code) in [
        (good.as_str(), HeaderMap::new(), 401, "missing_signature"),
        (good.as_str(), Signer::new(secret("other")).sign(good.as_bytes()), 401, "signature_mismatch"),
        (long.as_str(), signed(&long), 413, "body_too_large"),
    ] {
        let (found, problem) = post(&setup.receiver.router(), body, headers).await;
        assert_eq!((found.as_u16(), problem["code"].as_str()), (status, Some(code)), "{problem}");
        assert!(!problem["message"].as_str().unwrap().is_empty());
    }
    let stats = setup.store.inbox_stats(Timestamp::UNIX_EPOCH).await.unwrap();
    assert_eq!((stats.due, stats.remembered), (0, 0));
    let refused: u64 = setup.receiver.status().refused.iter().map(|(_, count)| count).sum();
    assert_eq!(refused, 3);
}

#[tokio::test]
async fn a_body_is_not_read_beyond_its_limit_nor_waited_for_without_end() {
    let setup = Setup::with(|builder| builder.body_bytes_max(100)).await;
    let router = setup.receiver.router();
    let told = Request::post(PATH)
        .header("content-length", "101")
        .body(Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>()));
    let (status, problem) = answer(&router, told.unwrap()).await;
    assert_eq!((status.as_u16(), problem["code"].as_str()), (413, Some("body_too_large")));
    let endless = stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(b"aaaaaaaaaa")));
    let (status, problem) =
        answer(&router, Request::post(PATH).body(Body::from_stream(endless)).unwrap()).await;
    assert_eq!((status.as_u16(), problem["code"].as_str()), (413, Some("body_too_large")));
    setup.clock.lose_patience();
    let silent = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
    let (status, problem) = answer(&router, Request::post(PATH).body(silent).unwrap()).await;
    assert_eq!((status.as_u16(), problem["code"].as_str()), (503, Some("body_too_slow")));
}

/// What is read can be kept.
#[tokio::test]
async fn the_longest_body_is_kept_and_one_more_byte_is_refused() {
    let setup = Setup::with(|builder| builder.body_bytes_max(usize::MAX)).await;
    let body = scan("e-1", "f-1", "completed", "clean");
    let longest = format!("{body}{}", " ".repeat(10 * 1024 * 1024 - body.len()));
    assert_eq!(setup.post(&longest).await, accepted());
    let (status, problem) = setup.post(&format!("{longest} ")).await;
    assert_eq!((status.as_u16(), problem["code"].as_str()), (413, Some("body_too_large")));
}

#[tokio::test]
async fn a_store_that_is_full_makes_the_sender_come_again() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(&folder, None).await);
    let store = open(&folder, Some(1)).await;
    let receiver = Receiver::builder(store, Verifier::new(secret("new"))).clock(TestClock::new()).build();
    let router = receiver.router();
    let body = scan("e-1", "f-1", "completed", &"x".repeat(300_000));
    let mut request = Request::post(PATH).body(Body::from(body.clone())).unwrap();
    *request.headers_mut() = Signer::new(secret("new")).sign(body.as_bytes());
    let response = router.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.headers()["retry-after"], "5");
    assert_eq!(receiver.status().turned_away, 1);
    drop((receiver, router));
    let store = open(&folder, None).await;
    assert_eq!(store.inbox_stats(Timestamp::UNIX_EPOCH).await.unwrap().due, 0);
}

#[tokio::test]
async fn a_receiver_that_stops_takes_nothing_and_says_so() {
    let setup = Setup::new().await;
    let operations = setup.receiver.operations();
    assert_eq!(get(&operations, "/readyz").await, (StatusCode::OK, "ready\n".to_owned()));
    setup.receiver.stop();
    let (status, problem) = setup.post(&scan("e-1", "f-1", "completed", "clean")).await;
    assert_eq!((status.as_u16(), problem["code"].as_str()), (503, Some("not_kept")));
    assert_eq!(get(&operations, "/readyz").await, (StatusCode::SERVICE_UNAVAILABLE, "stopping\n".to_owned()));
    assert_eq!(get(&operations, "/healthz").await, (StatusCode::OK, "ok\n".to_owned()));
}

/// A length is a claim of somebody who has not shown who he is.
#[tokio::test]
async fn there_is_room_for_so_many_bytes() {
    let setup = Setup::with(|builder| builder.body_bytes_max(4_096).bodies_bytes_max(4_096)).await;
    let router = setup.receiver.router();
    let silent = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
    let request = Request::post(PATH).header("content-length", "4096").body(silent).unwrap();
    let first = tokio::spawn(router.oneshot(request));
    while setup.receiver.status().under_way == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(
        setup.post(&scan("e-1", "f-1", "completed", "clean")).await.0,
        StatusCode::SERVICE_UNAVAILABLE
    );
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    assert_eq!(setup.post(&scan("e-1", "f-1", "completed", "clean")).await, accepted());
}

/// The store has rules for names; what is genuine is kept whatever it calls itself.
#[tokio::test]
async fn a_strange_name_keeps_nothing_out() {
    let setup = Setup::new().await;
    for (number, (kind, id)) in
        [("", "a"), ("with\0zero", "b"), ("fine", "with\0zero"), (&"x".repeat(5_000), "c")]
            .into_iter()
            .enumerate()
    {
        let body = json!({ "eventType": kind, "eventId": id, "data": { "number": number } }).to_string();
        assert_eq!(setup.post(&body).await, accepted(), "{number}");
    }
}

#[tokio::test]
async fn there_is_one_place_for_each_delivery_under_way() {
    let setup = Setup::with(|builder| builder.deliveries_max(1)).await;
    let router = setup.receiver.router();
    let silent = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
    let first = tokio::spawn(router.oneshot(Request::post(PATH).body(silent).unwrap()));
    while setup.receiver.status().under_way == 0 {
        tokio::task::yield_now().await;
    }
    let (status, _) = setup.post(&scan("e-1", "f-1", "completed", "clean")).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    assert_eq!(setup.post(&scan("e-1", "f-1", "completed", "clean")).await, accepted());
}

#[tokio::test]
async fn the_use_of_each_secret_is_counted_so_that_the_old_one_can_go() {
    let store = Setup::new().await;
    let verifier = Verifier::new(Secrets::new([secret("new"), secret("old")]).unwrap());
    let receiver = Receiver::builder(Arc::clone(&store.store), verifier).clock(store.clock.clone()).build();
    for (number, label) in ["new", "old", "new"].into_iter().enumerate() {
        let body = scan(&format!("e-{number}"), &format!("f-{number}"), "completed", "clean");
        store.clock.advance(Duration::from_secs(1));
        let headers = Signer::new(secret(label)).sign(body.as_bytes());
        assert_eq!(post(&receiver.router(), &body, headers).await, accepted());
    }
    let used: Vec<_> = receiver
        .status()
        .secrets
        .into_iter()
        .map(|used| (used.label, used.deliveries, used.last_used_at.unwrap().to_string()))
        .collect();
    assert_eq!(
        used,
        [
            ("new".to_owned(), 2, "2026-11-25T08:30:03.000Z".to_owned()),
            ("old".to_owned(), 1, "2026-11-25T08:30:02.000Z".to_owned()),
        ]
    );
}

/// Without a signature nobody vouches for bytes that make no sense.
#[tokio::test]
async fn what_nobody_signed_has_to_be_an_event() {
    let setup = Setup::new().await;
    let receiver = Receiver::unsigned(Arc::clone(&setup.store)).clock(TestClock::new()).build();
    for (body, status, code) in [("no json", 400, "body_not_json"), ("{}", 422, "unknown_shape")] {
        let (found, problem) = post(&receiver.router(), body, HeaderMap::new()).await;
        assert_eq!((found.as_u16(), problem["code"].as_str()), (status, Some(code)));
    }
}

#[tokio::test]
async fn without_signatures_everybody_is_believed_when_somebody_said_so() {
    let setup = Setup::new().await;
    let receiver = Receiver::unsigned(Arc::clone(&setup.store)).clock(TestClock::new()).build();
    let body = scan("e-1", "f-1", "completed", "clean");
    assert_eq!(post(&receiver.router(), &body, HeaderMap::new()).await, accepted());
    assert_eq!(post(&receiver.router(), &body, HeaderMap::new()).await, duplicate());
}

#[tokio::test]
async fn the_figures_are_those_of_prometheus() {
    let setup = Setup::new().await;
    setup.post(&scan("e-1", "f-1", "completed", "clean")).await;
    setup.post(&scan("e-1", "f-1", "completed", "clean")).await;
    let (status, text) = get(&setup.receiver.operations(), "/metrics").await;
    assert_eq!(status, StatusCode::OK);
    for line in [
        "# TYPE webmessaging_webhook_deliveries_total counter",
        "webmessaging_webhook_deliveries_total{answer=\"accepted\"} 1",
        "webmessaging_webhook_deliveries_total{answer=\"duplicate\"} 1",
        "webmessaging_webhook_deliveries_total{answer=\"signature_mismatch\"} 0",
        "webmessaging_webhook_secret_last_used_timestamp_seconds{label=\"new\"} 1795595400",
        "webmessaging_webhook_ack_seconds_bucket{le=\"+Inf\"} 2",
        "webmessaging_webhook_ack_seconds_count 2",
        "webmessaging_webhook_inbox{state=\"due\"} 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
}
