//! An offline Genesys Cloud web messaging platform for tests and demos.
//!
#![doc = include_str!("../README.md")]

mod announced;
mod answer;
mod attachments;
mod attempt;
mod body;
mod builder;
mod capabilities;
mod channels;
#[cfg(feature = "cli")]
pub mod cli;
mod clock;
mod connection;
mod control;
mod conversations;
mod delivery;
mod document;
mod emulator;
mod event;
mod fault;
mod files;
mod filter;
mod guests;
mod inspect;
mod job;
mod messages;
mod oauth;
mod organization;
mod page;
mod rate;
mod record;
mod routes;
mod scan;
mod schema;
mod seed;
mod sender;
mod serve;
mod server;
mod sign;
mod signature;
mod snapshot;
mod state;
mod storage;
mod subscription;
mod tamper;
mod target;
mod transfers;
mod uploads;
mod verdicts;
mod watch;
mod webhooks;

pub use crate::builder::{EmulatorBuilder, StartError};
pub use crate::channels::Channel;
pub use crate::clock::EmulatorClock;
pub use crate::conversations::{Conversation, Participant};
pub use crate::delivery::{AttemptResult, Delivery, DeliveryAttempt, DeliveryOutcome};
pub use crate::document::{DocumentError, DocumentProblem};
pub use crate::emulator::Emulator;
pub use crate::event::EventError;
pub use crate::fault::{CannedAnswer, Fault, FaultRule, FaultScript};
pub use crate::inspect::{
    ClientRate, ClockState, DeliveryState, EmulatorState, FaultState, FileState, OrganizationState,
    RateState, TokenState, TransferState, WebhookState,
};
pub use crate::messages::BotMessage;
pub use crate::oauth::EmulatedClient;
pub use crate::organization::Organization;
pub use crate::rate::{RateLimit, RateWindow};
pub use crate::record::RecordedRequest;
pub use crate::routes::Route;
pub use crate::seed::{SeedError, SeededFile, SeededWebhook, StateSeed};
pub use crate::signature::SignatureFormat;
pub use crate::snapshot::{RestoreError, Snapshot};
pub use crate::tamper::Tamper;
pub use crate::verdicts::RejudgeError;
