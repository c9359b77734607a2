//! What was begun and how far it came, kept outside the process: whoever is interrupted goes on where it stopped.

mod file;
mod reading;

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};
use webmessaging_http::{Error, ErrorKind, Sent};

pub use self::file::FileLedger;
pub use self::reading::read;

/// A look at a ledger, or a note in it, under way.
pub type Noted<'a, T> = Pin<Box<dyn Future<Output = io::Result<T>> + Send + 'a>>;

/// Remembers for each key how far it came. [`FileLedger`] keeps it in a file.
///
/// A note is durable when its future is done. Of one that was dropped before, the old entry or the new one is there.
pub trait Ledger: fmt::Debug + Send + Sync + 'static {
    /// The entry of a key.
    fn find<'a>(&'a self, key: &'a str) -> Noted<'a, Option<LedgerEntry>>;

    /// Puts an entry in the place of the one with its key.
    fn note(&self, entry: LedgerEntry) -> Noted<'_, ()>;

    /// All entries, by their keys.
    fn entries(&self) -> Noted<'_, Vec<LedgerEntry>>;
}

impl<T: Ledger + ?Sized> Ledger for Arc<T> {
    fn find<'a>(&'a self, key: &'a str) -> Noted<'a, Option<LedgerEntry>> {
        (**self).find(key)
    }

    fn note(&self, entry: LedgerEntry) -> Noted<'_, ()> {
        (**self).note(entry)
    }

    fn entries(&self) -> Noted<'_, Vec<LedgerEntry>> {
        (**self).entries()
    }
}

/// How far something came. It has ids and no URLs: those are credentials, and are asked for anew.
///
/// # Examples
/// ```
/// use webmessaging_files::ledger::{LedgerEntry, LedgerState};
///
/// let entry = LedgerEntry::new("reports/may.pdf", "4096 1764060600", LedgerState::Announced, "file-1");
/// assert!(entry.is_of("4096 1764060600"));
/// assert!(!entry.is_of("4097 1764060601"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct LedgerEntry {
    /// What it is, for whoever comes again: where the file is and where it goes, say.
    pub key: String,
    /// By which it is seen that the thing behind the key has changed since: length and time of a file, say.
    pub stamp: String,
    /// How far it came.
    pub state: LedgerState,
    /// The id that the platform gave it.
    pub id: String,
    /// Its length in bytes, once the bytes are there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// SHA-256 of the bytes that were sent, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// What the scan came to, by its stable name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<String>,
}

/// How far something came, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum LedgerState {
    /// It has an id; whether its bytes are there is not known.
    Announced,
    /// Its bytes are there.
    Stored,
    /// It was scanned.
    Finished,
}

impl LedgerEntry {
    /// An entry.
    #[must_use]
    pub fn new(
        key: impl Into<String>,
        stamp: impl Into<String>,
        state: LedgerState,
        id: impl Into<String>,
    ) -> Self {
        Self {
            key: key.into(),
            stamp: stamp.into(),
            state,
            id: id.into(),
            size: None,
            sha256: None,
            verdict: None,
        }
    }

    /// Sets what was stored.
    #[must_use]
    pub fn stored(mut self, size: u64, sha256: Option<String>) -> Self {
        (self.size, self.sha256) = (Some(size), sha256);
        self
    }

    /// Sets what the scan came to.
    #[must_use]
    pub fn verdict(mut self, verdict: impl Into<String>) -> Self {
        self.verdict = Some(verdict.into());
        self
    }

    /// Whether it is about this state of the thing behind its key.
    pub fn is_of(&self, stamp: &str) -> bool {
        self.stamp == stamp
    }
}

/// By which it is seen that a file has changed: its length and the time of its last change.
///
/// # Errors
/// What the file system says.
pub fn file_stamp(path: impl AsRef<Path>) -> io::Result<String> {
    let metadata = fs::metadata(path)?;
    let changed = metadata.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    Ok(format!("{} {}", metadata.len(), changed.unwrap_or_default().as_nanos()))
}

/// Something was done, and the ledger could not take it down.
pub(crate) fn ledger_failed(error: io::Error) -> Error {
    Error::new(ErrorKind::NotRecorded, Sent::Yes)
        .with_message(format!("the ledger cannot be used: {}", error.kind()))
        .with_source(error)
}
