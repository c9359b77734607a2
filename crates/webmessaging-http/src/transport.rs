//! The port to the network: one request out, one answer back, and no policy.

use std::error::Error as StdError;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use http::{Request, Response};

use crate::error::Sent;

/// A cause that can be of any type.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// An exchange in progress.
pub type Exchange = Pin<Box<dyn Future<Output = Result<Response<Body>, TransportError>> + Send>>;

/// Sends a request and gives back the answer, whatever its status.
///
/// An implementation keeps no policy of its own: it follows no redirect, retries nothing and adds no header but those
/// that HTTP needs. A body with a known length is sent with that `Content-Length`.
#[cfg_attr(feature = "testing", mockall::automock)]
pub trait Transport: Send + Sync + 'static {
    /// Starts the exchange; it ends when the answer's head has arrived.
    fn send(&self, request: Request<Body>) -> Exchange;
}

/// Why no answer came.
#[derive(Debug)]
pub struct TransportError {
    failure: Failure,
    sent: Sent,
    message: Option<&'static str>,
    source: BoxError,
}

/// How an exchange failed, as far as a retry needs to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// No connection came about; the request was not sent.
    Connect,
    /// One side refused the other's certificate, or they have no TLS in common: trying again changes nothing. The
    /// request was not sent.
    Tls,
    /// The connection broke after the request may have been sent.
    Interrupted,
    /// It took too long; the request may have been sent.
    Timeout,
    /// The request could not be put together, or has no way out of this setup; it was not sent.
    Invalid,
}

impl TransportError {
    /// A failure and its cause. The cause must not print a URL's query or a secret.
    pub fn new(failure: Failure, source: impl Into<BoxError>) -> Self {
        let sent = match failure {
            Failure::Connect | Failure::Tls | Failure::Invalid => Sent::No,
            Failure::Interrupted | Failure::Timeout => Sent::Maybe,
        };
        Self { failure, sent, message: None, source: source.into() }
    }

    /// Says whether the other side can have seen the request, where it is not as usual with this failure.
    #[must_use]
    pub fn with_sent(mut self, sent: Sent) -> Self {
        self.sent = sent;
        self
    }

    /// Says in a few words what is special about this one.
    #[must_use]
    pub fn with_message(mut self, message: &'static str) -> Self {
        self.message = Some(message);
        self
    }

    /// How the exchange failed.
    pub fn failure(&self) -> Failure {
        self.failure
    }

    /// Whether the other side can have seen the request.
    pub fn sent(&self) -> Sent {
        self.sent
    }

    pub(crate) fn message(&self) -> Option<&'static str> {
        self.message
    }

    pub(crate) fn into_source(self) -> BoxError {
        self.source
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let usual = match self.failure {
            Failure::Connect => "could not connect",
            Failure::Tls => "no secure connection",
            Failure::Interrupted => "the connection broke",
            Failure::Timeout => "took too long",
            Failure::Invalid => "the request could not be put together",
        };
        f.write_str(self.message.unwrap_or(usual))
    }
}

impl StdError for TransportError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(self.source.as_ref())
    }
}

/// The chunks of a streamed body.
pub type Chunks = Pin<Box<dyn Stream<Item = Result<Bytes, BoxError>> + Send>>;

/// A request's or an answer's body: bytes at hand, or a stream.
pub struct Body(Content);

enum Content {
    Full(Bytes),
    Stream { length: Option<u64>, chunks: Chunks },
}

impl Body {
    /// A body that arrives in chunks. A request's `length` must be exact; an answer may not know its own.
    pub fn stream(length: Option<u64>, chunks: Chunks) -> Self {
        Self(Content::Stream { length, chunks })
    }

    /// The length in bytes, where it is known.
    pub fn length(&self) -> Option<u64> {
        match &self.0 {
            Content::Full(bytes) => Some(bytes.len() as u64),
            Content::Stream { length, .. } => *length,
        }
    }

    /// The bytes, or the stream of a body that is not at hand.
    ///
    /// # Errors
    /// The chunks of a streamed body.
    pub fn into_full(self) -> Result<Bytes, Chunks> {
        match self.0 {
            Content::Full(bytes) => Ok(bytes),
            Content::Stream { chunks, .. } => Err(chunks),
        }
    }
}

/// Reads a body whole, and keeps what has arrived when that fails.
#[derive(Debug)]
pub(crate) struct Collector {
    body: Body,
    /// A body that comes in one piece is not copied.
    first: Bytes,
    whole: BytesMut,
    max: usize,
}

/// Why a body could not be read whole.
#[derive(Debug)]
pub(crate) enum CollectError {
    TooLarge,
    Broken(BoxError),
}

impl Collector {
    pub(crate) fn new(body: Body, max: usize) -> Self {
        Self { body, first: Bytes::new(), whole: BytesMut::new(), max }
    }

    /// Reads to the end, or up to the limit.
    pub(crate) async fn fill(&mut self) -> Result<(), CollectError> {
        while let Some(chunk) = poll_fn(|cx| Pin::new(&mut self.body).poll_next(cx)).await {
            let chunk = chunk.map_err(CollectError::Broken)?;
            if self.first.is_empty() && self.whole.is_empty() && chunk.len() <= self.max {
                self.first = chunk;
                continue;
            }
            if self.whole.is_empty() {
                self.whole.extend_from_slice(&std::mem::take(&mut self.first));
            }
            let room = self.max - self.whole.len();
            self.whole.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
            if chunk.len() > room {
                return Err(CollectError::TooLarge);
            }
        }
        Ok(())
    }

    /// What has arrived.
    pub(crate) fn into_bytes(self) -> Bytes {
        if self.whole.is_empty() { self.first } else { self.whole.freeze() }
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self(Content::Full(bytes))
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.length() {
            Some(length) => write!(f, "Body({length} bytes)"),
            None => f.write_str("Body(length unknown)"),
        }
    }
}

impl Stream for Body {
    type Item = Result<Bytes, BoxError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match &mut self.get_mut().0 {
            Content::Full(bytes) if bytes.is_empty() => Poll::Ready(None),
            Content::Full(bytes) => Poll::Ready(Some(Ok(std::mem::take(bytes)))),
            Content::Stream { chunks, .. } => chunks.as_mut().poll_next(cx),
        }
    }
}
