//! The pipeline on a mocked transport, where every policy can be watched without a network or a wait.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that panics has failed"
)]
#![allow(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]

mod breaker;
mod calls;
mod certificates;
mod config;
mod connection;
mod emulated;
mod external;
mod far_side;
mod forward_proxy;
mod gateway;
mod limits;
mod logged;
#[cfg(unix)]
mod logs;
mod metrics;
mod observe;
mod observed_uploads;
mod observer_rights;
mod outage;
mod paging;
mod presigned;
mod proxy;
mod quota;
#[cfg(unix)]
mod redaction;
mod reference;
mod script;
#[cfg(unix)]
mod secretive;
mod settings;
mod source;
mod tls;
#[cfg(unix)]
mod token_file;
mod tokens;
mod ways;
mod witness;
