//! The toolkit as a whole: what its documents say about it is generated from it or compared with it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that panics has failed"
)]

#[cfg(feature = "settings")]
mod bulk;
mod channel_news;
mod configuration;
#[cfg(feature = "files")]
mod conformance;
mod errors;
mod promises;
mod reference;
mod scan_news;
mod store_token;
