//! `webmessaging dead-letters show`: one letter, with its content and what it was before.

use serde_json::{Value, json};
use webmessaging::store::{DeadLetterContent, Edit};

use super::to_json;
use crate::args::outbox::DeadLetterShowArgs;
use crate::data_dir;
use crate::failure::{Exit, Failure, Local};
use crate::output::{Output, printable, table};

pub(super) async fn run(args: DeadLetterShowArgs, output: Output) -> Result<Exit, Failure> {
    let store = data_dir::existing_store(&args.store).await?;
    let found = store.dead_letter(args.id).await;
    let content = found.map_err(|error| Local::from(error).about(args.id.to_string()))?;
    output.result(&report(&content), || to_text(&content))?;
    Ok(Exit::Success)
}

fn report(content: &DeadLetterContent) -> Value {
    let edit = |edit: &Edit| {
        json!({
            "replacedAt": edit.replaced_at,
            "key": edit.idempotency_key,
            "payloadText": exact(&edit.payload),
            "payloadBytes": edit.payload.len(),
        })
    };
    let mut report = to_json(&content.letter);
    if let Value::Object(fields) = &mut report {
        let more = [
            ("ok", true.into()),
            ("payload", serde_json::from_slice(&content.payload).unwrap_or_default()),
            ("payloadText", exact(&content.payload)),
            ("payloadBytes", content.payload.len().into()),
            ("history", content.history.iter().map(edit).collect()),
        ];
        fields.extend(more.map(|(name, value)| (name.to_owned(), value)));
    }
    report
}

/// The bytes as they are, to be edited; nothing where they are no text.
fn exact(payload: &[u8]) -> Value {
    std::str::from_utf8(payload).map_or(Value::Null, Value::from)
}

fn to_text(content: &DeadLetterContent) -> String {
    let letter = &content.letter;
    let row = |name: &str, value: String| vec![name.to_owned(), value];
    let mut rows = vec![
        row("target", letter.target.clone()),
        row("lane", letter.lane.clone().unwrap_or_else(|| "-".to_owned())),
        row("kind", letter.kind.clone()),
        row("key", letter.key.clone()),
        row("attempts", letter.attempts.to_string()),
        row("reason", letter.reason.clone()),
        row("created at", letter.created_at.to_string()),
        row("given up at", letter.buried_at.to_string()),
    ];
    if let Some(dropped) = &letter.dropped {
        rows.push(row("dropped at", dropped.at.to_string()));
        rows.push(row("note", dropped.note.clone()));
    }
    let mut text = table(&["dead letter", &letter.id.to_string()], rows);
    if !content.history.is_empty() {
        let row = |edit: &Edit| {
            vec![
                edit.replaced_at.to_string(),
                edit.idempotency_key.clone(),
                format!("{} bytes", edit.payload.len()),
            ]
        };
        text.push_str("\n\n");
        text.push_str(&table(&["replaced at", "key", "content"], content.history.iter().map(row)));
    }
    format!("{text}\n\n{}", pretty(&content.payload))
}

/// For reading: JSON in lines, other text as it is.
fn pretty(payload: &[u8]) -> String {
    match serde_json::from_slice::<Value>(payload) {
        Ok(json) => printable(&format!("{json:#}")),
        Err(_) => printable(&String::from_utf8_lossy(payload)),
    }
}
