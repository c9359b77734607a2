//! One channel: shown, changed by what a request names, and webhooks told of it.

use bytes::Bytes;
use futures_util::future::join_all;
use http::Request;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http_body_util::Full;
use serde_json::{Map, Value, json};
use webmessaging_emulator::{Channel, EmulatedClient, Emulator, Organization, Route, StateSeed};

use crate::client::{Answer, builder, request, send, token};
use crate::receiver::{PLATFORM_WEBHOOKS, Receiver, let_run, platform_webhook, register};

const CHANNELS: &str = "/api/v2/communications/channels";
const PATH: &str = "/api/v2/communications/channels/channel-1";

fn channel() -> Channel {
    Channel::new("channel-1", "Support", "webchat")
        .webchat(500, ["rich-media"])
        .routing("queue-1", "longest-idle")
}

async fn start() -> Emulator {
    builder().organization(Organization::empty().channel(channel())).start().await.unwrap()
}

async fn get(emulator: &Emulator) -> Value {
    request(emulator, "GET", PATH, None).await.json()
}

async fn patch(emulator: &Emulator, configuration: Value) -> Answer {
    let body = json!({ "id": "channel-1", "configuration": configuration });
    request(emulator, "PATCH", PATH, Some(&body)).await
}

/// A receiver that is told of changes of channels.
async fn receiver(emulator: &Emulator) -> Receiver {
    let receiver = Receiver::start([]).await;
    register(emulator, PLATFORM_WEBHOOKS, &platform_webhook(&receiver.url())).await;
    receiver
}

#[tokio::test]
async fn a_channel_is_as_the_list_shows_it() {
    let emulator = start().await;
    let list = request(&emulator, "GET", CHANNELS, None).await.json();
    assert_eq!(get(&emulator).await, list["entities"][0]);
    assert_eq!(emulator.count(Route::GetChannel), 1);
    // An id is any text.
    let odd = Organization::empty().channel(Channel::new("a/b \u{e9}", "Odd", "email"));
    emulator.seed(StateSeed::new().organization(odd)).await.unwrap();
    let answer = request(&emulator, "GET", &format!("{CHANNELS}/a%2Fb%20%C3%A9"), None).await;
    assert_eq!(answer.json()["name"], "Odd");
}

#[tokio::test]
async fn a_channel_that_is_not_there_is_not_found() {
    let emulator = start().await;
    let path = format!("{CHANNELS}/channel-2");
    for (method, body) in [
        ("GET", None),
        ("PATCH", Some(json!({ "id": "channel-2", "configuration": {} }))),
        ("PATCH", Some(json!({ "id": "channel-1", "configuration": {} }))),
    ] {
        let answer = request(&emulator, method, &path, body.as_ref()).await;
        assert_eq!(answer.refusal(), (404, "not.found"), "{method} {body:?}");
        assert_eq!(answer.json()["contextId"], answer.header("inin-correlation-id"));
    }
}

#[tokio::test]
async fn what_a_change_does_not_name_stays_and_null_removes() {
    let emulator = start().await;
    let change = json!({
        "webchat": { "maxConcurrentSessions": 800, "theme": { "color": "red", "font": null } },
        "routing": { "assignmentMode": null },
    });
    let answer = patch(&emulator, change).await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.json(),
        json!({
            "id": "channel-1",
            "name": "Support",
            "channelType": "webchat",
            "configuration": {
                "webchat": {
                    "maxConcurrentSessions": 800,
                    "features": ["rich-media"],
                    "theme": { "color": "red" },
                },
                "routing": { "queueId": "queue-1" },
            },
        })
    );
    assert_eq!(get(&emulator).await, answer.json());
    let answer = patch(&emulator, json!({ "webchat": null, "routing": null, "absent": null })).await;
    assert_eq!((answer.status, &answer.json()["configuration"]), (200, &json!({})));
    assert_eq!(get(&emulator).await, answer.json());
    assert_eq!(emulator.count(Route::UpdateChannel), 2);
}

