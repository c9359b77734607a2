//! The webhooks crate from outside.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that panics has failed"
)]

mod emulated;
mod events;
mod explain_body;
mod explain_kept_secret;
mod explain_secret;
mod explain_signature;
mod explain_timestamped;
mod known_answers;
mod openssl;
mod properties;
mod receiver;
mod scans;
mod setup;
mod threads;
mod timestamped;
mod verify;
