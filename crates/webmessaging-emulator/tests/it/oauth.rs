//! The token endpoint, and how long and for what its tokens are good.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::Request;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http_body_util::Full;
use serde_json::json;
use webmessaging_emulator::{EmulatedClient, Route};

use crate::client::{
    announce_request, announcement, builder, demo_token_request, send, start, token, token_request,
};

const GRANT: &str = "grant_type=client_credentials";
const CREDENTIALS: &str = "grant_type=client_credentials&client_id=demo-client&client_secret=demo-secret";
const ALL_SCOPES: &str = "audits:readonly communications:read communications:write conversation:read \
                          conversation:webmessaging:write conversation:write conversations:messaging:write conversations:read conversations:readonly \
                          webchat:filetransfer:read webchat:filetransfer:write webhooks:write \
                          webmessaging:guest:read webmessaging:guest:write";

fn with_basic(form: &str, id_and_secret: &str) -> Request<Full<Bytes>> {
    let mut request = token_request(form);
    let header = format!("Basic {}", STANDARD.encode(id_and_secret));
    request.headers_mut().insert(AUTHORIZATION, header.try_into().unwrap());
    request
}

#[tokio::test]
async fn credentials_in_the_header_or_in_the_body_earn_a_token() {
    let emulator = start().await;
    for request in [with_basic(GRANT, "demo-client:demo-secret"), token_request(CREDENTIALS)] {
        let answer = send(&emulator, request).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("cache-control"), "no-store");
        let mut body = answer.json();
        let token = body.as_object_mut().unwrap().remove("access_token").unwrap();
        assert_eq!(token.as_str().unwrap().len(), 43);
        assert_eq!(
            body,
            json!({
                "token_type": "bearer",
                "expires_in": 86_400,
                "scope": ALL_SCOPES,
            })
        );
    }
    assert_eq!(emulator.count(Route::Token), 2);
}

#[tokio::test]
async fn secrets_with_special_characters_pass_as_they_are_and_form_encoded() {
    let emulator = builder().client(EmulatedClient::new("a b", "p+q:r%")).start().await.unwrap();
    assert_eq!(send(&emulator, with_basic(GRANT, "a b:p+q:r%")).await.status, 200);
    assert_eq!(send(&emulator, with_basic(GRANT, "a+b:p%2Bq%3Ar%25")).await.status, 200);
}

#[tokio::test]
async fn requested_scopes_are_granted_and_others_refused() {
    let emulator = start().await;
    for (scope, granted) in [
        ("conversations:read", "conversations:read"),
        ("conversations:read+conversations:read", "conversations:read"),
        ("", ALL_SCOPES),
    ] {
        let answer = send(&emulator, token_request(&format!("{CREDENTIALS}&scope={scope}"))).await;
        assert_eq!(answer.json()["scope"], granted, "{scope}");
    }
    let answer =
        send(&emulator, token_request(&format!("{CREDENTIALS}&scope=conversations:read+admin"))).await;
    assert_eq!(answer.status, 400);
    assert_eq!(
        answer.json(),
        json!({
            "error": "invalid_scope",
            "error_description": "a requested scope is not granted to this client",
        })
    );
}

