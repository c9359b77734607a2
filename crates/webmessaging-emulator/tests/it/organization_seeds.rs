//! The organisation in seeds: what is taken, what is refused, and what becomes of it.

use serde_json::{Value, json};
use webmessaging_emulator::{Channel, Conversation, Organization, Participant, StartError, StateSeed};

use crate::client::{builder, request, start};
use crate::control::call;
use crate::webhook_seeds::told;

#[test]
fn an_organization_of_code_is_written_as_its_answers_are() {
    let ended = Conversation::new("c").participant(Participant::new("p", "customer")).ended();
    for organization in
        [Organization::sample(), Organization::empty(), Organization::empty().conversation(ended)]
    {
        let document = json!({ "organization": organization }).to_string();
        assert_eq!(
            StateSeed::from_json(&document).unwrap(),
            StateSeed::new().organization(organization),
            "{document}"
        );
    }
}

#[test]
fn what_is_left_out_is_as_from_code() {
    let document = json!({ "organization": {
        "channels": [{ "id": "1", "name": "One", "channelType": "email" }],
        "conversations": [{ "id": "c", "participants": [{ "id": "p", "purpose": "agent" }] }, { "id": "d" }],
    } });
    let organization = Organization::empty()
        .channel(Channel::new("1", "One", "email"))
        .conversation(Conversation::new("c").participant(Participant::new("p", "agent")))
        .conversation(Conversation::new("d"));
    assert_eq!(
        StateSeed::from_json(&document.to_string()).unwrap(),
        StateSeed::new().organization(organization)
    );
    let ended =
        r#"{ "organization": { "conversations": [{ "id": "c", "endTime": "2026-01-05T09:30:00.000Z" }] } }"#;
    let written = serde_json::to_value(Conversation::new("c").ended()).unwrap();
    assert_eq!(
        StateSeed::from_json(ended).unwrap(),
        StateSeed::from_json(&json!({ "organization": { "conversations": [written] } }).to_string()).unwrap()
    );
}

#[tokio::test]
async fn a_part_of_the_organization_that_is_not_mentioned_stays() {
    let emulator = start().await;
    let seed =
        json!({ "organization": { "channels": [{ "id": "1", "name": "One", "channelType": "email" }] } });
    assert_eq!(call(&emulator, "PUT", "state", Some(&seed)).await.status, 204);
    assert_eq!(emulator.organization().channels(), [Channel::new("1", "One", "email")]);
    assert_eq!(emulator.organization().conversations(), Organization::sample().conversations());
    let seed = json!({ "organization": { "conversations": [] } });
    assert_eq!(call(&emulator, "PUT", "state", Some(&seed)).await.status, 204);
    assert_eq!(emulator.state().organization.channels, 1);
    assert_eq!(emulator.state().organization.conversations, 0);
    let list = request(&emulator, "GET", "/api/v2/communications/channels", None).await.json();
    assert_eq!(list["entities"][0]["name"], "One");
}

#[tokio::test]
async fn the_number_of_channels_holds_for_a_seeded_organization_too() {
    let organization = Organization::empty().channel(Channel::new("own", "Own", "email"));
    let seed = StateSeed::new().organization(organization);
    let emulator = builder().seed(seed).channels(3).start().await.unwrap();
    let organization = emulator.organization();
    let ids: Vec<&str> = organization.channels().iter().map(Channel::id).collect();
    assert_eq!(ids, ["own", "channel-2", "channel-3"]);
}

