//! Drives the emulator over real HTTP, without any client of this workspace.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that panics has failed"
)]

mod agreement;
mod attachments;
mod channels;
mod client;
mod control;
mod deliveries;
mod faults;
mod guests;
mod inspected;
mod message_lists;
mod messages;
mod oauth;
mod organization;
mod organization_seeds;
mod random_scripts;
mod rates;
mod raw;
mod receiver;
mod reference;
mod schedule;
#[cfg(feature = "toml")]
mod script_files;
mod scripted;
mod scripts;
mod seeds;
mod server;
mod snapshots;
mod storage;
mod tampers;
mod transfer_bytes;
mod transfers;
mod uploads;
mod verdicts;
mod webhook_control;
mod webhook_seeds;
mod webhook_state;
mod webhooks;