#[tokio::test]
async fn every_other_request_is_refused_with_its_oauth_error() {
    let emulator = start().await;
    let json = {
        let mut request = token_request(CREDENTIALS);
        request.headers_mut().insert(CONTENT_TYPE, "application/json".try_into().unwrap());
        request
    };
    let bearer = {
        let mut request = token_request(GRANT);
        request.headers_mut().insert(AUTHORIZATION, "Bearer abc".try_into().unwrap());
        request
    };
    let repeated_header = {
        let mut request = with_basic(GRANT, "demo-client:demo-secret");
        request.headers_mut().append(AUTHORIZATION, "Basic abc".try_into().unwrap());
        request
    };
    let no_colon = with_basic(GRANT, "demo-client");
    let long = token_request(&format!("{CREDENTIALS}&x={}", "x".repeat(512_000)));
    for (case, request, status, error, challenge) in [
        ("json", json, 400, "invalid_request", ""),
        ("too long", long, 400, "invalid_request", ""),
        (
            "no grant",
            token_request("client_id=demo-client&client_secret=demo-secret"),
            400,
            "invalid_request",
            "",
        ),
        ("two grants", token_request(&format!("{CREDENTIALS}&{GRANT}")), 400, "invalid_request", ""),
        ("two scopes", token_request(&format!("{CREDENTIALS}&scope=a&scope=b")), 400, "invalid_request", ""),
        ("both styles", with_basic(CREDENTIALS, "demo-client:demo-secret"), 400, "invalid_request", ""),
        ("two headers", repeated_header, 400, "invalid_request", ""),
        (
            "other grant",
            token_request("grant_type=password&client_id=demo-client&client_secret=demo-secret"),
            400,
            "unsupported_grant_type",
            "",
        ),
        ("nobody", token_request(GRANT), 401, "invalid_client", ""),
        (
            "unknown client",
            token_request(&format!("{GRANT}&client_id=x&client_secret=demo-secret")),
            401,
            "invalid_client",
            "",
        ),
        (
            "wrong secret",
            token_request(&format!("{GRANT}&client_id=demo-client&client_secret=x")),
            401,
            "invalid_client",
            "",
        ),
        ("no secret", token_request(&format!("{GRANT}&client_id=demo-client")), 401, "invalid_client", ""),
        ("wrong basic", with_basic(GRANT, "demo-client:x"), 401, "invalid_client", "Basic realm=\"oauth\""),
        ("no colon", no_colon, 401, "invalid_client", "Basic realm=\"oauth\""),
        ("bearer", bearer, 401, "invalid_client", "Basic realm=\"oauth\""),
    ] {
        let answer = send(&emulator, request).await;
        assert_eq!(answer.refusal(), (status, error), "{case}");
        assert_eq!(answer.json()["error"], error, "{case}");
        assert!(answer.json()["error_description"].is_string(), "{case}");
        assert_eq!(answer.header("www-authenticate"), challenge, "{case}");
        assert_eq!(answer.header("cache-control"), "no-store", "{case}");
    }
}

#[tokio::test]
async fn named_clients_replace_the_default_one() {
    let emulator = builder()
        .client(EmulatedClient::new("one", "1"))
        .client(EmulatedClient::new("two", "2").scopes(["conversations:read"]))
        .start()
        .await
        .unwrap();
    assert_eq!(send(&emulator, demo_token_request()).await.status, 401);
    assert_eq!(send(&emulator, with_basic(GRANT, "one:1")).await.status, 200);
    assert_eq!(send(&emulator, with_basic(GRANT, "two:2")).await.json()["scope"], "conversations:read");
    assert_eq!(send(&emulator, with_basic(GRANT, "two:1")).await.status, 401);
}

#[tokio::test]
async fn a_token_expires_with_the_clock() {
    let emulator = builder().token_lifetime(Duration::from_secs(300)).start().await.unwrap();
    let request = demo_token_request();
    assert_eq!(send(&emulator, request).await.json()["expires_in"], 300);

    let old = token(&emulator).await;
    let body = announcement("a.txt", "text/plain", 1);
    emulator.clock().advance(Duration::from_secs(200));
    assert_eq!(send(&emulator, announce_request(&old, &body)).await.status, 200);
    emulator.clock().advance(Duration::from_secs(100));
    assert_eq!(send(&emulator, announce_request(&old, &body)).await.refusal(), (401, "bad.credentials"));
    let fresh = token(&emulator).await;
    assert_eq!(send(&emulator, announce_request(&fresh, &body)).await.status, 200);
}

#[tokio::test]
async fn tokens_of_one_emulator_mean_nothing_to_another() {
    let (one, two) = (start().await, start().await);
    let foreign = token(&one).await;
    let answer = send(&two, announce_request(&foreign, &announcement("a.txt", "text/plain", 1))).await;
    assert_eq!(answer.refusal(), (401, "bad.credentials"));
}
