//! One channel: read, changed by what differs, and told of.

use serde_json::{Value, json};
use webmessaging_emulator::{Channel, Emulator, Organization, Route};

use crate::client::{Answer, builder, request};
use crate::receiver::{PLATFORM_WEBHOOKS, Receiver, let_run, platform_webhook, register};

const PATH: &str = "/api/v2/communications/channels/channel-1";

async fn start() -> Emulator {
    let channel = Channel::new("channel-1", "Support", "webchat");
    let channel = channel.webchat(500, ["rich-media"]).routing("queue-1", "longest-idle");
    builder().organization(Organization::empty().channel(channel)).start().await.unwrap()
}

async fn get(emulator: &Emulator) -> Value {
    request(emulator, "GET", PATH, None).await.json()
}

async fn patch(emulator: &Emulator, configuration: Value) -> Answer {
    let body = json!({"id": "channel-1", "configuration": configuration});
    request(emulator, "PATCH", PATH, Some(&body)).await
}

#[tokio::test]
async fn a_channel_is_what_the_list_shows() {
    let emulator = start().await;
    let list = request(&emulator, "GET", "/api/v2/communications/channels", None).await.json();
    assert_eq!(get(&emulator).await, list["entities"][0]);
    let nobody = request(&emulator, "GET", "/api/v2/communications/channels/channel-2", None).await;
    assert_eq!(nobody.refusal(), (404, "not.found"));
    assert_eq!(emulator.count(Route::GetChannel), 2);
}

#[tokio::test]
async fn what_a_change_does_not_name_stays() {
    let emulator = start().await;
    let change = json!({"webchat": {"maxConcurrentSessions": 800, "theme": "dark"}, "routing": null});
    let answer = patch(&emulator, change).await;
    assert_eq!(answer.status, 200);
    let configuration =
        json!({"webchat": {"maxConcurrentSessions": 800, "features": ["rich-media"], "theme": "dark"}});
    assert_eq!(answer.json()["configuration"], configuration);
    assert_eq!(get(&emulator).await, answer.json());
}

#[tokio::test]
async fn a_change_is_made_whole_or_not_at_all() {
    let emulator = start().await;
    let before = get(&emulator).await;
    for (configuration, field, code) in [
        (
            json!({"webchat": {"maxConcurrentSessions": 0}}),
            "/configuration/webchat/maxConcurrentSessions",
            "minimum",
        ),
        (
            json!({"webchat": {"maxConcurrentSessions": 2001}}),
            "/configuration/webchat/maxConcurrentSessions",
            "maximum",
        ),
        (
            json!({"webchat": {"maxConcurrentSessions": 5.0}}),
            "/configuration/webchat/maxConcurrentSessions",
            "type",
        ),
        (json!({"webchat": {"features": ["telepathy"]}}), "/configuration/webchat/features/0", "enum"),
        (
            json!({"webchat": {"features": ["rich-media", "rich-media"]}}),
            "/configuration/webchat/features",
            "uniqueItems",
        ),
        (json!({"webchat": 1}), "/configuration/webchat", "type"),
        (json!({"routing": {"queueId": ""}}), "/configuration/routing/queueId", "minLength"),
        (json!({"routing": {"queueId": "a\nb"}}), "/configuration/routing/queueId", "pattern"),
        (json!({"routing": {"queueId": ".."}}), "/configuration/routing/queueId", "not"),
    ] {
        let mut with_a_good_one = configuration.clone();
        with_a_good_one["good"] = json!(true);
        let answer = patch(&emulator, with_a_good_one).await;
        assert_eq!(answer.status, 400, "{configuration}");
        let details = answer.json()["details"].clone();
        let has = |detail: &Value| detail["fieldName"] == field && detail["errorCode"] == code;
        assert!(details.as_array().unwrap().iter().any(has), "{configuration}: {details}");
        assert_eq!(get(&emulator).await, before);
    }
    let endless = patch(&emulator, json!({"note": "x".repeat(70_000)})).await;
    assert_eq!(endless.status, 400);
}

#[tokio::test]
async fn a_change_says_whose_it_is_and_what() {
    let emulator = start().await;
    for (body, field) in [
        (json!({"id": "channel-2", "configuration": {}}), "id"),
        (json!({"configuration": {}}), "id"),
        (json!({"id": "channel-1"}), "configuration"),
        (json!({"id": "channel-1", "configuration": []}), "configuration"),
        (json!({"id": "channel-1", "configuration": {}, "name": "x"}), "name"),
    ] {
        let answer = request(&emulator, "PATCH", PATH, Some(&body)).await;
        assert_eq!(
            (answer.status, &answer.json()["details"][0]["fieldName"]),
            (400, &json!(field)),
            "{body}"
        );
    }
    let elsewhere = json!({"id": "channel-2", "configuration": {}});
    let path = "/api/v2/communications/channels/channel-2";
    assert_eq!(request(&emulator, "PATCH", path, Some(&elsewhere)).await.refusal(), (404, "not.found"));
}

#[tokio::test]
async fn webhooks_are_told_of_a_change_and_not_of_none() {
    let emulator = start().await;
    let receiver = Receiver::start([]).await;
    register(&emulator, PLATFORM_WEBHOOKS, &platform_webhook(&receiver.url())).await;
    let nothing = json!({"webchat": {"maxConcurrentSessions": 500}, "absent": null});
    assert_eq!(patch(&emulator, nothing).await.status, 200);
    assert_eq!(patch(&emulator, json!({"webchat": {"maxConcurrentSessions": 0}})).await.status, 400);
    assert_eq!(patch(&emulator, json!({"webchat": {"maxConcurrentSessions": 501}})).await.status, 200);
    let event = receiver.nth(1).await.json();
    assert_eq!(event["eventType"], "channel.updated");
    assert_eq!(event["data"], get(&emulator).await);
    let_run().await;
    assert_eq!(receiver.count(), 1);
}

#[tokio::test]
async fn writers_at_once_lose_nothing() {
    let emulator = start().await;
    let writers = (0..32).map(|number| {
        let emulator = &emulator;
        let note = std::collections::BTreeMap::from([(number.to_string(), number)]);
        async move { patch(emulator, json!({ "notes": note })).await.status }
    });
    let statuses = futures_util::future::join_all(writers).await;
    assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
    assert_eq!(get(&emulator).await["configuration"]["notes"].as_object().unwrap().len(), 32);
}
