//! What becomes of files, and what a page hears when nothing does.

use std::time::Duration;

use axum::body::Body;
use http::Request;
use serde_json::json;
use webmessaging::files::ScanGate;
use webmessaging::http::{BreakerPolicy, RetryPolicy};
use webmessaging::model::ScanVerdict;
use webmessaging_emulator::{Fault, Route};

use crate::setup::{Answer, SHOP, Setup, UPLOADS, eicar, upload};

const HELLO_SHA256: &str = "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9";

async fn look(setup: &Setup, file_id: &str, message: &str) -> Answer {
    let path = format!("/widget/uploads/{file_id}?messageId={message}");
    setup.send(Request::get(path).header("origin", SHOP).body(Body::empty()).unwrap()).await
}

/// The rules that an answer says are broken.
fn rules(answer: &Answer) -> Vec<String> {
    let error = answer.json();
    let violations = error["error"]["violations"].as_array().unwrap().iter();
    violations.map(|violation| violation["rule"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_clean_file_is_delivered_and_can_be_asked_for() {
    let setup = Setup::new().await;
    let answer = setup.upload("hello%2Etxt", "hello world").await;
    let file = answer.json();
    let file_id = file["fileId"].as_str().unwrap();
    let expected = json!({
        "fileId": file_id,
        "fileName": "hello.txt",
        "contentType": "text/plain",
        "sizeBytes": 11,
        "sha256": HELLO_SHA256,
        "scan": "clean",
    });
    assert_eq!((answer.status.as_u16(), &file), (201, &expected));
    assert_eq!(answer.header("access-control-allow-origin"), Some(SHOP));
    assert_eq!(answer.header("cache-control"), Some("no-store"));

    let looked = look(&setup, file_id, "message-1").await;
    assert_eq!((looked.status.as_u16(), looked.json()), (200, json!({"fileId": file_id, "scan": "clean"})));
    assert!(!looked.text.contains("http"), "no URL: {}", looked.text);
    assert_eq!(look(&setup, "another", "message-1").await.problem(), (404, "not_found".to_owned()));
    let nowhere = look(&setup, file_id, "").await;
    assert_eq!(nowhere.problem(), (422, "invalid_input".to_owned()));
    assert_eq!(rules(&nowhere), ["id.required"]);
}

#[tokio::test]
async fn a_malicious_file_was_taken_and_is_blocked() {
    let setup = Setup::new().await;
    let answer = setup.upload("words.txt", eicar()).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["scan"]), (201, &json!("malicious")));
}

#[tokio::test]
async fn a_scan_that_takes_long_is_pending_and_a_webhook_is_believed() {
    let gate = ScanGate::new();
    let setup =
        Setup::with_all(|e| e.scan_duration(Duration::from_secs(3_600)), |c| c, |w| w.gate(&gate)).await;
    let answer = setup.upload("words.txt", "hello").await;
    assert_eq!((answer.status.as_u16(), &answer.json()["scan"]), (201, &json!("pending")));
    let file = answer.json();
    let file_id = file["fileId"].as_str().unwrap();
    assert_eq!(look(&setup, file_id, "message-1").await.json()["scan"], "pending");
    gate.tell(file_id, ScanVerdict::Malicious);
    assert_eq!(look(&setup, file_id, "message-1").await.json()["scan"], "malicious");
}

#[tokio::test]
async fn a_scan_that_failed_is_answered_at_once() {
    let setup = Setup::new().await;
    setup.emulator.fail_scans(1);
    let answer = setup.upload("words.txt", "hello").await;
    assert_eq!((answer.status.as_u16(), &answer.json()["scan"]), (201, &json!("failed")));
    assert_eq!(setup.announced(), 1);
}

#[tokio::test]
async fn every_broken_rule_is_told_and_nothing_is_announced() {
    let setup = Setup::new().await;
    let request = Request::post("/widget/uploads").header("origin", SHOP).header("content-length", 0);
    let answer = setup.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.problem(), (422, "invalid_input".to_owned()));
    assert_eq!(
        rules(&answer),
        [
            "upload.file_name.required",
            "upload.content_type.allowed",
            "upload.file_size.min",
            "id.required",
            "id.required"
        ]
    );
    let renamed = setup.upload("program.pdf", "MZ\u{90}\0 this is no document").await;
    assert_eq!(renamed.problem(), (422, "invalid_input".to_owned()));
    assert_eq!(renamed.json()["error"]["violations"][0]["code"], "content_mismatch");
    assert_eq!(setup.announced(), 0);
}

