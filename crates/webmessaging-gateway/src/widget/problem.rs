//! What a browser is told when something is wrong: a code, a sentence, and nothing of the platform's.

use std::borrow::Cow;
use std::time::Duration;

use axum::body::Body;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Response, StatusCode};
use serde_json::{Value, json};
use webmessaging::model::Violations;
use webmessaging::{Error, ErrorKind};

use super::log;

/// When a browser that found no place shall come again.
const COME_AGAIN: Duration = Duration::from_secs(5);

/// A refusal or a failure, as the browser hears it.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    code: &'static str,
    message: Cow<'static, str>,
    violations: Option<Violations>,
    retry_after: Option<Duration>,
}

impl Problem {
    fn new(status: StatusCode, code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, code, message: message.into(), violations: None, retry_after: None }
    }

    pub(super) fn origin() -> Self {
        Self::new(StatusCode::FORBIDDEN, "origin", "pages of this origin are not served")
    }

    pub(super) fn busy() -> Self {
        let busy = Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "there is too much to do, come again");
        Self { retry_after: Some(COME_AGAIN), ..busy }
    }

    pub(super) fn rate_limited(wait: Duration) -> Self {
        let limited = Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", "too many requests");
        Self { retry_after: Some(wait), ..limited }
    }

    pub(super) fn length_required() -> Self {
        Self::new(
            StatusCode::LENGTH_REQUIRED,
            "length_required",
            "the length of the body has to be announced",
        )
    }

    pub(super) fn too_large(bytes_max: u64) -> Self {
        let message = format!("the file is too large, bytes allowed: {bytes_max}");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message)
    }

    pub(super) fn other_length() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "interrupted",
            "the body does not have the length that was announced",
        )
    }

    pub(super) fn too_slow() -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, "timeout", "the body took too long to arrive")
    }

    /// Something on this machine failed.
    pub(super) fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the file could not be kept")
    }

    /// What a failed call means for the browser. The details go to the log: they are about our account.
    pub(super) fn of(error: &Error) -> Self {
        match error.kind() {
            ErrorKind::InvalidInput => Self {
                violations: error.violations().cloned(),
                ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_input", "the input is not valid")
            },
            ErrorKind::NotFound => Self::new(StatusCode::NOT_FOUND, "not_found", "not found"),
            kind => {
                log::call_failed(error);
                match kind {
                    // The limit is that of everybody together, so that it is not this client who did too much.
                    ErrorKind::RateLimited | ErrorKind::CircuitOpen => {
                        Self { retry_after: error.retry_after().or(Some(COME_AGAIN)), ..Self::busy() }
                    }
                    ErrorKind::Timeout => {
                        Self::new(StatusCode::GATEWAY_TIMEOUT, "timeout", "the platform took too long")
                    }
                    ErrorKind::Source => Self::internal(),
                    ErrorKind::NotRecorded => Self::new(
                        StatusCode::INTERNAL_SERVER_ERROR,
                        "not_recorded",
                        "it was done, and could not be recorded",
                    ),
                    _ => Self::new(StatusCode::BAD_GATEWAY, "server", "the platform could not do it"),
                }
            }
        }
    }

    pub(super) fn into_response(self) -> Response<Body> {
        let mut error = json!({
            "code": self.code,
            "message": self.message,
            "violations": self.violations.map_or_else(|| json!([]), |violations| json!(violations)),
        });
        // Rounded up: whoever waits so long has waited long enough.
        let seconds = self.retry_after.map(|wait| wait.as_secs() + u64::from(wait.subsec_nanos() > 0));
        if let (Some(seconds), Some(error)) = (seconds, error.as_object_mut()) {
            error.insert("retryAfterSeconds".to_owned(), seconds.into());
        }
        let mut response = answer(self.status, &json!({ "error": error }));
        if let Some(seconds) = seconds {
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// A JSON answer that nobody keeps and nobody takes for anything else.
pub(super) fn answer(status: StatusCode, body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
