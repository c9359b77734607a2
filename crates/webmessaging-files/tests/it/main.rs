//! Uploads and transfers against the emulator, with everything that can go wrong.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that panics has failed"
)]

mod attachment;
mod bad_input;
mod batch;
mod clocks;
mod crash;
mod deliver;
mod deliver_faults;
mod download;
mod gate;
mod records;
mod redaction;
mod scan_retries;
mod setup;
mod shapes;
mod signed_download;
mod transfer;
mod transfer_ledger;
mod transfer_resume;
mod transfer_setup;
mod transfer_wait;
mod upload;
mod webhook;
