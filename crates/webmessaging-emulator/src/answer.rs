//! Refusals, and the three shapes in which they are worded: platform JSON, OAuth JSON, object store XML.

use axum::body::Body;
use axum::response::Response;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::{Value, json};

use crate::routes::ErrorShape;
use crate::schema::Detail;

/// Carries the machine-readable code of a refusal.
pub(crate) const ERROR_CODE_HEADER: HeaderName = HeaderName::from_static("x-genesys-error-code");

const INTERNAL_CODE: &str = "internal.server.error";

/// Why a request is not served. Never holds anything that the sender wrote.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: String,
    details: Vec<Detail>,
    /// Boxed, since it is rare and large.
    header: Option<Box<(HeaderName, HeaderValue)>>,
}

impl Refusal {
    /// A refusal with a dotted code (platform), an OAuth error or an object store code, as the endpoint has it.
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), details: Vec::new(), header: None }
    }

    /// Something failed on the emulator's side; the cause is traced and not sent.
    pub(crate) fn internal(what: &'static str) -> Self {
        tracing::debug!(what, "internal error");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, INTERNAL_CODE, "the emulator failed")
    }

    /// The body breaks its schema.
    pub(crate) fn constraints(details: Vec<Detail>) -> Self {
        let count = details.len();
        let message = format!("the request body has {count} constraint violation(s)");
        Self { details, ..Self::new(StatusCode::BAD_REQUEST, "constraint.validation", message) }
    }

    /// Nothing is at this path.
    pub(crate) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not.found", "the requested resource was not found")
    }

    /// The sender stopped in the middle of its body.
    pub(crate) fn body_lost() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad.request", "the request body ended early")
    }

    /// Adds one header to the answer.
    pub(crate) fn with_header(self, name: HeaderName, value: HeaderValue) -> Self {
        Self { header: Some(Box::new((name, value))), ..self }
    }

    /// The answer, in the shape of its endpoint. `context_id` is the id that the answer's headers carry too.
    pub(crate) fn into_response(self, shape: ErrorShape, context_id: &str) -> Response {
        let code = self.code_in(shape);
        let mut response = match shape {
            ErrorShape::Platform => json_response(
                self.status,
                &json!({
                    "message": self.message,
                    "code": code,
                    "status": self.status.as_u16(),
                    "contextId": context_id,
                    "messageParams": {},
                    "details": self.details,
                    "errors": [],
                }),
            ),
            ErrorShape::OAuth => {
                json_response(self.status, &json!({ "error": code, "error_description": self.message }))
            }
            ErrorShape::Storage => xml_response(
                self.status,
                format!(
                    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code>\
                     <Message>{}</Message><RequestId>{context_id}</RequestId></Error>",
                    self.message
                ),
            ),
        };
        let headers = response.headers_mut();
        headers.insert(ERROR_CODE_HEADER, HeaderValue::from_static(code));
        headers.extend(self.header.map(|header| *header));
        if shape == ErrorShape::OAuth {
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        response
    }

    /// Codes that any endpoint can have are written in the vocabulary of its shape.
    fn code_in(&self, shape: ErrorShape) -> &'static str {
        match (self.code, shape) {
            (INTERNAL_CODE, ErrorShape::OAuth) => "server_error",
            (INTERNAL_CODE, ErrorShape::Storage) => "InternalError",
            ("bad.request" | "method.not.allowed", ErrorShape::OAuth) => "invalid_request",
            ("bad.request", ErrorShape::Storage) => "IncompleteBody",
            ("method.not.allowed", ErrorShape::Storage) => "MethodNotAllowed",
            (code, _) => code,
        }
    }
}

/// A JSON answer.
pub(crate) fn json_response(status: StatusCode, value: &Value) -> Response {
    typed_response(status, "application/json", value.to_string())
}

fn xml_response(status: StatusCode, body: String) -> Response {
    typed_response(status, "application/xml", body)
}

fn typed_response(status: StatusCode, content_type: &'static str, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
