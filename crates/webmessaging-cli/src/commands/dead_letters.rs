//! `webmessaging dead-letters`: what was given up, looked at, mended, tried again or dropped.

mod change;
mod list;
mod show;

use serde_json::{Value, json};
use webmessaging::store::DeadLetter;

use crate::args::outbox::{DeadLettersArgs, DeadLettersCommand};
use crate::failure::{Exit, Failure};
use crate::output::Output;

pub(crate) async fn run(args: DeadLettersArgs, output: Output) -> Result<Exit, Failure> {
    match args.command {
        DeadLettersCommand::List(args) => list::run(args, output).await,
        DeadLettersCommand::Show(args) => show::run(args, output).await,
        DeadLettersCommand::Edit(args) => change::edit(args, output).await,
        DeadLettersCommand::Retry(args) => change::retry(args, output).await,
        DeadLettersCommand::Drop(args) => change::drop(args, output).await,
    }
}

/// What a program is told about a letter.
fn to_json(letter: &DeadLetter) -> Value {
    json!({
        "id": letter.id.to_string(),
        "target": letter.target,
        "lane": letter.lane,
        "kind": letter.kind,
        "key": letter.key,
        "attempts": letter.attempts,
        "reason": letter.reason,
        "createdAt": letter.created_at,
        "buriedAt": letter.buried_at,
        "dropped": letter.dropped.as_ref().map(|dropped| json!({"at": dropped.at, "note": dropped.note})),
    })
}
