//! The way of a call: check, encode, then attempts, each with its token, its time limit and its classification.
//!
//! The order is fixed. Per call: validation, encoding, correlation id, deadline. Per attempt: bearer token, the host's
//! breaker, limiter permit, send under a watchdog, classify. Between attempts: the retry policy, the only one, and the
//! client's budget.

mod observed;
mod once;

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{AUTHORIZATION, ETAG, USER_AGENT};
use http::{HeaderName, HeaderValue, Request, Response, Uri};
use serde::de::DeserializeOwned;
use tracing::Instrument;
use webmessaging_model::Operation;

use crate::answer::{Answer, Facts, decode, request_id};
use crate::budget::Paid;
use crate::client::Shared;
use crate::clock::{Clock, Wait, correlation_id};
use crate::endpoint::{Encoder, Endpoint};
use crate::error::{Error, ErrorKind, Sent};
use crate::limit::{Permit, TooLong, Turns};
use crate::log;
use crate::observe::WaitCause;
use crate::token::Token;
use crate::transport::Body;

use self::observed::Record;

pub(crate) use self::once::{Elapsed, within};

const X_CORRELATION_ID: HeaderName = HeaderName::from_static("x-correlation-id");
const OUR_NAME: HeaderValue = HeaderValue::from_static(concat!("webmessaging/", env!("CARGO_PKG_VERSION")));

/// An error's body is read for its code and message; what it says beyond that is not worth waiting for.
const ERROR_BYTES_MAX: usize = 64 * 1024;

pub(crate) async fn send<E: Endpoint>(
    shared: &Shared,
    endpoint: &E,
    limit: Duration,
) -> Result<Answer<E::Answer>, Error> {
    let operation = endpoint.operation();
    let request =
        prepare(shared, endpoint).inspect_err(|error| observed::refused(shared, operation, error))?;
    Call::begin(shared, operation, Patience::Whole(limit)).run(request, Authorization::Bearer).await
}

/// The request, checked and whole but for what each attempt adds.
fn prepare<E: Endpoint>(shared: &Shared, endpoint: &E) -> Result<Request<Bytes>, Error> {
    let operation = endpoint.operation();
    endpoint.validate().map_err(|violations| Error::from(violations).with_operation(operation))?;
    let mut request = endpoint
        .encode(Encoder::new(operation, &shared.hosts.base.prefix, shared.path_of(operation)))
        .finish()
        .map_err(|error| error.with_operation(operation))?;
    shared.default_headers.add_to(request.headers_mut());
    let target = std::mem::take(request.uri_mut());
    *request.uri_mut() = shared.hosts.base.absolute(target).map_err(|error| {
        Error::configuration("the url is not valid").with_operation(operation).with_source(error)
    })?;
    Ok(request)
}

/// Whether a request carries the access token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Authorization {
    None,
    Bearer,
}

/// What the time limit of a call counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    /// Everything from the call to its answer.
    Whole(Duration),
    /// The waits between attempts alone: how long a file takes is the file's and the line's affair.
    Waits(Duration),
}

/// One call with all its attempts.
pub(crate) struct Call<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) operation: &'static Operation,
    pub(crate) attempts: u32,
    correlation_id: String,
    retries: u32,
    paid: Option<Paid>,
    started: Instant,
    /// The time as it was after the last wait; in between next to none passes.
    now: Instant,
    waited: Duration,
    patience: Patience,
    /// What the attempts so far can have done; a later one that fails harmlessly does not undo it.
    sent: Sent,
    span: tracing::Span,
    record: Record,
}

impl<'a> Call<'a> {
    pub(crate) fn begin(shared: &'a Shared, operation: &'static Operation, patience: Patience) -> Self {
        let (correlation_id, now) = (correlation_id(&*shared.entropy), shared.clock.now());
        let span = log::call(operation, &correlation_id);
        Self {
            shared,
            operation,
            attempts: 0,
            correlation_id,
            retries: 0,
            paid: None,
            started: now,
            now,
            waited: Duration::ZERO,
            patience,
            sent: Sent::No,
            span,
            record: Record::default(),
        }
    }

