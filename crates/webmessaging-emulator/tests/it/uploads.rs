//! Announcing files: what is accepted, and each refusal in its order.

use bytes::Bytes;
use http::Request;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http_body_util::Full;
use serde_json::json;
use uuid::Uuid;
use webmessaging_emulator::EmulatedClient;

use crate::client::{
    Answer, UPLOAD_PATH, announce, announce_request, announcement, builder, demo_token_request, send, start,
    state, token,
};

fn raw(
    authorization: Option<&str>,
    content_type: Option<&str>,
    body: impl Into<Bytes>,
) -> Request<Full<Bytes>> {
    let mut request = Request::post(UPLOAD_PATH);
    if let Some(value) = authorization {
        request = request.header(AUTHORIZATION, value);
    }
    if let Some(value) = content_type {
        request = request.header(CONTENT_TYPE, value);
    }
    request.body(Full::from(body.into())).unwrap()
}

fn details(answer: &Answer) -> Vec<(String, String)> {
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let body = answer.json();
    let details = body["details"].as_array().unwrap().iter();
    details.map(|detail| (text(&detail["errorCode"]), text(&detail["fieldName"]))).collect()
}

#[tokio::test]
async fn each_announcement_reserves_a_new_file() {
    let emulator = start().await;
    let one = announce(&emulator, "a.txt", "text/plain", 5).await;
    let two = announce(&emulator, "a.txt", "text/plain", 5).await;
    assert_ne!(one.id, two.id);
    assert_eq!(Uuid::parse_str(&one.id).unwrap().to_string(), one.id);
    let prefix = format!("{}/storage/uploads/{}?expires=", emulator.base_url(), one.id);
    assert!(one.url.starts_with(&prefix), "{}", one.url);
    assert_eq!(
        state(&emulator, &one).await,
        json!({
            "id": one.id,
            "fileName": "a.txt",
            "contentType": "text/plain",
            "contentLength": 5,
            "messageId": "message-1",
            "status": "pending",
        })
    );
}

#[tokio::test]
async fn refusals_come_in_the_order_of_the_checks() {
    let emulator = builder()
        .client(EmulatedClient::new("demo-client", "demo-secret"))
        .client(EmulatedClient::new("reader", "reader-secret").scopes(["conversations:read"]))
        .start()
        .await
        .unwrap();
    let bearer = format!("Bearer {}", token(&emulator).await);
    let reader = {
        let form = "grant_type=client_credentials&client_id=reader&client_secret=reader-secret";
        let answer = send(&emulator, crate::client::token_request(form)).await;
        format!("Bearer {}", answer.json()["access_token"].as_str().unwrap())
    };
    let json = Some("application/json");
    let html = Some("text/html");
    let long = "x".repeat(512_001);
    for (case, request, status, code) in [
        ("no token", raw(None, html, long.clone()), 401, "authentication.required"),
        ("basic", raw(Some("Basic abc"), html, long.clone()), 401, "authentication.required"),
        ("unknown token", raw(Some("Bearer abc"), html, long.clone()), 401, "bad.credentials"),
        ("no scope", raw(Some(&reader), html, long.clone()), 403, "app.not.authorized.for.scope"),
        ("html", raw(Some(&bearer), html, long.clone()), 415, "unsupported.media.type"),
        ("no type", raw(Some(&bearer), None, long.clone()), 415, "unsupported.media.type"),
        ("too long", raw(Some(&bearer), json, long.clone()), 413, "request.entity.too.large"),
        ("not json", raw(Some(&bearer), json, "{"), 400, "bad.request"),
        ("empty", raw(Some(&bearer), json, ""), 400, "bad.request"),
        ("not an object", raw(Some(&bearer), json, "[]"), 400, "constraint.validation"),
    ] {
        let answer = send(&emulator, request).await;
        assert_eq!(answer.refusal(), (status, code), "{case}");
        let body = answer.json();
        assert_eq!(body["code"], code, "{case}");
        assert_eq!(body["status"], status, "{case}");
        let is_unauthorized = !answer.header("www-authenticate").is_empty();
        assert_eq!(is_unauthorized, status == 401, "{case}");
    }
    let forbidden = send(&emulator, raw(Some(&reader), json, "{}")).await;
    assert_eq!(forbidden.json()["message"], "the token lacks the scope conversations:messaging:write");
    let too_long = send(&emulator, raw(Some(&bearer), json, long)).await;
    assert_eq!(too_long.json()["message"], "the request body exceeds the maximum of 512000 bytes");
}

