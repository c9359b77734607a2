//! The kinds of faults.

use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, StatusCode};
use serde::Serialize;

/// Content type of an HTML body.
pub(super) const HTML: &str = "text/html; charset=utf-8";

/// Content type of a JSON body.
pub(super) const JSON: &str = "application/json";

/// Something that goes wrong with one request; see [`Emulator::inject`](crate::Emulator::inject) and
/// [`FaultRule`](crate::FaultRule).
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use webmessaging_emulator::Fault;
///
/// let busy = Fault::status(503).header("retry-after", "7").html("<html>busy</html>");
/// let lost = Fault::drop_after();
/// let slow = Fault::delay(Duration::from_millis(20));
/// # let _ = (busy, lost, slow);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The request is read and answered with a canned answer; it has no effect.
    Answer(CannedAnswer),
    /// The request is read and the connection is reset; it has no effect.
    DropBefore,
    /// The request takes effect and the connection is reset instead of an answer.
    DropAfter,
    /// The connection is reset in the middle of the request's body; nothing takes effect.
    DropBodyAfter {
        /// Bytes of the body that are read first; a shorter body is cut at its end.
        bytes: u64,
    },
    /// The request takes effect and its answer stops early, although `content-length` promises all of it.
    TruncateAnswer {
        /// Bytes of the answer's body that are sent.
        bytes: u64,
    },
    /// The request takes effect and its answer's body comes in pieces, with pauses of real time between them.
    DripAnswer {
        /// Bytes of a piece; 0 counts as 1.
        bytes: u64,
        /// The pause between two pieces.
        every: Duration,
    },
    /// The request takes effect and an HTML page comes in place of the answer, with the answer's status; 204 becomes
    /// 200.
    HtmlPage(String),
    /// The request takes effect and its answer, if it has a body, announces another length than it has. A longer one is
    /// followed by the end of the connection; behind a shorter one the rest of the body stays in the way of the next
    /// answer.
    WrongLength {
        /// What is added to the right `content-length`, in bytes; it never falls below 0.
        bytes: i64,
    },
    /// The request waits before it is served, in real time.
    Delay(Duration),
    /// The emulator's clock moves before the request is served.
    AdvanceClock(Duration),
    /// The emulator's clock moves while the request's body is read.
    AdvanceClockInBody {
        /// Bytes of the body that are read first; with a shorter body the clock moves at its end.
        after_bytes: u64,
        /// How far the clock moves.
        by: Duration,
    },
}

/// The answer of [`Fault::Answer`], made with [`Fault::status`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CannedAnswer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    /// `None` when the value given to [`Fault::json`] could not be written.
    pub(super) body: Option<Bytes>,
}

impl Fault {
    /// An answer with this status and no body, instead of the effect.
    ///
    /// A status outside 200..=999, a header that HTTP does not allow, or a `content-length` that is not the body's shows
    /// as an answer with status 500 and the error code `emulator.fault.invalid`.
    pub fn status(status: u16) -> Self {
        Self::Answer(CannedAnswer { status, headers: Vec::new(), body: Some(Bytes::new()) })
    }

    /// Adds a header to a [`status`](Self::status) answer, in place of earlier ones of the same name.
    ///
    /// Any other fault is left as it is.
    pub fn header(self, name: &str, value: &str) -> Self {
        self.edit(|answer| {
            answer.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
            answer.headers.push((name.to_owned(), value.to_owned()));
        })
    }

    /// Gives a [`status`](Self::status) answer a JSON body and its content type.
    ///
    /// Any other fault is left as it is. A value that cannot be written as JSON shows as an answer with status 500
    /// and the error code `emulator.fault.invalid`.
    pub fn json(self, value: impl Serialize) -> Self {
        self.header(CONTENT_TYPE.as_str(), JSON)
            .edit(|answer| answer.body = serde_json::to_vec(&value).ok().map(Bytes::from))
    }

    /// Gives a [`status`](Self::status) answer an HTML body and its content type, as a proxy would answer.
    ///
    /// Any other fault is left as it is.
    pub fn html(self, page: impl Into<String>) -> Self {
        self.header(CONTENT_TYPE.as_str(), HTML).body(page.into())
    }

    /// Gives a [`status`](Self::status) answer a body without a content type.
    ///
    /// Any other fault is left as it is.
    pub fn body(self, body: impl Into<Bytes>) -> Self {
        self.edit(|answer| answer.body = Some(body.into()))
    }

    /// Resets the connection when the request has been read; it has no effect.
    pub fn drop_before() -> Self {
        Self::DropBefore
    }

    /// Lets the request take effect and resets the connection instead of an answer.
    pub fn drop_after() -> Self {
        Self::DropAfter
    }

    /// Resets the connection when `bytes` of the request's body have been read; nothing takes effect.
    ///
    /// For [`Route::PutUpload`](crate::Route::PutUpload); on a route whose body is not read nothing happens.
    pub fn drop_body_after(bytes: u64) -> Self {
        Self::DropBodyAfter { bytes }
    }

    /// Lets the request take effect, and closes the connection behind `bytes` of the answer's body.
    pub fn truncate_answer(bytes: u64) -> Self {
        Self::TruncateAnswer { bytes }
    }

    /// Lets the request take effect, and sends the answer's body `bytes` at a time with pauses of real time.
    pub fn drip_answer(bytes: u64, every: Duration) -> Self {
        Self::DripAnswer { bytes, every }
    }

    /// Lets the request take effect, and sends an HTML page with the status of the answer in its place, as a proxy does
    /// that knows better.
    pub fn html_page(page: impl Into<String>) -> Self {
        Self::HtmlPage(page.into())
    }

    /// Lets the request take effect, and announces `bytes` more (or fewer, if negative) than the answer's body has.
    pub fn wrong_length(bytes: i64) -> Self {
        Self::WrongLength { bytes }
    }

    /// Moves the emulator's clock by `by` before the request is served.
    pub fn advance_clock(by: Duration) -> Self {
        Self::AdvanceClock(by)
    }

    /// Waits in real time before the request is served.
    pub fn delay(real: Duration) -> Self {
        Self::Delay(real)
    }

    /// Moves the emulator's clock by `by` when `after_bytes` of the request's body have been read.
    ///
    /// For [`Route::PutUpload`](crate::Route::PutUpload), where the signed URL then expires during the transfer.
    pub fn advance_clock_in_body(after_bytes: u64, by: Duration) -> Self {
        Self::AdvanceClockInBody { after_bytes, by }
    }

    /// Whether the request is served after it, so that another fault can happen to it as well.
    pub(super) fn lets_go_on(&self) -> bool {
        matches!(self, Self::Delay(_) | Self::AdvanceClock(_))
    }

    fn edit(mut self, change: impl FnOnce(&mut CannedAnswer)) -> Self {
        if let Self::Answer(answer) = &mut self {
            change(answer);
        }
        self
    }
}

impl CannedAnswer {
    /// The answer, unless HTTP does not allow it.
    pub(super) fn response(self) -> Option<Response> {
        let body = self.body?;
        let length = body.len().to_string();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() =
            StatusCode::from_u16(self.status).ok().filter(|status| status.as_u16() >= 200)?;
        for (name, value) in self.headers {
            response
                .headers_mut()
                .insert(HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?);
        }
        // The server below counts on it.
        let announced = response.headers().get(CONTENT_LENGTH);
        announced.is_none_or(|announced| *announced == *length).then_some(response)
    }
}