    pub(crate) fn clock(&self) -> &'a dyn Clock {
        &*self.shared.clock
    }

    /// Reads the clock, after anything that may have taken a while.
    pub(crate) fn tick(&mut self) {
        self.now = self.clock().now();
    }

    pub(crate) fn span(&self) -> tracing::Span {
        self.span.clone()
    }

    /// Sends the request until it is answered, and decodes the answer.
    pub(crate) async fn run<T: DeserializeOwned>(
        &mut self,
        request: Request<Bytes>,
        authorization: Authorization,
    ) -> Result<Answer<T>, Error> {
        self.run_and(request, authorization, decode).await
    }

    /// Sends the request until it is answered, and reads the answer.
    pub(crate) async fn run_and<T>(
        &mut self,
        request: Request<Bytes>,
        authorization: Authorization,
        read: impl FnOnce(&Response<Bytes>) -> Result<T, Error>,
    ) -> Result<Answer<T>, Error> {
        let span = self.span();
        let outcome = async {
            let answer = self.exchange(request, authorization).await?;
            let value = read(&answer).map_err(|error| self.finish(error))?;
            Ok(Answer { value, facts: self.facts(&answer) })
        }
        .instrument(span)
        .await;
        self.over(outcome.as_ref().map(|answer| answer.facts.status));
        outcome
    }

    async fn exchange(
        &mut self,
        mut request: Request<Bytes>,
        authorization: Authorization,
    ) -> Result<Response<Bytes>, Error> {
        request.headers_mut().insert(USER_AGENT, OUR_NAME);
        if let Ok(id) = HeaderValue::from_str(&self.correlation_id) {
            request.headers_mut().insert(X_CORRELATION_ID, id);
        }
        let mut renewed = false;
        loop {
            // The token comes first, so that no permit waits for a login; after a long wait for the permit there may
            // be a newer one.
            let mut token = match authorization {
                Authorization::None => None,
                Authorization::Bearer => Some(self.token().await?),
            };
            // Before the permit: nobody waits for his turn to hear that the host is left alone.
            let host = request.uri().authority().map_or("", |host| host.as_str());
            if let Some(error) = self.shared.breakers.refusal(host, self.now) {
                self.pause_or_fail(error).await?;
                continue;
            }
            let before = self.now;
            let permit = self.permit().await?;
            if self.now > before && token.is_some() {
                token = self.shared.token_at_hand(self.now).or(token);
            }
            if let Some(token) = &token {
                request.headers_mut().insert(AUTHORIZATION, token.header.clone());
            }
            let attempt = request.clone().map(Body::from);
            let (full, left) = (self.shared.timeouts.attempt, self.left());
            // A caller who gives an attempt less than its full time has no patience; the host may be well.
            let is_ours = |error: &Error| left < full && error.kind() == ErrorKind::Timeout;
            let error =
                match self.attempt(attempt, permit, self.clock().watchdog(full.min(left)), is_ours).await {
                    Ok(answer) => return Ok(answer),
                    Err(error) => error,
                };
            match token {
                // The token was withdrawn before its time: once, a fresh one is worth a replay. The platform did
                // nothing with the request, so any class may be sent again.
                Some(token) if error.kind() == ErrorKind::Authentication && !renewed => {
                    renewed = true;
                    self.shared.token_refused(&token);
                    self.goes_on(Duration::ZERO);
                }
                Some(_) if error.kind() == ErrorKind::Authentication => {
                    return Err(self.finish(error.with_message("the platform refused a fresh access token")));
                }
                _ => self.pause_or_fail(error).await?,
            }
        }
    }

    /// Leave from the rate limiter to send once, when it comes within the time that is left.
    pub(crate) async fn permit(&mut self) -> Result<Permit<'a>, Error> {
        let (shared, before) = (self.shared, self.now);
        let turns = Turns { clock: &*shared.clock, entropy: &*shared.entropy };
        if let Some(permit) = shared.limiter.try_permit(self.operation.limit, before, turns) {
            return Ok(permit);
        }
        self.record.waits_since = Some(before);
        let permit = shared.limiter.permit(self.operation.limit, self.left(), turns, self.scope()).await;
        self.record.waits_since = None;
        self.tick();
        self.waited += self.now.saturating_duration_since(before);
        permit.map_err(|TooLong { wait, reason }| {
            let reason = reason.map_or_else(String::new, |reason| format!(", {reason}"));
            let message = format!("not sent, the time limit of the call ends before its turn comes{reason}");
            let error = Error::new(ErrorKind::RateLimited, Sent::No).with_message(message);
            self.finish(if wait.is_zero() { error } else { error.with_retry_after(wait) })
        })
    }

    /// The token, after a login where one is due, within the time that is left.
    async fn token(&mut self) -> Result<Token, Error> {
        if let Some(token) = self.shared.token_at_hand(self.now) {
            return Ok(token);
        }
        let mut watchdog = self.clock().watchdog(self.left());
        let landed = within(self.shared.token(), &mut watchdog).await;
        self.tick();
        match landed {
            Ok(Ok(token)) => Ok(token),
            Ok(Err(error)) if self.attempts == 0 => Err(self.identified(error)),
            Ok(Err(error)) => Err(self.finish(error.seen_from(self.operation))),
            Err(Elapsed) => {
                Err(self
                    .finish(Error::new(ErrorKind::Timeout, Sent::No).with_message("the login took too long")))
            }
        }
    }

    /// Sends once and waits for the whole answer, no longer than the watchdog. A failure that `is_ours` is not held
    /// against the host.
    pub(crate) async fn attempt(
        &mut self,
        mut request: Request<Body>,
        mut permit: Permit<'_>,
        mut watchdog: Wait,
        is_ours: impl Fn(&Error) -> bool,
    ) -> Result<Response<Bytes>, Error> {
        let host = request.uri().authority().map_or("", |host| host.as_str());
        let pass = self.shared.breakers.enter(host, self.now)?;
        self.attempts += 1;
        self.attempt_starts(&mut request);
        let mut received_bytes = 0;
        let outcome = self.send_once(request, &mut permit, &mut watchdog, &mut received_bytes).await;
        drop(permit);
        self.tick();
        self.attempt_ends(&outcome, received_bytes);
        if !outcome.as_ref().is_err_and(is_ours) {
            self.shared.breakers.report(pass, outcome.as_ref().map(|_| ()), self.now);
        }
        match &outcome {
            Ok(answer) => {
                self.shared.purse.earn(self.paid);
                log::answered(self.attempts, answer);
            }
            Err(error) => {
                // Whoever is turned away with 401 or 429 has not been let in.
                if !matches!(error.kind(), ErrorKind::Authentication | ErrorKind::RateLimited) {
                    self.sent = self.sent.max(error.sent());
                }
                log::attempt_failed(self.attempts, error);
            }
        }
        outcome
    }

    /// Waits until the next attempt, or gives the error back when there is to be none.
    pub(crate) async fn pause_or_fail(&mut self, error: Error) -> Result<(), Error> {
        let policy = &self.shared.retry;
        let delay = policy.delay(self.operation.retry, &error, self.retries, &*self.shared.entropy);
        let Some(delay) = delay.filter(|delay| *delay < self.left()) else { return Err(self.finish(error)) };
        let Some(paid) = self.shared.purse.pay(&error) else {
            log::budget_spent(self.attempts, &error);
            return Err(self.finish(error));
        };
        self.paid = Some(paid);
        self.retries += 1;
        log::retrying(self.attempts, delay, &error);
        self.goes_on(delay);
        self.record.waits_since = self.shared.observers.time(self.clock());
        let waiting = self.scope().wait(WaitCause::Retry, Some(delay));
        self.clock().sleep(delay).await;
        drop(waiting);
        self.record.waits_since = None;
        self.tick();
        self.waited += delay;
        Ok(())
    }

    /// What is left of the time limit.
    fn left(&self) -> Duration {
        match self.patience {
            Patience::Whole(limit) => limit.saturating_sub(self.spent()),
            Patience::Waits(limit) => limit.saturating_sub(self.waited),
        }
    }

    fn spent(&self) -> Duration {
        self.now.saturating_duration_since(self.started)
    }

    /// Gives an error the facts of the call.
    pub(crate) fn finish(&self, error: Error) -> Error {
        error.with_operation(self.operation).with_call(&self.correlation_id, self.attempts, self.sent)
    }

    /// The facts of a call that has ended.
    pub(crate) fn facts(&mut self, answer: &Response<Bytes>) -> Facts {
        Facts {
            operation: self.operation,
            status: answer.status(),
            attempts: self.attempts,
            latency: self.spent(),
            correlation_id: std::mem::take(&mut self.correlation_id),
            request_id: request_id(answer.headers()),
            etag: answer.headers().get(ETAG).and_then(|etag| etag.to_str().ok()).map(str::to_owned),
        }
    }
}

/// The target of a request whose URL the server handed out.
pub(crate) fn absolute(url: &str) -> Result<Uri, Error> {
    url.parse().map_err(|_| Error::new(ErrorKind::UnexpectedAnswer, Sent::Yes).with_message("not a url"))
}
