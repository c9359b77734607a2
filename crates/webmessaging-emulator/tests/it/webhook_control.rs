//! Deliveries, tampers and events over the wire.

use http::Request;
use http::header::CONTENT_TYPE;
use http_body_util::Full;
use serde_json::{Value, json};
use webmessaging_emulator::{Emulator, Tamper};

use crate::client::{Answer, builder, send, start};
use crate::control::{call, get};
use crate::receiver::{
    PLATFORM_WEBHOOKS, Receiver, Reply, attempted, ended, platform_webhook, register, send_update,
};

async fn subscribed(replies: impl IntoIterator<Item = Reply>) -> (Emulator, Receiver) {
    let emulator = start().await;
    let receiver = Receiver::start(replies).await;
    register(&emulator, PLATFORM_WEBHOOKS, &platform_webhook(&receiver.url())).await;
    (emulator, receiver)
}

async fn post(emulator: &Emulator, path: &str, body: Value) -> Answer {
    call(emulator, "POST", path, Some(&body)).await
}

#[tokio::test]
async fn an_event_from_outside_is_delivered_and_its_delivery_can_be_looked_up() {
    let (emulator, receiver) = subscribed([Reply::Status(503)]).await;
    send_update(&emulator, 1);
    attempted(&emulator, 1).await;
    let event = json!({ "eventType": "channel.updated", "data": { "channelType": "webchat", "number": 2 } });
    let sent = post(&emulator, "events", event).await;
    assert_eq!(sent.status, 202);
    let id = sent.json()["eventId"].as_str().unwrap().to_owned();
    assert_eq!(sent.json().as_object().unwrap().len(), 1);
    let arrived = receiver.nth(2).await;
    assert_eq!((arrived.header("x-genesys-event-id"), &arrived.json()["data"]["number"]), (&*id, &json!(2)));
    emulator.clock().advance(std::time::Duration::from_secs(5));
    ended(&emulator).await;

    let shown = get(&emulator, &format!("deliveries?eventId={id}")).await;
    let webhook = emulator.state().webhooks.remove(0);
    let delivery = &shown["deliveries"][0];
    assert_eq!(
        shown,
        json!({
            "deliveries": [{
                "number": 2,
                "eventId": id,
                "eventType": "channel.updated",
                "webhookId": webhook.id,
                "webhookName": "channels",
                "attempts": [{ "at": delivery["attempts"][0]["at"], "result": { "answered": 200 } }],
                "outcome": "delivered",
            }],
            "nextAfter": null,
        })
    );
    assert!(delivery["attempts"][0]["at"].as_str().unwrap().ends_with('Z'));
}

#[tokio::test]
async fn deliveries_come_in_pages() {
    let (emulator, _receiver) = subscribed([]).await;
    assert_eq!(get(&emulator, "deliveries").await, json!({ "deliveries": [], "nextAfter": null }));
    for number in 1..=103 {
        send_update(&emulator, number);
    }
    ended(&emulator).await;
    let page = async |query: &str| {
        let page = get(&emulator, &format!("deliveries{query}")).await;
        let numbers =
            page["deliveries"].as_array().unwrap().iter().map(|delivery| delivery["number"].as_u64());
        let numbers: Vec<u64> = numbers.map(Option::unwrap).collect();
        (numbers, page["nextAfter"].clone())
    };
    assert_eq!(page("").await, ((1..=100).collect(), json!(100)));
    assert_eq!(page("?after=100").await, (vec![101, 102, 103], Value::Null));
    assert_eq!(page("?limit=2&after=101").await, (vec![102, 103], Value::Null));
    assert_eq!(page("?limit=2&after=100").await, (vec![101, 102], json!(102)));
    assert_eq!(page("?eventId=none").await, (vec![], Value::Null));
    for (query, message) in [
        ("limit=1001", "limit must be a whole number from 1 to 1000"),
        ("after=x", "after must be the number of an entry"),
        ("route=token", "the query may have eventId, after and limit"),
    ] {
        let refused = call(&emulator, "GET", &format!("deliveries?{query}"), None).await;
        assert_eq!(refused.refusal(), (400, "invalid.query.param.value"), "{query}");
        assert_eq!(refused.json()["message"], message);
    }
    // Numbers go on behind what a reset forgets.
    emulator.reset();
    assert_eq!(page("").await, (vec![], Value::Null));
    register(&emulator, PLATFORM_WEBHOOKS, &platform_webhook("https://hooks.example/")).await;
    send_update(&emulator, 1);
    assert_eq!(page("").await, (vec![104], Value::Null));
}

