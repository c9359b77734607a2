//! Messages of bots: what is refused, what is sent, in which order, and how often.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that panics has failed"
)]

mod agreement;
mod journal;
mod markup;
mod message;
mod order;
mod origin;
mod reconcile;
mod send;
mod setup;
mod texts;
