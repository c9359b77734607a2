//! The control endpoints: who may use them, and what each does.

use bytes::Bytes;
use http::Request;
use http::header::{CONTENT_TYPE, HOST, ORIGIN};
use http_body_util::Full;
use serde_json::{Value, json};
use webmessaging_emulator::Emulator;

use crate::client::{Answer, builder, demo_token_request, plain_get, send, start};

fn request(method: &str, path: &str, body: Option<&Value>) -> Request<Full<Bytes>> {
    let request = Request::builder().method(method).uri(format!("/__emulator/{path}"));
    match body {
        None => request.body(Full::default()).unwrap(),
        Some(body) => {
            request.header(CONTENT_TYPE, "application/json").body(Full::from(body.to_string())).unwrap()
        }
    }
}

pub(crate) async fn call(emulator: &Emulator, method: &str, path: &str, body: Option<&Value>) -> Answer {
    send(emulator, request(method, path, body)).await
}

pub(crate) async fn get(emulator: &Emulator, path: &str) -> Value {
    let answer = call(emulator, "GET", path, None).await;
    assert_eq!(answer.status, 200, "{path}");
    answer.json()
}

/// Every control endpoint but the capabilities.
const CONTROLS: [(&str, &str); 18] = [
    ("GET", "faults"),
    ("PUT", "faults"),
    ("DELETE", "faults"),
    ("GET", "clock"),
    ("POST", "clock/advance"),
    ("GET", "requests"),
    ("DELETE", "requests"),
    ("GET", "deliveries"),
    ("POST", "tamper"),
    ("POST", "events"),
    ("POST", "scans/fail"),
    ("PUT", "verdicts/7ad3cbb8-0f1b-4f6d-9be8-1c2f0c5f3a10"),
    ("GET", "state"),
    ("PUT", "state"),
    ("POST", "snapshots"),
    ("DELETE", "snapshots/7ad3cbb8-0f1b-4f6d-9be8-1c2f0c5f3a10"),
    ("POST", "snapshots/7ad3cbb8-0f1b-4f6d-9be8-1c2f0c5f3a10/restore"),
    ("POST", "reset"),
];

#[tokio::test]
async fn a_web_page_and_a_foreign_name_are_refused_everywhere() {
    let emulator = start().await;
    let before = emulator.state();
    let body =
        json!({ "seconds": 9, "files": [], "rules": [], "next": "unsigned", "eventType": "a", "data": {} });
    for (method, path) in CONTROLS {
        for (header, value) in [
            (ORIGIN, "https://page.example"),
            (ORIGIN, "http://127.0.0.1"),
            (ORIGIN, "null"),
            (HOST, "page.example"),
            (HOST, "192.0.2.1"),
        ] {
            let mut request = request(method, path, Some(&body));
            request.headers_mut().insert(&header, value.parse().unwrap());
            let answer = send(&emulator, request).await;
            assert_eq!(answer.refusal(), (403, "emulator.control.forbidden"), "{method} {path} {header}");
        }
    }
    assert_eq!(emulator.state().faults, before.faults);
    assert_eq!(emulator.state().snapshots, before.snapshots);
    assert_eq!(emulator.state().deliveries, before.deliveries);
    assert!(emulator.state().clock.ahead_seconds.abs() < 1e-6);
    // What is emulated is no secret.
    let mut request = plain_get("/__emulator/capabilities");
    request.headers_mut().insert(ORIGIN, "https://page.example".parse().unwrap());
    assert_eq!(send(&emulator, request).await.status, 200);
}

#[tokio::test]
async fn remote_control_allows_other_names_and_no_web_page() {
    let emulator = builder().remote_control(true).start().await.unwrap();
    for (header, value, status) in [(HOST, "emulator:8480", 200), (ORIGIN, "https://page.example", 403)] {
        let mut request = request("GET", "state", None);
        request.headers_mut().insert(&header, value.parse().unwrap());
        assert_eq!(send(&emulator, request).await.status, status, "{header}");
    }
}

