//! The way of a call: check, encode, then attempts, each with its token, its time limit and its classification.
//!
//! The order is fixed. Per call: validation, encoding, correlation id, deadline. Per attempt: bearer token, send under
//! a watchdog, classify. Between attempts: the retry policy, the only one. A limiter permit belongs before the token
//! of each attempt, a breaker around the sending, a retry budget beside the policy.

use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue, Request, Response, Uri};
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;
use tracing::Instrument;
use webmessaging_model::Operation;

use crate::answer::{Answer, Facts, decode, refusal, request_id};
use crate::client::Shared;
use crate::clock::{Clock, correlation_id};
use crate::endpoint::{Encoder, Endpoint};
use crate::error::{Error, ErrorKind, Sent};
use crate::login::sensitive;
use crate::transport::{Body, CollectError, Failure, TransportError};

const X_CORRELATION_ID: HeaderName = HeaderName::from_static("x-correlation-id");

pub(crate) async fn send<E: Endpoint>(shared: &Shared, endpoint: &E) -> Result<Answer<E::Answer>, Error> {
    let operation = endpoint.operation();
    endpoint.validate().map_err(|violations| Error::from(violations).with_operation(operation))?;
    let mut request = endpoint
        .encode(Encoder::new(operation, shared.path_of(operation)))
        .finish()
        .map_err(|error| error.with_operation(operation))?;
    let absolute = format!("{}{}", shared.hosts.api, request.uri());
    *request.uri_mut() = absolute.parse().map_err(|error| {
        Error::configuration("the url is not valid").with_operation(operation).with_source(error)
    })?;
    Call::begin(shared, operation, Patience::WholeCall).run(&request, Authorization::Bearer).await
}

/// Whether a request carries the access token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Authorization {
    None,
    Bearer,
}

/// One call with all its attempts.
pub(crate) struct Call<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) operation: &'static Operation,
    pub(crate) correlation_id: String,
    pub(crate) attempts: u32,
    retries: u32,
    started: Instant,
    waited: Duration,
    patience: Patience,
    span: tracing::Span,
}

/// What the time limit of a call counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    /// Everything from the call to its answer.
    WholeCall,
    /// The waits between attempts alone: how long a file takes is the file's and the line's affair.
    Waits,
}

impl<'a> Call<'a> {
    pub(crate) fn begin(shared: &'a Shared, operation: &'static Operation, patience: Patience) -> Self {
        let correlation_id = correlation_id(&*shared.entropy);
        let span = tracing::debug_span!("call", op = operation.name, correlation_id = %correlation_id);
        let started = shared.clock.now();
        Self {
            shared,
            operation,
            correlation_id,
            attempts: 0,
            retries: 0,
            started,
            waited: Duration::ZERO,
            patience,
            span,
        }
    }

