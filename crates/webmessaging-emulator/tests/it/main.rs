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
mod client;
mod control;
mod deliveries;
mod faults;
mod oauth;
mod organization;
mod rates;
mod raw;
mod receiver;
mod schedule;
#[cfg(feature = "toml")]
mod script_files;
mod scripted;
mod scripts;
mod server;
mod snapshots;
mod storage;
mod tampers;
mod uploads;
mod webhooks;