#[tokio::test]
async fn a_repeated_authorization_header_is_refused() {
    let emulator = start().await;
    let mut request = announce_request(&token(&emulator).await, &announcement("a.txt", "text/plain", 1));
    request.headers_mut().append(AUTHORIZATION, "Bearer abc".try_into().unwrap());
    assert_eq!(send(&emulator, request).await.refusal(), (401, "bad.credentials"));
}

#[tokio::test]
async fn the_body_limit_is_exact_and_parameters_of_the_type_are_allowed() {
    let emulator = start().await;
    let bearer = format!("Bearer {}", token(&emulator).await);
    let content_type = Some("Application/JSON; charset=utf-8");
    let body = announcement("a.txt", "text/plain", 1).to_string();
    let padded = |length: usize| format!("{body}{}", " ".repeat(length - body.len()));
    assert_eq!(send(&emulator, raw(Some(&bearer), content_type, padded(512_000))).await.status, 200);
    assert_eq!(send(&emulator, raw(Some(&bearer), content_type, padded(512_001))).await.status, 413);
}

#[tokio::test]
async fn an_error_body_has_the_platforms_fields_and_the_ids_of_the_headers() {
    let emulator = start().await;
    let mut body = announcement("sword fish", "text/html", 0);
    body["surplus"] = json!("swordfish");
    body.as_object_mut().unwrap().remove("channelId");
    let answer = send(&emulator, announce_request(&token(&emulator).await, &body)).await;
    assert_eq!(answer.refusal(), (400, "constraint.validation"));
    let id = answer.header("inin-correlation-id");
    assert_eq!(Uuid::parse_str(id).unwrap().to_string(), id);
    assert_eq!(answer.header("x-genesys-request-id"), id);

    let mut details = details(&answer);
    details.sort();
    let expected = [
        ("additionalProperties", "surplus"),
        ("enum", "contentType"),
        ("minimum", "fileSize"),
        ("pattern", "fileName"),
        ("required", "channelId"),
    ];
    assert_eq!(details, expected.map(|(code, field)| (code.to_owned(), field.to_owned())));
    let mut rest = answer.json();
    rest.as_object_mut().unwrap().remove("details");
    assert_eq!(
        rest,
        json!({
            "message": "the request body has 5 constraint violation(s)",
            "code": "constraint.validation",
            "status": 400,
            "contextId": id,
            "messageParams": {},
            "errors": [],
        })
    );
    for value in ["swordfish", "sword fish", "text/html"] {
        assert!(!answer.text().contains(value), "{value}");
    }
}

#[tokio::test]
async fn sizes_are_held_to_the_configured_limit() {
    let emulator = builder().file_size_bytes_max(1_000).start().await.unwrap();
    let token = token(&emulator).await;
    for (size, expected) in [
        (json!(0), Some("minimum")),
        (json!(1), None),
        (json!(1_000), None),
        (json!(1_001), Some("maximum")),
        (json!(5.5), Some("type")),
        (json!(5.0), Some("type")),
        (json!("5"), Some("type")),
    ] {
        let mut body = announcement("a.txt", "text/plain", 1);
        body["fileSize"] = size.clone();
        let answer = send(&emulator, announce_request(&token, &body)).await;
        match expected {
            None => assert_eq!(answer.status, 200, "{size}"),
            Some(code) => {
                assert_eq!(details(&answer), [(code.to_owned(), "fileSize".to_owned())], "{size}");
            }
        }
    }
}

#[tokio::test]
async fn the_default_limit_is_ten_mebibytes() {
    let emulator = start().await;
    let token = token(&emulator).await;
    let sized = |size| announce_request(&token, &announcement("a.txt", "text/plain", size));
    assert_eq!(send(&emulator, sized(10 * 1024 * 1024)).await.status, 200);
    assert_eq!(send(&emulator, sized(10 * 1024 * 1024 + 1)).await.refusal(), (400, "constraint.validation"));
}

#[tokio::test]
async fn answers_have_fresh_ids() {
    let emulator = start().await;
    let one = send(&emulator, demo_token_request()).await;
    let two = send(&emulator, demo_token_request()).await;
    assert_ne!(one.header("inin-correlation-id"), two.header("inin-correlation-id"));
}
