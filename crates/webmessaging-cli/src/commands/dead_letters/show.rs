//! `webmessaging dead-letters show`: one letter, with its content and what it was before.

use serde_json::{Value, json};
use webmessaging::store::{DeadLetterContent, Edit};
use webmessaging::sync::DeadLetterDesk;

use super::{By, targets, to_json};
use crate::args::outbox::DeadLetterShowArgs;
use crate::data_dir;
use crate::failure::{Exit, Failure, Local};
use crate::output::{Output, printable, table};

/// A letter, and as much of its content as is to be seen.
struct Shown {
    by: By,
    content: DeadLetterContent,
    /// The content as text: as it is, or without what can be a credential; nothing where it is none.
    text: Option<String>,
}

pub(super) async fn run(args: DeadLetterShowArgs, output: Output) -> Result<Exit, Failure> {
    let targets = targets(args.id, &args.view, &args.store.data)?;
    let store = data_dir::existing_store(&args.store).await?;
    let found = store.dead_letter(args.id).await;
    let content = found.map_err(|error| Local::from(error).about(args.id.to_string()))?;
    let shown = match targets {
        None => {
            let text = std::str::from_utf8(&content.payload).ok().map(str::to_owned);
            Shown { by: By::Store, content, text }
        }
        Some(targets) => {
            let shown = DeadLetterDesk::new(store, targets).show(args.id).await;
            let shown = shown.map_err(|error| Local::from(error).about(args.id.to_string()))?;
            Shown { by: By::Targets, content, text: shown.payload }
        }
    };
    output.result(&report(&shown), || to_text(&shown))?;
    Ok(Exit::Success)
}

fn report(shown: &Shown) -> Value {
    let content = &shown.content;
    let edit = |edit: &Edit| {
        // What it was before can have the same credentials in it.
        let text = match shown.by {
            By::Targets => None,
            By::Store => std::str::from_utf8(&edit.payload).ok(),
        };
        json!({
            "replacedAt": edit.replaced_at,
            "key": edit.idempotency_key,
            "payloadText": text,
            "payloadBytes": edit.payload.len(),
        })
    };
    let mut report = to_json(&content.letter);
    if let Value::Object(fields) = &mut report {
        let payload = shown.text.as_deref().and_then(|text| serde_json::from_str(text).ok());
        let more = [
            ("ok", true.into()),
            ("by", shown.by.code().into()),
            ("payload", payload.unwrap_or_default()),
            // To be edited.
            ("payloadText", shown.text.as_deref().into()),
            ("payloadBytes", content.payload.len().into()),
            ("history", content.history.iter().map(edit).collect()),
        ];
        fields.extend(more.map(|(name, value)| (name.to_owned(), value)));
    }
    report
}

fn to_text(shown: &Shown) -> String {
    let content = &shown.content;
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
    let by = match shown.by {
        By::Targets => "with the targets file: queries of URLs are hidden",
        By::Store => "as it is kept",
    };
    rows.push(row("shown", by.to_owned()));
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
    match (shown.by, &shown.text) {
        (By::Targets, Some(payload)) => format!("{text}\n\n{}", printable(payload)),
        (By::Targets, None) => format!("{text}\n\nthe content is not JSON; --plain shows it as it is"),
        (By::Store, _) => format!("{text}\n\n{}", pretty(&content.payload)),
    }
}

/// For reading: JSON in lines, other text as it is.
fn pretty(payload: &[u8]) -> String {
    match serde_json::from_slice::<Value>(payload) {
        Ok(json) => printable(&format!("{json:#}")),
        Err(_) => printable(&String::from_utf8_lossy(payload)),
    }
}
