#![doc = include_str!("../README.md")]

#[cfg(all(feature = "bots", feature = "store"))]
mod bulk_sender;
#[cfg(all(feature = "channels", feature = "receiver"))]
mod channel_news;
mod client;
pub mod reference;
#[cfg(all(feature = "files", feature = "receiver"))]
mod scan_news;
#[cfg(all(feature = "files", feature = "store"))]
mod store_quarantine;
#[cfg(feature = "store")]
mod store_token_cache;

#[cfg(feature = "bots")]
#[doc(inline)]
pub use webmessaging_bots as bots;
#[cfg(feature = "channels")]
#[doc(inline)]
pub use webmessaging_channels as channels;
#[cfg(feature = "files")]
#[doc(inline)]
pub use webmessaging_files as files;
#[cfg(feature = "guests")]
#[doc(inline)]
pub use webmessaging_guests as guests;
#[doc(inline)]
pub use webmessaging_http as http;
#[cfg(feature = "journal")]
#[doc(inline)]
pub use webmessaging_journal as journal;
#[doc(inline)]
pub use webmessaging_model as model;
#[cfg(feature = "store")]
#[doc(inline)]
pub use webmessaging_store as store;
#[cfg(feature = "sync")]
#[doc(inline)]
pub use webmessaging_sync as sync;
#[cfg(feature = "webhooks")]
#[doc(inline)]
pub use webmessaging_webhooks as webhooks;

#[cfg(all(feature = "bots", feature = "store"))]
pub use crate::bulk_sender::{BulkError, BulkReport, BulkSender, BulkStop, LineOutcome};
#[cfg(all(feature = "channels", feature = "receiver"))]
pub use crate::channel_news::ChannelNews;
pub use crate::client::Client;
#[cfg(all(feature = "files", feature = "receiver"))]
pub use crate::scan_news::ScanNews;
#[cfg(all(feature = "files", feature = "store"))]
pub use crate::store_quarantine::StoreQuarantine;
#[cfg(feature = "store")]
pub use crate::store_token_cache::StoreTokenCache;
#[cfg(feature = "settings")]
pub use webmessaging_http::Settings;
pub use webmessaging_http::{Credentials, Error, ErrorKind, SecretString, Sent, Source};
pub use webmessaging_model::Domain;

/// Compiles the examples of a guide.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/guides/connections.md")]
struct ConnectionsGuide;

/// Runs the examples of a guide.
#[cfg(all(doctest, feature = "files"))]
#[doc = include_str!("../../../docs/guides/test-against-the-emulator.md")]
struct EmulatorGuide;

/// Compiles the examples of the repository's own README.
#[cfg(all(doctest, feature = "files"))]
#[doc = include_str!("../../../README.md")]
struct RepositoryReadme;