#[tokio::test]
async fn every_control_endpoint_is_listed_and_no_other_answers() {
    let emulator = start().await;
    let capabilities = get(&emulator, "capabilities").await;
    let listed: Vec<(&str, &str)> = capabilities["control"]
        .as_array()
        .unwrap()
        .iter()
        .map(|control| {
            let path = control["path"].as_str().unwrap().strip_prefix("/__emulator/").unwrap();
            (control["method"].as_str().unwrap(), path)
        })
        .filter(|(_, path)| *path != "capabilities")
        .collect();
    let expected =
        CONTROLS.map(|(method, path)| (method, path.replace("7ad3cbb8-0f1b-4f6d-9be8-1c2f0c5f3a10", "{id}")));
    assert_eq!(listed, expected.each_ref().map(|(method, path)| (*method, &**path)));
    let faults = capabilities["faults"].as_array().unwrap();
    assert_eq!(faults[0]["name"], "answer");
    assert_eq!(faults[0]["keys"], json!(["status", "headers", "json", "html", "text", "base64"]));
    assert_eq!(faults.len(), 10);
    let tampers = capabilities["tampers"].as_array().unwrap();
    let names: Vec<_> = tampers.iter().map(|tamper| tamper["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["duplicate", "out-of-order", "wrong-signature", "unsigned"]);

    let wrong = call(&emulator, "POST", "faults", None).await;
    assert_eq!((wrong.status, wrong.header("allow")), (405, "GET, PUT, DELETE"));
    assert_eq!(call(&emulator, "GET", "nothing", None).await.refusal(), (404, "not.found"));
}

#[tokio::test]
async fn control_requests_are_neither_recorded_nor_limited() {
    let limit = webmessaging_emulator::RateLimit::default().per_token(0).per_client(0);
    let emulator = builder().rate_limit(limit).start().await.unwrap();
    for _ in 0..3 {
        get(&emulator, "state").await;
    }
    assert!(emulator.requests().is_empty());
    assert_eq!(get(&emulator, "requests").await, json!({ "requests": [], "nextAfter": null }));
}

#[tokio::test]
async fn a_script_is_set_shown_and_removed() {
    let emulator = start().await;
    assert_eq!(get(&emulator, "faults").await, json!({ "seed": 0, "rules": [] }));
    let script = json!({
        "seed": 9,
        "rules": [{ "route": "token", "nth": 1, "fault": "answer", "status": 503, "json": { "a": 1 } }],
    });
    assert_eq!(call(&emulator, "PUT", "faults", Some(&script)).await.status, 204);
    assert_eq!(get(&emulator, "faults").await, script);
    assert_eq!(send(&emulator, demo_token_request()).await.status, 503);
    assert_eq!(call(&emulator, "DELETE", "faults", None).await.status, 204);
    assert_eq!(get(&emulator, "faults").await, json!({ "seed": 0, "rules": [] }));
}

#[tokio::test]
async fn a_bad_script_is_refused_with_every_problem_and_the_old_one_stays() {
    let emulator = start().await;
    let old = json!({ "seed": 1, "rules": [{ "route": "*", "fault": "drop-after" }] });
    assert_eq!(call(&emulator, "PUT", "faults", Some(&old)).await.status, 204);
    let bad = json!({
        "rules": [
            { "route": "token", "fault": "drop-after" },
            { "route": "token", "nth": 0, "fault": "answer", "status": 99, "swordfish": 1 },
            "swordfish",
        ],
    });
    let answer = call(&emulator, "PUT", "faults", Some(&bad)).await;
    assert_eq!(answer.refusal(), (400, "emulator.document.invalid"));
    let allowed =
        "route, nth, from, to, every, rate, times, fault, status, json, html, text, base64, headers";
    let body = answer.json();
    assert_eq!(
        body["problems"],
        json!([
            { "place": "rule 2", "field": "nth", "message": "must be a whole number from 1 to 1000000000" },
            { "place": "rule 2", "field": "status", "message": "must be a whole number from 200 to 999" },
            { "place": "rule 2", "field": "swordfish", "message": format!("unknown key; allowed here: {allowed}") },
            { "place": "rule 3", "field": "", "message": "must be a table of keys and values" },
        ])
    );
    assert_eq!(
        (&body["status"], &body["contextId"]),
        (&json!(400), &json!(answer.header("inin-correlation-id")))
    );
    assert_eq!(get(&emulator, "faults").await, old);
}

#[tokio::test]
async fn a_body_must_be_json_of_a_bounded_length() {
    let emulator = start().await;
    let mut form = request("PUT", "faults", Some(&json!({})));
    form.headers_mut().insert(CONTENT_TYPE, "text/plain".parse().unwrap());
    assert_eq!(send(&emulator, form).await.refusal(), (415, "unsupported.media.type"));
    let broken = Request::put("/__emulator/faults").header(CONTENT_TYPE, "application/json");
    let answer = send(&emulator, broken.body(Full::from("{\n oops")).unwrap()).await;
    assert_eq!(answer.refusal(), (400, "emulator.document.invalid"));
    let problem = json!([{ "line": 2, "place": "", "field": "", "message": "the document is not JSON" }]);
    assert_eq!(answer.json()["problems"], problem);
    let long = Request::put("/__emulator/state").header(CONTENT_TYPE, "application/json");
    let long = long.body(Full::from(vec![b' '; 32 * 1024 * 1024 + 1])).unwrap();
    assert_eq!(send(&emulator, long).await.refusal(), (413, "request.entity.too.large"));
}

#[tokio::test]
async fn the_clock_is_shown_and_moved() {
    let emulator = start().await;
    assert_eq!(get(&emulator, "clock").await["aheadSeconds"], 0.0);
    let moved = call(&emulator, "POST", "clock/advance", Some(&json!({ "seconds": 300.5 }))).await;
    assert_eq!((moved.status, &moved.json()["aheadSeconds"]), (200, &json!(300.5)));
    let shown = get(&emulator, "clock").await;
    let now = emulator.clock().now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64();
    assert!((now - 60.0..=now).contains(&shown["unixSeconds"].as_f64().unwrap()), "{shown}");
    for (body, message) in [
        (json!({}), "seconds: is missing; must be a number from 0 to 315360000"),
        (json!({ "seconds": -1 }), "seconds: must be a number from 0 to 315360000"),
        (
            json!({ "seconds": 1, "second": 1 }),
            "second: unknown key (did you mean `seconds`?); allowed here: seconds",
        ),
    ] {
        let answer = call(&emulator, "POST", "clock/advance", Some(&body)).await;
        assert_eq!((answer.status, answer.json()["message"].as_str().unwrap()), (400, message));
    }
    assert_eq!(get(&emulator, "clock").await["aheadSeconds"], 300.5);
}
