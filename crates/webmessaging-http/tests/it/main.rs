//! The pipeline on a mocked transport, where every policy can be watched without a network or a wait.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that panics has failed"
)]

mod calls;
mod config;
mod emulated;
mod paging;
mod presigned;
mod redaction;
mod script;
mod settings;
mod source;
mod tokens;
