//! Deliveries against servers of this machine, on a store in a file: what goes wrong first.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails says so"
)]

mod batches;
mod config;
mod failures;
mod guide;
mod journal;
mod judge;
mod lanes;
mod letters;
mod setup;
mod shapes;
mod status;
mod workers;
