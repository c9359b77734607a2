//! The control endpoints: who may use them, and what each does.

use bytes::Bytes;
use http::Request;
use http::header::{CONTENT_TYPE, HOST, ORIGIN};
use http_body_util::Full;
use serde_json::{Value, json};
use webmessaging_emulator::{Emulator, FaultScript, Route};

use crate::client::{
    Answer, announce, announce_request, announcement, builder, demo_token_request, judged, plain_get, send,
    start, token,
};

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

async fn get(emulator: &Emulator, path: &str) -> Value {
    let answer = call(emulator, "GET", path, None).await;
    assert_eq!(answer.status, 200, "{path}");
    answer.json()
}

/// Every control endpoint but the capabilities.
const CONTROLS: [(&str, &str); 13] = [
    ("GET", "faults"),
    ("PUT", "faults"),
    ("DELETE", "faults"),
    ("GET", "clock"),
    ("POST", "clock/advance"),
    ("GET", "requests"),
    ("DELETE", "requests"),
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
    for (method, path) in CONTROLS {
        for (header, value) in [
            (ORIGIN, "https://page.example"),
            (ORIGIN, "http://127.0.0.1"),
            (ORIGIN, "null"),
            (HOST, "page.example"),
            (HOST, "192.0.2.1"),
        ] {
            let mut request = request(method, path, Some(&json!({ "seconds": 9, "files": [], "rules": [] })));
            request.headers_mut().insert(&header, value.parse().unwrap());
            let answer = send(&emulator, request).await;
            assert_eq!(answer.refusal(), (403, "emulator.control.forbidden"), "{method} {path} {header}");
        }
    }
    assert_eq!(emulator.state().faults, before.faults);
    assert_eq!(emulator.state().snapshots, before.snapshots);
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

#[tokio::test]
async fn recorded_requests_come_in_pages_without_secrets() {
    let emulator = start().await;
    let bearer = token(&emulator).await;
    let file = announce(&emulator, "a.txt", "text/plain", 5).await;
    send(&emulator, file.put(b"hello")).await;
    send(&emulator, plain_get("/nowhere?key=swordfish")).await;

    let all = get(&emulator, "requests").await;
    let requests = all["requests"].as_array().unwrap();
    let shown: Vec<_> = requests
        .iter()
        .map(|request| {
            let field = |name: &str| request[name].clone();
            (field("number"), field("route"), field("method"), field("status"), field("hasQuery"))
        })
        .collect();
    let row = |number: u64, route: Value, method: &str, status: u16, has_query: bool| {
        (json!(number), route, json!(method), json!(status), json!(has_query))
    };
    assert_eq!(
        shown,
        [
            row(1, json!("token"), "POST", 200, false),
            row(2, json!("token"), "POST", 200, false),
            row(3, json!("create-upload"), "POST", 200, false),
            row(4, json!("put-upload"), "PUT", 200, true),
            row(5, Value::Null, "GET", 404, true),
        ]
    );
    assert_eq!(requests[3]["bodyBytes"], 5);
    let authorization = json!({ "name": "authorization", "value": "[redacted]" });
    assert!(requests[2]["headers"].as_array().unwrap().contains(&authorization));
    for secret in ["swordfish", "signature", &bearer, "demo-secret"] {
        assert!(!all.to_string().contains(secret), "{secret}");
    }

    let page = get(&emulator, "requests?limit=2").await;
    assert_eq!((page["requests"].as_array().unwrap().len(), &page["nextAfter"]), (2, &json!(2)));
    let page = get(&emulator, "requests?limit=3&after=2").await;
    assert_eq!((page["requests"].as_array().unwrap().len(), &page["nextAfter"]), (3, &Value::Null));
    let page = get(&emulator, "requests?route=put-upload").await;
    assert_eq!(page["requests"].as_array().unwrap().len(), 1);
    let wrong = call(&emulator, "GET", "requests?route=putupload", None).await;
    assert_eq!(wrong.refusal(), (400, "invalid.query.param.value"));

    assert_eq!(call(&emulator, "DELETE", "requests", None).await.status, 204);
    assert_eq!(get(&emulator, "requests").await["requests"], json!([]));
    assert_eq!(emulator.count(Route::Token), 0);
}

#[tokio::test]
async fn the_state_counts_and_shows_no_secrets() {
    let emulator = start().await;
    let bearer = token(&emulator).await;
    let scanned = judged(&emulator, "text/plain", b"hello").await;
    let body = announcement("b.pdf", "application/pdf", 9);
    send(&emulator, announce_request(&bearer, &body)).await;
    emulator.inject(Route::Download, webmessaging_emulator::Fault::drop_after());

    let state = get(&emulator, "state").await;
    assert_eq!(state["tokens"], json!({ "valid": 3, "expired": 0 }));
    let mut files = state["files"].as_array().unwrap().clone();
    files.sort_by_key(|file| file["fileName"].as_str().unwrap().to_owned());
    assert_eq!(
        files[1],
        json!({
            "id": scanned["id"],
            "fileName": "file",
            "contentType": "text/plain",
            "fileSize": 5,
            "messageId": "message-1",
            "status": "completed",
            "virusScanResult": "clean",
            "formatValidation": "passed",
        })
    );
    assert_eq!((&files[0]["status"], files[0].get("virusScanResult")), (&json!("pending"), None));
    let client = &state["rates"]["clients"][0];
    // The announcement before the scan was counted in a window that is over.
    assert_eq!(
        (&client["client"], &client["count"], &client["allowed"]),
        (&json!("demo-client"), &json!(2), &json!(300))
    );
    assert_eq!((&state["rates"]["tokens"], &state["rates"]["highestTokenCount"]), (&json!(2), &json!(1)));
    assert_eq!(state["faults"], json!({ "queued": { "download": 1 }, "acted": [] }));
    assert_eq!(
        state["requests"],
        json!({ "token": 3, "create-upload": 2, "put-upload": 1, "get-attachment": 1 })
    );
    for secret in [&*bearer, "signature", "demo-secret"] {
        assert!(!state.to_string().contains(secret), "{secret}");
    }
    assert_eq!(serde_json::to_value(emulator.state()).unwrap()["files"], state["files"]);
}

#[tokio::test]
async fn snapshots_are_kept_up_to_a_limit() {
    let emulator = start().await;
    let mut ids = Vec::new();
    for _ in 0..16 {
        let taken = call(&emulator, "POST", "snapshots", None).await;
        assert_eq!(taken.status, 201);
        ids.push(taken.json()["id"].as_str().unwrap().to_owned());
    }
    let refused = call(&emulator, "POST", "snapshots", None).await;
    assert_eq!(refused.refusal(), (409, "emulator.snapshots.too.many"));
    ids.sort();
    assert_eq!(get(&emulator, "state").await["snapshots"], json!(ids));

    let path = format!("snapshots/{}", ids[0]);
    assert_eq!(call(&emulator, "DELETE", &path, None).await.status, 204);
    assert_eq!(call(&emulator, "DELETE", &path, None).await.refusal(), (404, "not.found"));
    let restore = format!("{path}/restore");
    assert_eq!(call(&emulator, "POST", &restore, None).await.refusal(), (404, "not.found"));
    assert_eq!(call(&emulator, "POST", "snapshots/x/restore", None).await.refusal(), (404, "not.found"));
    assert_eq!(call(&emulator, "POST", "snapshots", None).await.status, 201);
}

#[tokio::test]
async fn a_reset_brings_back_the_script_of_the_start() {
    let script = r#"{ "seed": 0, "rules": [{ "route": "token", "nth": 1, "fault": "drop-after" }] }"#;
    let script = FaultScript::from_json(script).unwrap();
    let emulator = builder().faults(script.clone()).start().await.unwrap();
    emulator.set_faults(FaultScript::default()).unwrap();
    assert_eq!(call(&emulator, "POST", "reset", None).await.status, 204);
    assert_eq!(get(&emulator, "faults").await, serde_json::to_value(&script).unwrap());
}
