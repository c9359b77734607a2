//! `GET /api/v2/communications/channels`: the channels, page by page.

use http::header::CACHE_CONTROL;
use webmessaging_http::paging::{Entities, PageKey, Paged};
use webmessaging_http::{Encoder, Endpoint};
use webmessaging_model::Operation;

use crate::channel::Channel;
use crate::operations::LIST_CHANNELS;

/// Channels on a page, as many as the design document asks for.
const PAGE_SIZE: u64 = 100;

/// Reads a page of channels, of all types. Contract: design; scope `communications:read`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a request does nothing until it is sent"]
pub struct ListChannels {
    page: PageKey,
}

impl ListChannels {
    /// The first page, of 100 channels.
    pub fn new() -> Self {
        Self { page: PageKey::Number(1) }
    }
}

impl Default for ListChannels {
    fn default() -> Self {
        Self::new()
    }
}

impl Endpoint for ListChannels {
    type Answer = Entities<Channel>;

    fn operation(&self) -> &'static Operation {
        &LIST_CHANNELS
    }

    fn encode(&self, request: Encoder) -> Encoder {
        // What a cache between us and the platform has kept may be what we have just changed.
        let request = request.header(CACHE_CONTROL, "no-cache");
        request.query("pageSize", PAGE_SIZE.to_string()).page(&self.page)
    }
}

impl Paged for ListChannels {
    fn at(&self, page: &PageKey) -> Self {
        Self { page: page.clone() }
    }

    fn page_size(&self) -> Option<u64> {
        Some(PAGE_SIZE)
    }
}
