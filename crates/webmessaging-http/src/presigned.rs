//! What an upload to a presigned URL is made of: the URL as a secret, where it points, how far it is, what it came to.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;
use webmessaging_model::Operation;

use crate::answer::Facts;
use crate::error::{Error, ErrorKind, Sent};
use crate::hosts::is_safe;
use crate::source::Source;

/// A URL whose query is a credential. It is never printed; `Debug` and `Display` show its host.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct PresignedUrl(SecretString);

impl PresignedUrl {
    /// Wraps a URL.
    pub fn new(url: impl Into<String>) -> Self {
        Self(SecretString::from(url.into()))
    }

    /// The URL itself. Whoever has it can use it until it expires.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// The URL, if it is one that a file may be sent to: `https`, or this machine where the platform is this machine.
    pub(crate) fn checked(&self, platform_is_local: bool) -> Result<Url, Error> {
        let refuse = |why| Error::new(ErrorKind::UnexpectedAnswer, Sent::Yes).with_message(why);
        let url = Url::parse(self.expose()).map_err(|_| refuse("the presigned url is not a url"))?;
        if !is_safe(&url, platform_is_local) || !url.username().is_empty() || url.password().is_some() {
            return Err(refuse("the presigned url is not one that a file may be sent to"));
        }
        Ok(url)
    }
}

impl fmt::Display for PresignedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = Url::parse(self.expose()).ok();
        let host = url.as_ref().and_then(Url::host_str).unwrap_or("unknown host");
        write!(f, "presigned url of {host}")
    }
}

impl fmt::Debug for PresignedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PresignedUrl({self})")
    }
}

/// Where to put the bytes, with exactly these headers, for so long. `Debug` shows the names of the headers and not their
/// values, among which can be keys.
#[derive(Clone)]
#[non_exhaustive]
pub struct PresignedTarget {
    /// The URL.
    pub url: PresignedUrl,
    /// The headers that belong to it; no others are sent but those of HTTP itself: `host`, `content-length`, and
    /// through a proxy `accept`.
    pub headers: HeaderMap,
    /// How long it lives, counted from the moment it was asked for.
    pub lifetime: Duration,
    /// An attempt that would begin with less than this left asks for a new URL first.
    pub margin: Duration,
}

/// The usual margin: nobody wants to begin at the very end.
const MARGIN_MAX: Duration = Duration::from_secs(10);

impl PresignedTarget {
    /// A target; headers must be the ones the server signed or named. Its margin is a tenth of its life, at most 10 seconds.
    pub fn new(url: PresignedUrl, headers: HeaderMap, lifetime: Duration) -> Self {
        Self { url, headers, lifetime, margin: (lifetime / 10).min(MARGIN_MAX) }
    }

    /// Sets how much of its life must be left when an attempt begins.
    #[must_use]
    pub fn margin(mut self, margin: Duration) -> Self {
        self.margin = margin;
        self
    }
}

impl fmt::Debug for PresignedTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PresignedTarget")
            .field("url", &self.url)
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .field("lifetime", &self.lifetime)
            .field("margin", &self.margin)
            .finish()
    }
}

/// How far an upload is. A retry starts at zero again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Bytes handed to the network in this attempt.
    pub sent_bytes: u64,
    /// Bytes there are.
    pub total_bytes: u64,
    /// The attempt, counted from 1.
    pub attempt: u32,
}

impl AsRef<Self> for PresignedTarget {
    fn as_ref(&self) -> &Self {
        self
    }
}

/// An upload to a presigned URL.
#[must_use = "an upload does nothing until it is sent"]
pub struct PresignedPut<'a> {
    pub(crate) operation: &'static Operation,
    pub(crate) source: &'a Source,
    pub(crate) length: u64,
    pub(crate) digest: bool,
    pub(crate) on_progress: Option<Arc<dyn Fn(Progress) + Send + Sync>>,
}

/// What an upload came to.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Stored {
    /// SHA-256 of exactly the bytes that were sent, unless it was switched off.
    pub sha256: Option<[u8; 32]>,
    /// How many times the URL was asked for.
    pub urls: u32,
    /// How the upload went.
    pub facts: Facts,
}

impl Stored {
    /// The digest in hexadecimal.
    pub fn sha256_hex(&self) -> Option<String> {
        self.sha256.map(hex::encode)
    }
}

impl<'a> PresignedPut<'a> {
    /// The upload of a source that was announced with `length` bytes, by an operation whose method is `PUT`.
    pub fn new(operation: &'static Operation, source: &'a Source, length: u64) -> Self {
        Self { operation, source, length, digest: true, on_progress: None }
    }

    /// Sets whether the bytes are hashed on the way; they are by default. On a fast network that takes longer than sending. An upload
    /// that is alone is hashed beside it, by a thread that the client keeps for that.
    pub fn digest(mut self, digest: bool) -> Self {
        self.digest = digest;
        self
    }

    /// Calls back with every chunk that is handed to the network.
    pub fn on_progress(mut self, on_progress: Arc<dyn Fn(Progress) + Send + Sync>) -> Self {
        self.on_progress = Some(on_progress);
        self
    }
}

impl fmt::Debug for PresignedPut<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PresignedPut")
            .field("operation", &self.operation.name)
            .field("source", &self.source)
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}
