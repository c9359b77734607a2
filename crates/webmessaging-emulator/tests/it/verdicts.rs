//! Verdicts of uploads and transfers: told to webhooks, failing on request, changed afterwards, kept by snapshots.

use std::iter::once;

use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use webmessaging_emulator::{Emulator, RejudgeError, StateSeed};

use crate::attachments::eicar;
use crate::client::{SCAN, announce, builder, judged, plain_get, send, start, state, token};
use crate::control::call;
use crate::receiver::{Receiver, SCAN_COMPLETED, WEBHOOKS, ended, let_run, register, webhook};
use crate::transfers::{HELLO, TRANSFERS, api, api_request, put, sent, standing, text, transfer};

const STATUS_CHANGE: &str = "webchat.fileTransfer.statusChange";

/// A receiver of one type of event.
async fn told_of(emulator: &Emulator, event_type: &str) -> Receiver {
    let receiver = Receiver::start([]).await;
    let mut registration = webhook(&receiver.url());
    registration["name"] = event_type.into();
    registration["eventFilter"] = format!("eventType = \"{event_type}\"").into();
    register(emulator, WEBHOOKS, &registration).await;
    receiver
}

#[tokio::test]
async fn the_end_of_a_transfer_is_told_once_and_without_an_envelope() {
    let emulator = start().await;
    let receiver = told_of(&emulator, STATUS_CHANGE).await;
    let uploads = told_of(&emulator, SCAN_COMPLETED).await;
    let body = transfer("text/plain", HELLO.len());
    let created = sent(&emulator, &body, HELLO).await;
    let_run().await;
    assert_eq!(receiver.count(), 0);

    emulator.clock().advance(SCAN);
    let mut told = receiver.nth(1).await.json();
    let uri = told.as_object_mut().unwrap().remove("downloadUri").unwrap();
    assert_eq!(send(&emulator, plain_get(uri.as_str().unwrap())).await.body, HELLO);
    let directives = &body["metadata"]["accessPolicyDirectives"];
    let expected = json!({
        "transferId": created["transferId"],
        "status": "complete",
        "virusScanResult": "clean",
        "fileName": body["fileName"],
        "metadata": { "accessPolicyDirectives": directives },
    });
    assert_eq!(told, expected);

    // Neither a repeated request nor time tells it again; a transfer that was not cleared has no URL.
    send(&emulator, put(&created, HELLO)).await;
    emulator.clock().advance(SCAN);
    let eicar = eicar();
    sent(&emulator, &transfer("text/plain", eicar.len()), &eicar).await;
    emulator.clock().advance(SCAN);
    let told = receiver.nth(2).await.json();
    assert_eq!((&told["status"], &told["virusScanResult"]), (&json!("virus_detected"), &json!("detected")));
    assert_eq!(told.get("downloadUri"), None);
    ended(&emulator).await;
    assert_eq!((receiver.count(), uploads.count()), (2, 0));
}

#[tokio::test]
async fn as_many_scans_fail_as_were_asked_for() {
    let emulator = start().await;
    let uploads = told_of(&emulator, SCAN_COMPLETED).await;
    let transfers = told_of(&emulator, STATUS_CHANGE).await;
    emulator.fail_scans(2);
    let mut unscanned = transfer("text/plain", HELLO.len());
    unscanned["virusScanEnabled"] = false.into();
    let unscanned = sent(&emulator, &unscanned, HELLO).await;
    let failing = sent(&emulator, &transfer("text/plain", HELLO.len()), HELLO).await;
    // The same scan in a new attempt, not the next one.
    assert_eq!(send(&emulator, put(&failing, HELLO)).await.status, 200);
    let upload = announce(&emulator, "a.txt", "text/plain", HELLO.len()).await;
    send(&emulator, upload.put(HELLO)).await;
    let good = sent(&emulator, &transfer("text/plain", HELLO.len()), HELLO).await;
    assert_eq!(standing(&emulator, &failing).await["virusScanStatus"], "in_progress");
    emulator.clock().advance(SCAN);

    let over = standing(&emulator, &failing).await;
    assert_eq!((&over["status"], &over["virusScanStatus"]), (&json!("failed"), &json!("failed")));
    assert_eq!(over["contentTypeVerification"], "pending");
    for absent in ["virusScanResult", "downloadUri"] {
        assert_eq!(over.get(absent), None, "{absent}");
    }
    assert_eq!(standing(&emulator, &good).await["status"], "complete");
    assert_eq!(standing(&emulator, &unscanned).await["virusScanStatus"], "skipped");
    let over = state(&emulator, &upload).await;
    assert_eq!(over["status"], "failed");
    for absent in ["virusScanResult", "formatValidation", "downloadUrl"] {
        assert_eq!(over.get(absent), None, "{absent}");
    }
    assert_eq!(uploads.nth(1).await.json()["data"], json!({ "fileId": upload.id, "status": "failed" }));
    transfers.nth(3).await;
    let told = transfers.received();
    let told =
        told.iter().map(|event| event.json()).find(|event| event["transferId"] == failing["transferId"]);
    assert_eq!(told.unwrap()["status"], "failed");
}

