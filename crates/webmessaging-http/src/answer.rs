//! The other side's answer: decoded on success, classified on failure, and never trusted to be what it should.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, Response, StatusCode};
use serde::de::DeserializeOwned;
use webmessaging_model::{CallFacts, Operation};

use crate::api_error::{ApiError, clean};
use crate::clock::Clock;
use crate::connection::PROXY_REFUSAL;
use crate::error::{Error, ErrorKind, Sent};
use crate::retry_after::retry_after;

/// A successful answer and the facts of its call.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Answer<T> {
    /// What the operation answered.
    pub value: T,
    /// How the call went.
    pub facts: Facts,
}

/// How a call went, for records and reports.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Facts {
    /// The operation.
    pub operation: &'static Operation,
    /// The status of the last answer.
    pub status: StatusCode,
    /// How many times the request was sent, or tried to be.
    pub attempts: u32,
    /// Time from the call to its answer, waits between attempts included.
    pub latency: Duration,
    /// Our id of the call, sent as `X-Correlation-Id`.
    pub correlation_id: String,
    /// The platform's id of the request.
    pub request_id: Option<String>,
    /// The version of what was answered, as the `ETag` header has it: for `If-Match`.
    pub etag: Option<String>,
}

impl From<&Facts> for CallFacts {
    fn from(facts: &Facts) -> Self {
        let mut call = Self::default();
        call.operation = Some(facts.operation.name);
        call.status = Some(facts.status.as_u16());
        call.attempts = Some(facts.attempts);
        call.latency = Some(facts.latency);
        call.correlation_id = Some(facts.correlation_id.clone());
        call.request_id.clone_from(&facts.request_id);
        call
    }
}

const REQUEST_IDS: [HeaderName; 4] = [
    HeaderName::from_static("x-genesys-request-id"),
    HeaderName::from_static("x-request-id"),
    HeaderName::from_static("inin-correlation-id"),
    HeaderName::from_static("x-amz-request-id"),
];

/// The platform's id of a request, whichever header it came in.
pub(crate) fn request_id(headers: &HeaderMap) -> Option<String> {
    REQUEST_IDS.iter().find_map(|name| clean(headers.get(name)?.to_str().ok()?, 100))
}

/// The error that an answer without success stands for.
pub(crate) fn refusal(answer: &Response<Bytes>, clock: &dyn Clock) -> Error {
    let (status, headers) = (answer.status(), answer.headers());
    let kind = match status.as_u16() {
        401 => ErrorKind::Authentication,
        403 => ErrorKind::Permission,
        404 => ErrorKind::NotFound,
        // A proxy's word; the platform has not seen the request.
        407 => return Error::configuration(PROXY_REFUSAL).with_answer(status, None, None, None),
        409 | 412 => ErrorKind::Conflict,
        429 => ErrorKind::RateLimited,
        400..=499 => ErrorKind::Rejected,
        500..=599 => ErrorKind::Server,
        // A redirect, or a success that the operation does not know: nobody said what it would mean.
        _ => ErrorKind::UnexpectedAnswer,
    };
    let wait = retry_after(headers, clock.wall());
    let api = ApiError::read(headers, answer.body());
    Error::new(kind, Sent::Yes).with_answer(status, request_id(headers), api, wait)
}

/// Reads a successful answer.
pub(crate) fn decode<T: DeserializeOwned>(answer: &Response<Bytes>) -> Result<T, Error> {
    let body = answer.body();
    let unexpected = |message: String| {
        Error::new(ErrorKind::UnexpectedAnswer, Sent::Yes).with_message(message).with_answer(
            answer.status(),
            request_id(answer.headers()),
            None,
            None,
        )
    };
    // No content is JSON's `null`: what can be absent is then absent.
    let absent = body.is_empty().then(|| T::deserialize(serde_json::Value::Null).ok()).flatten();
    if let Some(value) = absent {
        return Ok(value);
    }
    if let Ok(value) = serde_json::from_slice(body) {
        return Ok(value);
    }
    // Once more, and slower, for an error that says where.
    let mut json = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let length = body.len();
        let start = body.trim_ascii_start();
        if start.starts_with(b"<") {
            unexpected(format!("answered a page of markup, {length} bytes, where JSON was expected"))
        } else if error.inner().is_eof() {
            unexpected(format!("answered JSON that ends too early, after {length} bytes"))
        } else if error.inner().is_syntax() {
            unexpected(format!("answered {length} bytes that are not JSON"))
        } else {
            // The value is not repeated. The path can hold a key of the server's own.
            let path = clean(&error.path().to_string(), 100).unwrap_or_default();
            unexpected(format!("answered JSON of another shape, at `{path}`"))
        }
    })?;
    json.end().map_err(|_| unexpected(format!("answered more than one JSON value, {} bytes", body.len())))?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Ticket {
        id: String,
    }

    #[track_caller]
    fn check(body: &'static str, expected: Result<&str, &str>) {
        let found = decode::<Ticket>(&Response::new(Bytes::from_static(body.as_bytes())));
        match (found, expected) {
            (Ok(ticket), Ok(id)) => assert_eq!(ticket.id, id),
            (Err(error), Err(message)) => {
                assert_eq!(error.kind(), ErrorKind::UnexpectedAnswer);
                assert_eq!(error.to_string(), format!("{message}, status 200"));
            }
            (found, _) => panic!("{body}: {found:?}"),
        }
    }

    #[test]
    fn answers_are_read_leniently_and_refused_clearly() {
        check(r#"{"id":"a","new":[1]}"#, Ok("a"));
        check("<!doctype html><p>hi", Err("answered a page of markup, 20 bytes, where JSON was expected"));
        check(r#"{"id":"a"#, Err("answered JSON that ends too early, after 8 bytes"));
        check("", Err("answered JSON that ends too early, after 0 bytes"));
        check("nope", Err("answered 4 bytes that are not JSON"));
        check(r#"{"id":7}"#, Err("answered JSON of another shape, at `id`"));
        check(r#"{"id":"a"}{}"#, Err("answered more than one JSON value, 12 bytes"));
    }

    #[test]
    fn no_content_is_an_answer_where_nothing_is_expected() {
        let nothing = Response::new(Bytes::new());
        decode::<()>(&nothing).unwrap();
        assert_eq!(decode::<Option<Ticket>>(&nothing).unwrap(), None);
    }

    #[test]
    fn a_key_of_the_server_is_cleaned() {
        let body = Bytes::from_static(b"{\"a\\n\\u001b[31m\\u202eb\":1}");
        let error = decode::<std::collections::BTreeMap<String, String>>(&Response::new(body)).unwrap_err();
        assert_eq!(error.to_string(), "answered JSON of another shape, at `a  [31m b`, status 200");
    }
}
