//! What can go wrong, and how far a request can have come.

use std::fmt;

/// What went wrong. The code of each kind is a heading of `docs/errors.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The input breaks our rules; [`Error::violations`](crate::Error::violations) lists all of them. Nothing was sent.
    InvalidInput,
    /// The source could not be read, or changed while it was read; [`Error::violations`](crate::Error::violations) says how.
    Source,
    /// The client is set up in a way that cannot work. Nothing was sent.
    Configuration,
    /// 401: the credentials or the token were refused.
    Authentication,
    /// 403: a scope or permission is missing; [`Error::operation`](crate::Error::operation) lists the scopes.
    Permission,
    /// 404: there is no such thing.
    NotFound,
    /// 409 or 412: it exists already, or somebody changed it.
    Conflict,
    /// 429: too many requests; [`Error::retry_after`](crate::Error::retry_after) says when to come back.
    RateLimited,
    /// Another 4xx: the platform refused the request as it is.
    Rejected,
    /// 5xx: the platform failed.
    Server,
    /// The host has failed too often and is left alone for a while; [`Error::retry_after`](crate::Error::retry_after)
    /// says for how long. Nothing was sent.
    CircuitOpen,
    /// No connection came about. Nothing was sent.
    Connect,
    /// A certificate was refused, by this side or the other, or both have no TLS in common.
    Tls,
    /// The connection broke before the answer was complete.
    Interrupted,
    /// Something took too long.
    Timeout,
    /// The answer is not what the operation answers: not JSON, cut short, too large, another shape.
    UnexpectedAnswer,
    /// A presigned URL was refused as expired, and so were the ones asked for in its place.
    LinkExpired,
    /// The caller canceled the call.
    Canceled,
    /// It was done, and could not be recorded: a durable sink of the journal has refused.
    NotRecorded,
}

impl ErrorKind {
    /// Every kind, for documentation and tests.
    pub const ALL: &'static [Self] = &[
        Self::InvalidInput,
        Self::Source,
        Self::Configuration,
        Self::Authentication,
        Self::Permission,
        Self::NotFound,
        Self::Conflict,
        Self::RateLimited,
        Self::Rejected,
        Self::Server,
        Self::CircuitOpen,
        Self::Connect,
        Self::Tls,
        Self::Interrupted,
        Self::Timeout,
        Self::UnexpectedAnswer,
        Self::LinkExpired,
        Self::Canceled,
        Self::NotRecorded,
    ];

    /// The stable name, as it appears in JSON and in the documentation.
    pub const fn code(self) -> &'static str {
        self.texts().0
    }

    const fn texts(self) -> (&'static str, &'static str) {
        match self {
            Self::InvalidInput => ("invalid_input", "the input is not valid"),
            Self::Source => ("source", "the source failed while it was read"),
            Self::Configuration => ("configuration", "the client is not set up for this"),
            Self::Authentication => ("authentication", "the credentials were refused"),
            Self::Permission => ("permission", "a permission is missing"),
            Self::NotFound => ("not_found", "not found"),
            Self::Conflict => ("conflict", "conflict"),
            Self::RateLimited => ("rate_limited", "too many requests"),
            Self::Rejected => ("rejected", "the request was rejected"),
            Self::Server => ("server", "the server failed"),
            Self::CircuitOpen => ("circuit_open", "not sent, the host has failed too often"),
            Self::Connect => ("connect", "could not connect"),
            Self::Tls => ("tls", "no secure connection"),
            Self::Interrupted => ("interrupted", "the connection broke"),
            Self::Timeout => ("timeout", "took too long"),
            Self::UnexpectedAnswer => ("unexpected_answer", "unexpected answer"),
            Self::LinkExpired => ("link_expired", "the presigned url expired"),
            Self::Canceled => ("canceled", "canceled"),
            Self::NotRecorded => ("not_recorded", "it was done, and could not be recorded"),
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.texts().1)
    }
}

/// Whether the other side can have seen the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Sent {
    /// Certainly not.
    No,
    /// Perhaps: bytes went out and no answer came.
    Maybe,
    /// Certainly: it answered.
    Yes,
}

impl Sent {
    /// `no`, `maybe` or `yes`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::Maybe => "maybe",
            Self::Yes => "yes",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct() {
        let codes: std::collections::HashSet<_> = ErrorKind::ALL.iter().map(|kind| kind.code()).collect();
        assert_eq!(codes.len(), ErrorKind::ALL.len());
    }
}
