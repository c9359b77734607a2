//! Messages: what each type has a place for, and its limits.

use proptest::prelude::*;
use serde_json::{Value, json};
use webmessaging_bots::{Card, Message, QuickReply, SendMessage};
use webmessaging_model::{Code, limits};

use crate::setup::{BOT, CUSTOMER, text};

fn broken(message: &Message) -> Vec<(String, Code)> {
    let Err(violations) = message.validate() else { return Vec::new() };
    violations.iter().map(|violation| (violation.path.to_string(), violation.code)).collect()
}

#[track_caller]
fn check(message: &Message, expected: &[(&str, Code)]) {
    let expected: Vec<_> = expected.iter().map(|(path, code)| ((*path).to_owned(), *code)).collect();
    assert_eq!(broken(message), expected);
}

#[test]
fn texts_are_bounded_in_characters() {
    check(&text("a"), &[]);
    check(&text("€".repeat(4_096)), &[]);
    check(&text("€".repeat(4_097)), &[("text", Code::TooLong)]);
    check(&text(""), &[("text", Code::Required)]);
    check(&text(" \n\u{3000}\u{200b}\u{0}"), &[("text", Code::Required)]);
    check(&text("a <b>c</b>"), &[("text", Code::Markup)]);
    // What is too long is not looked through.
    check(&text("<b>".repeat(4_096)), &[("text", Code::TooLong)]);
    let violations = text("x".repeat(4_097)).validate().unwrap_err();
    assert_eq!(violations.to_string(), "text is too long: 4097 characters, at most 4096 characters");
}

#[test]
fn every_text_of_a_card_is_looked_at() {
    let card = Card::new("Shoes").description("a < b").image("https://shop.example/a.png");
    check(&Message::cards(CUSTOMER, BOT, [card]), &[]);
    check(&Message::cards(CUSTOMER, BOT, []), &[("cards", Code::Required)]);
    check(&Message::cards(CUSTOMER, BOT, vec![Card::new("a"); 10]), &[]);
    check(&Message::cards(CUSTOMER, BOT, vec![Card::new("a"); 11]), &[("cards", Code::TooLarge)]);
    let odd = Card::new("<i>")
        .description("<script>")
        .image("http://shop.example/a.png")
        .field("actions", json!([{"label": "<b>", "url": "javascript:alert(1)", "price": 3, "n": null}]))
        .field("note", json!(["x".repeat(4_097), "javascript:alert(1)", "", "see: this"]))
        .field("images", json!(["no url"]))
        .field("your PIN is 1234", "<b>")
        .field("title", "another");
    check(
        &Message::cards(CUSTOMER, BOT, [Card::new(""), odd]),
        &[
            ("cards[0].title", Code::Required),
            ("cards[1].title", Code::Markup),
            ("cards[1].actions[0].label", Code::Markup),
            ("cards[1].actions[0].url", Code::NotAllowed),
            ("cards[1].description", Code::Markup),
            ("cards[1].image", Code::NotAllowed),
            ("cards[1].images[0]", Code::NotAllowed),
            ("cards[1].note[0]", Code::TooLong),
            ("cards[1].note[1]", Code::NotAllowed),
            ("cards[1].*", Code::Markup),
        ],
    );
}

#[test]
fn quick_replies_have_a_label_and_a_payload() {
    let replies = |replies: &[QuickReply]| Message::quick_replies(CUSTOMER, BOT, replies.to_vec());
    check(&replies(&[QuickReply::new("Yes", "<yes>")]), &[]);
    check(&replies(&[]), &[("quickReplies", Code::Required)]);
    check(&replies(&vec![QuickReply::new("a", "b"); 14]), &[("quickReplies", Code::TooLarge)]);
    check(
        &replies(&[QuickReply::new("<b>", ""), QuickReply::new("x".repeat(81), "y".repeat(1_025))]),
        &[
            ("quickReplies[0].label", Code::Markup),
            ("quickReplies[0].payload", Code::Required),
            ("quickReplies[1].label", Code::TooLong),
            ("quickReplies[1].payload", Code::TooLong),
        ],
    );
}

