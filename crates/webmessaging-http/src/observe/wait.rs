//! Waits: what observers are shown of them, and the guard that tells of both ends.

use std::time::{Duration, Instant};

use webmessaging_model::{LimitClass, Operation};

use super::Observers;
use super::call::CallId;
use crate::clock::Clock;
use crate::limit::WaitReason;

/// What a call waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WaitCause {
    /// The rate limiter.
    Limit {
        /// The class of operations whose limit it is.
        class: LimitClass,
        /// What is in the way.
        reason: WaitReason,
    },
    /// The callers before it in the queue of the rate limiter.
    Queue {
        /// The class of operations whose limit it is.
        class: LimitClass,
    },
    /// The pause before a retry.
    Retry,
}

impl WaitCause {
    /// The stable name: `queue`, `retry`, or that of the limiter's [`WaitReason`].
    pub const fn code(self) -> &'static str {
        match self {
            Self::Limit { reason, .. } => reason.code(),
            Self::Queue { .. } => "queue",
            Self::Retry => "retry",
        }
    }
}

/// A wait that begins.
#[derive(Debug)]
#[non_exhaustive]
pub struct WaitStarted<'a> {
    pub(crate) call: CallId<'a>,
    pub(crate) cause: WaitCause,
    pub(crate) expected: Option<Duration>,
}

impl WaitStarted<'_> {
    /// The operation.
    pub fn operation(&self) -> &'static Operation {
        self.call.operation
    }

    /// Our id of the call.
    pub fn correlation_id(&self) -> &str {
        self.call.correlation_id.unwrap_or_default()
    }

    /// What it waits for.
    pub fn cause(&self) -> WaitCause {
        self.cause
    }

    /// How long it will take, where that is known.
    pub fn expected(&self) -> Option<Duration> {
        self.expected
    }
}

/// A wait that is over.
#[derive(Debug)]
#[non_exhaustive]
pub struct WaitEnded<'a> {
    pub(crate) call: CallId<'a>,
    pub(crate) cause: WaitCause,
    pub(crate) waited: Duration,
}

impl WaitEnded<'_> {
    /// The operation.
    pub fn operation(&self) -> &'static Operation {
        self.call.operation
    }

    /// Our id of the call.
    pub fn correlation_id(&self) -> &str {
        self.call.correlation_id.unwrap_or_default()
    }

    /// What it waited for.
    pub fn cause(&self) -> WaitCause {
        self.cause
    }

    /// How long it took.
    pub fn waited(&self) -> Duration {
        self.waited
    }
}

/// Which call something happens in, and who wants to know.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub(crate) observers: &'a Observers,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) operation: &'static Operation,
    pub(crate) correlation_id: &'a str,
}

impl<'a> Scope<'a> {
    pub(crate) fn id(&self) -> CallId<'a> {
        CallId { operation: self.operation, correlation_id: Some(self.correlation_id) }
    }

    /// A wait that begins; it ends when this is dropped.
    pub(crate) fn wait(self, cause: WaitCause, expected: Option<Duration>) -> Waiting<'a> {
        if self.observers.is_empty() {
            return Waiting(None);
        }
        let started = self.clock.now();
        let wait = WaitStarted { call: self.id(), cause, expected };
        self.observers.tell(|observer| observer.wait_started(&wait));
        Waiting(Some(Wait { scope: self, cause, started }))
    }
}

/// A wait under way.
#[derive(Debug)]
#[must_use]
pub(crate) struct Waiting<'a>(Option<Wait<'a>>);

#[derive(Debug)]
struct Wait<'a> {
    scope: Scope<'a>,
    cause: WaitCause,
    started: Instant,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let Some(Wait { scope, cause, started }) = self.0.take() else { return };
        let waited = scope.clock.now().saturating_duration_since(started);
        let wait = WaitEnded { call: scope.id(), cause, waited };
        scope.observers.tell(|observer| observer.wait_ended(&wait));
    }
}
