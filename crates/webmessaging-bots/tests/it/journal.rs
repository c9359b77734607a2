//! What is told of messages, and what is not.

use std::sync::{Arc, Mutex};

use webmessaging_bots::{CreateWebhook, Reason, Receipts, Sender};
use webmessaging_emulator::{Fault, Route};
use webmessaging_http::ErrorKind;
use webmessaging_journal::kind::MessageRead;
use webmessaging_journal::{Event, EventKind, Journal, Recorded, Sink};

use crate::setup::{Setup, text};

#[derive(Debug, Clone, Default)]
struct Kept(Arc<Mutex<Vec<Event>>>);

impl Sink for Kept {
    fn record<'a>(&'a self, event: &'a Event) -> Recorded<'a> {
        self.0.lock().unwrap().push(event.clone());
        Box::pin(async { Ok(()) })
    }
}

impl Kept {
    fn journal(&self) -> Journal {
        Journal::builder().durable("kept", self.clone()).build().unwrap()
    }

    fn events(&self) -> Vec<Event> {
        self.0.lock().unwrap().clone()
    }
}

#[tokio::test]
async fn a_message_is_on_record_with_the_digest_of_its_bytes_and_without_them() {
    let setup = Setup::new(1).await;
    let kept = Kept::default();
    let bots = setup.bots.clone().journal(kept.journal()).crm_target("crm");
    let sent = bots.send("c-0", &text("swordfish")).await.unwrap();
    bots.send("c-0", &text("<b>swordfish")).await.unwrap_err();
    let events = kept.events();
    let EventKind::BotMessageSent(event) = &events[0].kind else { panic!("{:?}", events[0]) };
    assert_eq!(event.message_id.as_ref(), Some(&sent.message_id));
    assert_eq!((event.message_type.as_deref(), event.crm_target.as_deref()), (Some("text"), Some("crm")));
    assert_eq!(events[0].facts.payload_sha256, Some(sent.sha256));
    let EventKind::BotMessageFailed(event) = &events[1].kind else { panic!("{:?}", events[1]) };
    assert_eq!((event.cause.as_str(), event.maybe_sent), ("invalid_input", Some(false)));
    let written = events.iter().map(|event| format!("{event:?}{}", serde_json::to_string(event).unwrap()));
    assert!(!written.collect::<String>().contains("swordfish"));
}

#[tokio::test]
async fn of_a_message_that_took_several_rounds_only_its_end_is_on_record() {
    let setup = Setup::new(1).await;
    let (kept, receipts) = (Kept::default(), Receipts::new());
    let bots = setup.bots.clone().journal(kept.journal()).receipts(receipts.clone());
    setup.emulator.inject(Route::SendMessage, Fault::status(500));
    setup.emulator.inject(Route::SendMessage, Fault::drop_after());
    let delivered = Sender::new(bots).send("c-0", text("hi")).await.unwrap();
    let events = kept.events();
    assert_eq!(events.len(), 1, "{events:?}");
    assert!(matches!(&events[0].kind, EventKind::BotMessageSent(_)));
    assert_eq!(events[0].facts.payload_sha256, Some(delivered.sha256));
    assert_eq!(receipts.unread(&"c-0".into()), [delivered.message_id]);
}

#[derive(Debug)]
struct Full;

impl Sink for Full {
    fn record<'a>(&'a self, _: &'a Event) -> Recorded<'a> {
        let full = webmessaging_journal::Error::new(webmessaging_journal::ErrorKind::Io, "the disk is full");
        Box::pin(async { Err(full) })
    }
}

#[tokio::test]
async fn one_that_arrived_and_could_not_be_recorded_says_so_and_is_not_sent_again() {
    let setup = Setup::new(1).await;
    let bots = setup.bots.clone().journal(Journal::builder().durable("full", Full).build().unwrap());
    let error = bots.send("c-0", &text("1")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotRecorded);
    assert_eq!(error.subject(), Some(&*setup.emulator.messages("c-0")[0].id));
    let sender = Sender::new(bots);
    let undelivered = sender.send("c-0", text("2")).await.unwrap_err();
    assert_eq!(undelivered.reason, Reason::NotRecorded);
    assert!(!undelivered.can_repeat());
    setup.emulator.inject(Route::SendMessage, Fault::drop_after());
    assert_eq!(sender.send("c-0", text("3")).await.unwrap_err().reason, Reason::NotRecorded);
    assert_eq!(setup.texts("c-0"), ["1", "2", "3"]);
}

#[tokio::test]
async fn receipts_come_by_webhook_and_journal_and_are_told_once() {
    let setup = Setup::new(1).await;
    let kept = Kept::default();
    let receipts = Receipts::new();
    let bots = setup.bots.clone().journal(kept.journal()).receipts(receipts.clone());
    let webhook = CreateWebhook::new("https://receiver.example/webhooks/genesys");
    let first = bots.register_read_webhook(webhook.clone()).await.unwrap();
    assert!(first.id.is_some() && !first.existed);
    assert!(bots.register_read_webhook(webhook).await.unwrap().existed);
    assert!(matches!(&kept.events()[0].kind, EventKind::WebhookRegistered(_)));

    let sent = bots.send("c-0", &text("1")).await.unwrap();
    let heard = Journal::builder().durable("receipts", receipts.clone()).build().unwrap();
    let read = MessageRead::new("c-0", sent.message_id.clone());
    heard.record(|stamp| stamp.event(read)).await.unwrap();
    assert!(receipts.unread(&"c-0".into()).is_empty());
    assert_eq!(receipts.take_late(), [("c-0".into(), vec![sent.message_id])]);
    assert!(receipts.take_late().is_empty() && receipts.unmatched().is_empty());
}
