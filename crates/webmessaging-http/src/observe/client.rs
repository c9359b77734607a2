//! What observers are shown of a client as a whole: its logins and its breakers.

use std::time::Duration;

use super::call::outcome;
use crate::breaker::BreakerState;
use crate::error::ErrorKind;

/// A login that is over.
#[derive(Debug)]
#[non_exhaustive]
pub struct LoginEnded {
    pub(crate) error_kind: Option<ErrorKind>,
    pub(crate) is_taken_over: bool,
    pub(crate) lifetime: Option<Duration>,
    pub(crate) latency: Duration,
}

impl LoginEnded {
    /// What went wrong, if something did.
    pub fn error_kind(&self) -> Option<ErrorKind> {
        self.error_kind
    }

    /// `ok`, or the code of the error's kind.
    pub fn outcome(&self) -> &'static str {
        outcome(self.error_kind)
    }

    /// The token came from the [`TokenCache`](crate::TokenCache): another process had logged in.
    pub fn is_taken_over(&self) -> bool {
        self.is_taken_over
    }

    /// How long the token is good; `None` without one.
    pub fn lifetime(&self) -> Option<Duration> {
        self.lifetime
    }

    /// Time from the need of a token to having it, all waits included.
    pub fn latency(&self) -> Duration {
        self.latency
    }
}

/// A breaker whose state is another one.
#[derive(Debug)]
#[non_exhaustive]
pub struct BreakerChanged<'a> {
    pub(crate) host: &'a str,
    pub(crate) from: BreakerState,
    pub(crate) to: BreakerState,
}

impl BreakerChanged<'_> {
    /// Host, and port where it is not the usual one.
    pub fn host(&self) -> &str {
        self.host
    }

    /// The state before; that of the change before this one, and closed before the first.
    pub fn from(&self) -> BreakerState {
        self.from
    }

    /// The state it is in. It becomes half open when the first request is let through.
    pub fn to(&self) -> BreakerState {
        self.to
    }
}
