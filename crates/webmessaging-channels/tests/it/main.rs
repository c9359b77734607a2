//! Channels against an emulator in this process: found, planned, changed, and never overwritten.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that panics has failed"
)]

mod agreement;
mod apply;
mod cache;
mod discover;
mod manifest;
mod manifest_plan;
mod records;
mod setup;
mod shapes;
mod update;
mod watch;
mod webhook;
