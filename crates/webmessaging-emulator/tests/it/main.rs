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
mod deliveries;
mod faults;
mod oauth;
mod organization;
mod rates;
mod receiver;
mod schedule;
mod server;
mod storage;
mod tampers;
mod uploads;
mod webhooks;
