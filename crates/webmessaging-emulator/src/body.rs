//! A request body as handlers read it: counted, bounded, and able to act in the middle (for faults).

use std::mem;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use http_body_util::BodyExt;

use crate::answer::Refusal;
use crate::clock::EmulatorClock;
use crate::connection::Connection;
use crate::record::Entry;

/// What a fault does when enough of the body has been read.
#[derive(Debug)]
enum Action {
    Cut(Connection),
    Advance(EmulatorClock, Duration),
}

/// The body of one request.
#[derive(Debug)]
pub(crate) struct RequestBody {
    inner: Body,
    entry: Arc<Entry>,
    received: u64,
    /// What is left of a frame that reached beyond the action's position.
    held_back: Bytes,
    action: Option<(u64, Action)>,
}

impl RequestBody {
    pub(crate) fn new(inner: Body, entry: Arc<Entry>) -> Self {
        Self { inner, entry, received: 0, held_back: Bytes::new(), action: None }
    }

    /// Cuts the connection when exactly `bytes` have been read, or at the end of a shorter body.
    pub(crate) fn cut_after(&mut self, bytes: u64, connection: Connection) {
        self.action = Some((bytes, Action::Cut(connection)));
    }

    /// Moves the clock when exactly `bytes` have been read, or at the end of a shorter body.
    pub(crate) fn advance_clock_after(&mut self, bytes: u64, clock: EmulatorClock, by: Duration) {
        self.action = Some((bytes, Action::Advance(clock, by)));
    }

    /// Whether nothing of the body has been read.
    pub(crate) fn is_untouched(&self) -> bool {
        self.received == 0
    }

    /// The next bytes, or `None` at the end.
    ///
    /// # Errors
    ///
    /// The body ended before its announced length.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, Refusal> {
        if self.action.as_ref().is_some_and(|(at, _)| self.received >= *at) {
            self.act().await;
        }
        let mut bytes = mem::take(&mut self.held_back);
        while bytes.is_empty() {
            match self.inner.frame().await {
                None => {
                    self.act().await;
                    return Ok(None);
                }
                Some(Err(_)) => return Err(Refusal::body_lost()),
                // Trailers say nothing here.
                Some(Ok(frame)) => bytes = frame.into_data().unwrap_or_default(),
            }
        }
        if let Some((at, _)) = &self.action {
            let wanted = usize::try_from(at - self.received).unwrap_or(usize::MAX);
            if bytes.len() > wanted {
                self.held_back = bytes.split_off(wanted);
            }
        }
        self.received = self.received.saturating_add(bytes.len().try_into().unwrap_or(u64::MAX));
        self.entry.add_body_bytes(bytes.len());
        Ok(Some(bytes))
    }

    /// Reads the whole body, or gives `None` when it is longer than `limit` bytes.
    pub(crate) async fn read(&mut self, limit: usize) -> Result<Option<Vec<u8>>, Refusal> {
        let mut whole = Vec::new();
        while let Some(chunk) = self.chunk().await? {
            if whole.len() + chunk.len() > limit {
                return Ok(None);
            }
            whole.extend_from_slice(&chunk);
        }
        Ok(Some(whole))
    }

    /// Reads and forgets the rest, up to `limit` bytes of the body in all.
    ///
    /// A sender that is still writing when the answer comes may never see it.
    pub(crate) async fn drain(&mut self, limit: u64) {
        while self.received < limit {
            match self.chunk().await {
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => break,
            }
        }
    }

    async fn act(&mut self) {
        match self.action.take() {
            None => {}
            Some((_, Action::Cut(connection))) => connection.reset().await,
            Some((_, Action::Advance(clock, by))) => clock.advance(by),
        }
    }
}

/// The media type of a request in lower case, without parameters.
pub(crate) fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next()?.trim().to_ascii_lowercase())
}