#[tokio::test]
async fn no_name_leads_out_of_its_folder() {
    let setup = Setup::with(|widget| widget.uploads_per_minute(100)).await;
    for name in [
        "../a.txt",
        "..%2Fa.txt",
        "%2e%2e%2fa.txt",
        "..%5Ca.txt",
        "a%252Fb.txt",
        "a%00.txt",
        "%ff.txt",
        "%zz.txt",
    ] {
        let answer = setup.upload(name, "hello").await;
        assert_eq!(answer.problem(), (422, "invalid_input".to_owned()), "{name}");
        assert_eq!(rules(&answer), ["upload.file_name.charset"], "{name}");
    }
    assert_eq!(setup.announced(), 0);
}

#[tokio::test]
async fn a_browser_is_not_asked_twice_when_the_platform_stumbles() {
    let setup = Setup::new().await;
    setup.emulator.inject(Route::PutUpload, Fault::status(503));
    setup.emulator.inject(Route::PutUpload, Fault::DropBodyAfter { bytes: 3 });
    let answer = setup.upload("hello.txt", "hello world").await;
    assert_eq!((answer.status.as_u16(), &answer.json()["sha256"]), (201, &json!(HELLO_SHA256)));
    assert_eq!(setup.emulator.count(Route::PutUpload), 3);
}

#[tokio::test]
async fn trouble_of_the_platform_is_told_without_its_details() {
    let no_retries = |client: webmessaging::http::ClientBuilder| {
        client.retry(RetryPolicy::never()).breaker(BreakerPolicy::default())
    };
    for (status, expected) in [
        (500, (502, "server")),
        (401, (502, "server")),
        (403, (502, "server")),
        (400, (502, "server")),
        (429, (503, "busy")),
    ] {
        let setup = Setup::with_all(|emulator| emulator, no_retries, |widget| widget).await;
        // A withdrawn token is worth a second attempt.
        for _ in 0..2 {
            let fault =
                Fault::status(status).json(json!({"code": "swordfish", "message": "at https://inside"}));
            setup.emulator.inject(Route::CreateUpload, fault);
        }
        let answer = setup.upload("hello.txt", "hello").await;
        assert_eq!(answer.problem(), (expected.0, expected.1.to_owned()), "{status}");
        assert!(!answer.text.contains("swordfish") && !answer.text.contains("http"), "{}", answer.text);
        assert_eq!(answer.header("access-control-allow-origin"), Some(SHOP), "the page can read it");
        assert_eq!(answer.header("retry-after").is_some(), expected.0 == 503);
    }
}

#[tokio::test]
async fn a_platform_that_cannot_be_reached_is_a_502() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", nobody.local_addr().unwrap());
    drop(nobody);
    let setup = Setup::with_all(|e| e, |client| client.base_url(&url), |widget| widget).await;
    let answer = setup.send(upload("hello.txt", "hello")).await;
    assert_eq!(answer.problem(), (502, "server".to_owned()));
    assert!(!answer.text.contains("127.0.0.1"), "{}", answer.text);
}

#[tokio::test]
async fn a_file_that_arrived_is_not_lost_with_its_verdict() {
    let setup = Setup::with_all(|e| e, |client| client.retry(RetryPolicy::never()), |w| w).await;
    setup.emulator.inject(Route::GetAttachment, Fault::status(503));
    let answer = setup.upload("hello.txt", "hello").await;
    assert_eq!((answer.status.as_u16(), &answer.json()["scan"]), (201, &json!("pending")));
    assert!(UPLOADS.contains("message-1"));
    assert_eq!(
        look(&setup, answer.json()["fileId"].as_str().unwrap(), "message-1").await.status.as_u16(),
        200
    );
}