#[tokio::test]
async fn a_change_is_made_wholly_or_not_at_all() {
    let emulator = start().await;
    let receiver = receiver(&emulator).await;
    let before = get(&emulator).await;
    for (configuration, code, field) in [
        (json!({ "webchat": { "maxConcurrentSessions": 0 } }), "minimum", "webchat/maxConcurrentSessions"),
        (json!({ "webchat": { "maxConcurrentSessions": 2001 } }), "maximum", "webchat/maxConcurrentSessions"),
        (json!({ "webchat": { "maxConcurrentSessions": 5.0 } }), "type", "webchat/maxConcurrentSessions"),
        (json!({ "webchat": { "features": ["telepathy"] } }), "enum", "webchat/features/0"),
        (
            json!({ "webchat": { "features": ["rich-media", "rich-media"] } }),
            "uniqueItems",
            "webchat/features",
        ),
        (json!({ "routing": { "queueId": ".." } }), "not", "routing/queueId"),
        (json!({ "routing": { "queueId": "q".repeat(256) } }), "maxLength", "routing/queueId"),
        (json!({ "routing": { "queueId": "a\nb" } }), "pattern", "routing/queueId"),
        (json!({ "routing": { "queueId": " " } }), "pattern", "routing/queueId"),
        (json!({ "webchat": "on" }), "type", "webchat"),
    ] {
        let mut with_a_good_one = configuration.clone();
        with_a_good_one["theme"] = json!("dark");
        let answer = patch(&emulator, with_a_good_one).await;
        assert_eq!(answer.refusal(), (400, "constraint.validation"), "{configuration}");
        let expected = json!([{ "errorCode": code, "fieldName": format!("/configuration/{field}") }]);
        assert_eq!(answer.json()["details"], expected, "{configuration}");
    }
    assert_eq!(get(&emulator).await, before);
    let_run().await;
    assert_eq!((receiver.count(), emulator.deliveries().len()), (0, 0));
}

#[tokio::test]
async fn all_that_is_wrong_is_listed_at_once() {
    let emulator = start().await;
    let body = json!({
        "id": "channel-2",
        "name": "Two",
        "configuration": { "webchat": { "maxConcurrentSessions": 0, "features": [1] }, "routing": { "queueId": 1 } },
    });
    let answer = request(&emulator, "PATCH", PATH, Some(&body)).await;
    assert_eq!(answer.refusal(), (400, "constraint.validation"));
    let details = answer.json()["details"].clone();
    let mut fields: Vec<_> =
        details.as_array().unwrap().iter().map(|detail| detail["fieldName"].as_str().unwrap()).collect();
    fields.sort_unstable();
    assert_eq!(
        fields,
        [
            "/configuration/routing/queueId",
            "/configuration/webchat/features/0",
            "/configuration/webchat/maxConcurrentSessions",
            "id",
            "name",
        ]
    );
}

