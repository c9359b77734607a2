//! `webmessaging dead-letters`: what was given up, looked at, mended, tried again or dropped.

mod change;
mod edit;
mod letter;
mod list;
mod rehearsal;
mod retry_all;
mod show;

use serde_json::{Value, json};
use webmessaging::store::{DeadLetter, DeadLetterId, Origin};
use webmessaging::sync::Targets;

use crate::args::data::DataArgs;
use crate::args::outbox::{DeadLettersArgs, DeadLettersCommand, ViewArgs};
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::targets;

pub(crate) async fn run(args: DeadLettersArgs, output: Output) -> Result<Exit, Failure> {
    match args.command {
        DeadLettersCommand::List(args) => list::run(args, output).await,
        DeadLettersCommand::Show(args) => show::run(args, output).await,
        DeadLettersCommand::Edit(args) => edit::run(args, output).await,
        DeadLettersCommand::Retry(args) => change::retry(args, output).await,
        DeadLettersCommand::Drop(args) => change::drop(args, output).await,
    }
}

/// Who looks after a letter.
#[derive(Clone, Copy)]
enum By {
    /// The desk, which knows what its target takes.
    Targets,
    /// The store alone, which takes everything.
    Store,
}

impl By {
    /// What a program is told.
    const fn code(self) -> &'static str {
        match self {
            Self::Targets => "targets",
            Self::Store => "store",
        }
    }
}

/// The targets to look at a letter with, if there are any that have to do with it.
fn targets(id: DeadLetterId, view: &ViewArgs, data: &DataArgs) -> Result<Option<Targets>, Failure> {
    if view.plain || id.origin != Origin::Outbox {
        return Ok(None);
    }
    targets::without_secrets(&view.targets, data)
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
