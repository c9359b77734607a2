//! The way of a transfer's bytes: signed URLs, their renewal, the scan, and who gets the bytes in the end.

use std::time::Duration;

use http::Request;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http_body_util::Full;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;
use webmessaging_emulator::{Fault, Route};

use crate::attachments::{PNG, eicar};
use crate::client::{Answer, SCAN, builder, plain_get, send, start};
use crate::transfers::{HELLO, TRANSFERS, api, create, path, put, standing, text, transfer};

fn assert_refused(answer: &Answer, status: u16, code: &str, case: &str) {
    assert_eq!(answer.refusal(), (status, code), "{case}");
    assert_eq!(answer.header("content-type"), "application/xml", "{case}");
}

#[tokio::test]
async fn a_clean_transfer_passes_through_every_status() {
    let emulator = start().await;
    let body = transfer("text/plain", HELLO.len());
    let created = create(&emulator, &body).await;
    let id = text(&created, "transferId");
    assert_eq!(Uuid::parse_str(id).unwrap().to_string(), id);
    let prefix = format!("{}/storage/transfers/{id}?expires=", emulator.base_url());
    for field in ["uploadUri", "downloadUri"] {
        assert!(text(&created, field).starts_with(&prefix), "{field}");
    }
    assert_eq!(created["status"], "created");
    let announced = ["fileName", "fileSize", "mimeType", "virusScanEnabled", "metadata"];
    for field in announced {
        assert_eq!(created[field], body[field], "{field}");
    }
    assert_eq!(created.as_object().unwrap().len(), 5 + announced.len());

    let mut expected = json!({
        "transferId": id,
        "status": "created",
        "virusScanStatus": "pending",
        "contentTypeVerification": "pending",
        "fileName": body["fileName"],
        "fileSize": 5,
        "mimeType": "text/plain",
        "expiresAt": created["expiresAt"],
        "metadata": body["metadata"],
    });
    assert_eq!(standing(&emulator, &created).await, expected);
    let early = send(&emulator, plain_get(text(&created, "downloadUri"))).await;
    assert_refused(&early, 404, "NoSuchKey", "created");

    let answer = send(&emulator, put(&created, HELLO)).await;
    let sha256 = hex::encode(Sha256::digest(HELLO));
    assert_eq!((answer.status, answer.header("etag")), (200, &*format!("\"{sha256}\"")));
    expected["status"] = "uploaded".into();
    expected["virusScanStatus"] = "in_progress".into();
    expected["sha256"] = sha256.into();
    assert_eq!(standing(&emulator, &created).await, expected);
    let early = send(&emulator, plain_get(text(&created, "downloadUri"))).await;
    assert_refused(&early, 404, "NoSuchKey", "uploaded");

    emulator.clock().advance(SCAN);
    let mut complete = standing(&emulator, &created).await;
    let fresh = complete.as_object_mut().unwrap().remove("downloadUri").unwrap();
    assert_ne!(complete["expiresAt"], expected["expiresAt"]);
    expected["expiresAt"] = complete["expiresAt"].clone();
    expected["status"] = "complete".into();
    expected["virusScanStatus"] = "completed".into();
    expected["virusScanResult"] = "clean".into();
    expected["contentTypeVerification"] = "passed".into();
    assert_eq!(complete, expected);
    for url in [fresh.as_str().unwrap(), text(&created, "downloadUri")] {
        let answer = send(&emulator, plain_get(url)).await;
        assert_eq!((answer.status, &*answer.body), (200, HELLO));
        assert_eq!(answer.header("content-type"), "text/plain");
        assert_eq!(
            answer.header("content-disposition"),
            "attachment; filename*=UTF-8''sch%C3%B6ne%20%22Gr%C3%BC%C3%9Fe%22%2F1.txt"
        );
    }
    let state = serde_json::to_value(emulator.state()).unwrap();
    assert_eq!(state["transfers"][0]["id"], id);
    assert_eq!(state["transfers"][0]["status"], "complete");
    assert_eq!(state["files"], json!([]));
    let counts = [Route::CreateTransfer, Route::PutTransfer, Route::GetTransfer, Route::DownloadTransfer];
    assert_eq!(counts.map(|route| emulator.count(route)), [1, 1, 3, 4]);
}

