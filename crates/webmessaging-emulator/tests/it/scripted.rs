//! Scripted faults as they are seen on the wire, one kind after the other, and the requests they pick.

use std::time::Duration;

use serde_json::{Value, json};
use webmessaging_emulator::{Emulator, Fault, FaultRule, FaultScript, Route};

use crate::client::{
    Announced, SCAN, announce, builder, demo_token_request, judged, plain_get, state, token, try_send,
};
use crate::raw::{Raw, login, request, send};

const BYTES: usize = 3_000;

async fn with(rules: Value) -> Emulator {
    let script = FaultScript::from_json(&json!({ "seed": 7, "rules": rules }).to_string()).unwrap();
    builder().faults(script).start().await.unwrap()
}

/// An emulator whose first login meets one fault.
async fn first_login(fault: Value) -> Emulator {
    let mut rule = fault;
    rule["route"] = "token".into();
    rule["nth"] = 1.into();
    with(json!([rule])).await
}

fn is_token(answer: &Raw) -> bool {
    serde_json::from_slice::<Value>(&answer.body).is_ok_and(|body| body["access_token"].is_string())
}

fn put(emulator: &Emulator, file: &Announced) -> String {
    let target = file.url.strip_prefix(emulator.base_url()).unwrap();
    let headers = [("content-type", "application/octet-stream"), ("x-genesys-file-id", &*file.id)];
    request(&format!("PUT {target}"), &headers, &"a".repeat(BYTES))
}

async fn download(emulator: &Emulator) -> String {
    let bytes = vec![b'a'; BYTES];
    let url = judged(emulator, "text/plain", &bytes).await["downloadUrl"].as_str().unwrap().to_owned();
    request(&format!("GET {}", url.strip_prefix(emulator.base_url()).unwrap()), &[], "")
}

#[tokio::test]
async fn answers_have_what_the_rule_says_and_no_effect() {
    for (body, content_type, expected) in [
        (json!({ "json": { "code": "busy" } }), "application/json", b"{\"code\":\"busy\"}".as_slice()),
        (json!({ "html": "<p>busy</p>" }), "text/html; charset=utf-8", b"<p>busy</p>"),
        (json!({ "text": "busy" }), "", b"busy"),
        (json!({ "base64": "//4A" }), "", &[255, 254, 0]),
        (json!({}), "", b""),
    ] {
        let mut rule = body;
        rule["fault"] = "answer".into();
        rule["status"] = 503.into();
        rule["headers"] = json!({ "retry-after": "7" });
        let emulator = first_login(rule).await;
        let answer = send(&emulator, &login()).await;
        assert_eq!((answer.status(), answer.header("retry-after")), ("503", "7"));
        assert_eq!((answer.header("content-type"), &*answer.body), (content_type, expected));
        assert_eq!(answer.announced(), expected.len());
        assert_eq!(emulator.state().tokens.valid, 0);
        assert!(is_token(&send(&emulator, &login()).await));
    }
}

#[tokio::test]
async fn a_delay_waits_and_lets_the_next_rule_act() {
    let emulator = with(json!([
        { "route": "*", "fault": "delay", "ms": 20 },
        { "route": "token", "nth": 2, "fault": "answer", "status": 500 },
    ]))
    .await;
    let before = emulator.clock().now();
    assert!(is_token(&send(&emulator, &login()).await));
    assert_eq!(send(&emulator, &login()).await.status(), "500");
    assert!(emulator.clock().now().duration_since(before).unwrap() >= Duration::from_millis(40));
}

#[tokio::test]
async fn dropped_connections_are_reset_before_or_after_the_effect() {
    for (fault, tokens) in [("drop-before", 0), ("drop-after", 1)] {
        let emulator = first_login(json!({ "fault": fault })).await;
        let answer = send(&emulator, &login()).await;
        assert!(answer.is_reset, "{fault}");
        assert_eq!(answer.head, "", "{fault}");
        assert_eq!(emulator.state().tokens.valid, tokens, "{fault}");
        assert!(is_token(&send(&emulator, &login()).await), "{fault}");
    }
}

