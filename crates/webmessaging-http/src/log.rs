//! Everything this crate logs: each span and event with its level and the names of its fields, and nothing elsewhere.
//!
//! `docs/reference/observability.md` lists them with their units; a test compares. Arguments are what is at hand, and
//! what costs something is made of them only when somebody listens.

use std::time::Duration;

use bytes::Bytes;
use http::Response;
use tracing::{Dispatch, Span, dispatcher};
use webmessaging_model::{LimitClass, Operation};

use crate::answer::request_id;
use crate::error::{Error, ErrorKind, Sent};
use crate::limit::WaitReason;

/// What filters go by; module names may change.
const TARGET: &str = "webmessaging_http";

/// Work for another thread, which logs to where this one does, and within the same span.
pub(crate) fn as_here<T>(work: impl FnOnce() -> T) -> impl FnOnce() -> T {
    let (span, dispatch) = (Span::current(), dispatcher::get_default(Dispatch::clone));
    move || dispatcher::with_default(&dispatch, || span.in_scope(work))
}

/// The span of a call. Its level is the highest, so that whatever is logged within it carries the ids.
pub(crate) fn call(operation: &Operation, correlation_id: &str) -> Span {
    tracing::error_span!(target: TARGET, "call", op = operation.name, correlation_id = correlation_id)
}

pub(crate) fn answered(attempt: u32, answer: &Response<Bytes>) {
    tracing::debug!(
        target: TARGET,
        attempt,
        status = answer.status().as_u16(),
        request_id = request_id(answer.headers()),
        "answered"
    );
}

pub(crate) fn attempt_failed(attempt: u32, error: &Error) {
    tracing::debug!(
        target: TARGET,
        attempt,
        status = error.status().map(|status| status.as_u16()),
        request_id = error.request_id(),
        kind = error.kind().code(),
        sent = error.sent().as_str(),
        "attempt failed"
    );
}

pub(crate) fn call_failed(attempts: u32, kind: ErrorKind, sent: Sent) {
    tracing::debug!(target: TARGET, attempts, kind = kind.code(), sent = sent.as_str(), "call failed");
}

pub(crate) fn stays_empty(operation: &Operation) {
    tracing::warn!(target: TARGET, op = operation.name, "the list promises more, but its pages stay empty");
}

#[cfg(feature = "settings")]
pub(crate) fn near_miss(variable: &str, meant: &str) {
    tracing::warn!(target: TARGET, variable, meant, "a variable is not read, its name is not quite right");
}

pub(crate) fn retrying(attempt: u32, delay: Duration, error: &Error) {
    tracing::info!(target: TARGET, attempt, delay_ms = millis(delay), kind = error.kind().code(), "retrying");
}

pub(crate) fn budget_spent(attempt: u32, error: &Error) {
    tracing::info!(target: TARGET, attempt, kind = error.kind().code(), "no retry, the budget is spent");
}

pub(crate) fn url_refused(attempt: u32) {
    tracing::info!(target: TARGET, attempt, "presigned url refused, asking anew");
}

pub(crate) fn waiting(class: LimitClass, wait: Duration, reason: WaitReason) {
    tracing::debug!(target: TARGET, class = %class, wait_ms = millis(wait), reason = reason.code(), "waiting for the rate limit");
}

pub(crate) fn rate_limited(class: LimitClass, retry_after: Option<Duration>) {
    tracing::warn!(target: TARGET, class = %class, retry_after_s = retry_after.map(|wait| wait.as_secs()), "rate limited");
}

pub(crate) fn logged_in(lifetime: Duration) {
    tracing::debug!(target: TARGET, expires_in_s = lifetime.as_secs(), "logged in");
}

pub(crate) fn login_failed(error: &Error) {
    tracing::warn!(target: TARGET, kind = error.kind().code(), "login failed");
}

pub(crate) fn token_taken_over(rest: Duration) {
    tracing::debug!(target: TARGET, expires_in_s = rest.as_secs(), "took over a token from the cache");
}

pub(crate) fn login_lock_ignored() {
    tracing::warn!(target: TARGET, "another process has had the right to log in for too long");
}

pub(crate) fn token_cache_failed(error: &Error) {
    tracing::warn!(target: TARGET, error = %error, "the token cache failed");
}

/// Only the size: the parser's words may repeat a token.
pub(crate) fn token_file_damaged(bytes: usize) {
    tracing::warn!(target: TARGET, bytes, "the token file is damaged and will be replaced");
}

pub(crate) fn breaker_opened(host: &str, failures: u32) {
    tracing::warn!(target: TARGET, host, failures, "breaker opened");
}

pub(crate) fn breaker_closed(host: &str) {
    tracing::info!(target: TARGET, host, "breaker closed");
}

/// Without the panic's words, which are not ours to judge.
pub(crate) fn observer_panicked() {
    tracing::error!(target: TARGET, "an observer panicked");
}

#[expect(clippy::cast_possible_truncation, reason = "waits are shorter than the age of the universe")]
fn millis(wait: Duration) -> u64 {
    wait.as_millis() as u64
}
