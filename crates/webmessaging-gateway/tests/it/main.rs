//! The widget against the in-process emulator, with everything that can go wrong.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that panics has failed"
)]

mod cors;
mod limits;
mod serve;
mod setup;
mod uploads;
