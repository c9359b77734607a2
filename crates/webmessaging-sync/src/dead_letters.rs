//! Dead letters with the meaning of their targets: shown without secrets, edited within their shape, tried again, dropped.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;
use url::Url;
use webmessaging_model::Timestamp;
use webmessaging_store::{
    DeadLetter, DeadLetterCursor, DeadLetterFilter, DeadLetterId, DeadLetterPage, Origin, Store,
};

use crate::error::{Error, ErrorKind};
use crate::key::Key;
use crate::target::Targets;
use crate::wake::Wake;

/// In place of a query or fragment, which can be a credential.
const HIDDEN: &str = "[hidden]";

/// What was given up of the outbox, for those who look after it.
#[derive(Clone)]
pub struct DeadLetterDesk {
    store: Arc<dyn Store>,
    targets: Targets,
    wake: Wake,
}

/// A dead letter to look at.
#[derive(Clone)]
#[non_exhaustive]
pub struct ShownLetter {
    /// The letter.
    pub letter: DeadLetter,
    /// Its content as indented JSON, or nothing where it is none. Queries and fragments of URLs, which can be credentials, are hidden; what
    /// people wrote is not.
    pub payload: Option<String>,
    /// How many times it was edited.
    pub edits: usize,
}

impl DeadLetterDesk {
    /// A desk for the letters of these targets.
    pub fn new(store: Arc<dyn Store>, targets: Targets) -> Self {
        Self { store, targets, wake: Wake::new() }
    }

    /// Sets whom it wakes when a letter is tried again; nobody by default.
    #[must_use]
    pub fn wake(mut self, wake: &Wake) -> Self {
        self.wake = wake.clone();
        self
    }

    /// One page of the letters from the outbox, the one that was given up first before the others.
    ///
    /// # Errors
    /// [`Store`](ErrorKind::Store).
    pub async fn list(
        &self,
        filter: DeadLetterFilter,
        after: Option<DeadLetterCursor>,
        limit: u32,
    ) -> Result<DeadLetterPage, Error> {
        Ok(self.store.dead_letters(&filter.origin(Origin::Outbox), after, limit).await?)
    }

    /// A letter to look at.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound), [`Store`](ErrorKind::Store).
    pub async fn show(&self, id: DeadLetterId) -> Result<ShownLetter, Error> {
        let content = self.store.dead_letter(outbox(id)?).await?;
        let payload = serde_json::from_slice::<Value>(&content.payload).ok();
        // `{:#}` of a JSON value is its indented form.
        let payload = payload.map(|payload| format!("{:#}", hidden(payload)));
        Ok(ShownLetter { letter: content.letter, payload, edits: content.history.len() })
    }

    /// Replaces the content of a letter, which then is another item for the target, with a key of its own. What [`show`](Self::show) hid
    /// and is still `[hidden]` stays what it was.
    ///
    /// # Errors
    /// [`InvalidPayload`](ErrorKind::InvalidPayload) when it is not JSON, or not what the shape of the target takes; nothing is changed.
    /// [`NotFound`](ErrorKind::NotFound) when there is no such letter, or no longer its target. [`Store`](ErrorKind::Store), for example when
    /// it was edited too many times.
    pub async fn edit(&self, id: DeadLetterId, payload: &str, now: Timestamp) -> Result<(), Error> {
        let invalid =
            |why: &str| Error::new(ErrorKind::InvalidPayload, format!("the payload is not valid: {why}"));
        let content = self.store.dead_letter(outbox(id)?).await?;
        let target = self.targets.get(&content.letter.target)?;
        let mut payload: Value = serde_json::from_str(payload).map_err(|_| invalid("it is not JSON"))?;
        if let Ok(before) = serde_json::from_slice(&content.payload) {
            restore(&mut payload, &before);
        }
        target.shape.check(&payload).map_err(|why| invalid(&why))?;
        let payload = payload.to_string();
        let key = Key::of_edit(&content.letter.key, payload.as_bytes());
        Ok(self.store.edit_dead_letter(id, payload.into(), key.as_str(), now).await?)
    }

    /// Gives a letter one more chance, at once and in its old place; its attempts are counted anew.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound), [`Store`](ErrorKind::Store).
    pub async fn retry(&self, id: DeadLetterId, now: Timestamp) -> Result<(), Error> {
        self.store.retry_dead_letter(outbox(id)?, now).await?;
        self.wake.wake();
        Ok(())
    }

