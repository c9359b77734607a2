//! The journal from outside: events, sinks, the audit log on a disk, metrics.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that panics has failed, and one that is skipped says so"
)]

mod audit_chain;
mod audit_files;
mod audit_recipe;
mod audit_tail;
mod crash;
mod events;
mod fan_out;
mod metrics;
mod samples;
mod sinks;
