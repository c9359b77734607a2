#![doc = include_str!("../README.md")]

pub mod clock;
pub mod endpoint;
pub mod error;
pub mod login;
pub mod observe;
pub mod paging;
#[cfg(feature = "settings")]
pub mod settings;
pub mod source;
#[cfg(feature = "testing")]
pub mod testing;
pub mod transport;

mod adapter;
mod answer;
mod api_error;
mod breaker;
mod budget;
mod callback;
mod client;
mod config;
mod connection;
mod credentials;
mod default_headers;
mod digest;
mod external;
mod flow;
mod gateway;
mod guard;
mod hosts;
mod limit;
mod log;
mod pipeline;
mod prepared;
mod presigned;
mod put;
mod read_ahead;
mod retry;
mod retry_after;
mod shared_token;
mod timeouts;
mod tls;
mod token;
mod token_cache;
mod token_file;
mod upload_body;
mod webhook;

pub use secrecy::SecretString;

pub use crate::answer::{Answer, Facts};
pub use crate::api_error::{ApiDetail, ApiError};
pub use crate::breaker::{BreakerPolicy, BreakerState, BreakerStatus};
pub use crate::budget::RetryBudget;
pub use crate::callback::Callback;
pub use crate::client::Client;
pub use crate::clock::{Clock, Entropy};
pub use crate::config::ClientBuilder;
pub use crate::connection::{Certificates, ClientIdentity, Proxy};
pub use crate::credentials::{AuthStyle, Credentials};
pub use crate::endpoint::{Encoder, Endpoint};
pub use crate::error::{Error, ErrorKind, Sent};
pub use crate::external::{DELIVER, ExternalClient, ExternalClientBuilder};
pub use crate::gateway::Gateway;
pub use crate::limit::{LimitStatus, RateLimitPolicy, WaitReason};
pub use crate::observe::{Metrics, Observer};
pub use crate::paging::{Items, Page, PageKey, Paged, Pages};
pub use crate::presigned::{PresignedPut, PresignedTarget, PresignedUrl, Progress, Stored};
pub use crate::retry::RetryPolicy;
#[cfg(feature = "settings")]
pub use crate::settings::Settings;
pub use crate::source::{Source, SourceContent};
pub use crate::timeouts::Timeouts;
pub use crate::token_cache::{Cached, CachedToken, LoginLock, TokenCache, TokenKey};
pub use crate::token_file::FileTokenCache;
pub use crate::transport::{Body, Transport, TransportError};
pub use crate::webhook::{CreatedWebhook, EventWebhook, Registered, check_webhook_name, register_webhook};
