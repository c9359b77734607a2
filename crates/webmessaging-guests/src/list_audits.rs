//! `GET /api/v2/platform/audits`: what the platform has recorded of a guest.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use webmessaging_http::paging::{Entities, Items, PageKey, Paged};
use webmessaging_http::{Client, Encoder, Endpoint, Error};
use webmessaging_model::{GuestId, Operation, Timestamp};

use crate::operations::LIST_AUDITS;

/// Entries on a page, as many as the design document asks for.
const PAGE_SIZE: u64 = 100;

/// Something that the platform has recorded of a guest. What this version does not know of it is kept as it came; `Debug` does not show that.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct AuditEntry {
    /// Its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// When it happened.
    pub timestamp: Timestamp,
    /// What happened.
    pub action: String,
    /// Every other field.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl fmt::Debug for AuditEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditEntry")
            .field("id", &self.id)
            .field("timestamp", &self.timestamp)
            .field("action", &self.action)
            .finish_non_exhaustive()
    }
}

/// Reads a page of what happened to a guest, the newest first. Contract: design; scope `audits:readonly`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a request does nothing until it is sent"]
pub struct ListAudits {
    guest: GuestId,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    page: PageKey,
}

impl ListAudits {
    /// The first page, of 100 entries.
    pub fn new(guest: impl Into<GuestId>) -> Self {
        Self { guest: guest.into(), from: None, until: None, page: PageKey::Number(1) }
    }

    /// Leaves out what happened before this moment.
    pub fn from(mut self, at: Timestamp) -> Self {
        self.from = Some(at);
        self
    }

    /// Leaves out what happened at this moment and later.
    pub fn until(mut self, at: Timestamp) -> Self {
        self.until = Some(at);
        self
    }
}

impl Endpoint for ListAudits {
    type Answer = Entities<AuditEntry>;

    fn operation(&self) -> &'static Operation {
        &LIST_AUDITS
    }

    fn encode(&self, request: Encoder) -> Encoder {
        let mut request = request
            .query("entityType", "guest")
            .query("entityId", &self.guest)
            .query("sortBy", "timestamp")
            .query("sortOrder", "desc");
        if let Some(from) = self.from {
            request = request.query("startTime", from.to_string());
        }
        if let Some(until) = self.until {
            request = request.query("endTime", until.to_string());
        }
        request.query("pageSize", PAGE_SIZE.to_string()).page(&self.page)
    }
}

impl Paged for ListAudits {
    fn at(&self, page: &PageKey) -> Self {
        Self { page: page.clone(), ..self.clone() }
    }

    fn page_size(&self) -> Option<u64> {
        Some(PAGE_SIZE)
    }
}

/// What happened to a guest, read as it is asked for, the newest first; [`GuestsClient::audits`](crate::GuestsClient::audits) starts it.
///
/// It ends after the first error; everything before that was given.
#[must_use = "entries are read as the stream is polled"]
pub struct Audits(Items<ListAudits>);

impl Audits {
    pub(crate) fn new(http: &Client, list: ListAudits) -> Self {
        Self(http.pages(list).items())
    }

    /// The next entry. When the future is dropped, the entry it waited for is not lost.
    pub async fn next(&mut self) -> Option<Result<AuditEntry, Error>> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl Stream for Audits {
    type Item = Result<AuditEntry, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut self.0).poll_next(cx)
    }
}

impl fmt::Debug for Audits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Audits").field(&self.0).finish()
    }
}
