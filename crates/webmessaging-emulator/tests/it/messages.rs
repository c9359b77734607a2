//! Bot messages: held to their schema, taken by conversations that are under way, and listed.

use http::Request;
use http::header::AUTHORIZATION;
use http_body_util::Full;
use serde_json::{Value, json};
use webmessaging_emulator::{Conversation, Emulator, Organization, Participant, RateLimit, Route, StateSeed};

use crate::client::{Answer, builder, request, send, start, token};

pub(crate) const CONVERSATION: &str = "conversation-id-789";

pub(crate) fn path(conversation: &str) -> String {
    format!("/api/v2/conversations/{conversation}/messages")
}

fn message(kind: &str, field: &str, value: Value) -> Value {
    let mut message = json!({
        "to": {"id": "customer-participant-id-123"},
        "from": {"id": "bot-participant-id-456"},
        "type": kind,
    });
    message[field] = value;
    message
}

pub(crate) fn text(text: &str) -> Value {
    message("text", "text", json!(text))
}

fn card(card: &Value) -> Value {
    message("card", "cards", json!([card]))
}

fn reply(reply: &Value) -> Value {
    message("quickReply", "quickReplies", json!([reply]))
}

/// A message with the value behind a pointer replaced.
fn with(mut message: Value, pointer: &str, value: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    message.pointer_mut(parent).unwrap()[name] = value;
    message
}

pub(crate) async fn post(emulator: &Emulator, body: &Value) -> Answer {
    request(emulator, "POST", &path(CONVERSATION), Some(body)).await
}

#[tokio::test]
async fn every_shape_is_taken_and_kept_as_it_was_sent() {
    let emulator = start().await;
    let label = "\u{20ac}".repeat(80);
    let shapes = [
        text("x"),
        text(&"\u{20ac}".repeat(4096)),
        card(&json!({"title": "t".repeat(256), "image": null, "actions": [{"a": 1}]})),
        message("card", "cards", json!(vec![json!({"title": "t"}); 10])),
        reply(&json!({"label": label, "payload": "p".repeat(1024)})),
        message("quickReply", "quickReplies", json!(vec![json!({"label": "l", "payload": "p"}); 13])),
    ];
    for shape in &shapes {
        let answer = post(&emulator, shape).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let answer = answer.json();
        let last = emulator.messages(CONVERSATION).pop().unwrap();
        assert_eq!((&last.body, &last.request_id), (shape, &None));
        assert_eq!(answer.as_object().unwrap().len(), 3);
        assert_eq!((&answer["id"], &answer["conversationId"]), (&json!(last.id), &json!(CONVERSATION)));
        let created = answer["createdDate"].as_str().unwrap();
        assert_eq!((created.len(), created.ends_with('Z'), last.id.len()), (24, true, 36));
    }
    assert_eq!(emulator.messages(CONVERSATION).len(), shapes.len());
    assert_eq!(emulator.count(Route::SendMessage), shapes.len());
}

#[tokio::test]
async fn each_violation_is_told_with_its_field() {
    let emulator = builder().rate_limit(RateLimit::off()).start().await.unwrap();
    let card_of = |title: Value| card(&json!({"title": title}));
    let reply_of = |label: Value, payload: Value| reply(&json!({"label": label, "payload": payload}));
    let cards = |count| message("card", "cards", json!(vec![json!({"title": "t"}); count]));
    let replies = |count| {
        message("quickReply", "quickReplies", json!(vec![json!({"label": "l", "payload": "p"}); count]))
    };
    for (body, code, field) in [
        (json!([]), "type", ""),
        (with(text("x"), "/to", json!("a")), "type", "to"),
        (with(text("x"), "/to", json!({})), "required", "/to/id"),
        (with(text("x"), "/to/id", json!("")), "minLength", "/to/id"),
        (with(text("x"), "/to/id", json!(1)), "type", "/to/id"),
        (with(text("x"), "/from/id", json!("\u{20ac}".repeat(256))), "maxLength", "/from/id"),
        (with(text("x"), "/from/name", json!("n")), "additionalProperties", "/from/name"),
        (with(text("x"), "/type", json!(5)), "enum", "type"),
        (with(text("x"), "/type", json!("image")), "enum", "type"),
        (with(text("x"), "/type", json!("Text")), "enum", "type"),
        (with(text("x"), "/subject", json!("s")), "additionalProperties", "subject"),
        (text(""), "minLength", "text"),
        (text(&"\u{20ac}".repeat(4097)), "maxLength", "text"),
        (message("text", "text", json!(null)), "type", "text"),
        (with(text("x"), "/cards", json!([{"title": "t"}])), "additionalProperties", "cards"),
        (
            with(text("x"), "/quickReplies", json!([{"label": "l", "payload": "p"}])),
            "additionalProperties",
            "quickReplies",
        ),
        (cards(0), "minItems", "cards"),
        (cards(11), "maxItems", "cards"),
        (message("card", "cards", json!({})), "type", "cards"),
        (card(&json!("t")), "type", "/cards/0"),
        (card(&json!({"text": "t"})), "required", "/cards/0/title"),
        (card_of(json!("")), "minLength", "/cards/0/title"),
        (card_of(json!("t".repeat(257))), "maxLength", "/cards/0/title"),
        (card_of(json!(1)), "type", "/cards/0/title"),
        (with(cards(1), "/text", json!("x")), "additionalProperties", "text"),
        (
            with(cards(1), "/quickReplies", json!([{"label": "l", "payload": "p"}])),
            "additionalProperties",
            "quickReplies",
        ),
        (replies(0), "minItems", "quickReplies"),
        (replies(14), "maxItems", "quickReplies"),
        (message("quickReply", "quickReplies", json!("a")), "type", "quickReplies"),
        (reply(&json!(1)), "type", "/quickReplies/0"),
        (reply(&json!({"payload": "p"})), "required", "/quickReplies/0/label"),
        (reply(&json!({"label": "l"})), "required", "/quickReplies/0/payload"),
        (reply_of(json!(""), json!("p")), "minLength", "/quickReplies/0/label"),
        (reply_of(json!("l".repeat(81)), json!("p")), "maxLength", "/quickReplies/0/label"),
        (reply_of(json!(null), json!("p")), "type", "/quickReplies/0/label"),
        (reply_of(json!("l"), json!("")), "minLength", "/quickReplies/0/payload"),
        (reply_of(json!("l"), json!("p".repeat(1025))), "maxLength", "/quickReplies/0/payload"),
        (reply_of(json!("l"), json!({})), "type", "/quickReplies/0/payload"),
        (
            with(replies(1), "/quickReplies/0/image", json!("i")),
            "additionalProperties",
            "/quickReplies/0/image",
        ),
        (with(replies(1), "/text", json!("x")), "additionalProperties", "text"),
        (with(replies(1), "/cards", json!([{"title": "t"}])), "additionalProperties", "cards"),
    ] {
        let answer = post(&emulator, &body).await;
        assert_eq!(answer.refusal(), (400, "constraint.validation"), "{body}");
        assert_eq!(answer.json()["details"], json!([{"errorCode": code, "fieldName": field}]), "{body}");
    }
    assert!(emulator.messages(CONVERSATION).is_empty());
}

