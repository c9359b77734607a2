//! What has no family: changes that failed, and what becomes of the audit log itself.

use super::define::kind;
use super::{Cause, Described, Outcome, Subject};
use crate::details::Details;

kind! {
    /// Something that changes things failed, and has no kind of its own for that: an update of a channel or a guest, a
    /// registration, a transfer that could not be announced.
    pub struct OperationFailed {
        /// The name of the operation, such as `channels.update`.
        operation => String,
        /// What it was for, as in [`Subject`]: `channel`, `guest`, `transfer`, `webhook`.
        subject_kind => String,
        /// The id of that.
        subject_id => String,
        /// The stable code of what was in the way.
        cause => Cause,
    }
    optional {
        /// Whether it may have happened all the same.
        maybe_done: bool,
    }
}

impl Described for OperationFailed {
    fn subject(&self) -> Subject<'_> {
        Subject { kind: &self.subject_kind, id: &self.subject_id }
    }

    fn outcome(&self) -> Outcome<'_> {
        Outcome::Failure { code: self.cause.as_str() }
    }

    fn details(&self) -> Details<'_> {
        Details::default().name("operation", Some(&self.operation)).flag("maybeDone", self.maybe_done)
    }
}

kind! {
    /// Old records of an audit log were removed, all up to one of them.
    pub struct RecordsRemoved {
        /// The number of the first record that was removed.
        first_seq: u64,
        /// The number of the last record that was removed.
        last_seq: u64,
        /// The hash of that one, in hexadecimal.
        last_hash => String,
        /// The stable name of the reason, such as `retention`.
        cause => Cause,
    }
    optional {}
}

impl Described for RecordsRemoved {
    fn subject(&self) -> Subject<'_> {
        Subject::new("audit_log", "records")
    }

    fn details(&self) -> Details<'_> {
        Details::default()
            .number("firstSeq", self.first_seq)
            .number("lastSeq", self.last_seq)
            .id("lastHash", Some(&self.last_hash))
            .name("cause", Some(self.cause.as_str()))
    }
}
