//! What a check of a log can find.

use std::fmt;

use webmessaging_model::Timestamp;

use super::checkpoint::Checkpoint;
use super::removed::Removed;

/// What is wrong with a record, or with a place where one should be; stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// The line is not JSON, or not a record of an audit log.
    NotARecord,
    /// The record is not what was written: its hash is that of something else.
    Hash,
    /// The record stands before one that should come first.
    Order,
    /// One or more records before this one are missing.
    Missing,
    /// The record was there before.
    Duplicate,
    /// The record is as it was written, and does not belong behind the one before it.
    Link,
    /// The file is not named after its first record.
    Name,
    /// The last line of a file has no end. In the newest file, opening the log repairs it.
    Torn,
    /// The log ends before the record of the expected checkpoint.
    Truncated,
    /// The record of the expected checkpoint is another one: the log was written anew.
    Rewritten,
}

impl Fault {
    /// The stable name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotARecord => "not_a_record",
            Self::Hash => "hash",
            Self::Order => "order",
            Self::Missing => "missing",
            Self::Duplicate => "duplicate",
            Self::Link => "link",
            Self::Name => "name",
            Self::Torn => "torn",
            Self::Truncated => "truncated",
            Self::Rewritten => "rewritten",
        }
    }
}

/// The first thing that is wrong with a log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The name of the file; empty where there is none.
    pub file: String,
    /// The line, counted from 1; 0 where there is none.
    pub line: u64,
    /// The number that the record has, or should have.
    pub seq: Option<u64>,
    /// What is wrong.
    pub fault: Fault,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let says = match self.fault {
            Fault::NotARecord => "is not a record",
            Fault::Hash => "is not what was written",
            Fault::Order => "stands before records that should come first",
            Fault::Missing => "has records missing before it",
            Fault::Duplicate => "was there before",
            Fault::Link => "does not belong behind the one before it",
            Fault::Name => "is not the one its file is named after",
            Fault::Torn => "has no line end",
            Fault::Truncated => "is missing at the end",
            Fault::Rewritten => "is not the one of the checkpoint",
        };
        write!(f, "{}:{}: record ", self.file, self.line)?;
        match self.seq {
            Some(seq) => write!(f, "{seq} {says}"),
            None => f.write_str(says),
        }
    }
}

/// What a check has found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verification {
    /// Files that were read.
    pub files: u64,
    /// Records that are as they were written, up to the problem.
    pub records: u64,
    /// The number of the first record.
    pub first_seq: Option<u64>,
    /// The last record; keep it elsewhere as a checkpoint.
    pub last: Option<Checkpoint>,
    /// The time of the first record.
    pub from: Option<Timestamp>,
    /// The time of the last record.
    pub to: Option<Timestamp>,
    /// What was removed from the beginning, as the stub says.
    pub removed: Option<Removed>,
    /// Whether a record of the log itself says the same as the stub.
    pub removal_on_record: bool,
    /// The first thing that is wrong.
    pub problem: Option<Problem>,
}

impl Verification {
    /// Whether nothing is wrong.
    pub fn is_intact(&self) -> bool {
        self.problem.is_none()
    }
}
