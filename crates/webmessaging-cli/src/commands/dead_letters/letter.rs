//! A dead letter that is about to be changed: found, checked, reported.

use std::sync::Arc;

use serde_json::{Value, json};
use webmessaging::store::limits::{EDITS_MAX, KEY_BYTES_MAX};
use webmessaging::store::{DeadLetterContent, DeadLetterId, Error, ErrorKind, Store};

use crate::args::data::StoreArgs;
use crate::data_dir;
use crate::failure::{Exit, Failure, Local};
use crate::output::Output;

/// A letter that is about to be changed.
pub(super) struct Letter {
    pub(super) id: DeadLetterId,
    pub(super) store: Arc<dyn Store>,
    pub(super) content: DeadLetterContent,
}

impl Letter {
    pub(super) async fn find(id: DeadLetterId, args: &StoreArgs) -> Result<Self, Failure> {
        let store = data_dir::existing_store(args).await?;
        let found = store.dead_letter(id).await;
        let content = found.map_err(|error| Local::from(error).about(id.to_string()))?;
        Ok(Self { id, store, content })
    }

    /// What the store or the desk says, with the id that was typed.
    pub(super) fn failed(&self, error: impl Into<Local>) -> Failure {
        error.into().about(self.id.to_string()).into()
    }

    /// As the store sees it: one that was dropped is kept for the record alone.
    pub(super) fn is_waiting(&self) -> Result<(), Failure> {
        if self.content.letter.dropped.is_some() {
            return Err(self.failed(Error::new(ErrorKind::NotFound)));
        }
        Ok(())
    }

    /// What can be known before: whether another item of the target has the key already, only the store can tell.
    pub(super) fn could_be_edited(&self, key: &str) -> Result<(), Failure> {
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

    pub(super) fn report(
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