#[tokio::test]
async fn each_mistake_in_an_organization_is_told_with_what_is_allowed() {
    let emulator = start().await;
    let before = emulator.organization();
    let label = "must be a text of 1 to 255 characters without control characters";
    let word = "must be a word of letters, digits, hyphens and underscores, 64 at most";
    let time = "must be a time in UTC, such as 2026-01-05T09:00:00.000Z";
    let channel = |changes: Value| {
        let mut channel = json!({ "id": "1", "name": "One", "channelType": "webchat" });
        channel.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        json!({ "channels": [{ "id": "0", "name": "Zero", "channelType": "email" }, channel] })
    };
    let conversation = |changes: Value| {
        let mut conversation = json!({ "id": "c" });
        conversation.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        json!({ "conversations": [conversation] })
    };
    let participant = |changes: Value| {
        let mut participant = json!({ "id": "p", "purpose": "agent" });
        participant.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        conversation(json!({ "participants": [{ "id": "0", "purpose": "agent" }, participant] }))
    };
    let long = "x".repeat(256);
    for (organization, expected) in [
        (json!([]), "organization: must be a table of keys and values".to_owned()),
        (
            json!({ "chanels": [] }),
            "organization: chanels: unknown key (did you mean `channels`?); allowed here: channels, conversations"
                .to_owned(),
        ),
        (json!({ "channels": {} }), "organization: channels: must be a list of at most 100000 tables".to_owned()),
        (json!({ "channels": [1] }), "organization: channel 1: must be a table of keys and values".to_owned()),
        (channel(json!({ "id": "" })), format!("organization: channel 2: id: {label}")),
        (channel(json!({ "id": "0" })), "organization: channel 2: id: is the id of an earlier channel as well".to_owned()),
        (channel(json!({ "name": long })), format!("organization: channel 2: name: {label}")),
        (channel(json!({ "name": "a\n" })), format!("organization: channel 2: name: {label}")),
        (channel(json!({ "channelType": "web chat" })), format!("organization: channel 2: channelType: {word}")),
        (
            channel(json!({ "configuration": [] })),
            "organization: channel 2: configuration: must be a table of keys and values".to_owned(),
        ),
        (
            channel(json!({ "chanelType": "a" })),
            "organization: channel 2: chanelType: unknown key (did you mean `channelType`?); allowed here: \
             id, name, channelType, configuration"
                .to_owned(),
        ),
        (conversation(json!({ "state": 1 })), format!("organization: conversation 1: state: {word}")),
        (conversation(json!({ "startTime": "yesterday" })), format!("organization: conversation 1: startTime: {time}")),
        (conversation(json!({ "endTime": "2026-13-05T09:00:00Z" })), format!("organization: conversation 1: endTime: {time}")),
        (
            participant(json!({ "id": "0" })),
            "organization: conversation 1: participant 2: id: is the id of an earlier participant as well".to_owned(),
        ),
        (participant(json!({ "purpose": "" })), format!("organization: conversation 1: participant 2: purpose: {word}")),
        (participant(json!({ "endTime": 0 })), format!("organization: conversation 1: participant 2: endTime: {time}")),
    ] {
        assert_eq!(told(&emulator, &json!({ "organization": organization })).await, expected);
    }
    let nothing =
        json!({ "organization": { "channels": [{}], "conversations": [{ "participants": [{}] }] } });
    let missing = [
        format!("organization: channel 1: id: is missing; {label}"),
        format!("organization: channel 1: name: is missing; {label}"),
        format!("organization: channel 1: channelType: is missing; {word}"),
        format!("organization: conversation 1: id: is missing; {label}"),
        format!("organization: conversation 1: participant 1: id: is missing; {label}"),
        format!("organization: conversation 1: participant 1: purpose: is missing; {word}"),
    ];
    assert_eq!(told(&emulator, &nothing).await, missing.join("\n"));
    assert_eq!(emulator.organization(), before);
}

#[tokio::test]
async fn an_organization_of_code_is_held_to_the_same_rules() {
    let organization = Organization::empty()
        .channel(Channel::new("1", "", "webchat"))
        .conversation(Conversation::new("c").participant(Participant::new("p", "an agent")));
    let expected = "organization: channel 1: name: must be a text of 1 to 255 characters without control characters\n\
                    organization: conversation 1: participant 1: purpose: must be a word of letters, digits, \
                    hyphens and underscores, 64 at most";
    let error = start().await.seed(StateSeed::new().organization(organization.clone())).await.unwrap_err();
    assert_eq!(error.to_string(), expected);
    let refused = builder().organization(organization.clone()).start().await.unwrap_err();
    assert!(matches!(refused, StartError::Seed(error) if error.to_string() == expected));
    let refused = builder().seed(StateSeed::new().organization(organization)).start().await.unwrap_err();
    assert!(matches!(refused, StartError::Seed(error) if error.to_string() == expected));
}
