//! `PATCH /api/v2/conversations/webmessaging/guests/{guestId}`: changes a guest that is as the sender has seen it.

use http::header::IF_MATCH;
use serde_json::Value;
use webmessaging_http::{Encoder, Endpoint};
use webmessaging_model::{GuestId, Operation};

use crate::guest::Guest;
use crate::operations::UPDATE_GUEST;

/// Changes a guest whose version is the one given. Contract: design; scope `conversation:webmessaging:write`.
///
/// This is the bare request: nothing is checked or merged. [`GuestsClient::update`](crate::GuestsClient::update) does both.
#[derive(Clone, PartialEq)]
#[must_use = "a request does nothing until it is sent"]
pub struct UpdateGuest {
    guest: GuestId,
    etag: String,
    patch: Value,
}

impl UpdateGuest {
    /// The change of a guest: a JSON Merge Patch (RFC 7396) with nothing but what changes, for the version of this `ETag`.
    pub fn new(guest: impl Into<GuestId>, etag: impl Into<String>, patch: Value) -> Self {
        Self { guest: guest.into(), etag: etag.into(), patch }
    }
}

impl std::fmt::Debug for UpdateGuest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UpdateGuest")
            .field("guest", &self.guest)
            .field("etag", &self.etag)
            .finish_non_exhaustive()
    }
}

impl Endpoint for UpdateGuest {
    type Answer = Guest;

    fn operation(&self) -> &'static Operation {
        &UPDATE_GUEST
    }

    fn encode(&self, request: Encoder) -> Encoder {
        request.path("guestId", &self.guest).header(IF_MATCH, &self.etag).json(&self.patch)
    }
}
