//! `webmessaging dead-letters retry` and `drop`: what ends the wait of a letter, and what would.

use serde_json::json;
use webmessaging::journal::clock::{Clock, SystemClock};

use super::letter::Letter;
use super::retry_all;
use crate::args::outbox::{DeadLetterDropArgs, DeadLetterRetryArgs};
use crate::failure::{Exit, Failure};
use crate::output::Output;

pub(super) async fn retry(args: DeadLetterRetryArgs, output: Output) -> Result<Exit, Failure> {
    let Some(id) = args.id else { return retry_all::run(args, output).await };
    let letter = Letter::find(id, &args.store).await?;
    if args.dry_run {
        letter.is_waiting()?;
    } else {
        let retried = letter.store.retry_dead_letter(id, SystemClock.wall()).await;
        retried.map_err(|error| letter.failed(error))?;
    }
    letter.report(output, args.dry_run, "retried", "as soon as somebody works on it", &json!({}))
}

pub(super) async fn drop(args: DeadLetterDropArgs, output: Output) -> Result<Exit, Failure> {
    let letter = Letter::find(args.id, &args.store).await?;
    if args.dry_run {
        letter.is_waiting()?;
    } else {
        let dropped = letter.store.drop_dead_letter(args.id, &args.note, SystemClock.wall()).await;
        dropped.map_err(|error| letter.failed(error))?;
    }
    letter.report(output, args.dry_run, "dropped", "and its lane goes on", &json!({"note": args.note}))
}
