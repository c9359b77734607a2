#![doc = include_str!("../README.md")]

pub mod clock;
pub mod error;
pub mod event;
pub mod facts;
pub mod journal;
pub mod kind;
pub mod prometheus;
pub mod sink;
pub mod sinks;
pub mod text;

#[cfg(feature = "audit")]
pub mod audit;
#[cfg(feature = "metrics")]
pub mod metrics;

mod best_effort;
mod details;
mod fan_out;
mod redacted;
mod watchdog;

pub use crate::error::{Error, ErrorKind};
pub use crate::event::{Actor, Event, EventId, Stamp};
pub use crate::facts::Facts;
pub use crate::journal::{Journal, JournalBuilder};
pub use crate::kind::{Cause, EventKind, Outcome, Subject};
pub use crate::sink::{Recorded, Sink};
pub use crate::text::{PrivateText, StorageLocation};