#[test]
fn participants_are_needed() {
    check(
        &Message::text("", "x".repeat(256), "hi"),
        &[("to.id", Code::Required), ("from.id", Code::TooLong)],
    );
}

#[test]
fn json_is_read_strictly_and_every_violation_is_told() {
    let read = |value: Value| {
        let found = Message::from_json(value.to_string().as_bytes());
        found.map_err(|violations| violations.to_string())
    };
    let good = json!({"to": {"id": "a"}, "from": {"id": "b"}, "type": "text", "text": "hi"});
    assert_eq!(read(good).unwrap(), Message::text("a", "b", "hi"));
    let card = json!({"to": {"id": "a"}, "from": {"id": "b"}, "type": "card", "cards": [{"title": "t", "x": {"y": 1}}]});
    assert_eq!(read(card.clone()).map(|message| json!(message)).unwrap(), card);
    assert_eq!(read(json!([])).unwrap_err(), " is malformed");
    assert_eq!(
        read(json!({"extra": 1, "a\nb": 2, "to": 3, "from": {"id": 4, "name": "x"}, "type": "Text"}))
            .unwrap_err(),
        "* is not allowed; extra is not allowed; to is malformed; from.name is not allowed; from.id is malformed; \
         type is not allowed: allowed are text, card, quickReply"
    );
    assert_eq!(
        read(json!({"to": {"id": "a"}, "from": {}, "type": "text", "cards": [], "quickReplies": 1}))
            .unwrap_err(),
        "from.id is required; cards is not allowed; quickReplies is not allowed; text is required"
    );
    assert_eq!(
        read(json!({"to": {"id": "a"}, "from": {"id": "b"}, "type": "card", "cards": [{"x": 1}, {"title": "<b>"}, 3]})).unwrap_err(),
        "cards[0].title is required; cards[1].title has markup or a script in it: at character 1; cards[2] is malformed"
    );
    assert_eq!(
        read(json!({"from": {"id": "b"}, "type": "text", "text": "<b>"})).unwrap_err(),
        "to.id is required; text has markup or a script in it: at character 1"
    );
    assert_eq!(
        read(json!({"to": {"id": ""}, "from": {"id": "b"}, "type": "quickReply", "quickReplies": [{"label": "<b>", "payload": "p"}]})).unwrap_err(),
        "to.id is required; quickReplies[0].label has markup or a script in it: at character 1"
    );
    assert_eq!(Message::from_json(b"<html>").unwrap_err().as_slice()[0].rule, "bot_message.json");
}

#[test]
fn nothing_that_is_said_is_in_debug_output() {
    let secret = "swordfish";
    for message in [
        text(secret),
        Message::cards(CUSTOMER, BOT, [Card::new(secret).description(secret)]),
        Message::quick_replies(CUSTOMER, BOT, [QuickReply::new(secret, secret)]),
    ] {
        let request = SendMessage::new("c-0", "r-1", &message);
        let shown = format!("{message:?} {:?} {request:?}", message.content());
        assert!(!shown.contains(secret), "{shown}");
    }
}

proptest! {
    /// Exactly at the limit, whatever the characters weigh.
    #[test]
    fn the_bound_of_a_text_counts_characters(c in prop_oneof![Just('a'), Just('é'), Just('€'), Just('🎉')], over in 0..3_usize) {
        let max = usize::try_from(limits::BOT_TEXT_CHARACTERS_MAX.value).unwrap();
        let found = broken(&text(c.to_string().repeat(max - 1 + over)));
        let expected = if over > 1 { vec![("text".to_owned(), Code::TooLong)] } else { vec![] };
        prop_assert_eq!(found, expected);
    }

    /// What is read is what was written.
    #[test]
    fn messages_survive_json(to in "[a-z]{1,9}", words in "[aé€🎉][^<&%:=]{0,80}") {
        for message in [
            Message::text(&*to, BOT, &*words),
            Message::cards(&*to, BOT, [Card::new(&*words).field("more", json!([1, words]))]),
        ] {
            let read = Message::from_json(&serde_json::to_vec(&message).unwrap()).unwrap();
            prop_assert_eq!(read, message);
        }
    }
}
