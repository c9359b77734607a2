//! Snapshots and resets: the platform put into a state, from code and over the wire.

use std::time::Duration;

use serde_json::{Value, json};
use webmessaging_emulator::{Emulator, Fault, FaultScript, Route, SeededFile, StateSeed};

use crate::client::{
    Announced, SCAN, announce, builder, get_request, judged, plain_get, send, start, state, token,
};
use crate::control::call;

pub(crate) const ID: &str = "7ad3cbb8-0f1b-4f6d-9be8-1c2f0c5f3a10";

pub(crate) fn seeded(id: &str) -> Announced {
    Announced { url: String::new(), id: id.to_owned() }
}

pub(crate) fn hello() -> SeededFile {
    SeededFile::new("hello.txt", "text/plain", "message-1").id(ID).content("hello")
}

pub(crate) async fn download(emulator: &Emulator, file: &Value) -> (u16, String) {
    let url = file["downloadUrl"].as_str().unwrap();
    let answer = send(emulator, plain_get(url)).await;
    (answer.status, answer.text().to_owned())
}

#[tokio::test]
async fn a_snapshot_brings_back_the_bytes_of_an_upload() {
    let emulator = start().await;
    let file = judged(&emulator, "text/plain", b"hello").await;
    let snapshot = emulator.snapshot();

    emulator.reset();
    assert!(emulator.state().files.is_empty());
    assert_eq!(send(&emulator, plain_get(file["downloadUrl"].as_str().unwrap())).await.status, 404);

    emulator.restore(&snapshot).unwrap();
    // The URL is still signed, and the clock is where it was.
    assert_eq!(download(&emulator, &file).await, (200, "hello".to_owned()));
    // A snapshot can be gone back to more than once.
    emulator.reset();
    emulator.restore(&snapshot).unwrap();
    drop(snapshot);
    assert_eq!(download(&emulator, &file).await, (200, "hello".to_owned()));
}

#[tokio::test]
async fn a_snapshot_keeps_what_is_replaced_and_forgets_what_comes_later() {
    let emulator = start().await;
    let file = announce(&emulator, "a.txt", "text/plain", 5).await;
    send(&emulator, file.put(b"first")).await;
    let snapshot = emulator.snapshot();
    send(&emulator, file.put(b"other")).await;
    let later = announce(&emulator, "b.txt", "text/plain", 5).await;

    emulator.restore(&snapshot).unwrap();
    emulator.clock().advance(SCAN);
    assert_eq!(download(&emulator, &state(&emulator, &file).await).await, (200, "first".to_owned()));
    let bearer = token(&emulator).await;
    assert_eq!(send(&emulator, get_request(&bearer, &later.path())).await.status, 404);
}

#[tokio::test]
async fn a_snapshot_brings_back_tokens_rates_and_the_clock() {
    let emulator = builder().token_lifetime(Duration::from_secs(60)).start().await.unwrap();
    let bearer = token(&emulator).await;
    let ask = async || {
        let path = "/api/v2/conversations/messaging/messages/m/attachments/a";
        let answer = send(&emulator, get_request(&bearer, path)).await;
        (answer.status, answer.header("inin-ratelimit-count").to_owned())
    };
    assert_eq!(ask().await, (404, "1".to_owned()));
    let file = announce(&emulator, "a.txt", "text/plain", 5).await;
    send(&emulator, file.put(b"hello")).await;
    let snapshot = emulator.snapshot();
    // The token expires, its window ends, and the scan is over.
    emulator.clock().advance(SCAN);
    assert_eq!(ask().await.0, 401);
    assert_eq!(emulator.state().files[0].status, "completed");
    emulator.reset();

    emulator.restore(&snapshot).unwrap();
    // Behind the first question and the announcement.
    assert_eq!(ask().await, (404, "3".to_owned()));
    assert_eq!(emulator.state().files[0].status, "scanning");
    assert!(emulator.state().clock.ahead_seconds <= 0.0);
}

#[tokio::test]
async fn a_snapshot_is_restored_over_the_wire() {
    let emulator = start().await;
    let file = judged(&emulator, "text/plain", b"hello").await;
    let taken = call(&emulator, "POST", "snapshots", None).await;
    let path = format!("snapshots/{}/restore", taken.json()["id"].as_str().unwrap());
    // Snapshots outlive a reset: a suite takes one and comes back to it before each test.
    assert_eq!(call(&emulator, "POST", "reset", None).await.status, 204);
    assert_eq!(call(&emulator, "POST", &path, None).await.status, 204);
    assert_eq!(download(&emulator, &file).await, (200, "hello".to_owned()));
}

#[tokio::test]
async fn a_snapshot_leaves_faults_and_requests_alone() {
    let emulator = start().await;
    let snapshot = emulator.snapshot();
    emulator.inject(Route::Token, Fault::status(500));
    token_status(&emulator, 500).await;
    emulator.inject(Route::Token, Fault::status(501));
    emulator.restore(&snapshot).unwrap();
    assert_eq!(emulator.count(Route::Token), 1);
    token_status(&emulator, 501).await;
}

async fn token_status(emulator: &Emulator, expected: u16) {
    assert_eq!(send(emulator, crate::client::demo_token_request()).await.status, expected);
}

#[tokio::test]
async fn a_snapshot_of_another_emulator_is_refused() {
    let (one, other) = (start().await, start().await);
    let file = judged(&other, "text/plain", b"hello").await;
    let error = other.restore(&one.snapshot()).unwrap_err();
    assert_eq!(error.to_string(), "the snapshot is of another emulator");
    assert_eq!(download(&other, &file).await.0, 200);
}

#[tokio::test]
async fn a_snapshot_outlives_its_emulator_without_harm() {
    let emulator = start().await;
    judged(&emulator, "text/plain", b"hello").await;
    let snapshot = emulator.snapshot();
    emulator.shutdown().await;
    assert!(format!("{snapshot:?}").contains("files: 1"), "{snapshot:?}");
}

#[tokio::test]
async fn a_reset_brings_everything_back_to_the_start() {
    let emulator = builder().seed(StateSeed::new().files([hello().scanning()])).start().await.unwrap();
    emulator.clock().advance(SCAN);
    let bearer = token(&emulator).await;
    announce(&emulator, "a.txt", "text/plain", 5).await;
    emulator.inject(Route::Token, Fault::status(500));
    emulator.set_faults(FaultScript::new(1)).unwrap();

    emulator.reset();
    let state = serde_json::to_value(emulator.state()).unwrap();
    assert_eq!(state["clock"]["aheadSeconds"], 0.0);
    assert_eq!(state["tokens"], json!({ "valid": 0, "expired": 0 }));
    assert_eq!(state["files"].as_array().unwrap().len(), 1);
    assert_eq!((&state["files"][0]["id"], &state["files"][0]["status"]), (&json!(ID), &json!("scanning")));
    assert_eq!(state["rates"]["clients"], json!([]));
    assert_eq!(state["faults"], json!({ "queued": {}, "acted": [] }));
    assert_eq!(state["requests"], json!({}));
    assert!(emulator.requests().is_empty());
    assert_eq!(send(&emulator, get_request(&bearer, &seeded(ID).path())).await.status, 401);
    // The seeded bytes are still there.
    emulator.clock().advance(SCAN);
    let file = crate::client::state(&emulator, &seeded(ID)).await;
    assert_eq!(download(&emulator, &file).await, (200, "hello".to_owned()));
}
