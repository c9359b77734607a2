//! What this crate says to the program's log: fixed messages and fields, no payloads, no URLs.

use webmessaging_http::Error as HttpError;

use crate::error::Error;

/// What filters go by; module names may change.
const TARGET: &str = "webmessaging_sync";

pub(crate) fn round_failed(target: &str, error: &Error) {
    tracing::warn!(target: TARGET, system = target, %error, "the outbox could not be read or written");
}

pub(crate) fn claimed(target: &str, items: usize) {
    tracing::trace!(target: TARGET, system = target, items, "items claimed");
}

pub(crate) fn delivered(target: &str, items: usize) {
    tracing::trace!(target: TARGET, system = target, items, "items delivered");
}

pub(crate) fn not_delivered(target: &str, key: &str, items: usize, reason: &str, error: Option<&HttpError>) {
    let correlation_id = error.and_then(HttpError::correlation_id).unwrap_or_default();
    tracing::info!(target: TARGET, system = target, key, items, reason, correlation_id, "not delivered");
}

pub(crate) fn halved(target: &str, key: &str, items: usize, status: Option<u16>) {
    tracing::debug!(target: TARGET, system = target, key, items, status, "refused as a whole, and halved");
}

pub(crate) fn buried(target: &str, key: &str, reason: &str) {
    tracing::warn!(target: TARGET, system = target, key, reason, "given up as a dead letter");
}

pub(crate) fn switched_off(target: &str) {
    tracing::warn!(target: TARGET, system = target, "the target is gone (410) and was switched off");
}

pub(crate) fn claims_lost(target: &str, items: usize) {
    tracing::warn!(target: TARGET, system = target, items, "somebody else has claimed what was delivered, and delivers it again");
}

pub(crate) fn journal_failed(target: &str, error: &webmessaging_journal::Error) {
    tracing::warn!(target: TARGET, system = target, %error, "the journal does not take what came of a delivery");
}
