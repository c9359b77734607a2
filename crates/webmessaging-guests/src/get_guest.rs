//! `GET /api/v2/conversations/webmessaging/guests/{guestId}`: a guest.

use http::header::CACHE_CONTROL;
use webmessaging_http::{Encoder, Endpoint};
use webmessaging_model::{GuestId, Operation};

use crate::guest::Guest;
use crate::operations::GET_GUEST;

/// Reads a guest. Contract: design; scope `webmessaging:guest:read`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a request does nothing until it is sent"]
pub struct GetGuest {
    guest: GuestId,
}

impl GetGuest {
    /// The guest of this id.
    pub fn new(guest: impl Into<GuestId>) -> Self {
        Self { guest: guest.into() }
    }
}

impl Endpoint for GetGuest {
    type Answer = Guest;

    fn operation(&self) -> &'static Operation {
        &GET_GUEST
    }

    fn encode(&self, request: Encoder) -> Encoder {
        request.path("guestId", &self.guest).header(CACHE_CONTROL, "no-cache")
    }
}
