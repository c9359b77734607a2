//! `webmessaging dead-letters edit`, `retry` and `drop`: what changes a letter, and what would.

use std::sync::Arc;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use webmessaging::journal::clock::{Clock, SystemClock};
use webmessaging::store::limits::{BODY_BYTES_MAX, EDITS_MAX, KEY_BYTES_MAX};
use webmessaging::store::{DeadLetterContent, DeadLetterId, Error, ErrorKind, Origin, Store};

use crate::args::data::StoreArgs;
use crate::args::outbox::{DeadLetterDropArgs, DeadLetterEditArgs, DeadLetterRetryArgs};
use crate::data_dir;
use crate::failure::{Exit, Failure, Local};
use crate::input;
use crate::output::Output;

pub(super) async fn edit(args: DeadLetterEditArgs, output: Output) -> Result<Exit, Failure> {
    if args.id.origin != Origin::Outbox {
        let message = "a delivery stays what its sender has sent: retry it or drop it";
        return Err(Local::input("invalid_input", message).about(args.id.to_string()).into());
    }
    let payload = input::bytes(&args.payload_file, BODY_BYTES_MAX)?;
    let key = args.key.unwrap_or_else(|| format!("sha256:{}", hex::encode(Sha256::digest(&payload))));
    let (bytes, now) = (payload.len(), SystemClock.wall());
    let letter = Letter::find(args.id, &args.store).await?;
    if args.dry_run {
        letter.could_be_edited(&key)?;
    } else {
        let edited = letter.store.edit_dead_letter(args.id, payload.into(), &key, now).await;
        edited.map_err(|error| letter.failed(error))?;
    }
    let next = format!(
        "with {bytes} bytes under the key {key}; `webmessaging dead-letters retry {}` sends it",
        args.id
    );
    letter.report(output, args.dry_run, "edited", &next, &json!({"key": key, "payloadBytes": bytes}))
}

pub(super) async fn retry(args: DeadLetterRetryArgs, output: Output) -> Result<Exit, Failure> {
    let letter = Letter::find(args.id, &args.store).await?;
    if args.dry_run {
        letter.is_waiting()?;
    } else {
        let retried = letter.store.retry_dead_letter(args.id, SystemClock.wall()).await;
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

/// A letter that is about to be changed.
struct Letter {
    id: DeadLetterId,
    store: Arc<dyn Store>,
    content: DeadLetterContent,
}

impl Letter {
    async fn find(id: DeadLetterId, args: &StoreArgs) -> Result<Self, Failure> {
        let store = data_dir::existing_store(args).await?;
        let found = store.dead_letter(id).await;
        let content = found.map_err(|error| Local::from(error).about(id.to_string()))?;
        Ok(Self { id, store, content })
    }

    fn failed(&self, error: Error) -> Failure {
        Local::from(error).about(self.id.to_string()).into()
    }

    /// As the store sees it: one that was dropped is kept for the record alone.
    fn is_waiting(&self) -> Result<(), Failure> {
        if self.content.letter.dropped.is_some() {
            return Err(self.failed(Error::new(ErrorKind::NotFound)));
        }
        Ok(())
    }

    /// What can be known before: whether another item of the target has the key already, only the store can tell.
    fn could_be_edited(&self, key: &str) -> Result<(), Failure> {
        self.is_waiting()?;
        let edits = u32::try_from(self.content.history.len()).unwrap_or(u32::MAX);
        let was_used = self.content.history.iter().any(|edit| edit.idempotency_key == key);
        if edits >= EDITS_MAX || was_used || self.content.letter.key == key {
            return Err(self.failed(Error::new(ErrorKind::Conflict)));
        }
        if key.is_empty() || key.len() > KEY_BYTES_MAX {
            let message = format!("the key must have 1 to {KEY_BYTES_MAX} bytes");
            return Err(Local::input("invalid_input", message).about("--key").into());
        }
        Ok(())
    }

    fn report(
        &self,
        output: Output,
        dry_run: bool,
        done: &str,
        how: &str,
        more: &Value,
    ) -> Result<Exit, Failure> {
        let id = self.id;
        let mut report = json!({"ok": true, "id": id.to_string(), "action": done, "dryRun": dry_run});
        if let (Value::Object(report), Value::Object(more)) = (&mut report, more) {
            report.extend(more.clone());
        }
        output.result(&report, || {
            if dry_run {
                format!("{id} would be {done} {how}; nothing was changed")
            } else {
                format!("{id} is {done} {how}")
            }
        })?;
        Ok(Exit::Success)
    }
}
