//! Messages of a bot: in order, refused with markup, found again when an answer is lost, told to a CRM later, and read.

use std::time::Duration;

use serde_json::{Map, Value, json};
use webmessaging::bots::{Card, Message, QuickReply, Receipts, Sender, Undelivered};
use webmessaging::model::{ConversationId, MessageId};
use webmessaging::webhooks::event::CONVERSATION_PARTICIPATED_READ;
use webmessaging::{Client, Error};
use webmessaging_emulator::{BotMessage, Emulator, Fault, Route};

use crate::demo::Report;
use crate::demo::durable::Durable;
use crate::failure::Failure;

/// The conversation of the embedded platform, and who takes part in it.
const CONVERSATION: &str = "conversation-id-789";
const CUSTOMER: &str = "customer-participant-id-123";
const BOT: &str = "bot-participant-id-456";

/// The embedded platform is here: what has not arrived by then never will.
const SETTLE: Duration = Duration::from_millis(50);

/// So many messages arrive, and a CRM is told of each.
const MESSAGES: usize = 4;

/// What happened to messages; the platform tells of one receipt.
pub(crate) async fn show(emulator: &Emulator, client: &Client, durable: &Durable) -> Result<Report, Failure> {
    let receipts = durable.receipts();
    let bots = client.bots().journal(durable.told_journal()).receipts(receipts.clone());
    let sender = Sender::builder(bots).settle(SETTLE).build();
    let mut steps = Vec::new();
    let mut ok = true;
    let mut step = |name: &str, is_expected: bool, outcome: String| {
        ok &= is_expected;
        steps.push((name.to_owned(), outcome));
    };

    let script = Message::text(CUSTOMER, BOT, "<script>alert(1)</script>");
    let before = emulator.requests().len();
    let refused = sender.send(CONVERSATION, script).await.err();
    let is_nothing_sent = emulator.requests().len() == before;
    let why = refused.as_ref().map_or_else(|| "sent".to_owned(), violations);
    step("a script in a text", is_nothing_sent && refused.is_some(), format!("{why}; nothing was sent"));

    // All at once, and the CRM is down.
    let mut tickets = Vec::new();
    for message in messages() {
        tickets.push(sender.enqueue(CONVERSATION, message).await.map_err(failed)?);
    }
    let mut sent = Vec::new();
    for ticket in tickets {
        sent.push(ticket.await.map_err(failed)?.message_id);
    }
    let (types, arrived) = arrived(emulator);
    let is_in_order = types == ["text", "card", "quickReply"] && arrived == ids(&sent);
    step(
        "a text, a card, quick replies",
        is_in_order,
        format!("arrived in this order: {}", types.join(", ")),
    );

    emulator.inject(Route::SendMessage, Fault::drop_after());
    let lost = sender.send(CONVERSATION, Message::text(CUSTOMER, BOT, "Your parcel is on its way.")).await;
    let lost = lost.map_err(failed)?;
    let (requests, (_, arrived)) = (emulator.count(Route::SendMessage), self::arrived(emulator));
    sent.push(lost.message_id.clone());
    let is_once = lost.facts.is_none() && requests == MESSAGES && arrived == ids(&sent);
    let outcome = if is_once {
        "found again in its conversation, and not sent twice".to_owned()
    } else {
        format!("{requests} requests, and {} messages arrived", arrived.len())
    };
    step("an answer is lost", is_once, outcome);

    // Also of the one that was refused, under the id that its request would have had.
    let all: Vec<_> = refused.iter().map(|refused| refused.request_id.clone()).chain(ids(&sent)).collect();
    let told = durable.tell_of_messages(all.len()).await;
    let is_told = told.of == all && told.busy > 0 && told.repeated == 0;
    let outcome = format!(
        "answered 503 while {MESSAGES} messages went out, told of {} later, each once",
        told.of.len()
    );
    step("a CRM is down", is_told, outcome);

    let unread = |receipts: &Receipts| receipts.unread(&ConversationId::new(CONVERSATION)).len();
    let before = unread(&receipts);
    let read = json!({"conversationId": CONVERSATION, "participantId": CUSTOMER, "messageId": sent.get(2)});
    let event = emulator.send_event(CONVERSATION_PARTICIPATED_READ, read);
    event.map_err(|error| Failure::internal("the embedded platform sent no event", error))?;
    durable.until(|_| unread(&receipts) < before).await;
    let (after, unmatched) = (unread(&receipts), receipts.unmatched().len());
    let is_matched = (before, after, unmatched) == (MESSAGES, 1, 0);
    let outcome = format!("of {before} messages {} are read now: up to the third", before - after);
    step("a read receipt", is_matched, outcome);

    let figures: [(&str, Value); 6] = [
        ("sent", sent.len().into()),
        ("requests", requests.into()),
        ("refused", u8::from(refused.is_some()).into()),
        ("foundAgain", u8::from(lost.facts.is_none()).into()),
        ("toldLater", told.of.len().into()),
        ("read", (before - after).into()),
    ];
    let figures: Map<_, _> = figures.map(|(name, value)| (name.to_owned(), value)).into_iter().collect();
    Ok(Report { system: "bots", ok, figures, steps })
}

fn messages() -> [Message; 3] {
    let shoes = Card::new("Blue shoes").description("Size 42").image("https://shop.example/shoes.png");
    let replies = [QuickReply::new("Yes", "yes"), QuickReply::new("No", "no")];
    [
        Message::text(CUSTOMER, BOT, "Good morning. I <3 shoes, if a < b"),
        Message::cards(CUSTOMER, BOT, [shoes]),
        Message::quick_replies(CUSTOMER, BOT, replies),
    ]
}

/// The types and the ids of what has arrived, as the platform has them.
fn arrived(emulator: &Emulator) -> (Vec<String>, Vec<String>) {
    let of = |message: &BotMessage| {
        let kind = message.body.get("type").and_then(Value::as_str).unwrap_or_default();
        (kind.to_owned(), message.id.clone())
    };
    emulator.messages(CONVERSATION).iter().map(of).unzip()
}

fn ids(messages: &[MessageId]) -> Vec<String> {
    messages.iter().map(ToString::to_string).collect()
}

fn violations(undelivered: &Undelivered) -> String {
    let violations = undelivered.error.as_ref().and_then(Error::violations);
    violations.map(ToString::to_string).unwrap_or_default()
}

fn failed(undelivered: Undelivered) -> Failure {
    Failure::internal("a message was not sent", undelivered)
}
