//! `webmessaging bots receipts`: which of the messages that a log has were read, and receipts that match none of them.

mod matched;
mod records;

use serde_json::{Value, json};
use webmessaging::journal::audit::{Selection, export};
use webmessaging::model::Timestamp;

use self::matched::{Matched, Message};
use self::records::Records;
use crate::args::bots::ReceiptsArgs;
use crate::commands::audit;
use crate::failure::{Exit, Failure, Local};
use crate::output::{Output, table};

pub(super) fn run(args: &ReceiptsArgs, output: Output) -> Result<Exit, Failure> {
    let folder = audit::folder(&args.place)?;
    let mut records = Records::default();
    export(&folder, &Selection::all(), &mut records)
        .map_err(|error| Local::from(error).about(folder.display().to_string()))?;
    let (without_id, matched) = (records.without_id, Matched::of(records.happened));
    output.result(&to_json(&matched, without_id), || to_text(&matched, without_id))?;
    Ok(Exit::Success)
}

fn to_json(matched: &Matched, without_id: u64) -> Value {
    let messages: Vec<_> = matched
        .messages
        .iter()
        .map(|message| {
            json!({
                "conversationId": message.conversation, "messageId": message.id, "type": message.kind,
                "sentAt": message.at, "readAt": message.read_at,
            })
        })
        .collect();
    let unmatched: Vec<_> = matched
        .unmatched
        .iter()
        .map(|receipt| {
            json!({"conversationId": receipt.conversation, "messageId": receipt.message, "readAt": receipt.at})
        })
        .collect();
    let uncertain: Vec<_> = matched
        .uncertain
        .iter()
        .map(|message| json!({"conversationId": message.conversation, "requestId": message.id, "at": message.at}))
        .collect();
    json!({
        "ok": true, "messages": messages, "unmatched": unmatched, "mayHaveArrived": uncertain,
        "withoutId": without_id,
    })
}

fn to_text(matched: &Matched, without_id: u64) -> String {
    let time = |at: Option<Timestamp>, none: &str| at.map_or_else(|| none.to_owned(), |at| at.to_string());
    let ids = |message: &Message| [message.conversation.to_string(), message.id.to_string()];
    let mut parts = Vec::new();
    if matched.messages.is_empty() {
        parts.push("the log has no message of a bot that was sent".to_owned());
    } else {
        let rows = matched.messages.iter().map(|message| {
            let [conversation, id] = ids(message);
            vec![conversation, id, message.at.to_string(), time(message.read_at, "not read")]
        });
        parts.push(table(&["conversation", "message", "sent at", "read at"], rows));
    }
    let read = matched.messages.iter().filter(|message| message.read_at.is_some()).count();
    parts.push(format!("{} sent, {read} of them read", matched.messages.len()));
    if !matched.unmatched.is_empty() {
        let rows = matched.unmatched.iter().map(|receipt| {
            vec![receipt.conversation.to_string(), receipt.message.to_string(), time(receipt.at, "-")]
        });
        let receipts = table(&["conversation", "message", "read at"], rows);
        parts.push(format!("\nreceipts for what this log does not have:\n{receipts}"));
    }
    if !matched.uncertain.is_empty() {
        let rows = matched.uncertain.iter().map(|message| {
            let [conversation, id] = ids(message);
            vec![conversation, id, message.at.to_string()]
        });
        let messages = table(&["conversation", "request", "at"], rows);
        parts.push(format!("\nmay have arrived, and nobody has found out:\n{messages}"));
    }
    if without_id > 0 {
        parts.push(format!("\nrecords that do not say which message they are about: {without_id}"));
    }
    parts.join("\n")
}
