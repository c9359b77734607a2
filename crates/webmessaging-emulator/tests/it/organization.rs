//! What the organisation holds: the sample, and lists in pages over the wire.

use serde_json::{Value, json};
use webmessaging_emulator::{
    Channel, Conversation, EmulatedClient, Emulator, Organization, Participant, Route, StateSeed,
};

use crate::client::{Answer, builder, request, start};

const CHANNELS: &str = "/api/v2/communications/channels";

async fn get(emulator: &Emulator, path: &str) -> Answer {
    request(emulator, "GET", path, None).await
}

#[tokio::test]
async fn the_sample_is_one_page() {
    let emulator = start().await;
    let answer = get(&emulator, CHANNELS).await;
    assert_eq!(answer.status, 200);
    let mut page = answer.json();
    let entities = page["entities"].take();
    let uri = "/api/v2/communications/channels?pageSize=25&pageNumber=1";
    assert_eq!(
        page,
        json!({
            "entities": null,
            "pageSize": 25,
            "pageNumber": 1,
            "total": 3,
            "pageCount": 1,
            "firstUri": uri,
            "selfUri": uri,
            "lastUri": uri,
        })
    );
    assert_eq!(
        entities[0],
        json!({
            "id": "a1b2c3d4-e5f6-7890-abcd-ef1234567890",
            "name": "Primary Web Messaging",
            "channelType": "webchat",
            "configuration": {
                "webchat": {
                    "maxConcurrentSessions": 500,
                    "features": ["rich-media", "typing-indicators", "file-sharing"],
                },
                "routing": { "queueId": "queue-123", "assignmentMode": "longest-idle" },
            },
        })
    );
    assert_eq!(entities[1]["channelType"], "email");
    assert_eq!(emulator.count(Route::ListChannels), 1);
}

#[tokio::test]
async fn links_lead_through_all_pages_and_each_channel_comes_once() {
    let emulator = builder().channels(250).start().await.unwrap();
    let mut path = format!("{CHANNELS}?pageSize=100");
    let (mut ids, mut sizes) = (Vec::new(), Vec::new());
    loop {
        let page = get(&emulator, &path).await.json();
        let entities = page["entities"].as_array().unwrap();
        sizes.push(entities.len());
        ids.extend(entities.iter().map(|channel| channel["id"].as_str().unwrap().to_owned()));
        assert_eq!((&page["total"], &page["pageCount"]), (&json!(250), &json!(3)));
        match page.get("nextUri").and_then(Value::as_str) {
            Some(next) => next.clone_into(&mut path),
            None => break,
        }
    }
    assert_eq!(sizes, [100, 100, 50]);
    let organization = emulator.organization();
    let expected: Vec<&str> = organization.channels().iter().map(Channel::id).collect();
    assert_eq!(ids, expected);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 250);
}

#[tokio::test]
async fn a_page_behind_the_end_is_empty() {
    let emulator = start().await;
    let page = get(&emulator, &format!("{CHANNELS}?pageSize=2&pageNumber=9")).await.json();
    assert_eq!((&page["entities"], &page["pageNumber"]), (&json!([]), &json!(9)));
    assert_eq!(page.get("nextUri"), None);
    assert_eq!(page["previousUri"], format!("{CHANNELS}?pageSize=2&pageNumber=2"));
}

#[tokio::test]
async fn pages_that_are_none_are_refused() {
    let emulator = start().await;
    for (query, message) in [
        ("pageSize=0", "pageSize must be a number from 1 to 100"),
        ("pageSize=101", "pageSize must be a number from 1 to 100"),
        ("pageNumber=0", "pageNumber must be a number from 1 to 1000000000"),
        ("pageNumber=one", "pageNumber must be a number from 1 to 1000000000"),
        ("pageSize=1&pageSize=2", "pageSize is repeated"),
    ] {
        let answer = get(&emulator, &format!("{CHANNELS}?{query}")).await;
        assert_eq!(answer.refusal(), (400, "invalid.query.param.value"), "{query}");
        assert_eq!(answer.json()["message"], message, "{query}");
    }
    assert_eq!(get(&emulator, &format!("{CHANNELS}?pageSize=100")).await.status, 200);
}

#[tokio::test]
async fn the_conversation_of_the_documents_is_there() {
    let emulator = start().await;
    let path = "/api/v2/conversations/conversation-id-789";
    let at = "2026-01-05T09:00:00.000Z";
    assert_eq!(
        get(&emulator, path).await.json(),
        json!({
            "id": "conversation-id-789",
            "startTime": at,
            "state": "connected",
            "participants": [
                { "id": "customer-participant-id-123", "purpose": "customer", "startTime": at },
                { "id": "bot-participant-id-456", "purpose": "agent", "startTime": at },
            ],
            "selfUri": path,
        })
    );
    assert_eq!(get(&emulator, "/api/v2/conversations/other").await.refusal(), (404, "not.found"));
}

#[tokio::test]
async fn the_organization_can_be_replaced() {
    let organization = Organization::empty()
        .channel(Channel::new("1", "One", "webchat"))
        .conversation(Conversation::new("c").participant(Participant::new("p", "customer")).ended());
    let emulator = builder().organization(organization.clone()).start().await.unwrap();
    assert_eq!(emulator.organization(), organization);
    let conversation = get(&emulator, "/api/v2/conversations/c").await.json();
    assert_eq!(conversation["state"], "disconnected");
    assert_eq!(conversation["participants"][0]["endTime"], conversation["endTime"]);

    emulator.seed(StateSeed::new().organization(Organization::empty())).await.unwrap();
    assert_eq!(get(&emulator, CHANNELS).await.json()["total"], 0);
    assert_eq!(get(&emulator, "/api/v2/conversations/c").await.status, 404);
}

#[tokio::test]
async fn who_may_write_conversations_may_read_them() {
    for (scope, status) in [
        ("conversations:readonly", 200),
        ("conversations", 200),
        ("conversations:read", 403),
        ("conversation", 403),
    ] {
        let client = EmulatedClient::new("demo-client", "demo-secret").scopes([scope]);
        let emulator = builder().client(client).start().await.unwrap();
        let answer = get(&emulator, "/api/v2/conversations/conversation-id-789").await;
        assert_eq!(answer.status, status, "{scope}");
    }
}
