//! What the control endpoints show: recorded requests, the state, snapshots.

use serde_json::{Value, json};
use webmessaging_emulator::{FaultScript, Route, Tamper};

use crate::client::{
    announce, announce_request, announcement, builder, judged, plain_get, send, start, token,
};
use crate::control::{call, get};
use crate::receiver::{
    PLATFORM_WEBHOOKS, Receiver, Reply, SCAN_COMPLETED, SECRET, WEBHOOKS, platform_webhook, register, webhook,
};

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
async fn the_state_shows_webhooks_without_what_could_be_a_secret() {
    let emulator = builder().webhook_token("token-of-the-organisation").start().await.unwrap();
    let receiver = Receiver::start([Reply::Hang]).await;
    let mut own = platform_webhook(&receiver.url());
    own["httpHeaders"] = json!({ "X-Key": "header-value", "A": "header-value" });
    own["enabled"] = json!(false);
    let read = json!({ "resource": "conversation:participated", "action": "read" });
    own["eventFilters"].as_array_mut().unwrap().push(read);
    let first = register(&emulator, WEBHOOKS, &webhook(&receiver.url())).await;
    let second = register(&emulator, PLATFORM_WEBHOOKS, &own).await;
    emulator.send_event(SCAN_COMPLETED, json!({ "key": "payload" })).unwrap();
    emulator.tamper(Tamper::Duplicate);
    emulator.tamper(Tamper::OutOfOrder);
    receiver.nth(1).await;

    let state = get(&emulator, "state").await;
    let url = format!("http://{}/hooks", receiver.address);
    assert_eq!(
        state["webhooks"],
        json!([
            {
                "id": first["id"],
                "collection": "webhooks",
                "name": "scans",
                "url": url,
                "events": [SCAN_COMPLETED],
                "headers": ["authorization"],
                "isEnabled": true,
            },
            {
                "id": second["id"],
                "collection": "platform-webhooks",
                "name": "channels",
                "url": url,
                "events": [
                    "channel.updated if channelType == \"webchat\"",
                    "conversation:participated.read",
                ],
                "headers": ["a", "x-key"],
                "isEnabled": false,
            },
        ])
    );
    assert_eq!(state["deliveries"], json!({ "open": 1, "tampers": ["duplicate", "out-of-order"] }));
    assert_eq!(state["organization"], json!({ "channels": 3, "conversations": 1 }));
    let deliveries = get(&emulator, "deliveries").await;
    for secret in [SECRET, "header-value", "token-of-the-organisation", "a=b", "payload", "sha256"] {
        for shown in [&state, &deliveries] {
            assert!(!shown.to_string().contains(secret), "{secret}");
        }
    }
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
