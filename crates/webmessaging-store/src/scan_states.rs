//! Scan states: how far the scan of a file is, which only ever goes forward.

use webmessaging_model::Timestamp;

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "testing"))]
use crate::error::{Error, ErrorKind};
use crate::store::Stored;

/// States that only move forward: news that arrive late change nothing.
pub trait ScanStates {
    /// Moves a subject forward, if the rank is above the one that is known. Tells what was known and what is known now.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for what [`limits`](crate::limits) do not allow.
    fn advance_scan(&self, scan: NewScan) -> Stored<'_, ScanAdvance>;

    /// What is known of a subject.
    ///
    /// # Errors
    /// [`Unavailable`](crate::ErrorKind::Unavailable), [`Corrupt`](crate::ErrorKind::Corrupt).
    fn scan_state<'a>(&'a self, subject: &'a str) -> Stored<'a, Option<ScanState>>;
}

/// News of a scan.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewScan {
    /// What is scanned, usually a file id.
    pub subject: String,
    /// How far the state is; of two equal ones the first stays. What must win gets the largest: give refused files a rank above clean ones.
    pub rank: u16,
    /// The state's name.
    pub state: String,
    /// When it was reached.
    pub at: Timestamp,
}

impl NewScan {
    /// News of a scan.
    #[must_use]
    pub fn new(subject: impl Into<String>, rank: u16, state: impl Into<String>, at: Timestamp) -> Self {
        Self { subject: subject.into(), rank, state: state.into(), at }
    }
}

/// How far a scan is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScanState {
    /// How far the state is.
    pub rank: u16,
    /// Its name.
    pub state: String,
    /// When it was reached.
    pub at: Timestamp,
}

/// What news of a scan came to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScanAdvance {
    /// What was known before.
    pub previous: Option<ScanState>,
    /// What is known now; the same as before if the news were late.
    pub current: ScanState,
}

impl ScanAdvance {
    /// What news come to, given what was known.
    #[cfg(any(feature = "sqlite", feature = "postgres", feature = "testing"))]
    pub(crate) fn of(previous: Option<ScanState>, scan: &NewScan) -> Self {
        let current = match &previous {
            Some(known) if known.rank >= scan.rank => known.clone(),
            _ => ScanState { rank: scan.rank, state: scan.state.clone(), at: scan.at },
        };
        Self { previous, current }
    }

    /// An error for news that had to change something and did not.
    #[cfg(any(feature = "sqlite", feature = "postgres", feature = "testing"))]
    pub(crate) fn must_move(&self) -> Result<(), Error> {
        if self.has_moved() {
            return Ok(());
        }
        let message =
            "somebody else has moved a scan as far or further: look at its state again, nothing was written";
        Err(Error::new(ErrorKind::Conflict).with_message(message))
    }

    /// Whether the news changed anything.
    pub fn has_moved(&self) -> bool {
        self.previous.as_ref() != Some(&self.current)
    }
}
