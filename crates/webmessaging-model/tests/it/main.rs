//! The validators' exact boundaries, and what they promise for any input.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that panics has failed"
)]

mod channel;
mod domain;
mod json_merge;
mod transfer;
mod upload;
mod wire;
