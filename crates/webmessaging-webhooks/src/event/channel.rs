//! Channels: what an update says, of which the documents fix the type and little else.

use serde::{Deserialize, Deserializer};
use webmessaging_model::ChannelId;

use super::Payload;

/// A channel was changed: `channel.updated`. Contract: design.
///
/// The documents have no body for it. `channelType` is what their filter reads; the id is taken from `id` or, without one, from
/// `channelId`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ChannelUpdated {
    /// The channel, if the sender says which.
    pub id: Option<ChannelId>,
    /// Its type, for example `webchat`.
    pub channel_type: Option<String>,
    /// Everything that was sent.
    pub data: Payload,
}

impl<'de> Deserialize<'de> for ChannelUpdated {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let data = Payload::deserialize(deserializer)?;
        let id = data.get("id").or_else(|| data.get("channelId"));
        let channel_type = data.get("channelType");
        Ok(Self { id, channel_type, data })
    }
}
