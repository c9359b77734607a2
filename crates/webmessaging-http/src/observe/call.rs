//! What observers are shown of a call that is over.

use std::fmt;
use std::time::Duration;

use http::StatusCode;
use webmessaging_model::Operation;

use crate::error::ErrorKind;

/// What an outcome is called where it is a label: `ok`, or the code of an error's kind.
pub(super) fn outcome(error_kind: Option<ErrorKind>) -> &'static str {
    error_kind.map_or("ok", ErrorKind::code)
}

/// Which call it is.
#[derive(Clone, Copy)]
pub(crate) struct CallId<'a> {
    pub(crate) operation: &'static Operation,
    /// None for a call that was refused before it began.
    pub(crate) correlation_id: Option<&'a str>,
}

impl fmt::Debug for CallId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.operation.name, self.correlation_id.unwrap_or("-"))
    }
}

/// A call that is over.
#[derive(Debug)]
#[non_exhaustive]
pub struct CallEnded<'a> {
    pub(crate) call: CallId<'a>,
    pub(crate) error_kind: Option<ErrorKind>,
    pub(crate) status: Option<StatusCode>,
    pub(crate) attempts: u32,
    pub(crate) latency: Duration,
    pub(crate) waited: Duration,
    pub(crate) sent_bytes: u64,
    pub(crate) received_bytes: u64,
}

impl CallEnded<'_> {
    /// The operation.
    pub fn operation(&self) -> &'static Operation {
        self.call.operation
    }

    /// Our id of the call; `None` when it was refused before it began.
    pub fn correlation_id(&self) -> Option<&str> {
        self.call.correlation_id
    }

    /// What went wrong, if something did.
    pub fn error_kind(&self) -> Option<ErrorKind> {
        self.error_kind
    }

    /// `ok`, or the code of the error's kind.
    pub fn outcome(&self) -> &'static str {
        outcome(self.error_kind)
    }

    /// The status of the last answer, where there was one.
    pub fn status(&self) -> Option<StatusCode> {
        self.status
    }

    /// How many times the request was sent, or tried to be.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Time from the call to its end, all waits included.
    pub fn latency(&self) -> Duration {
        self.latency
    }

    /// How much of it was spent waiting for the rate limiter and before retries.
    pub fn waited(&self) -> Duration {
        self.waited
    }

    /// Bytes of bodies that were handed to the network, in all attempts.
    pub fn sent_bytes(&self) -> u64 {
        self.sent_bytes
    }

    /// Bytes of answers' bodies that were read, in all attempts.
    pub fn received_bytes(&self) -> u64 {
        self.received_bytes
    }
}
