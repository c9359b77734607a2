//! `GET /api/v2/communications/channels/{channelId}`: one channel.

use http::header::CACHE_CONTROL;
use webmessaging_http::{Encoder, Endpoint};
use webmessaging_model::{ChannelId, Operation};

use crate::channel::Channel;
use crate::operations::GET_CHANNEL;

/// Reads a channel. Contract: design; scope `communications:read`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a request does nothing until it is sent"]
pub struct GetChannel {
    channel: ChannelId,
}

impl GetChannel {
    /// The channel of this id.
    pub fn new(channel: impl Into<ChannelId>) -> Self {
        Self { channel: channel.into() }
    }
}

impl Endpoint for GetChannel {
    type Answer = Channel;

    fn operation(&self) -> &'static Operation {
        &GET_CHANNEL
    }

    fn encode(&self, request: Encoder) -> Encoder {
        request.path("channelId", &self.channel).header(CACHE_CONTROL, "no-cache")
    }
}
