//! Guests: payloads, identities, and updates against an emulator in this process.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that panics has failed"
)]

mod audits;
mod engagement;
mod identity;
mod payload;
mod privacy;
mod samples;
mod setup;
mod update;
