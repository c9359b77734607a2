//! What the client lets through the emulator takes, and the other way round.

use std::cell::Cell;

use proptest::prelude::*;
use serde_json::{Value, json};
use webmessaging_bots::Message;
use webmessaging_http::{Client, Credentials, Encoder, Endpoint, RateLimitPolicy};
use webmessaging_model::Operation;

use crate::setup::{BOT, CUSTOMER, Setup};

/// A message as somebody else might send it, without any check.
struct Raw(Value);

impl Endpoint for Raw {
    type Answer = Value;

    fn operation(&self) -> &'static Operation {
        &webmessaging_bots::operations::SEND_MESSAGE
    }

    fn encode(&self, request: Encoder) -> Encoder {
        request.path("conversationId", "c-0").json(&self.0)
    }
}

fn message() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        Just(String::new()),
        "[a-z ]{0,5}x",
        "[a-z]{1,5}",
        Just("€".repeat(4_096)),
        Just("x".repeat(4_097))
    ];
    let card = prop_oneof![
        Just(json!({"title": "a"})),
        Just(json!({"title": "", "x": 1})),
        Just(json!({"title": "x".repeat(257)})),
        Just(json!({"x": 1})),
        Just(json!(3)),
    ];
    let reply = prop_oneof![
        Just(json!({"label": "a", "payload": "b"})),
        Just(json!({"label": "x".repeat(81), "payload": "b"})),
        Just(json!({"label": "a"})),
        Just(json!({"label": "a", "payload": "b", "more": 1})),
        Just(json!({"label": "a", "payload": "y".repeat(1_025)})),
    ];
    let kind = prop_oneof![16 => Just("text"), 8 => Just("card"), 8 => Just("quickReply"), 1 => Just("Text")];
    let some = |strategy: BoxedStrategy<Value>| proptest::option::weighted(0.6, strategy);
    (
        kind,
        some(text.prop_map(Value::from).boxed()),
        some(proptest::collection::vec(card, 0..12).prop_map(Value::from).boxed()),
        some(proptest::collection::vec(reply, 0..15).prop_map(Value::from).boxed()),
        proptest::bool::weighted(0.1),
    )
        .prop_map(|(kind, text, cards, replies, extra)| {
            let mut message = json!({"to": {"id": CUSTOMER}, "from": {"id": BOT}, "type": kind});
            // Mostly what belongs to the type, so that some pass.
            let keep = |name: &str| text_of(kind) == name;
            for (name, value) in [("text", text), ("cards", cards), ("quickReplies", replies)] {
                if let Some(value) =
                    value.filter(|value| keep(name) || value.as_array().is_some_and(Vec::is_empty))
                {
                    message[name] = value;
                }
            }
            if extra {
                message["extra"] = json!(1);
            }
            message
        })
}

fn text_of(kind: &str) -> &'static str {
    match kind {
        "card" => "cards",
        "quickReply" => "quickReplies",
        _ => "text",
    }
}

#[test]
fn client_and_emulator_agree() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let setup = runtime.block_on(Setup::new(1));
    let http =
        Client::builder(Credentials::new("demo-client", "demo-secret")).base_url(setup.emulator.base_url());
    let http = http.rate_limit(RateLimitPolicy::default().requests(1_000_000)).build().unwrap();
    let (taken, refused) = (Cell::new(0), Cell::new(0));
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) };
    proptest::test_runner::TestRunner::new(config)
        .run(&message(), |message| {
            let ours = Message::from_value(&message).is_ok();
            let theirs = runtime.block_on(http.send(&Raw(message.clone())));
            if let Err(error) = &theirs {
                prop_assert_eq!(error.status().map(|status| status.as_u16()), Some(400), "{}", error);
            }
            prop_assert_eq!(ours, theirs.is_ok(), "{}", message);
            let count = if ours { &taken } else { &refused };
            count.set(count.get() + 1);
            Ok(())
        })
        .unwrap();
    let (taken, refused) = (taken.get(), refused.get());
    assert!(taken > 10 && refused > 50, "{taken} were taken, {refused} refused");
}