#[tokio::test]
async fn each_verdict_has_its_status_and_only_a_clean_transfer_is_served() {
    let emulator = start().await;
    let infected = [PNG, &eicar()].concat();
    for (mime_type, bytes, is_scanned, expected) in [
        ("image/png", PNG.to_vec(), true, json!(["complete", "completed", "clean", "passed"])),
        ("image/png", infected.clone(), true, json!(["virus_detected", "completed", "detected", "passed"])),
        ("image/jpeg", infected.clone(), true, json!(["virus_detected", "completed", "detected", "failed"])),
        ("image/jpeg", PNG.to_vec(), true, json!(["validation_failed", "completed", "clean", "failed"])),
        ("image/png", infected, false, json!(["complete", "skipped", null, "passed"])),
        ("text/plain", b"a\0b".to_vec(), false, json!(["validation_failed", "skipped", null, "failed"])),
    ] {
        let mut body = transfer(mime_type, bytes.len());
        body["virusScanEnabled"] = is_scanned.into();
        let created = create(&emulator, &body).await;
        let before = standing(&emulator, &created).await;
        assert_eq!(before["virusScanStatus"], if is_scanned { "pending" } else { "skipped" });
        assert_eq!(send(&emulator, put(&created, &bytes)).await.status, 200);
        emulator.clock().advance(SCAN);
        let over = standing(&emulator, &created).await;
        let fields = ["status", "virusScanStatus", "virusScanResult", "contentTypeVerification"];
        assert_eq!(Value::from_iter(fields.map(|field| over[field].clone())), expected);
        let is_served = send(&emulator, plain_get(text(&created, "downloadUri"))).await.status == 200;
        let is_clean = expected[0] == "complete" && expected[2] == "clean";
        assert_eq!((is_served, over.get("downloadUri").is_some()), (is_clean, is_clean), "{expected}");
    }
}

#[tokio::test]
async fn the_store_takes_exactly_what_was_announced() {
    let emulator = start().await;
    let created = create(&emulator, &transfer("text/plain", HELLO.len())).await;
    let other = create(&emulator, &transfer("text/plain", HELLO.len())).await;
    let with = |name: &'static str, value: &str| {
        let mut request = put(&created, HELLO);
        request.headers_mut().insert(name, value.try_into().unwrap());
        request
    };
    let mut untyped = put(&created, HELLO);
    untyped.headers_mut().remove(CONTENT_TYPE);
    let mut swapped = created.clone();
    swapped["uploadUri"] =
        text(&created, "uploadUri").replace(text(&created, "transferId"), text(&other, "transferId")).into();
    let mut download = created.clone();
    download["uploadUri"] = created["downloadUri"].clone();
    for (case, request, status, code) in [
        ("a bearer token", with("authorization", "Bearer abc"), 400, "InvalidArgument"),
        ("too short", put(&created, b"hell"), 400, "InvalidArgument"),
        ("other type", with("content-type", "application/octet-stream"), 403, "SignatureDoesNotMatch"),
        ("parameters", with("content-type", "text/plain; charset=utf-8"), 403, "SignatureDoesNotMatch"),
        ("no type", untyped, 403, "SignatureDoesNotMatch"),
        ("another transfer", put(&swapped, HELLO), 403, "SignatureDoesNotMatch"),
        ("the download URL", put(&download, HELLO), 403, "SignatureDoesNotMatch"),
        ("to read", plain_get(text(&created, "uploadUri")), 403, "SignatureDoesNotMatch"),
    ] {
        assert_refused(&send(&emulator, request).await, status, code, case);
    }
    let chunked = Request::put(text(&created, "uploadUri"))
        .header(CONTENT_TYPE, "text/plain")
        .header("transfer-encoding", "chunked");
    let answer = send(&emulator, chunked.body(Full::from(HELLO)).unwrap()).await;
    assert_refused(&answer, 411, "MissingContentLength", "chunked");
    assert_eq!(standing(&emulator, &created).await["status"], "created");

    // As uploads have it: bytes can be sent again, and others only before the verdict.
    for bytes in [HELLO, b"other"] {
        let mut request = put(&created, bytes);
        request.headers_mut().insert(CONTENT_LENGTH, 5.into());
        assert_eq!(send(&emulator, request).await.status, 200);
    }
    emulator.clock().advance(SCAN);
    assert_eq!(send(&emulator, put(&created, b"other")).await.status, 200);
    assert_refused(&send(&emulator, put(&created, HELLO)).await, 409, "InvalidObjectState", "late");
}

