//! Announcing file transfers: what is accepted, and each refusal.

use bytes::Bytes;
use http::Request;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http_body_util::Full;
use serde_json::{Value, json};
use webmessaging_emulator::{EmulatedClient, Emulator};

use crate::client::{Answer, builder, send, start, token};

pub(crate) const TRANSFERS: &str = "/api/v2/webchat/messaging/file-transfers";

pub(crate) const ORGANIZATION: &str = "x-genesys-organization-id";
pub(crate) const HELLO: &[u8] = b"hello";

/// The body of a correct request.
pub(crate) fn transfer(mime_type: &str, size: usize) -> Value {
    json!({
        "fileName": "sch\u{f6}ne \"Grüße\"/1.txt",
        "fileSize": size,
        "mimeType": mime_type,
        "maxFileSize": 52_428_800,
        "allowedMimeTypes": ["application/pdf", "image/png", "image/jpeg", "text/plain"],
        "virusScanEnabled": true,
        "metadata": {
            "storageBucketReference": "7ad3cbb8-0f1b-4f6d-9be8-1c2f0c5f3a10",
            "accessPolicyDirectives": {
                "retentionDays": 30,
                "encryptionStandard": "AES-256",
                "downloadAllowed": true,
            },
            "requestCorrelationId": "correlation-1",
        },
    })
}

pub(crate) fn api_request(token: &str, method: &str, path: &str, body: &str) -> Request<Full<Bytes>> {
    Request::builder()
        .method(method)
        .uri(path)
        .header(AUTHORIZATION, format!("Bearer {token}"))
        .header(CONTENT_TYPE, "application/json")
        .header(ORGANIZATION, "organization-1")
        .body(Full::from(body.to_owned()))
        .unwrap()
}

pub(crate) async fn api(emulator: &Emulator, method: &str, path: &str, body: &str) -> Answer {
    send(emulator, api_request(&token(emulator).await, method, path, body)).await
}

pub(crate) async fn create(emulator: &Emulator, body: &Value) -> Value {
    let answer = api(emulator, "POST", TRANSFERS, &body.to_string()).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()
}

pub(crate) fn path(transfer: &Value) -> String {
    format!("{TRANSFERS}/{}", text(transfer, "transferId"))
}

pub(crate) fn text<'a>(transfer: &'a Value, field: &str) -> &'a str {
    transfer[field].as_str().unwrap()
}

