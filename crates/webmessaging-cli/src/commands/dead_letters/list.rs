//! `webmessaging dead-letters list`: one page, and where the next one begins.

use serde_json::json;
use webmessaging::store::{DeadLetter, DeadLetterFilter, DeadLetterPage};

use super::to_json;
use crate::args::outbox::DeadLetterListArgs;
use crate::data_dir;
use crate::failure::{Exit, Failure};
use crate::output::{Output, table};

pub(super) async fn run(args: DeadLetterListArgs, output: Output) -> Result<Exit, Failure> {
    let store = data_dir::existing_store(&args.store).await?;
    let mut filter = DeadLetterFilter::default();
    filter.origin = args.origin.map(Into::into);
    filter.target = args.target;
    filter.lane = args.lane;
    let page = store.dead_letters(&filter, args.after, args.limit).await?;
    let letters: Vec<_> = page.letters.iter().map(to_json).collect();
    let next = page.next.map(|next| next.to_string());
    output.result(&json!({"ok": true, "letters": letters, "next": next}), || to_text(&page))?;
    Ok(Exit::Success)
}

fn to_text(page: &DeadLetterPage) -> String {
    if page.letters.is_empty() {
        return "there are none".to_owned();
    }
    let header = ["id", "target", "lane", "kind", "attempts", "given up at", "reason"];
    let text = table(&header, page.letters.iter().map(to_row));
    match page.next {
        Some(next) => format!("{text}\nthere are more: --after {next}"),
        None => text,
    }
}

fn to_row(letter: &DeadLetter) -> Vec<String> {
    vec![
        letter.id.to_string(),
        letter.target.clone(),
        letter.lane.clone().unwrap_or_else(|| "-".to_owned()),
        letter.kind.clone(),
        letter.attempts.to_string(),
        letter.buried_at.to_string(),
        letter.reason.clone(),
    ]
}
