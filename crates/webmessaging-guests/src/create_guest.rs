//! `POST /api/v2/conversations/webmessaging/guests`: creates a guest.

use webmessaging_http::{Encoder, Endpoint};
use webmessaging_model::Operation;

use crate::guest::Guest;
use crate::operations::CREATE_GUEST;
use crate::payload::GuestPayload;

/// Creates a guest. Contract: design; scope `webmessaging:guest:write`.
///
/// This is the bare request: nobody looks whether the guest has agreed to the processing of data.
/// [`GuestsClient::create`](crate::GuestsClient::create) does.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "a request does nothing until it is sent"]
pub struct CreateGuest {
    pub(crate) payload: GuestPayload,
}

impl CreateGuest {
    /// The creation of a guest.
    pub fn new(payload: GuestPayload) -> Self {
        Self { payload }
    }
}

impl Endpoint for CreateGuest {
    type Answer = Guest;

    fn operation(&self) -> &'static Operation {
        &CREATE_GUEST
    }

    fn encode(&self, request: Encoder) -> Encoder {
        request.json(&self.payload)
    }
}