    /// Gives every letter that the filter lets through one more chance, at most `limit` of them, the first ones; how many there were.
    ///
    /// # Errors
    /// [`Store`](ErrorKind::Store); those before are tried again.
    pub async fn retry_all(
        &self,
        filter: DeadLetterFilter,
        limit: u32,
        now: Timestamp,
    ) -> Result<u32, Error> {
        let filter = filter.origin(Origin::Outbox);
        let (mut after, mut retried) = (None, 0_u32);
        while retried < limit {
            let page = self.store.dead_letters(&filter, after, limit.saturating_sub(retried)).await?;
            for letter in &page.letters {
                match self.store.retry_dead_letter(letter.id, now).await {
                    Ok(()) => retried = retried.saturating_add(1),
                    // Somebody else was faster.
                    Err(error) if error.kind() == webmessaging_store::ErrorKind::NotFound => {}
                    Err(error) => return Err(error.into()),
                }
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        self.wake.wake();
        Ok(retried)
    }

    /// Gives a letter up for good, with a note that says why; its lane goes on.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound), [`Store`](ErrorKind::Store).
    pub async fn drop_letter(&self, id: DeadLetterId, note: &str, now: Timestamp) -> Result<(), Error> {
        self.store.drop_dead_letter(outbox(id)?, note, now).await?;
        // What was behind it is due.
        self.wake.wake();
        Ok(())
    }
}

impl fmt::Debug for DeadLetterDesk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeadLetterDesk").field("targets", &self.targets).finish_non_exhaustive()
    }
}

impl fmt::Debug for ShownLetter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShownLetter")
            .field("letter", &self.letter)
            .field("edits", &self.edits)
            .finish_non_exhaustive()
    }
}

/// Letters of the inbox are somebody else's.
fn outbox(id: DeadLetterId) -> Result<DeadLetterId, Error> {
    match id.origin {
        Origin::Outbox => Ok(id),
        Origin::Inbox => Err(Error::new(ErrorKind::NotFound, "it is not a dead letter of the outbox")),
    }
}

/// The same without what can be a credential.
fn hidden(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(hidden_text(&text).unwrap_or(text)),
        Value::Array(items) => items.into_iter().map(hidden).collect(),
        Value::Object(fields) => fields.into_iter().map(|(key, value)| (key, hidden(value))).collect(),
        plain => plain,
    }
}

/// A URL without user, password, query and fragment; `None` for what has none of them.
fn hidden_text(text: &str) -> Option<String> {
    let mut url = Url::parse(text).ok().filter(Url::has_host)?;
    let has_user = !url.username().is_empty() || url.password().is_some();
    if !has_user && url.query().is_none() && url.fragment().is_none() {
        return None;
    }
    let _ = (url.set_username(""), url.set_password(None));
    url.set_query(None);
    url.set_fragment(None);
    Some(format!("{url}?{HIDDEN}"))
}

/// Puts back what was hidden, where it still stands as it was shown.
fn restore(value: &mut Value, before: &Value) {
    match (value, before) {
        (Value::String(text), Value::String(before))
            if hidden_text(before).is_some_and(|shown| shown == *text) =>
        {
            text.clone_from(before);
        }
        (Value::Array(items), Value::Array(before)) => {
            items.iter_mut().zip(before).for_each(|(item, before)| restore(item, before));
        }
        (Value::Object(fields), Value::Object(before)) => {
            for (key, field) in fields {
                if let Some(before) = before.get(key) {
                    restore(field, before);
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_can_be_a_credential_is_hidden_and_put_back() {
        let before = json!({
            "storageLocation": "https://user:s3cret@b.example/a.pdf?sig=s3cret#s3cret",
            "list": ["https://b.example/plain", "a?b", 7],
        });
        let shown = hidden(before.clone());
        let expected = json!({
            "storageLocation": "https://b.example/a.pdf?[hidden]",
            "list": ["https://b.example/plain", "a?b", 7],
        });
        assert_eq!(shown, expected);
        let mut edited = shown;
        edited["list"][1] = json!("c");
        restore(&mut edited, &before);
        assert_eq!(edited["storageLocation"], before["storageLocation"]);
        assert_eq!(edited["list"][1], "c");
    }
}
