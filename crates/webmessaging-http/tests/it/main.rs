//! The pipeline on a mocked transport, where every policy can be watched without a network or a wait.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that panics has failed"
)]

mod calls;
mod certificates;
mod config;
mod connection;
mod emulated;
mod far_side;
mod forward_proxy;
mod gateway;
mod limits;
mod observe;
mod observed_uploads;
mod presigned;
mod proxy;
mod quota;
mod redaction;
mod script;
mod source;
mod tls;
#[cfg(unix)]
mod token_file;
mod tokens;
mod witness;
