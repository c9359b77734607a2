//! `webmessaging bots receipts` on a log.

use serde_json::{Value, json};
use webmessaging::journal::audit::AuditLog;
use webmessaging::journal::kind::{BotMessageFailed, BotMessageSent, MessageRead};
use webmessaging::journal::{EventKind, Journal};

use crate::kept::{AT, Kept};

fn sent(conversation: &str, message: &str) -> EventKind {
    BotMessageSent::new(conversation).message_id(message).message_type("text").into()
}

/// A log with these events, in the data directory.
async fn written(events: Vec<EventKind>) -> Kept {
    let kept = Kept::new();
    let log = AuditLog::builder(kept.path("data/audit")).open().unwrap();
    let journal = Journal::builder().durable("audit", log.clone()).build().unwrap();
    for kind in events {
        journal.record(|stamp| stamp.event(kind)).await.unwrap();
    }
    log.close().await.unwrap();
    kept
}

async fn example() -> Kept {
    written(vec![
        // It is faster than the answer to its message.
        MessageRead::new("c-2", "m-4").read_at(AT).into(),
        sent("c-1", "m-1"),
        sent("c-1", "m-2"),
        sent("c-1", "m-3"),
        sent("c-2", "m-4"),
        MessageRead::new("c-1", "m-2").participant_id("p-1").read_at(AT).into(),
        MessageRead::new("c-1", "m-1").read_at(AT).into(),
        MessageRead::new("c-1", "m-9").read_at(AT).into(),
        BotMessageFailed::new("c-1", "interrupted").message_id("r-1").maybe_sent(true).into(),
        BotMessageFailed::new("c-1", "invalid_input").message_id("r-2").maybe_sent(false).into(),
        sent("c 1", "m 1"),
        MessageRead::new("c 1", "m 1").into(),
    ])
    .await
}

#[tokio::test]
async fn receipts_are_matched_whichever_comes_first() {
    let kept = example().await;
    let receipts = kept.run(&["bots", "receipts", "--output", "json"]);
    assert_eq!((receipts.code, receipts.stderr.as_str()), (0, ""));
    let report = receipts.json();
    let messages: Vec<_> = report["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| (message["messageId"].as_str().unwrap(), message["readAt"].clone()))
        .collect();
    let at = json!(AT);
    // A receipt is about everything before it as well.
    let expected = [("m-1", at.clone()), ("m-2", at.clone()), ("m-3", Value::Null), ("m-4", at.clone())];
    assert_eq!(messages, expected);
    assert_eq!(report["unmatched"], json!([{"conversationId": "c-1", "messageId": "m-9", "readAt": at}]));
    assert_eq!(report["mayHaveArrived"].as_array().unwrap().len(), 1, "{report}");
    assert_eq!(report["mayHaveArrived"][0]["requestId"], "r-1");
    assert_eq!(report["withoutId"], 2, "ids that a log does not have are nobody's");
}

#[tokio::test]
async fn a_person_sees_what_was_read_and_what_is_a_riddle() {
    let kept = example().await;
    let folder = kept.path("data/audit");
    for place in ["--audit-dir", "--dir"] {
        let table = kept.run(&["bots", "receipts", place, &folder]);
        assert_eq!((table.code, table.stderr.as_str()), (0, ""));
        for text in [
            "not read",
            "4 sent, 3 of them read\n",
            "receipts for what this log does not have:\n",
            "m-9",
            "may have arrived, and nobody has found out:\n",
            "r-1",
            "records that do not say which message they are about: 2\n",
        ] {
            assert!(table.stdout.contains(text), "{text}\n{}", table.stdout);
        }
    }
    let empty = written(vec![MessageRead::new("c", "m").into()]).await;
    let table = empty.run(&["bots", "receipts"]);
    assert!(table.stdout.starts_with("the log has no message of a bot that was sent\n"), "{}", table.stdout);
    let nowhere = Kept::new().run(&["bots", "receipts"]);
    assert!(nowhere.code == 3 && nowhere.stderr.starts_with("error[not_found]: "), "{}", nowhere.stderr);
}