#[tokio::test]
async fn all_violations_are_told_at_once_and_each_once() {
    let emulator = start().await;
    let parties = json!({"to": {"id": "a"}, "from": {"id": "b"}});
    for (body, expected) in [
        (json!({}), vec!["required from", "required to", "required type"]),
        (
            json!({"type": "text", "text": "", "more": 1}),
            vec!["additionalProperties more", "minLength text", "required from", "required to"],
        ),
        // What belongs to no type is still unknown, and what belongs to one is not.
        (with(parties.clone(), "/more", json!(1)), vec!["additionalProperties more", "required type"]),
        (with(with(parties.clone(), "/type", json!("x")), "/text", json!("x")), vec!["enum type"]),
        (with(parties.clone(), "/type", json!("card")), vec!["required cards"]),
        (with(parties.clone(), "/type", json!("text")), vec!["required text"]),
        (with(parties, "/type", json!("quickReply")), vec!["required quickReplies"]),
    ] {
        let answer = post(&emulator, &body).await.json();
        let details = answer["details"].as_array().unwrap().iter();
        let part = |detail: &Value, name: &str| detail[name].as_str().unwrap().to_owned();
        let mut told: Vec<String> = details
            .map(|detail| format!("{} {}", part(detail, "errorCode"), part(detail, "fieldName")))
            .collect();
        told.sort();
        assert_eq!(told, expected, "{body}");
    }
}

#[tokio::test]
async fn only_conversations_that_are_under_way_take_messages() {
    let ended = Conversation::new("ended").participant(Participant::new("p", "customer")).ended();
    let organization = Organization::sample().conversation(ended).conversation(Conversation::new("empty"));
    let emulator = builder().organization(organization).start().await.unwrap();
    for body in [text("x"), json!({})] {
        let unknown = request(&emulator, "POST", &path("unknown"), Some(&body)).await;
        assert_eq!(unknown.refusal(), (404, "not.found"));
        let ended = request(&emulator, "POST", &path("ended"), Some(&body)).await;
        assert_eq!(ended.refusal(), (409, "conversation.not.active"));
    }
    assert_eq!(request(&emulator, "GET", &path("unknown"), None).await.refusal(), (404, "not.found"));
    assert_eq!(request(&emulator, "GET", &path("ended"), None).await.json()["entities"], json!([]));
    // Where nobody is known to take part, anybody may.
    assert_eq!(request(&emulator, "POST", &path("empty"), Some(&text("x"))).await.status, 200);
    assert_eq!(emulator.messages("empty").len(), 1);
    assert!(emulator.messages("ended").is_empty() && emulator.messages("unknown").is_empty());
    let plain =
        Request::post(path("empty")).header(AUTHORIZATION, format!("Bearer {}", token(&emulator).await));
    let answer = send(&emulator, plain.body(Full::from("{}")).unwrap()).await;
    assert_eq!(answer.refusal(), (415, "unsupported.media.type"));
}

#[tokio::test]
async fn both_ends_take_part_and_have_not_left() {
    let seed = json!({"organization": {"conversations": [{
        "id": CONVERSATION,
        "participants": [
            {"id": "customer-participant-id-123", "purpose": "customer"},
            {"id": "bot-participant-id-456", "purpose": "agent"},
            {"id": "gone", "purpose": "agent", "endTime": "2026-01-05T09:10:00Z"},
        ],
    }]}});
    let emulator = builder().seed(StateSeed::from_json(&seed.to_string()).unwrap()).start().await.unwrap();
    for (to, from, fields) in [
        ("stranger", "bot-participant-id-456", &["/to/id"][..]),
        ("customer-participant-id-123", "gone", &["/from/id"]),
        ("gone", "stranger", &["/to/id", "/from/id"]),
    ] {
        let body = with(with(text("x"), "/to/id", json!(to)), "/from/id", json!(from));
        let answer = post(&emulator, &body).await;
        assert_eq!(answer.refusal(), (400, "constraint.validation"));
        let detail = |field| json!({"errorCode": "participant", "fieldName": field});
        let expected: Vec<Value> = fields.iter().map(detail).collect();
        assert_eq!(answer.json()["details"], json!(expected));
        assert!(!answer.text().contains("stranger"));
    }
    assert_eq!(post(&emulator, &text("x")).await.status, 200);
}
