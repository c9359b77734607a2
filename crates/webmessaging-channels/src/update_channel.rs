//! `PATCH /api/v2/communications/channels/{channelId}`: changes what it names of a channel's configuration.

use serde::Serialize;
use serde_json::Value;
use webmessaging_http::{Encoder, Endpoint};
use webmessaging_model::{ChannelId, Operation};

use crate::channel::Channel;
use crate::operations::UPDATE_CHANNEL;

/// Changes the configuration of a channel. Contract: design; scope `communications:write`.
///
/// This is the bare request: nothing is checked, and nobody looks whether the channel has changed meanwhile.
/// [`ChannelsClient::update`](crate::ChannelsClient::update) does both.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "a request does nothing until it is sent"]
pub struct UpdateChannel {
    channel: ChannelId,
    configuration: Value,
}

impl UpdateChannel {
    /// The change of a channel: a JSON Merge Patch (RFC 7396) of its configuration, with nothing but what changes.
    pub fn new(channel: impl Into<ChannelId>, configuration: Value) -> Self {
        Self { channel: channel.into(), configuration }
    }
}

#[derive(Serialize)]
struct Body<'a> {
    id: &'a ChannelId,
    configuration: &'a Value,
}

impl Endpoint for UpdateChannel {
    type Answer = Channel;

    fn operation(&self) -> &'static Operation {
        &UPDATE_CHANNEL
    }

    fn encode(&self, request: Encoder) -> Encoder {
        let body = Body { id: &self.channel, configuration: &self.configuration };
        request.path("channelId", &self.channel).json(&body)
    }
}