#[tokio::test]
async fn an_upload_can_be_cut_off_in_the_middle() {
    let emulator =
        with(json!([{ "route": "put-upload", "nth": 1, "fault": "drop-in-body", "bytes": 1_000 }])).await;
    let file = announce(&emulator, "a.txt", "text/plain", BYTES).await;
    assert!(send(&emulator, &put(&emulator, &file)).await.is_reset);
    let recorded = emulator.requests().pop().unwrap();
    assert_eq!((recorded.status, recorded.body_bytes), (None, 1_000));
    assert_eq!(state(&emulator, &file).await["status"], "pending");
    assert_eq!(send(&emulator, &put(&emulator, &file)).await.status(), "200");
}

#[tokio::test]
async fn a_truncated_answer_announces_all_of_itself() {
    let emulator =
        with(json!([{ "route": "download", "nth": 1, "fault": "truncate", "bytes": 1_000 }])).await;
    let download = download(&emulator).await;
    let answer = send(&emulator, &download).await;
    assert_eq!((answer.announced(), answer.body.len()), (BYTES, 1_000));
    assert_eq!(send(&emulator, &download).await.body.len(), BYTES);
}

#[tokio::test]
async fn a_dripping_answer_comes_whole_and_slowly() {
    let emulator =
        with(json!([{ "route": "download", "nth": 1, "fault": "drip", "bytes": 1_000, "ms": 10 }])).await;
    let download = download(&emulator).await;
    let before = emulator.clock().now();
    let answer = send(&emulator, &download).await;
    assert_eq!((answer.announced(), answer.body.len()), (BYTES, BYTES));
    // Three pieces, two pauses.
    assert!(emulator.clock().now().duration_since(before).unwrap() >= Duration::from_millis(20));
}

#[tokio::test]
async fn a_page_comes_in_place_of_the_answer_and_the_effect_stays() {
    let emulator = first_login(json!({ "fault": "html-page", "html": "<p>sign in</p>" })).await;
    let answer = send(&emulator, &login()).await;
    assert_eq!((answer.status(), answer.text()), ("200", "<p>sign in</p>"));
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(answer.header("cache-control"), "");
    assert_eq!(emulator.state().tokens.valid, 1);
}

#[tokio::test]
async fn a_length_can_be_too_large() {
    let emulator = first_login(json!({ "fault": "wrong-length", "bytes": 10 })).await;
    let answer = send(&emulator, &login()).await;
    assert!(is_token(&answer));
    assert_eq!(answer.announced(), answer.body.len() + 10);
    assert_eq!(emulator.state().tokens.valid, 1);
}

#[tokio::test]
async fn a_length_can_be_too_small_and_the_rest_comes_nevertheless() {
    for (bytes, announced) in [(-10, None), (-65_536, Some(0))] {
        let emulator = first_login(json!({ "fault": "wrong-length", "bytes": bytes })).await;
        let answer = send(&emulator, &login()).await;
        assert!(is_token(&answer), "{bytes}");
        assert_eq!(answer.announced(), announced.unwrap_or(answer.body.len().saturating_sub(10)), "{bytes}");
    }
}

#[tokio::test]
async fn what_is_behind_a_short_length_stands_before_the_next_answer() {
    let emulator = first_login(json!({ "fault": "wrong-length", "bytes": -10 })).await;
    let keep = login().replace("connection: close\r\n", "");
    let answer = send(&emulator, &format!("{keep}{}", login())).await;
    let (first, rest) = answer.body.split_at(answer.announced());
    assert!(serde_json::from_slice::<Value>(first).is_err());
    assert!(rest[10..].starts_with(b"HTTP/1.1 200 OK\r\n"), "{}", String::from_utf8_lossy(rest));
}

