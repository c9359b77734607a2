//! Intents: what is about to be done and must not be done twice, on record before the call goes out.

use std::fmt;

use webmessaging_model::Timestamp;

use crate::hidden::Hidden;
use crate::ids::IntentId;
use crate::store::Stored;

/// Calls whose outcome somebody has to know.
///
/// An intent is begun before the call and finished with its outcome. What a crashed process leaves is still open: the next start lists it,
/// looks at the other side, and finishes it.
pub trait Intents {
    /// Puts an intent on record, unless there is one with its key: then nothing is written, and the answer says how that one stands. One that
    /// ended as [`NotDone`](IntentOutcome::NotDone) is begun anew.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for what [`limits`](crate::limits) do not allow.
    fn begin_intent(&self, intent: NewIntent) -> Stored<'_, Begun>;

    /// Records the outcome. Finishing it again with the same outcome changes nothing.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound), [`Conflict`](crate::ErrorKind::Conflict) when it is finished with another outcome.
    fn finish_intent<'a>(
        &'a self,
        id: IntentId,
        outcome: IntentOutcome,
        note: &'a str,
        now: Timestamp,
    ) -> Stored<'a, ()>;

    /// Intents that were begun before `older_than` and are not finished, the oldest first, after the one that `after` names; at most `limit`
    /// and [`LIST_MAX`](crate::limits::LIST_MAX).
    ///
    /// # Errors
    /// [`Unavailable`](crate::ErrorKind::Unavailable), [`Corrupt`](crate::ErrorKind::Corrupt).
    fn open_intents(
        &self,
        older_than: Timestamp,
        after: Option<IntentId>,
        limit: u32,
    ) -> Stored<'_, Vec<Intent>>;
}

/// Something that is about to be done.
///
/// # Examples
/// ```
/// use webmessaging_model::Timestamp;
/// use webmessaging_store::NewIntent;
///
/// let intent = NewIntent::new("bots.send", "conversation-7:12", Timestamp::UNIX_EPOCH).details("{}");
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewIntent {
    /// What is done, for example the name of an operation.
    pub operation: String,
    /// What makes it the same intent; unique for each operation.
    pub key: String,
    /// What is needed to find out later whether it was done.
    pub details: String,
    /// When.
    pub begun_at: Timestamp,
}

impl NewIntent {
    /// An intent without details.
    #[must_use]
    pub fn new(operation: impl Into<String>, key: impl Into<String>, begun_at: Timestamp) -> Self {
        Self { operation: operation.into(), key: key.into(), details: String::new(), begun_at }
    }

    /// Sets what is needed to find out later whether it was done; empty by default, and no secret.
    #[must_use]
    pub fn details(mut self, details: impl Into<String>) -> Self {
        self.details = details.into();
        self
    }
}

/// What became of an intent that was to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Begun {
    /// It is on record: go ahead.
    New(IntentId),
    /// It was begun before and nobody knows what came of it: find out first.
    Open(Intent),
    /// It was done before: do not do it again.
    Done(Intent),
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum IntentOutcome {
    /// It was done.
    Done,
    /// It was certainly not done.
    NotDone,
}

impl IntentOutcome {
    /// As the engines write it; 0 is open.
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    pub(crate) const fn number(self) -> i64 {
        match self {
            Self::Done => 1,
            Self::NotDone => 2,
        }
    }
}

/// An intent on record.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Intent {
    /// Which one.
    pub id: IntentId,
    /// What is done.
    pub operation: String,
    /// What makes it the same intent.
    pub key: String,
    /// What is needed to find out whether it was done.
    pub details: String,
    /// When it was begun.
    pub begun_at: Timestamp,
    /// When it was finished; not yet, if it is open.
    pub finished_at: Option<Timestamp>,
    /// What was noted when it was finished, for example the id that the other side gave.
    pub note: Option<String>,
}

impl fmt::Debug for NewIntent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewIntent")
            .field("operation", &self.operation)
            .field("key", &self.key)
            .field("details", &Hidden(self.details.as_bytes()))
            .field("begun_at", &self.begun_at)
            .finish()
    }
}

impl fmt::Debug for Intent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Intent")
            .field("id", &self.id)
            .field("operation", &self.operation)
            .field("key", &self.key)
            .field("details", &Hidden(self.details.as_bytes()))
            .field("begun_at", &self.begun_at)
            .field("finished_at", &self.finished_at)
            .field("note", &self.note)
            .finish()
    }
}