    pub(crate) fn clock(&self) -> &'a dyn Clock {
        &*self.shared.clock
    }

    pub(crate) fn span(&self) -> tracing::Span {
        self.span.clone()
    }

    /// Sends the request until it is answered, and reads the answer.
    pub(crate) async fn run<T: DeserializeOwned>(
        &mut self,
        request: &Request<Bytes>,
        authorization: Authorization,
    ) -> Result<Answer<T>, Error> {
        let span = self.span();
        async {
            let answer = self.exchange(request, authorization).await?;
            let value = decode(&answer).map_err(|error| self.finish(error))?;
            Ok(Answer { value, facts: self.facts(&answer) })
        }
        .instrument(span)
        .await
    }

    async fn exchange(
        &mut self,
        request: &Request<Bytes>,
        authorization: Authorization,
    ) -> Result<Response<Bytes>, Error> {
        let mut renewed = false;
        loop {
            let mut attempt = request.clone().map(Body::from);
            let token = match authorization {
                Authorization::None => None,
                Authorization::Bearer => Some(match self.shared.token_at_hand() {
                    Some(token) => token,
                    None => self.shared.token().await?,
                }),
            };
            if let Some(token) = &token {
                let value = sensitive("Bearer", Shared::expose(token).expose_secret())?;
                attempt.headers_mut().insert(AUTHORIZATION, value);
            }
            let limit = self.shared.timeouts.attempt;
            let outcome = self.attempt(attempt, |clock| clock.watchdog(limit)).await;
            let error = match outcome {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            match token {
                // The token was withdrawn before its time: once, a fresh one is worth a replay. The platform did
                // nothing with the request, so any class may be sent again.
                Some(token) if error.kind() == ErrorKind::Authentication && !renewed => {
                    renewed = true;
                    self.shared.token_refused(&token);
                }
                Some(_) if error.kind() == ErrorKind::Authentication => {
                    let error = error.with_message("the platform refused a fresh access token");
                    return Err(self.finish(error));
                }
                _ => self.pause_or_fail(error).await?,
            }
        }
    }

    /// Sends once and waits for the whole answer, no longer than the watchdog.
    pub(crate) async fn attempt(
        &mut self,
        mut request: Request<Body>,
        watchdog: impl FnOnce(&'a dyn Clock) -> Pin<Box<dyn Future<Output = ()> + Send>>,
    ) -> Result<Response<Bytes>, Error> {
        self.attempts += 1;
        if let Ok(id) = HeaderValue::from_str(&self.correlation_id) {
            request.headers_mut().insert(X_CORRELATION_ID, id);
        }
        let clock = self.clock();
        let max = self.shared.answer_bytes_max;
        let sending = self.shared.transport.send(request);
        let exchange = async {
            let (head, body) = sending.await.map_err(transport_failed)?.into_parts();
            let error = |error: Error| error.with_answer(head.status, request_id(&head.headers), None, None);
            match body.collect(max).await {
                Ok(body) => Ok(Response::from_parts(head, body)),
                Err(CollectError::TooLarge) => Err(error(
                    Error::new(ErrorKind::UnexpectedAnswer, Sent::Yes)
                        .with_message(format!("the answer is larger than {max} bytes")),
                )),
                Err(CollectError::Broken(source)) => {
                    Err(error(Error::new(ErrorKind::Interrupted, Sent::Yes).with_source(source)))
                }
            }
        };
        let outcome = within(exchange, watchdog(clock))
            .await
            .unwrap_or_else(|Elapsed| Err(Error::new(ErrorKind::Timeout, Sent::Maybe)));
        let outcome = outcome.and_then(|answer| {
            if self.operation.is_success(answer.status().as_u16()) {
                Ok(answer)
            } else {
                Err(refusal(&answer, clock))
            }
        });
        match &outcome {
            Ok(answer) => tracing::debug!(
                attempt = self.attempts,
                status = answer.status().as_u16(),
                request_id = request_id(answer.headers()),
                "answered"
            ),
            Err(error) => tracing::debug!(
                attempt = self.attempts,
                status = error.status().map(|status| status.as_u16()),
                request_id = error.request_id(),
                kind = error.kind().code(),
                sent = error.sent().as_str(),
                "failed"
            ),
        }
        outcome
    }

    /// Waits until the next attempt, or gives the error back when there is to be none.
    pub(crate) async fn pause_or_fail(&mut self, error: Error) -> Result<(), Error> {
        let policy = &self.shared.retry;
        let delay = policy.delay(self.operation.retry, &error, self.retries, &*self.shared.entropy);
        let Some(delay) = delay.filter(|delay| self.fits(*delay)) else { return Err(self.finish(error)) };
        self.retries += 1;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a delay fits the deadline, which is no age of the universe"
        )]
        let delay_ms = delay.as_millis() as u64;
        tracing::info!(attempt = self.attempts, delay_ms, kind = error.kind().code(), "retrying");
        self.clock().sleep(delay).await;
        self.waited += delay;
        Ok(())
    }

    /// Whether the call would still be in time after a wait.
    fn fits(&self, delay: Duration) -> bool {
        let spent = match self.patience {
            Patience::WholeCall => self.clock().now().saturating_duration_since(self.started),
            Patience::Waits => self.waited,
        };
        spent.checked_add(delay).is_some_and(|total| total < self.shared.timeouts.call)
    }

    /// Gives an error the facts of the call.
    pub(crate) fn finish(&self, error: Error) -> Error {
        error.with_operation(self.operation).with_call(&self.correlation_id, self.attempts)
    }

    pub(crate) fn facts(&self, answer: &Response<Bytes>) -> Facts {
        Facts {
            operation: self.operation,
            status: answer.status(),
            attempts: self.attempts,
            latency: self.clock().now().saturating_duration_since(self.started),
            correlation_id: self.correlation_id.clone(),
            request_id: request_id(answer.headers()),
        }
    }
}

pub(crate) fn transport_failed(error: TransportError) -> Error {
    let kind = match error.failure() {
        Failure::Connect => ErrorKind::Connect,
        Failure::Timeout => ErrorKind::Timeout,
        Failure::Interrupted => ErrorKind::Interrupted,
        Failure::Invalid => ErrorKind::Configuration,
    };
    Error::new(kind, error.sent()).with_source(error.into_source())
}

/// The watchdog was faster.
struct Elapsed;

async fn within<T>(
    work: impl Future<Output = T>,
    watchdog: Pin<Box<dyn Future<Output = ()> + Send>>,
) -> Result<T, Elapsed> {
    let (mut work, mut watchdog) = (pin!(work), watchdog);
    std::future::poll_fn(move |cx| match work.as_mut().poll(cx) {
        Poll::Ready(done) => Poll::Ready(Ok(done)),
        Poll::Pending => watchdog.as_mut().poll(cx).map(|()| Err(Elapsed)),
    })
    .await
}

/// The target of a request whose URL the server handed out.
pub(crate) fn absolute(url: &str) -> Result<Uri, Error> {
    url.parse().map_err(|_| Error::new(ErrorKind::UnexpectedAnswer, Sent::Yes).with_message("not a url"))
}
