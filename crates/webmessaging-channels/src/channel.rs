//! A channel as the platform shows it.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use webmessaging_model::{ChannelFeature, ChannelId};

/// A channel. What this version does not know of it is kept as it came.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Channel {
    /// Its id.
    pub id: ChannelId,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its type, such as `webchat`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel_type: Option<String>,
    /// How it is set up: `webchat`, `routing`, and whatever else there is.
    #[serde(default, deserialize_with = "object")]
    pub configuration: Map<String, Value>,
    /// Every other field.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// A channel that is not set up may say so with `null`.
fn object<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Map<String, Value>, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

impl Channel {
    /// Whether it is one of web messaging: by its type, or because its configuration has a part for it.
    pub fn is_web_messaging(&self) -> bool {
        self.channel_type.as_deref() == Some("webchat") || self.webchat().is_some()
    }

    /// How many sessions it may have at once, where it says so.
    pub fn max_concurrent_sessions(&self) -> Option<u64> {
        self.webchat()?.get("maxConcurrentSessions")?.as_u64()
    }

    /// The features that it has.
    pub fn features(&self) -> impl Iterator<Item = ChannelFeature> {
        let features = self.webchat().and_then(|webchat| webchat.get("features")?.as_array());
        features.into_iter().flatten().filter_map(Value::as_str).map(ChannelFeature::from)
    }

    /// The queue that its conversations go to, where it says so.
    pub fn queue_id(&self) -> Option<&str> {
        self.configuration.get("routing")?.get("queueId")?.as_str()
    }

    fn webchat(&self) -> Option<&Map<String, Value>> {
        self.configuration.get("webchat")?.as_object()
    }
}
