//! Faults: what can go wrong, the queues they wait in, and the one place where they happen.

use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::{Buf, Bytes};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, StatusCode};
use http_body::{Frame, SizeHint};
use serde::Serialize;

use crate::answer::Refusal;
use crate::clock;
use crate::connection::Connection;
use crate::routes::{ErrorShape, Route};
use crate::serve::Call;

/// Something that goes wrong with one request; see [`Emulator::inject`](crate::Emulator::inject).
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
#[derive(Clone, Debug)]
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
    /// The request waits before it is served, in real time.
    Delay(Duration),
    /// The emulator's clock moves while the request's body is read.
    AdvanceClockInBody {
        /// Bytes of the body that are read first; with a shorter body the clock moves at its end.
        after_bytes: u64,
        /// How far the clock moves.
        by: Duration,
    },
}

/// The answer of [`Fault::Answer`], made with [`Fault::status`].
#[derive(Clone, Debug)]
pub struct CannedAnswer {
    status: u16,
    headers: Vec<(String, String)>,
    /// `None` when the value given to [`Fault::json`] could not be written.
    body: Option<Bytes>,
}

impl Fault {
    /// An answer with this status and no body, instead of the effect.
    ///
    /// A status outside 200..=999, or a header that HTTP does not allow, shows as an answer with status 500 and
    /// the error code `emulator.fault.invalid`.
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
        self.header(CONTENT_TYPE.as_str(), "application/json")
            .edit(|answer| answer.body = serde_json::to_vec(&value).ok().map(Bytes::from))
    }

    /// Gives a [`status`](Self::status) answer an HTML body and its content type, as a proxy would answer.
    ///
    /// Any other fault is left as it is.
    pub fn html(self, page: impl Into<String>) -> Self {
        self.header(CONTENT_TYPE.as_str(), "text/html; charset=utf-8").body(page.into())
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
    /// For [`Route::PutUpload`]; on a route whose body is not read nothing happens.
    pub fn drop_body_after(bytes: u64) -> Self {
        Self::DropBodyAfter { bytes }
    }

    /// Lets the request take effect, and closes the connection behind `bytes` of the answer's body.
    pub fn truncate_answer(bytes: u64) -> Self {
        Self::TruncateAnswer { bytes }
    }

    /// Waits in real time before the request is served.
    pub fn delay(real: Duration) -> Self {
        Self::Delay(real)
    }

    /// Moves the emulator's clock by `by` when `after_bytes` of the request's body have been read.
    ///
    /// For [`Route::PutUpload`], where the signed URL then expires during the transfer.
    pub fn advance_clock_in_body(after_bytes: u64, by: Duration) -> Self {
        Self::AdvanceClockInBody { after_bytes, by }
    }

    fn edit(mut self, change: impl FnOnce(&mut CannedAnswer)) -> Self {
        if let Self::Answer(answer) = &mut self {
            change(answer);
        }
        self
    }
}

impl CannedAnswer {
    fn response(self) -> Option<Response> {
        let mut response = Response::new(Body::from(self.body?));
        *response.status_mut() =
            StatusCode::from_u16(self.status).ok().filter(|status| status.as_u16() >= 200)?;
        for (name, value) in self.headers {
            response
                .headers_mut()
                .insert(HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?);
        }
        Some(response)
    }
}

/// The faults that wait for their requests, first in, first out.
#[derive(Debug, Default)]
pub(crate) struct FaultQueues {
    queues: Mutex<HashMap<Route, VecDeque<Fault>>>,
}

impl FaultQueues {
    pub(crate) fn push(&self, route: Route, fault: Fault) {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner).entry(route).or_default().push_back(fault);
    }

    fn take(&self, route: Route) -> Option<Fault> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner).get_mut(&route)?.pop_front()
    }
}

/// Serves one call, with the next fault of its route if there is one.
pub(crate) async fn serve_with_faults(call: &mut Call) -> Response {
    let Some(fault) = call.shared.faults.take(call.endpoint.route) else { return call.effect().await };
    tracing::debug!(route = %call.endpoint.route, "injected fault");
    match fault {
        Fault::Answer(answer) => {
            call.read_all().await;
            answer.response().unwrap_or_else(|| invalid_fault(call))
        }
        Fault::DropBefore => {
            call.read_all().await;
            call.connection.reset().await
        }
        Fault::DropAfter => {
            call.effect().await;
            call.connection.reset().await
        }
        Fault::DropBodyAfter { bytes } => {
            call.body.cut_after(bytes, call.connection.clone());
            call.effect().await
        }
        Fault::TruncateAnswer { bytes } => truncated(call.effect().await, bytes, call.connection.clone()),
        Fault::Delay(real) => {
            clock::wait(real).await;
            call.effect().await
        }
        Fault::AdvanceClockInBody { after_bytes, by } => {
            call.body.advance_clock_after(after_bytes, call.shared.clock.clone(), by);
            call.effect().await
        }
    }
}

fn invalid_fault(call: &Call) -> Response {
    Refusal::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "emulator.fault.invalid",
        "the injected fault has an invalid status, header or body",
    )
    .into_response(ErrorShape::Platform, &call.context_id)
}

fn truncated(response: Response, bytes: u64, connection: Connection) -> Response {
    let (mut parts, inner) = response.into_parts();
    let hint = http_body::Body::size_hint(&inner);
    if let Some(total) = hint.exact() {
        parts.headers.insert(CONTENT_LENGTH, total.into());
    }
    Response::from_parts(parts, Body::new(Truncated { inner, hint, left: bytes, connection }))
}

/// A body that promises everything, gives a part, and takes the connection with it.
struct Truncated {
    inner: Body,
    hint: SizeHint,
    left: u64,
    connection: Connection,
}

impl http_body::Body for Truncated {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.left == 0 {
            // Nobody wakes this body again: the connection ends with the flush that follows.
            self.connection.end_when_flushed();
            return Poll::Pending;
        }
        let frame = std::task::ready!(Pin::new(&mut self.inner).poll_frame(context));
        Poll::Ready(frame.map(|frame| {
            frame.map(|frame| {
                frame.map_data(|mut data| {
                    let wanted = usize::try_from(self.left).unwrap_or(usize::MAX);
                    data.truncate(wanted);
                    self.left = self.left.saturating_sub(data.remaining().try_into().unwrap_or(u64::MAX));
                    if self.left == 0 {
                        self.connection.end_when_flushed();
                    }
                    data
                })
            })
        }))
    }

    fn size_hint(&self) -> SizeHint {
        self.hint
    }
}
