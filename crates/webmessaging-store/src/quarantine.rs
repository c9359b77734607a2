//! The quarantine: files that nobody gets to see, with the reason, until somebody decides.

use std::fmt;

use webmessaging_model::Timestamp;

use crate::hidden::Hidden;
use crate::store::Stored;

/// Files that are kept away from people.
pub trait Quarantine {
    /// Puts a file into quarantine and tells whether it was not there before. One that is there stays as it is; one that was released or deleted
    /// comes back.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for what [`limits`](crate::limits) do not allow.
    fn quarantine(&self, entry: NewQuarantine) -> Stored<'_, bool>;

    /// What is known of a file, also after it was released or deleted; nothing if it was never in quarantine.
    ///
    /// # Errors
    /// [`Unavailable`](crate::ErrorKind::Unavailable), [`Corrupt`](crate::ErrorKind::Corrupt).
    fn quarantine_entry<'a>(&'a self, file_id: &'a str) -> Stored<'a, Option<QuarantineEntry>>;

    /// The files in quarantine by their ids, after the id that `after` names; at most `limit` and
    /// [`LIST_MAX`](crate::limits::LIST_MAX).
    ///
    /// # Errors
    /// [`Unavailable`](crate::ErrorKind::Unavailable), [`Corrupt`](crate::ErrorKind::Corrupt).
    fn quarantined<'a>(&'a self, after: Option<&'a str>, limit: u32) -> Stored<'a, Vec<QuarantineEntry>>;

    /// Lets a file out, with a note that says why.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) when it is not in quarantine.
    fn release_quarantined<'a>(&'a self, file_id: &'a str, note: &'a str, now: Timestamp) -> Stored<'a, ()>;

    /// Records that a file was deleted for good.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) when it is not in quarantine.
    fn delete_quarantined<'a>(&'a self, file_id: &'a str, note: &'a str, now: Timestamp) -> Stored<'a, ()>;
}

/// A file for the quarantine.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewQuarantine {
    /// Which file.
    pub file_id: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
    /// More about it; empty if there is nothing.
    pub details: String,
}

impl NewQuarantine {
    /// A file without details.
    #[must_use]
    pub fn new(file_id: impl Into<String>, reason: impl Into<String>, at: Timestamp) -> Self {
        Self { file_id: file_id.into(), reason: reason.into(), at, details: String::new() }
    }

    /// Sets what else there is to say; empty by default.
    #[must_use]
    pub fn details(mut self, details: impl Into<String>) -> Self {
        self.details = details.into();
        self
    }
}

/// What is known of a file that is or was in quarantine.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct QuarantineEntry {
    /// Which file.
    pub file_id: String,
    /// Why it was put there.
    pub reason: String,
    /// More about it.
    pub details: String,
    /// When it was put there.
    pub quarantined_at: Timestamp,
    /// Where it is now.
    pub state: QuarantineState,
}

/// Where a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum QuarantineState {
    /// In quarantine.
    Held,
    /// Let out by somebody.
    Released {
        /// When.
        at: Timestamp,
        /// Why.
        note: String,
    },
    /// Deleted for good.
    Deleted {
        /// When.
        at: Timestamp,
        /// Why.
        note: String,
    },
}

#[cfg(any(feature = "sqlite", feature = "postgres"))]
impl QuarantineState {
    /// From what the engines write. What they do not write is closed.
    pub(crate) fn of(number: i64, at: Timestamp, note: String) -> Self {
        match number {
            1 => Self::Released { at, note },
            2 => Self::Deleted { at, note },
            _ => Self::Held,
        }
    }
}

impl fmt::Debug for NewQuarantine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewQuarantine")
            .field("file_id", &self.file_id)
            .field("reason", &self.reason)
            .field("at", &self.at)
            .field("details", &Hidden(self.details.as_bytes()))
            .finish()
    }
}

impl fmt::Debug for QuarantineEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QuarantineEntry")
            .field("file_id", &self.file_id)
            .field("reason", &self.reason)
            .field("details", &Hidden(self.details.as_bytes()))
            .field("quarantined_at", &self.quarantined_at)
            .field("state", &self.state)
            .finish()
    }
}
