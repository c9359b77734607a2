//! Bodies of answers that do not come as announced.

use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http_body::{Frame, SizeHint};

use crate::clock;
use crate::connection::Connection;

/// A body that promises everything, gives a part, and takes the connection with it.
pub(super) struct Truncated {
    inner: Body,
    hint: SizeHint,
    left: u64,
    connection: Connection,
}

impl Truncated {
    /// The first `bytes` of a body, announced as `hint` says.
    pub(super) fn new(inner: Body, hint: SizeHint, bytes: u64, connection: Connection) -> Self {
        Self { inner, hint, left: bytes, connection }
    }
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
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(context));
        Poll::Ready(frame.map(|frame| {
            frame.map(|frame| {
                frame.map_data(|mut data| {
                    data.truncate(usize::try_from(self.left).unwrap_or(usize::MAX));
                    self.left = self.left.saturating_sub(length(&data));
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

/// A body that comes in pieces, with pauses between them.
pub(super) struct Dripping {
    inner: Body,
    piece_bytes: usize,
    every: Duration,
    /// What has come of the inner body and not gone out yet.
    rest: Bytes,
    /// Between two pieces.
    pause: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    is_begun: bool,
}

impl Dripping {
    pub(super) fn new(inner: Body, bytes: u64, every: Duration) -> Self {
        let piece_bytes = usize::try_from(bytes.max(1)).unwrap_or(usize::MAX);
        Self { inner, piece_bytes, every, rest: Bytes::new(), pause: None, is_begun: false }
    }
}

impl http_body::Body for Dripping {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        while self.rest.is_empty() {
            match ready!(Pin::new(&mut self.inner).poll_frame(context)) {
                // Trailers say nothing here.
                Some(Ok(frame)) => self.rest = frame.into_data().unwrap_or_default(),
                end => return Poll::Ready(end),
            }
        }
        if self.is_begun {
            let every = self.every;
            let pause = self.pause.get_or_insert_with(|| Box::pin(clock::wait(every)));
            ready!(pause.as_mut().poll(context));
            self.pause = None;
        }
        self.is_begun = true;
        let piece = self.piece_bytes.min(self.rest.len());
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(piece)))))
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = self.inner.size_hint();
        let rest = length(&self.rest);
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper.saturating_add(rest));
        }
        hint.set_lower(hint.lower().saturating_add(rest));
        hint
    }
}

/// A body with more bytes behind it than its answer announces.
pub(super) struct WithSurplus {
    body: Bytes,
    surplus: Bytes,
    connection: Connection,
}

impl WithSurplus {
    pub(super) fn new(body: Bytes, surplus: Bytes, connection: Connection) -> Self {
        let this = Self { body, surplus, connection };
        if this.body.is_empty() {
            // An empty body is never asked for its frames.
            this.connection.send_surplus(this.surplus.clone());
        }
        this
    }
}

impl http_body::Body for WithSurplus {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.body.is_empty() {
            return Poll::Ready(None);
        }
        let body = mem::take(&mut self.body);
        let surplus = mem::take(&mut self.surplus);
        // The socket sends it with the flush behind the body's last byte.
        self.connection.send_surplus(surplus);
        Poll::Ready(Some(Ok(Frame::data(body))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(length(&self.body))
    }
}

fn length(bytes: &Bytes) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