#[tokio::test]
async fn each_tamper_has_a_name() {
    let names = ["duplicate", "out-of-order", "wrong-signature", "unsigned"];
    let emulator = start().await;
    for name in names {
        assert_eq!(post(&emulator, "tamper", json!({ "next": name })).await.status, 204);
    }
    let from_outside = emulator.state().deliveries.tampers;
    assert_eq!(from_outside, names);
    emulator.reset();
    for tamper in [Tamper::Duplicate, Tamper::OutOfOrder, Tamper::WrongSignature, Tamper::Unsigned] {
        emulator.tamper(tamper);
    }
    assert_eq!(emulator.state().deliveries.tampers, from_outside);
}

#[tokio::test]
async fn a_tamper_from_outside_acts_on_the_next_event() {
    let (emulator, receiver) = subscribed([]).await;
    post(&emulator, "tamper", json!({ "next": "duplicate" })).await;
    send_update(&emulator, 1);
    send_update(&emulator, 2);
    ended(&emulator).await;
    let numbers: Vec<_> =
        receiver.received().iter().map(|event| event.json()["data"]["number"].clone()).collect();
    assert_eq!(numbers, [1, 1, 2]);
}

#[tokio::test]
async fn no_more_than_a_thousand_tampers_are_taken_from_outside() {
    let emulator = start().await;
    for _ in 0..999 {
        emulator.tamper(Tamper::Unsigned);
    }
    assert_eq!(post(&emulator, "tamper", json!({ "next": "unsigned" })).await.status, 204);
    let refused = post(&emulator, "tamper", json!({ "next": "unsigned" })).await;
    assert_eq!(refused.refusal(), (409, "emulator.tampers.too.many"));
    assert_eq!(emulator.state().deliveries.tampers.len(), 1_000);
}

#[tokio::test]
async fn bad_bodies_are_told_what_is_allowed_and_do_nothing() {
    let (emulator, receiver) = subscribed([]).await;
    let tampers = "duplicate, out-of-order, wrong-signature, unsigned";
    let types = "letters and digits between single dots, colons, hyphens and underscores, 128 bytes at most";
    for (path, body, expected) in [
        ("tamper", json!({}), format!("next: is missing; must be one of {tampers}")),
        (
            "tamper",
            json!({ "next": "duplicat" }),
            format!("next: must be one of {tampers} (did you mean `duplicate`?)"),
        ),
        (
            "tamper",
            json!({ "next": "unsigned", "nxt": 1 }),
            "nxt: unknown key (did you mean `next`?); allowed here: next".to_owned(),
        ),
        ("tamper", json!([]), "must be a table of keys and values".to_owned()),
        ("events", json!({ "data": {} }), format!("eventType: is missing; must be {types}")),
        ("events", json!({ "eventType": "a b", "data": {} }), format!("eventType: must be {types}")),
        (
            "events",
            json!({ "eventType": "a" }),
            "data: is missing; must be a table of keys and values".to_owned(),
        ),
        (
            "events",
            json!({ "eventType": "a", "data": [1] }),
            "data: must be a table of keys and values".to_owned(),
        ),
        (
            "events",
            json!({ "eventType": "webchat.fileTransfer.statusChange", "data": { "a": "x".repeat(511_993) } }),
            "data: makes the event 512001 bytes long, more than 512000".to_owned(),
        ),
    ] {
        let refused = post(&emulator, path, body).await;
        assert_eq!(refused.refusal(), (400, "emulator.document.invalid"), "{expected}");
        assert_eq!(refused.json()["message"], expected);
    }
    for path in ["tamper", "events"] {
        let text = Request::post(format!("/__emulator/{path}")).header(CONTENT_TYPE, "text/plain");
        let refused = send(&emulator, text.body(Full::from("{}")).unwrap()).await;
        assert_eq!(refused.refusal(), (415, "unsupported.media.type"), "{path}");
    }
    assert_eq!((emulator.deliveries().len(), receiver.count()), (0, 0));
    assert!(emulator.state().deliveries.tampers.is_empty());
}

#[tokio::test]
async fn events_need_nobody_who_wants_them() {
    let emulator = builder().start().await.unwrap();
    let sent = post(&emulator, "events", json!({ "eventType": "a.b", "data": {} })).await;
    assert_eq!(sent.status, 202);
    assert!(emulator.deliveries().is_empty());
}
