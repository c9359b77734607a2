//! Guests: created, shown, and changed by whoever has seen their version.

use http::Request;
use http::header::{AUTHORIZATION, CONTENT_TYPE, ETAG, IF_MATCH};
use http_body_util::Full;
use serde_json::{Value, json};
use webmessaging_emulator::{Emulator, Route};

use crate::client::{Answer, request, send, start, token};

const GUESTS: &str = "/api/v2/conversations/webmessaging/guests";

fn guest() -> Value {
    json!({
        "channel": "webmessaging",
        "consent": {"marketing": false, "dataProcessing": true},
        "identityAttributes": {"emailHash": "a".repeat(64)},
        "attributes": {"source": "website"},
    })
}

async fn created(emulator: &Emulator) -> (String, String) {
    let answer = request(emulator, "POST", GUESTS, Some(&guest())).await;
    assert_eq!(answer.status, 201);
    let etag = answer.headers[ETAG].to_str().unwrap().to_owned();
    (format!("{GUESTS}/{}", answer.json()["id"].as_str().unwrap()), etag)
}

async fn patch(emulator: &Emulator, path: &str, etag: Option<&str>, body: &Value) -> Answer {
    let token = token(emulator).await;
    let mut request = Request::patch(format!("{}{path}", emulator.base_url()))
        .header(AUTHORIZATION, format!("Bearer {token}"))
        .header(CONTENT_TYPE, "application/json");
    if let Some(etag) = etag {
        request = request.header(IF_MATCH, etag);
    }
    send(emulator, request.body(Full::from(body.to_string())).unwrap()).await
}

#[tokio::test]
async fn a_guest_is_what_was_sent_with_id_times_and_version() {
    let emulator = start().await;
    let (path, etag) = created(&emulator).await;
    let shown = request(&emulator, "GET", &path, None).await;
    assert_eq!((shown.status, shown.headers[ETAG].to_str().unwrap()), (200, &*etag));
    let shown = shown.json();
    for (name, value) in guest().as_object().unwrap() {
        assert_eq!(&shown[name], value);
    }
    assert_eq!((&shown["createdDate"], &shown["interactionCount"]), (&shown["modifiedDate"], &json!(0)));
    assert_eq!(
        request(&emulator, "GET", &format!("{GUESTS}/nobody"), None).await.refusal(),
        (404, "not.found")
    );
}

#[tokio::test]
async fn what_nobody_needs_is_refused() {
    let emulator = start().await;
    for (pointer, value, code) in [
        ("/email", json!("jane@example.com"), "additionalProperties"),
        ("/consent/marketing", json!("no"), "type"),
        ("/identityAttributes/emailHash", json!("jane@example.com"), "pattern"),
        ("/channel", json!("webchat"), "const"),
    ] {
        let mut body = guest();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        body.pointer_mut(parent).unwrap()[name] = value;
        let answer = request(&emulator, "POST", GUESTS, Some(&body)).await;
        assert_eq!(answer.refusal(), (400, "constraint.validation"));
        assert_eq!(answer.json()["details"][0]["errorCode"], code, "{pointer}");
        assert!(!answer.json().to_string().contains("jane"));
    }
}

#[tokio::test]
async fn a_change_needs_the_version_that_there_is() {
    let emulator = start().await;
    let (path, first) = created(&emulator).await;
    let body = json!({"attributes": {"source": null, "plan": "gold"}});
    assert_eq!(patch(&emulator, &path, None, &body).await.refusal(), (428, "precondition.required"));
    let changed = patch(&emulator, &path, Some(&first), &body).await;
    assert_eq!(changed.json()["attributes"], json!({"plan": "gold"}));
    let second = changed.headers[ETAG].to_str().unwrap().to_owned();
    assert_ne!(first, second);
    // The version is another one by now, also for what would change nothing.
    for body in [body.clone(), json!({"attributes": {"plan": "silver"}})] {
        assert_eq!(
            patch(&emulator, &path, Some(&first), &body).await.refusal(),
            (412, "precondition.failed")
        );
    }
    // What changes nothing has no version of its own.
    let same = patch(&emulator, &path, Some(&second), &body).await;
    assert_eq!((same.status, same.headers[ETAG].to_str().unwrap()), (200, &*second));
    let bad = patch(&emulator, &path, Some(&second), &json!({"consent": {"marketing": "no"}})).await;
    assert_eq!(bad.refusal(), (400, "constraint.validation"));
    assert_eq!(emulator.count(Route::UpdateGuest), 6);
}

#[tokio::test]
async fn snapshots_and_resets_know_guests() {
    let emulator = start().await;
    let (path, etag) = created(&emulator).await;
    let snapshot = emulator.snapshot();
    patch(&emulator, &path, Some(&etag), &json!({"attributes": {"plan": "gold"}})).await;
    emulator.restore(&snapshot).unwrap();
    assert_eq!(request(&emulator, "GET", &path, None).await.headers[ETAG].to_str().unwrap(), etag);
    emulator.reset();
    assert_eq!(request(&emulator, "GET", &path, None).await.status, 404);
}

#[tokio::test]
async fn what_happened_is_told_the_newest_first_within_a_time_range() {
    const AUDITS: &str = "/api/v2/platform/audits";
    let emulator = start().await;
    let (path, mut etag) = created(&emulator).await;
    let id = path.rsplit('/').next().unwrap().to_owned();
    created(&emulator).await;
    for plan in ["gold", "silver"] {
        emulator.clock().advance(std::time::Duration::from_secs(60));
        let changed = patch(&emulator, &path, Some(&etag), &json!({"attributes": {"plan": plan}})).await;
        changed.headers[ETAG].to_str().unwrap().clone_into(&mut etag);
    }
    let filter = format!("entityType=guest&entityId={id}");
    let list = request(&emulator, "GET", &format!("{AUDITS}?{filter}&pageSize=2"), None).await.json();
    let actions: Vec<_> = list["entities"].as_array().unwrap().iter().map(|entry| &entry["action"]).collect();
    assert_eq!(actions, ["GUEST_UPDATED", "GUEST_UPDATED"]);
    assert_eq!((&list["total"], &list["entities"][0]["entityId"]), (&json!(3), &json!(id)));
    let next = list["nextUri"].as_str().unwrap();
    assert_eq!(next, format!("{AUDITS}?{filter}&pageSize=2&pageNumber=2"));
    let rest = request(&emulator, "GET", next, None).await.json();
    assert_eq!(rest["entities"][0]["action"], "GUEST_CREATED");
    // From its time on, and before the end.
    let second = list["entities"][1]["timestamp"].as_str().unwrap();
    let of = |range: String| format!("{AUDITS}?{filter}&{range}");
    for (range, total) in [(format!("startTime={second}"), 2), (format!("endTime={second}"), 1)] {
        assert_eq!(request(&emulator, "GET", &of(range), None).await.json()["total"], total);
    }
    for bad in ["entityType=guest", "entityId=1", "entityType=guest&entityId=1&startTime=yesterday"] {
        let answer = request(&emulator, "GET", &format!("{AUDITS}?{bad}"), None).await;
        assert_eq!(answer.refusal(), (400, "invalid.query.param.value"), "{bad}");
    }
}