#[tokio::test]
async fn a_renewal_gives_new_urls_and_takes_none_away() {
    let emulator = builder().transfer_url_lifetime(Duration::from_secs(60)).start().await.unwrap();
    let created = create(&emulator, &transfer("text/plain", HELLO.len())).await;
    let renew = async || {
        let answer = api(&emulator, "POST", &format!("{}/renew", path(&created)), "").await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    };
    emulator.clock().advance(Duration::from_secs(40));
    let second = renew().await;
    assert!((40..=45).contains(&(expires(&second) - expires(&created))));
    assert_ne!(second["expiresAt"], created["expiresAt"]);
    for field in ["transferId", "status", "fileName", "fileSize", "mimeType", "metadata"] {
        assert_eq!(second[field], created[field], "{field}");
    }
    assert_ne!(second["uploadUri"], created["uploadUri"]);
    assert_eq!(standing(&emulator, &created).await["expiresAt"], second["expiresAt"]);

    emulator.clock().advance(Duration::from_secs(25));
    let late = send(&emulator, put(&created, HELLO)).await;
    assert_refused(&late, 403, "AccessDenied", "expired");
    assert!(late.text().contains("<Message>Request has expired</Message>"));
    let expired = send(&emulator, plain_get(text(&created, "downloadUri"))).await;
    assert_refused(&expired, 403, "AccessDenied", "expired");
    let third = renew().await;
    // The second URL lives until its own end.
    assert_eq!(send(&emulator, put(&second, HELLO)).await.status, 200);

    let path = format!("{}/renew", path(&third));
    assert_eq!(api(&emulator, "POST", &path, "").await.refusal(), (409, "request.conflict"));
    for id in [Uuid::nil().to_string(), "transfer-1".to_owned()] {
        let unknown = format!("{TRANSFERS}/{id}");
        assert_eq!(api(&emulator, "GET", &unknown, "").await.refusal(), (404, "not.found"), "{id}");
        let unknown = format!("{unknown}/renew");
        assert_eq!(api(&emulator, "POST", &unknown, "").await.refusal(), (404, "not.found"), "{id}");
    }
}

#[tokio::test]
async fn a_url_that_expires_while_bytes_are_under_way_stores_none() {
    let emulator = builder().transfer_url_lifetime(Duration::from_secs(60)).start().await.unwrap();
    let created = create(&emulator, &transfer("text/plain", HELLO.len())).await;
    emulator.inject(Route::PutTransfer, Fault::advance_clock_in_body(2, Duration::from_secs(60)));
    assert_refused(&send(&emulator, put(&created, HELLO)).await, 403, "AccessDenied", "in between");
    assert_eq!(standing(&emulator, &created).await["status"], "created");
}

/// When an upload URL expires, in Unix seconds.
fn expires(transfer: &Value) -> u64 {
    let (_, expires) = text(transfer, "uploadUri").split_once("?expires=").unwrap();
    expires.split_once('&').unwrap().0.parse().unwrap()
}

#[tokio::test]
async fn urls_live_for_a_day_unless_told_and_never_beyond_what_can_be_written() {
    let emulator = start().await;
    let created = create(&emulator, &transfer("text/plain", HELLO.len())).await;
    emulator.clock().advance(Duration::from_secs(86_000));
    assert_eq!(send(&emulator, put(&created, HELLO)).await.status, 200);
    emulator.clock().advance(Duration::from_secs(400));
    assert_refused(&send(&emulator, put(&created, HELLO)).await, 403, "AccessDenied", "a day");

    let eternal = builder().transfer_url_lifetime(Duration::MAX).start().await.unwrap();
    let created = create(&eternal, &transfer("text/plain", HELLO.len())).await;
    assert_eq!(created["expiresAt"], "9999-12-31T23:59:59.000Z");
    assert_eq!(send(&eternal, put(&created, HELLO)).await.status, 200);
}
