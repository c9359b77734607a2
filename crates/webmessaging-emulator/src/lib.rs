//! An offline Genesys Cloud web messaging platform for tests and demos.
//!
#![doc = include_str!("../README.md")]

mod answer;
mod attachments;
mod body;
mod builder;
#[cfg(feature = "cli")]
pub mod cli;
mod clock;
mod connection;
mod control;
mod document;
mod emulator;
mod fault;
mod files;
mod inspect;
mod oauth;
mod rate;
mod record;
mod routes;
mod scan;
mod schema;
mod seed;
mod serve;
mod server;
mod sign;
mod snapshot;
mod state;
mod storage;
mod uploads;

pub use crate::builder::{EmulatedClient, EmulatorBuilder, StartError};
pub use crate::clock::EmulatorClock;
pub use crate::document::{DocumentError, DocumentProblem};
pub use crate::emulator::Emulator;
pub use crate::fault::{CannedAnswer, Fault, FaultRule, FaultScript};
pub use crate::inspect::{
    ClientRate, ClockState, EmulatorState, FaultState, FileState, RateState, TokenState,
};
pub use crate::rate::{RateLimit, RateWindow};
pub use crate::record::RecordedRequest;
pub use crate::routes::Route;
pub use crate::seed::{SeedError, SeededFile, StateSeed};
pub use crate::snapshot::{RestoreError, Snapshot};
