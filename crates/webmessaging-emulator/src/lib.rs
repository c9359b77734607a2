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
mod emulator;
mod fault;
mod files;
mod oauth;
mod rate;
mod record;
mod routes;
mod scan;
mod schema;
mod serve;
mod server;
mod sign;
mod state;
mod storage;
mod uploads;

pub use crate::builder::{EmulatedClient, EmulatorBuilder, StartError};
pub use crate::clock::EmulatorClock;
pub use crate::emulator::Emulator;
pub use crate::fault::{CannedAnswer, Fault};
pub use crate::rate::{RateLimit, RateWindow};
pub use crate::record::RecordedRequest;
pub use crate::routes::Route;
