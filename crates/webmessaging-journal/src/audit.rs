//! The audit log: lines of JSON in which every record has the hash of the one before.
//!
//! `docs/reference/audit-log.md` has the format, and how to check a log with standard tools.

mod builder;
mod checkpoint;
mod export;
#[cfg(test)]
mod faults;
mod findings;
mod folder;
#[cfg(test)]
mod grouping;
mod line;
mod lines;
mod log;
mod medium;
mod recover;
mod removed;
mod retention;
mod verify;
mod writer;

pub use self::builder::AuditLogBuilder;
pub use self::checkpoint::{Checkpoint, InvalidCheckpoint};
pub use self::export::{Selection, export};
pub use self::findings::{Fault, Problem, Verification};
pub use self::log::AuditLog;
pub use self::recover::Torn;
pub use self::removed::Removed;
pub use self::retention::Retention;
pub use self::verify::verify;

/// Adds the line of an event to a buffer, and moves the head on to it; for the bench, which tells what the chain costs.
///
/// # Errors
/// [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge).
#[doc(hidden)]
pub fn add_line(to: &mut Vec<u8>, head: &mut Checkpoint, event: &crate::Event) -> Result<(), crate::Error> {
    line::append(to, head, &line::body(event)?);
    Ok(())
}
