//! Everything the receiver logs: fixed names under one target; no bodies, no headers.

use webmessaging_store::DeliveryId;

use crate::error::ErrorKind;

const TARGET: &str = "webmessaging_webhooks";

pub(crate) fn refused(kind: ErrorKind) {
    tracing::warn!(target: TARGET, kind = kind.code(), "delivery refused");
}

pub(crate) fn not_kept(error: &webmessaging_store::Error) {
    tracing::error!(target: TARGET, error = %error, "delivery not kept, the sender is asked to come again");
}

pub(crate) fn no_place() {
    tracing::warn!(target: TARGET, "no place for another delivery, the sender is asked to come again");
}

pub(crate) fn read(event_type: &str) {
    tracing::trace!(target: TARGET, event_type, "delivery read");
}

pub(crate) fn accepted(event_type: &str, is_new: bool) {
    tracing::debug!(target: TARGET, event_type, is_new, "delivery accepted");
}

pub(crate) fn work_begins(id: DeliveryId, attempt: u32) {
    tracing::trace!(target: TARGET, delivery = id.get(), attempt, "work begins");
}

pub(crate) fn work_recorded(id: DeliveryId) {
    tracing::trace!(target: TARGET, delivery = id.get(), "work recorded");
}

pub(crate) fn work_finished(id: DeliveryId) {
    tracing::trace!(target: TARGET, delivery = id.get(), "work finished");
}

pub(crate) fn retrying(id: DeliveryId, attempt: u32, reason: &str) {
    tracing::warn!(target: TARGET, delivery = id.get(), attempt, reason, "the work on a delivery failed, it is tried again");
}

pub(crate) fn buried(id: DeliveryId, attempt: u32, reason: &str) {
    tracing::error!(target: TARGET, delivery = id.get(), attempt, reason, "a delivery went to the dead letters");
}

pub(crate) fn store_failed(error: &webmessaging_store::Error) {
    tracing::error!(target: TARGET, error = %error, "the store failed");
}

pub(crate) fn connection_failed(error: &hyper::Error) {
    tracing::debug!(target: TARGET, error = %error, "a connection ended early");
}

pub(crate) fn cannot_accept(error: &std::io::Error) {
    tracing::error!(target: TARGET, error = %error, "no connection can be taken");
}
