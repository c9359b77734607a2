#![doc = include_str!("../README.md")]

pub mod config;
pub mod dead_letters;
pub mod error;
pub mod schedule;
pub mod secrets;
pub mod sink;
pub mod status;
pub mod switch;
pub mod target;
pub mod wake;
pub mod worker;

mod batch;
mod key;
mod lane;
mod log;
mod shape;
#[cfg(feature = "toml")]
mod target_file;
mod verdict;

pub use crate::config::{Auth, LaneRule, TargetConfig};
pub use crate::dead_letters::{DeadLetterDesk, ShownLetter};
pub use crate::error::{Error, ErrorKind};
pub use crate::schedule::Schedule;
pub use crate::secrets::{SecretSource, Secrets};
pub use crate::shape::ShapeName;
pub use crate::sink::OutboxSink;
pub use crate::status::{LastFailure, Round, TargetState, TargetStatus};
pub use crate::switch::TargetSwitches;
pub use crate::target::{Target, Targets};
pub use crate::wake::Wake;
pub use crate::worker::{SyncWorker, SyncWorkerBuilder};

/// Compiles the examples of a guide.
#[cfg(all(doctest, feature = "toml"))]
#[doc = include_str!("../../../docs/guides/synchronize.md")]
struct Guide;
