//! What came of a list, line by line and as a whole.

use std::error::Error as StdError;
use std::fmt;
use std::io;

use webmessaging_bots::{Reason, Undelivered};
use webmessaging_model::{MessageId, Violations};

/// What came of a line.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum LineOutcome {
    /// It has arrived.
    Delivered(MessageId),
    /// It has arrived in an earlier run.
    SentBefore,
    /// It is no message, or breaks a rule; nothing was sent.
    Rejected(Violations),
    /// An earlier run has begun another message under this number. Give a list that was changed another name.
    Changed,
    /// Nobody says that it has arrived.
    Undelivered(Undelivered),
}

impl fmt::Display for LineOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Delivered(id) => write!(f, "sent as {id}"),
            Self::SentBefore => f.write_str("sent in an earlier run"),
            Self::Rejected(violations) => write!(f, "rejected: {violations}"),
            Self::Changed => f.write_str("not what it was in an earlier run"),
            Self::Undelivered(undelivered) => undelivered.fmt(f),
        }
    }
}

/// What came of a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BulkReport {
    /// Lines that have arrived in this run.
    pub sent: u64,
    /// Lines that had arrived before.
    pub sent_before: u64,
    /// Lines that are no message, break a rule, or were refused by the platform.
    pub refused: u64,
    /// Lines that are not what they were in an earlier run.
    pub changed: u64,
    /// Lines that were not sent, and are by another run.
    pub not_sent: u64,
    /// Lines that may have arrived; another run looks again.
    pub unknown: u64,
    /// Lines that have arrived and could not be recorded in the journal.
    pub not_recorded: u64,
}

impl BulkReport {
    /// Counts a line, for whoever keeps an account of a run that may be given up.
    pub fn count(&mut self, outcome: &LineOutcome) {
        let count = match outcome {
            LineOutcome::Delivered(_) => &mut self.sent,
            LineOutcome::SentBefore => &mut self.sent_before,
            LineOutcome::Rejected(_) => &mut self.refused,
            LineOutcome::Changed => &mut self.changed,
            LineOutcome::Undelivered(undelivered) => match undelivered.reason {
                Reason::Refused => &mut self.refused,
                Reason::NotRecorded => &mut self.not_recorded,
                Reason::GaveUp | Reason::Behind => &mut self.not_sent,
                _ => &mut self.unknown,
            },
        };
        *count += 1;
    }

    /// Lines that another run has something to do for.
    pub fn left(&self) -> u64 {
        self.not_sent + self.unknown
    }
}

/// A list that was not run to its end, and what came of it until then.
#[derive(Debug)]
#[non_exhaustive]
pub struct BulkError {
    /// What stopped it.
    pub stop: BulkStop,
    /// What came of the lines before; those of which the store cannot say it are not counted.
    pub report: BulkReport,
}

/// Why a list was not run to its end.
#[derive(Debug)]
#[non_exhaustive]
pub enum BulkStop {
    /// The list cannot be read, at this line.
    List(u64, io::Error),
    /// The login failed, so that no message can be sent.
    Login(webmessaging_http::Error),
    /// The store failed, so that nothing more can be put on record.
    Store(webmessaging_store::Error),
}

impl From<webmessaging_store::Error> for BulkStop {
    fn from(error: webmessaging_store::Error) -> Self {
        Self::Store(error)
    }
}

impl fmt::Display for BulkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.stop {
            BulkStop::List(line, error) => write!(f, "line {line} of the list cannot be read: {error}"),
            BulkStop::Login(error) => write!(f, "the list stops: {error}"),
            BulkStop::Store(error) => write!(f, "the list stops: {error}"),
        }
    }
}

impl StdError for BulkError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.stop {
            BulkStop::List(_, error) => Some(error),
            BulkStop::Login(error) => Some(error),
            BulkStop::Store(error) => Some(error),
        }
    }
}