#[tokio::test]
async fn a_reset_lets_scans_succeed_again() {
    let emulator = start().await;
    emulator.fail_scans(usize::MAX);
    assert_eq!(judged(&emulator, "text/plain", HELLO).await["status"], "failed");
    emulator.reset();
    assert_eq!(judged(&emulator, "text/plain", HELLO).await["status"], "completed");
}

#[tokio::test]
async fn a_verdict_that_changes_is_told_again_and_closes_the_file() {
    let emulator = start().await;
    let uploads = told_of(&emulator, SCAN_COMPLETED).await;
    let transfers = told_of(&emulator, STATUS_CHANGE).await;
    let created = sent(&emulator, &transfer("text/plain", HELLO.len()), HELLO).await;
    let id = text(&created, "transferId");
    assert_eq!(emulator.rejudge(id, true), Err(RejudgeError::NotJudged));
    let file = judged(&emulator, "text/plain", HELLO).await;
    for told in [&uploads, &transfers] {
        told.nth(1).await;
    }

    emulator.rejudge(id, true).unwrap();
    emulator.rejudge(text(&file, "id"), true).unwrap();
    let over = standing(&emulator, &created).await;
    assert_eq!((&over["status"], &over["virusScanResult"]), (&json!("virus_detected"), &json!("detected")));
    for url in [text(&created, "downloadUri"), text(&file, "downloadUrl")] {
        assert_eq!(send(&emulator, plain_get(url)).await.refusal(), (404, "NoSuchKey"));
    }
    let told = transfers.nth(2).await.json();
    assert_eq!((&told["status"], told.get("downloadUri")), (&json!("virus_detected"), None));
    let told = uploads.nth(2).await.json();
    assert_eq!(told["data"]["virusScanResult"], "malicious");

    // A false alarm can be taken back.
    emulator.rejudge(id, false).unwrap();
    assert_eq!(transfers.nth(3).await.json()["status"], "complete");
    for unknown in ["7ad3cbb8-0f1b-4f6d-9be8-1c2f0c5f3a10", "file-1"] {
        let error = emulator.rejudge(unknown, true).unwrap_err();
        assert_eq!(error.to_string(), "there is no file and no transfer with this id", "{unknown}");
    }
}

#[tokio::test]
async fn scans_fail_and_verdicts_change_from_outside() {
    let emulator = start().await;
    assert_eq!(call(&emulator, "POST", "scans/fail", Some(&json!({ "count": 1 }))).await.status, 204);
    let file = judged(&emulator, "text/plain", HELLO).await;
    assert_eq!(file["status"], "failed");
    let path = format!("verdicts/{}", text(&file, "id"));
    let clean = json!({ "malicious": false });
    assert_eq!(call(&emulator, "PUT", &path, Some(&clean)).await.status, 204);
    assert_eq!(emulator.state().files[0].status, "completed");

    let waiting = announce(&emulator, "a.txt", "text/plain", 5).await;
    let early = call(&emulator, "PUT", &format!("verdicts/{}", waiting.id), Some(&clean)).await;
    assert_eq!(early.refusal(), (409, "emulator.verdict.missing"));
    let unknown = call(&emulator, "PUT", "verdicts/7ad3cbb8-0f1b-4f6d-9be8-1c2f0c5f3a10", Some(&clean)).await;
    assert_eq!(unknown.refusal(), (404, "not.found"));
    for (method, path, body, message) in [
        ("POST", "scans/fail", json!({ "count": -1 }), "count: must be a whole number from 0 to 1000000"),
        ("PUT", &*path, json!({ "malicious": "yes" }), "malicious: must be true or false"),
    ] {
        let answer = call(&emulator, method, path, Some(&body)).await;
        assert_eq!((answer.status, answer.json()["message"].as_str().unwrap()), (400, message));
    }
}