/// What the platform says about a transfer.
pub(crate) async fn standing(emulator: &Emulator, transfer: &Value) -> Value {
    let answer = api(emulator, "GET", &path(transfer), "").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

pub(crate) fn put(transfer: &Value, bytes: &[u8]) -> Request<Full<Bytes>> {
    Request::put(text(transfer, "uploadUri"))
        .header(CONTENT_TYPE, text(transfer, "mimeType"))
        .body(Full::from(bytes.to_vec()))
        .unwrap()
}

/// Announces and sends a transfer.
pub(crate) async fn sent(emulator: &Emulator, body: &Value, bytes: &[u8]) -> Value {
    let transfer = create(emulator, body).await;
    assert_eq!(send(emulator, put(&transfer, bytes)).await.status, 200);
    transfer
}

/// The violations of a request in which the value at `pointer` is another one, or is missing instead of null.
async fn violations(emulator: &Emulator, pointer: &str, value: &Value) -> Vec<(String, String)> {
    let mut body = transfer("text/plain", 5);
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = body.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    if value.is_null() {
        parent.remove(name);
    } else {
        parent.insert(name.to_owned(), value.clone());
    }
    let answer = api(emulator, "POST", TRANSFERS, &body.to_string()).await;
    assert_eq!(answer.refusal(), (400, "constraint.validation"), "{pointer}: {value}");
    let body = answer.json();
    let details = body["details"].as_array().unwrap().iter();
    let field = |detail: &Value, name: &str| detail[name].as_str().unwrap().to_owned();
    details.map(|detail| (field(detail, "fieldName"), field(detail, "errorCode"))).collect()
}

#[tokio::test]
async fn each_broken_rule_is_named() {
    let emulator = start().await;
    for (pointer, value, field, code) in [
        ("/fileName", Value::Null, "fileName", "required"),
        ("/fileName", json!(""), "fileName", "minLength"),
        ("/fileName", json!("\u{e9}".repeat(256)), "fileName", "maxLength"),
        ("/fileSize", json!(0), "fileSize", "minimum"),
        ("/fileSize", json!(52_428_801), "fileSize", "maximum"),
        ("/fileSize", json!(5.0), "fileSize", "type"),
        ("/maxFileSize", json!(4), "fileSize", "maximum"),
        ("/maxFileSize", json!(1e30), "maxFileSize", "type"),
        ("/mimeType", json!("image/gif"), "mimeType", "enum"),
        ("/allowedMimeTypes", json!(["image/png"]), "mimeType", "enum"),
        ("/allowedMimeTypes", json!(["text/plain", "image/gif"]), "/allowedMimeTypes/1", "enum"),
        ("/virusScanEnabled", json!("true"), "virusScanEnabled", "type"),
        ("/more", json!(1), "more", "additionalProperties"),
        ("/metadata", Value::Null, "metadata", "required"),
    ] {
        let expected = [(field.to_owned(), code.to_owned())];
        assert_eq!(violations(&emulator, pointer, &value).await, expected, "{pointer}: {value}");
    }
    for (pointer, value, code) in [
        ("/metadata/more", json!(1), "additionalProperties"),
        ("/metadata/storageBucketReference", json!("bucket"), "format"),
        ("/metadata/storageBucketReference", json!("7ad3cbb80f1b4f6d9be81c2f0c5f3a10"), "format"),
        ("/metadata/storageBucketReference", Value::Null, "required"),
        ("/metadata/requestCorrelationId", json!(""), "minLength"),
        ("/metadata/accessPolicyDirectives/retentionDays", json!(0), "minimum"),
        ("/metadata/accessPolicyDirectives/retentionDays", json!(1.0), "type"),
        ("/metadata/accessPolicyDirectives/encryptionStandard", json!("DES"), "enum"),
        ("/metadata/accessPolicyDirectives/downloadAllowed", json!(1), "type"),
        ("/metadata/accessPolicyDirectives/more", json!(1), "additionalProperties"),
    ] {
        let expected = [(pointer.to_owned(), code.to_owned())];
        assert_eq!(violations(&emulator, pointer, &value).await, expected, "{pointer}: {value}");
    }
    // A limit that nothing can keep is wrong itself, too.
    for (pointer, value, broken) in [
        ("/maxFileSize", json!(0), [("maxFileSize", "minimum"), ("fileSize", "maximum")]),
        ("/allowedMimeTypes", json!([]), [("allowedMimeTypes", "minItems"), ("mimeType", "enum")]),
    ] {
        let expected = broken.map(|(field, code)| (field.to_owned(), code.to_owned()));
        assert_eq!(violations(&emulator, pointer, &value).await, expected, "{pointer}: {value}");
    }
    assert!(emulator.state().transfers.is_empty());
}

#[tokio::test]
async fn the_scan_is_on_unless_it_is_switched_off_and_limits_are_exact() {
    let emulator = builder().transfer_size_bytes_max(1_000).start().await.unwrap();
    let mut body = transfer("text/plain", 1_000);
    body.as_object_mut().unwrap().remove("virusScanEnabled");
    body["maxFileSize"] = json!(1_000);
    body["fileName"] = "\u{e9}".repeat(255).into();
    assert_eq!(create(&emulator, &body).await["virusScanEnabled"], true);
    body["fileSize"] = json!(1_001);
    let answer = api(&emulator, "POST", TRANSFERS, &body.to_string()).await;
    // Both limits are broken by the same field: that is one violation.
    assert_eq!(answer.json()["details"], json!([{ "errorCode": "maximum", "fieldName": "fileSize" }]));
}

#[tokio::test]
async fn every_call_needs_its_scope_and_the_organization() {
    let emulator = start().await;
    let created = create(&emulator, &transfer("text/plain", 5)).await;
    let body = transfer("text/plain", 5).to_string();
    let renew = format!("{}/renew", path(&created));
    let calls = [("POST", TRANSFERS.to_owned(), &*body), ("POST", renew, ""), ("GET", path(&created), "")];
    let bearer = token(&emulator).await;
    for (method, path, body) in &calls {
        for value in [None, Some(""), Some("  ")] {
            let mut request = api_request(&bearer, method, path, body);
            match value {
                None => request.headers_mut().remove(ORGANIZATION),
                Some(value) => request.headers_mut().insert(ORGANIZATION, value.try_into().unwrap()),
            };
            let answer = send(&emulator, request).await;
            assert_eq!(answer.refusal(), (400, "bad.request"), "{method} {path} {value:?}");
            assert!(answer.text().contains("X-Genesys-Organization-Id"), "{method} {path}");
        }
        let mut twice = api_request(&bearer, method, path, body);
        twice.headers_mut().append(ORGANIZATION, "organization-2".try_into().unwrap());
        assert_eq!(send(&emulator, twice).await.refusal(), (400, "bad.request"), "{method} {path}");
    }

    let client = EmulatedClient::new("demo-client", "demo-secret").scopes(["conversations:read"]);
    let other = builder().client(client).start().await.unwrap();
    for ((method, path, body), scope) in calls.iter().zip(["write", "write", "read"]) {
        let answer = api(&other, method, path, body).await;
        assert_eq!(answer.refusal(), (403, "app.not.authorized.for.scope"), "{method} {path}");
        let message = format!("the token lacks the scope webchat:filetransfer:{scope}");
        assert_eq!(answer.json()["message"], message, "{method} {path}");
    }
}