#[tokio::test]
async fn the_clock_moves_before_a_request_or_within_its_body() {
    let emulator = with(json!([
        { "route": "token", "nth": 1, "fault": "advance-clock", "seconds": 100 },
        { "route": "put-upload", "nth": 1, "fault": "advance-clock", "seconds": 300, "afterBytes": 1_000 },
    ]))
    .await;
    assert!(is_token(&send(&emulator, &login()).await));
    assert!((emulator.state().clock.ahead_seconds - 100.0).abs() < 1e-6);
    let file = announce(&emulator, "a.txt", "text/plain", BYTES).await;
    assert_eq!(send(&emulator, &put(&emulator, &file)).await.status(), "403");
    assert!((emulator.state().clock.ahead_seconds - 400.0).abs() < 1e-6);
}

/// The statuses of so many logins, one after the other.
async fn logins(emulator: &Emulator, count: usize) -> Vec<u16> {
    let mut statuses = Vec::new();
    for _ in 0..count {
        statuses.push(try_send(emulator.address(), demo_token_request()).await.unwrap().status);
    }
    statuses
}

#[tokio::test]
async fn the_same_seed_lets_the_same_requests_go_wrong() {
    let drawn = async |seed| {
        let rule = FaultRule::new(Fault::status(500)).route(Route::Token).rate(0.5);
        let script = FaultScript::new(seed).rule(rule);
        let emulator = builder().faults(script.clone()).start().await.unwrap();
        let statuses = logins(&emulator, 32).await;
        // Set anew, the script begins anew.
        emulator.set_faults(script).unwrap();
        assert_eq!(logins(&emulator, 32).await, statuses);
        statuses
    };
    let one = drawn(1).await;
    assert_eq!(one, drawn(1).await);
    assert_ne!(one, drawn(2).await);
    assert!(one.contains(&200) && one.contains(&500));
}

#[tokio::test]
async fn each_request_is_counted_once_however_many_come_together() {
    let rule = FaultRule::new(Fault::status(500)).route(Route::Token).every(4).times(7);
    let emulator = builder().faults(FaultScript::new(0).rule(rule)).start().await.unwrap();
    let address = emulator.address();
    let tasks: Vec<_> =
        (0..40).map(|_| tokio::spawn(async move { try_send(address, demo_token_request()).await })).collect();
    let mut failed = 0;
    for task in tasks {
        failed += usize::from(task.await.unwrap().unwrap().status == 500);
    }
    assert_eq!(failed, 7);
    assert_eq!(emulator.state().faults.acted, [7]);
}

#[tokio::test]
async fn rules_for_every_route_spare_the_control_endpoints() {
    let emulator = with(json!([{ "route": "*", "fault": "drop-before" }])).await;
    assert!(send(&emulator, &login()).await.is_reset);
    for path in ["capabilities", "faults", "clock", "state", "requests"] {
        let answer = try_send(emulator.address(), plain_get(&format!("/__emulator/{path}"))).await.unwrap();
        assert_eq!(answer.status, 200, "{path}");
    }
    assert_eq!(emulator.state().faults.acted, [1]);
}

#[tokio::test]
async fn injected_faults_go_first() {
    let emulator = first_login(json!({ "fault": "answer", "status": 501 })).await;
    emulator.inject(Route::Token, Fault::status(502));
    assert_eq!(emulator.state().faults.queued["token"], 1);
    // The rule was about the request that the injected fault took.
    assert_eq!(logins(&emulator, 2).await, [502, 200]);
    assert_eq!(emulator.state().faults.acted, [0]);
}

#[tokio::test]
async fn a_faulty_scan_is_still_a_scan() {
    let emulator =
        with(json!([{ "route": "get-attachment", "every": 2, "fault": "answer", "status": 500 }])).await;
    let file = announce(&emulator, "a.txt", "text/plain", BYTES).await;
    assert_eq!(send(&emulator, &put(&emulator, &file)).await.status(), "200");
    emulator.clock().advance(SCAN);
    let bearer = format!("Bearer {}", token(&emulator).await);
    let ask = request(&format!("GET {}", file.path()), &[("authorization", &bearer)], "");
    let statuses = [send(&emulator, &ask).await, send(&emulator, &ask).await, send(&emulator, &ask).await];
    assert_eq!(statuses.each_ref().map(Raw::status), ["200", "500", "200"]);
    assert!(statuses[2].text().contains("completed"));
}
