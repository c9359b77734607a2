//! What observers are shown of an attempt, before and after.

use std::time::Duration;

use http::StatusCode;
use webmessaging_model::{Method, Operation};

use super::AddedHeaders;
use super::call::{CallId, outcome};
use crate::error::{Error, ErrorKind, Sent};

/// An attempt that is about to be sent.
#[derive(Debug)]
#[non_exhaustive]
pub struct AttemptStarted<'a> {
    pub(crate) call: CallId<'a>,
    pub(crate) attempt: u32,
    pub(crate) host: &'a str,
    pub(crate) path_template: &'a str,
    pub(crate) body_bytes: Option<u64>,
    pub(crate) headers: AddedHeaders<'a>,
}

impl AttemptStarted<'_> {
    /// The operation.
    pub fn operation(&self) -> &'static Operation {
        self.call.operation
    }

    /// Our id of the call, sent as `X-Correlation-Id` (not to the hosts of presigned URLs).
    pub fn correlation_id(&self) -> &str {
        self.call.correlation_id.unwrap_or_default()
    }

    /// The attempt, counted from 1.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// The HTTP method.
    pub fn method(&self) -> Method {
        self.call.operation.method
    }

    /// Host, and port where it is not the usual one.
    pub fn host(&self) -> &str {
        self.host
    }

    /// The path with the names of its variables in place of their values; empty for a presigned URL.
    pub fn path_template(&self) -> &str {
        self.path_template
    }

    /// The length of the body in bytes, where it is known.
    pub fn body_bytes(&self) -> Option<u64> {
        self.body_bytes
    }

    /// A header, if it is one of those that are shown.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)
    }

    /// The headers that are shown: `Accept`, `Content-Length`, `Content-Type`, `Idempotency-Key`, `If-Match`,
    /// `User-Agent`, `X-Correlation-Id` and `X-Genesys-Request-Id`, where the request has them.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.shown()
    }

    /// Adds a header to this attempt, for example one that lets a trace go on. It is not shown to other observers.
    ///
    /// # Errors
    /// [`Configuration`](ErrorKind::Configuration), and the attempt goes out without it, when the client or HTTP itself
    /// sets this header or it is there already, when name or value cannot be sent, when 32 were added, and for
    /// presigned URLs, where only headers that were signed may go.
    pub fn add_header(&mut self, name: &str, value: &str) -> Result<(), Error> {
        self.headers.add(name, value)
    }
}

/// An attempt that is over.
#[derive(Debug)]
#[non_exhaustive]
pub struct AttemptEnded<'a> {
    pub(crate) call: CallId<'a>,
    pub(crate) attempt: u32,
    pub(crate) status: Option<StatusCode>,
    pub(crate) error_kind: Option<ErrorKind>,
    pub(crate) sent: Sent,
    pub(crate) latency: Duration,
    pub(crate) sent_bytes: u64,
    pub(crate) received_bytes: u64,
    pub(crate) request_id: Option<&'a str>,
    pub(crate) retry_in: Option<Duration>,
}

impl AttemptEnded<'_> {
    /// The operation.
    pub fn operation(&self) -> &'static Operation {
        self.call.operation
    }

    /// Our id of the call.
    pub fn correlation_id(&self) -> &str {
        self.call.correlation_id.unwrap_or_default()
    }

    /// The attempt, counted from 1.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// The status of the answer, where there was one.
    pub fn status(&self) -> Option<StatusCode> {
        self.status
    }

    /// What went wrong, if something did. An answer that turns out not to be what the operation answers is an error of
    /// the call, not of the attempt.
    pub fn error_kind(&self) -> Option<ErrorKind> {
        self.error_kind
    }

    /// `ok`, or the code of the error's kind.
    pub fn outcome(&self) -> &'static str {
        outcome(self.error_kind)
    }

    /// Whether the other side can have seen the request.
    pub fn sent(&self) -> Sent {
        self.sent
    }

    /// Time from sending to the end of the answer.
    pub fn latency(&self) -> Duration {
        self.latency
    }

    /// Bytes of the request's body that were handed to the network.
    pub fn sent_bytes(&self) -> u64 {
        self.sent_bytes
    }

    /// Bytes of the answer's body that were read.
    pub fn received_bytes(&self) -> u64 {
        self.received_bytes
    }

    /// The platform's id of the request.
    pub fn request_id(&self) -> Option<&str> {
        self.request_id
    }

    /// After which pause there is another attempt; `None` when this was the last one. The wait for the rate limiter comes
    /// on top.
    pub fn retry_in(&self) -> Option<Duration> {
        self.retry_in
    }
}
