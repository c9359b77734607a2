//! Everything the widget logs: fixed names under one target; no names of files, no headers, no URLs.

use std::io;

use webmessaging::Error;

const TARGET: &str = "webmessaging_gateway";

pub(super) fn origin_refused() {
    tracing::warn!(target: TARGET, "request refused, its origin is not on the list");
}

pub(super) fn call_failed(error: &Error) {
    tracing::error!(target: TARGET, kind = error.kind().code(), error = %error, "the platform could not do it");
}

pub(super) fn not_kept(error: &io::Error) {
    tracing::error!(target: TARGET, error = %error, "a file could not be kept");
}

pub(super) fn connection_failed(error: &hyper::Error) {
    tracing::debug!(target: TARGET, error = %error, "connection ended badly");
}

pub(super) fn cannot_accept(error: &io::Error) {
    tracing::error!(target: TARGET, error = %error, "cannot accept a connection");
}
