//! What the observers of a call are told, and when. Where there are none, nothing is made and no clock is read.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use webmessaging_model::Operation;

use super::{Call, Patience};
use crate::answer::request_id;
use crate::client::Shared;
use crate::error::{Error, ErrorKind, Sent};
use crate::log;
use crate::observe::{AddedHeaders, AttemptEnded, AttemptStarted, CallEnded, CallId, Scope};
use crate::transport::Body;
use crate::upload_body::Watch;

/// What is still to be told of a call.
#[derive(Debug, Default)]
pub(super) struct Record {
    /// The last attempt, until it is known what follows it. On the heap, since most calls have no observer.
    attempt: Option<Box<Attempt>>,
    upload: Option<Arc<Watch>>,
    sent_bytes: u64,
    received_bytes: u64,
    /// The beginning of a wait under way.
    pub(super) waits_since: Option<Instant>,
    is_under_way: bool,
    is_over: bool,
}

#[derive(Debug)]
struct Attempt {
    started: Instant,
    body_bytes: u64,
    end: Option<End>,
}

#[derive(Debug)]
struct End {
    latency: Duration,
    status: Option<StatusCode>,
    error_kind: Option<ErrorKind>,
    sent: Sent,
    received_bytes: u64,
    request_id: Option<String>,
}

/// A call that was refused before it began.
pub(super) fn refused(shared: &Shared, operation: &'static Operation, error: &Error) {
    let call = CallEnded {
        call: CallId { operation, correlation_id: None },
        error_kind: Some(error.kind()),
        status: None,
        attempts: 0,
        latency: Duration::ZERO,
        waited: Duration::ZERO,
        sent_bytes: 0,
        received_bytes: 0,
    };
    shared.observers.tell(|observer| observer.call_ended(&call));
}

impl Call<'_> {
    pub(super) fn scope(&self) -> Scope<'_> {
        Scope {
            observers: &self.shared.observers,
            clock: &*self.shared.clock,
            operation: self.operation,
            correlation_id: &self.correlation_id,
        }
    }

    /// An error that comes from elsewhere, with an id that leads to the log: its own, or else that of this call.
    pub(crate) fn identified(&self, error: Error) -> Error {
        let (attempts, sent) = (error.attempts(), error.sent());
        error.with_call(&self.correlation_id, attempts, sent)
    }

    /// The next attempt streams its body, and this counts the bytes.
    pub(crate) fn uploads(&mut self, watch: &Arc<Watch>) {
        self.record.upload = Some(Arc::clone(watch));
    }

    /// An attempt is about to be sent; observers may add to its headers.
    pub(super) fn attempt_starts(&mut self, request: &mut Request<Body>) {
        self.record.is_under_way = true;
        let Some(started) = self.shared.observers.time(&*self.shared.clock) else { return };
        let body_bytes = request.body().length();
        let authority = request.uri().authority().cloned();
        let mut attempt = AttemptStarted {
            call: self.scope().id(),
            attempt: self.attempts,
            host: authority.as_ref().map_or("", |authority| authority.as_str()),
            path_template: self.shared.path_of(self.operation),
            body_bytes,
            headers: AddedHeaders::new(request.headers_mut(), self.is_upload()),
        };
        self.shared.observers.tell(|observer| observer.attempt_started(&mut attempt));
        let body_bytes = body_bytes.unwrap_or_default();
        self.record.attempt = Some(Box::new(Attempt { started, body_bytes, end: None }));
    }

    fn is_upload(&self) -> bool {
        matches!(self.patience, Patience::Waits(_))
    }

    /// The attempt is over. What follows is decided later, and told together with it.
    pub(super) fn attempt_ends(&mut self, outcome: &Result<Response<Bytes>, Error>, received_bytes: u64) {
        self.record.is_under_way = false;
        let Some(attempt) = &mut self.record.attempt else { return };
        let (status, error_kind, sent, request_id) = match outcome {
            Ok(answer) => (Some(answer.status()), None, Sent::Yes, request_id(answer.headers())),
            Err(error) => {
                let request_id = error.request_id().map(str::to_owned);
                (error.status(), Some(error.kind()), error.sent(), request_id)
            }
        };
        let latency = self.shared.clock.now().saturating_duration_since(attempt.started);
        attempt.end = Some(End { latency, status, error_kind, sent, received_bytes, request_id });
    }

    /// The last attempt failed for a reason that the network does not know.
    pub(crate) fn attempt_failed_by(&mut self, kind: ErrorKind) {
        if let Some(end) = self.record.attempt.as_mut().and_then(|attempt| attempt.end.as_mut()) {
            end.error_kind = Some(kind);
        }
    }

    /// There will be another attempt after a pause.
    pub(crate) fn goes_on(&mut self, pause: Duration) {
        self.tell_attempt(Some(pause));
    }

    fn tell_attempt(&mut self, retry_in: Option<Duration>) {
        let Some(attempt) = self.record.attempt.take() else { return };
        let Attempt { started, body_bytes, end } = *attempt;
        // One without an end was given up under way.
        let end = end.unwrap_or_else(|| End {
            latency: self.shared.clock.now().saturating_duration_since(started),
            status: None,
            error_kind: Some(ErrorKind::Canceled),
            sent: Sent::Maybe,
            received_bytes: 0,
            request_id: None,
        });
        let sent_bytes = match (end.sent, &self.record.upload) {
            (_, Some(watch)) => watch.taken(),
            (Sent::No, None) => 0,
            (_, None) => body_bytes,
        };
        self.record.sent_bytes += sent_bytes;
        self.record.received_bytes += end.received_bytes;
        let attempt = AttemptEnded {
            call: self.scope().id(),
            attempt: self.attempts,
            status: end.status,
            error_kind: end.error_kind,
            sent: end.sent,
            latency: end.latency,
            sent_bytes,
            received_bytes: end.received_bytes,
            request_id: end.request_id.as_deref(),
            retry_in,
        };
        self.shared.observers.tell(|observer| observer.attempt_ended(&attempt));
    }

    /// The call is over.
    pub(crate) fn over(&mut self, outcome: Result<StatusCode, &Error>) {
        let error = outcome.err();
        if let Some(error) = error {
            self.log_failure(error.kind(), error.sent());
        }
        let status = outcome.ok().or_else(|| error.and_then(Error::status));
        self.tell_call(error.map(Error::kind), status);
    }

    fn log_failure(&self, kind: ErrorKind, sent: Sent) {
        self.span.in_scope(|| log::call_failed(self.attempts, kind, sent));
    }

    fn tell_call(&mut self, error_kind: Option<ErrorKind>, status: Option<StatusCode>) {
        self.record.is_over = true;
        if self.shared.observers.is_empty() {
            return;
        }
        self.tell_attempt(None);
        let now = self.shared.clock.now();
        let since = |start| now.saturating_duration_since(start);
        let call = CallEnded {
            call: self.scope().id(),
            error_kind,
            status,
            attempts: self.attempts,
            latency: since(self.started),
            // A wait that was given up counts as far as it came.
            waited: self.waited + self.record.waits_since.map(since).unwrap_or_default(),
            sent_bytes: self.record.sent_bytes,
            received_bytes: self.record.received_bytes,
        };
        self.shared.observers.tell(|observer| observer.call_ended(&call));
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        if !self.record.is_over {
            // Whoever waited for it has gone.
            let sent = if self.record.is_under_way { self.sent.max(Sent::Maybe) } else { self.sent };
            self.log_failure(ErrorKind::Canceled, sent);
            self.tell_call(Some(ErrorKind::Canceled), None);
        }
    }
}