#[tokio::test]
async fn a_change_is_json_and_nothing_else() {
    let emulator = start().await;
    let bearer = format!("Bearer {}", token(&emulator).await);
    let good = r#"{ "id": "channel-1", "configuration": { "a": 1 } }"#;
    let long = format!(r#"{{ "id": "channel-1", "configuration": {{ "a": "{}" }} }}"#, "x".repeat(512_000));
    for (content_type, body, refusal) in [
        ("application/merge-patch+json", good, (415, "unsupported.media.type")),
        ("text/plain", good, (415, "unsupported.media.type")),
        ("application/json", "{", (400, "bad.request")),
        ("application/json", &long, (413, "request.entity.too.large")),
    ] {
        let request: Request<Full<Bytes>> = Request::patch(PATH)
            .header(AUTHORIZATION, &bearer)
            .header(CONTENT_TYPE, content_type)
            .body(Full::from(body.to_owned()))
            .unwrap();
        assert_eq!(send(&emulator, request).await.refusal(), refusal, "{content_type}");
    }
    assert_eq!(get(&emulator).await, json!(channel()));
}

#[tokio::test]
async fn webhooks_are_told_once_of_a_change_and_not_of_none() {
    let emulator = start().await;
    let receiver = receiver(&emulator).await;
    for nothing in [
        json!({}),
        json!({ "webchat": { "maxConcurrentSessions": 500 }, "routing": {} }),
        json!({ "absent": null, "webchat": { "absent": null } }),
    ] {
        let answer = patch(&emulator, nothing).await;
        assert_eq!((answer.status, answer.json()), (200, json!(channel())));
    }
    let_run().await;
    assert_eq!((receiver.count(), emulator.deliveries().len()), (0, 0));

    let answer = patch(&emulator, json!({ "webchat": { "maxConcurrentSessions": 501 } })).await;
    let event = receiver.nth(1).await;
    assert_eq!(event.header("x-genesys-event-id"), event.json()["eventId"]);
    assert_eq!(event.json()["eventType"], "channel.updated");
    assert_eq!(event.json()["data"], answer.json());
    // The same once more is no change.
    assert_eq!(patch(&emulator, json!({ "webchat": { "maxConcurrentSessions": 501 } })).await.status, 200);
    let_run().await;
    assert_eq!((receiver.count(), emulator.deliveries().len()), (1, 1));
}

#[tokio::test]
async fn writers_at_once_lose_nothing_and_the_last_event_shows_how_it_ended() {
    const WRITERS: usize = 32;
    let emulator = start().await;
    let receiver = receiver(&emulator).await;
    let statuses = join_all((0..WRITERS).map(|number| {
        let notes = Map::from_iter([(number.to_string(), json!(number))]);
        let emulator = &emulator;
        async move { patch(emulator, json!({ "notes": notes })).await.status }
    }))
    .await;
    assert_eq!(statuses, [200; WRITERS]);
    let last = receiver.nth(WRITERS).await.json();
    assert_eq!(last["data"], get(&emulator).await);
    assert_eq!(last["data"]["configuration"]["notes"].as_object().unwrap().len(), WRITERS);
}

#[tokio::test]
async fn changes_do_not_add_up_to_what_no_event_can_hold() {
    let emulator = start().await;
    let text = "x".repeat(300_000);
    assert_eq!(patch(&emulator, json!({ "a": text })).await.status, 200);
    let before = get(&emulator).await;
    let answer = patch(&emulator, json!({ "b": text })).await;
    assert_eq!(answer.refusal(), (400, "constraint.validation"));
    let expected = json!([{ "errorCode": "maxLength", "fieldName": "configuration" }]);
    assert_eq!(answer.json()["details"], expected);
    assert_eq!(get(&emulator).await, before);
    assert_eq!(patch(&emulator, json!({ "a": null, "b": text })).await.status, 200);
}

#[tokio::test]
async fn snapshots_seeds_and_resets_take_changes_back() {
    let emulator = start().await;
    assert_eq!(patch(&emulator, json!({ "routing": { "queueId": "queue-2" } })).await.status, 200);
    let kept = get(&emulator).await;
    let snapshot = emulator.snapshot();
    assert_eq!(patch(&emulator, json!({ "routing": { "queueId": "queue-3" } })).await.status, 200);
    assert_eq!(get(&emulator).await["configuration"]["routing"]["queueId"], "queue-3");
    emulator.restore(&snapshot).unwrap();
    assert_eq!(get(&emulator).await, kept);
    // A change after a restore leaves the snapshot as it was.
    assert_eq!(patch(&emulator, json!({ "routing": null })).await.status, 200);
    emulator.restore(&snapshot).unwrap();
    assert_eq!(get(&emulator).await, kept);

    let seeded = Organization::empty().channel(Channel::new("channel-1", "Seeded", "email"));
    emulator.seed(StateSeed::new().organization(seeded)).await.unwrap();
    assert_eq!(patch(&emulator, json!({ "a": 1 })).await.json()["name"], "Seeded");
    // What a change has made can be seeded again.
    let organization = emulator.organization();
    emulator.seed(StateSeed::new().organization(organization.clone())).await.unwrap();
    assert_eq!(emulator.organization(), organization);
    assert_eq!(get(&emulator).await["configuration"], json!({ "a": 1 }));

    emulator.reset();
    assert_eq!(get(&emulator).await, json!(channel()));
}

#[tokio::test]
async fn reading_and_changing_have_a_scope_each() {
    for (scope, read, write) in [("communications:read", 200, 403), ("communications:write", 403, 200)] {
        let client = EmulatedClient::new("demo-client", "demo-secret").scopes([scope]);
        let organization = Organization::empty().channel(channel());
        let emulator = builder().client(client).organization(organization).start().await.unwrap();
        assert_eq!(request(&emulator, "GET", PATH, None).await.status, read, "{scope}");
        let answer = patch(&emulator, json!({ "a": 1 })).await;
        assert_eq!(answer.status, write, "{scope}");
        if write == 403 {
            assert_eq!(answer.refusal(), (403, "app.not.authorized.for.scope"));
            assert_eq!(emulator.organization().channels(), [channel()]);
        }
    }
}
