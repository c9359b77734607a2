//! The built command, run as a person or a program would.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that panics has failed"
)]

mod audit;
mod bots;
mod bots_bulk;
mod bots_lint;
mod bots_receipts;
mod channels;
mod channels_as_code;
mod data_dir;
mod dead_letters;
mod deliveries;
mod demo;
mod emulator;
mod files;
mod guests;
mod kept;
mod many_files;
mod process;
mod proxies;
mod recorded;
mod settings;
mod system;
#[cfg(unix)]
mod token_file;
mod transfers;
mod webhooks;
mod widget;