#[tokio::test]
async fn snapshots_keep_transfers_and_a_reset_forgets_them() {
    let emulator = start().await;
    let receiver = told_of(&emulator, STATUS_CHANGE).await;
    let created = sent(&emulator, &transfer("text/plain", HELLO.len()), HELLO).await;
    let snapshot = emulator.snapshot();
    emulator.clock().advance(SCAN);
    receiver.nth(1).await;
    emulator.rejudge(text(&created, "transferId"), true).unwrap();
    receiver.nth(2).await;

    emulator.reset();
    assert!(emulator.state().transfers.is_empty());
    let path = format!("{TRANSFERS}/{}", text(&created, "transferId"));
    assert_eq!(api(&emulator, "GET", &path, "").await.status, 404);

    emulator.restore(&snapshot).unwrap();
    assert_eq!(emulator.state().transfers[0].status, "uploaded");
    emulator.clock().advance(SCAN);
    // The scan that was under way ends again, and is told again.
    assert_eq!(receiver.nth(3).await.json()["status"], "complete");
    assert_eq!(send(&emulator, plain_get(text(&created, "downloadUri"))).await.body, HELLO);
}

#[tokio::test]
async fn a_seed_of_files_leaves_transfers_and_their_scans_alone() {
    let emulator = start().await;
    let receiver = told_of(&emulator, STATUS_CHANGE).await;
    sent(&emulator, &transfer("text/plain", HELLO.len()), HELLO).await;
    emulator.seed(StateSeed::new().files([])).await.unwrap();
    emulator.clock().advance(SCAN);
    assert_eq!(receiver.nth(1).await.json()["status"], "complete");
}

/// A correct request in which some values are something else.
fn near_miss() -> impl Strategy<Value = Value> {
    let pointers = [
        "/fileName",
        "/fileSize",
        "/mimeType",
        "/maxFileSize",
        "/allowedMimeTypes",
        "/allowedMimeTypes/0",
        "/virusScanEnabled",
        "/metadata",
        "/metadata/storageBucketReference",
        "/metadata/accessPolicyDirectives",
        "/metadata/accessPolicyDirectives/retentionDays",
        "/metadata/requestCorrelationId",
    ];
    let value = prop_oneof![
        any::<String>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (0..3_u64).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(json!(null)),
        Just(json!([])),
        Just(json!({ "a": [1] })),
        Just(json!("image/png")),
    ];
    prop::collection::vec((prop::sample::select(pointers.to_vec()), value), 0..4).prop_map(|changes| {
        let mut body = transfer("text/plain", 5);
        for (pointer, value) in changes {
            if let Some(place) = body.pointer_mut(pointer) {
                *place = value;
            }
        }
        body
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        cases: 64,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_request_is_accepted_as_it_is_or_refused_with_details(
        bodies in prop::collection::vec(near_miss(), 16),
    ) {
        Runtime::new().unwrap().block_on(async {
            let emulator = builder().start().await.unwrap();
            let bearer = token(&emulator).await;
            for body in once(transfer("text/plain", 5)).chain(bodies) {
                let request = api_request(&bearer, "POST", TRANSFERS, &body.to_string());
                let answer = send(&emulator, request).await;
                let json = answer.json();
                if answer.status == 201 {
                    for field in ["fileName", "fileSize", "mimeType", "virusScanEnabled", "metadata"] {
                        prop_assert_eq!(&json[field], &body[field]);
                    }
                } else {
                    prop_assert_eq!(answer.refusal(), (400, "constraint.validation"), "{}", body);
                    prop_assert!(!json["details"].as_array().unwrap().is_empty(), "{}", body);
                }
            }
            Ok(())
        })?;
    }
}
