//! What is to become of a channel, beside what it was when somebody decided that.

use serde_json::{Map, Value};
use webmessaging_model::json_merge::{Change, diff};
use webmessaging_model::{Browser, ChannelFeature, ChannelId};

use crate::channel::Channel;
use crate::places;

/// A change of a channel's configuration that remembers where it began.
///
/// Only what differs is ever sent. Whatever somebody else changes meanwhile stays, unless it is the same place: that is a conflict.
///
/// # Examples
/// ```
/// use webmessaging_channels::{Channel, ChannelUpdate};
/// use webmessaging_model::ChannelFeature;
///
/// # let channel: Channel = serde_json::from_str(r#"{
/// #     "id": "channel-1", "configuration": {"webchat": {"maxConcurrentSessions": 500, "theme": "dark"}}
/// # }"#)?;
/// let update = ChannelUpdate::of(channel)
///     .max_concurrent_sessions(800)
///     .features([ChannelFeature::RichMedia, ChannelFeature::FileSharing]);
/// let changes = update.changes();
/// let paths: Vec<_> = changes.iter().map(|change| &*change.path).collect();
/// assert_eq!(paths, ["/webchat/features", "/webchat/maxConcurrentSessions"]);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[must_use = "nothing changes until it is sent"]
pub struct ChannelUpdate {
    pub(crate) id: ChannelId,
    pub(crate) base: Value,
    pub(crate) wanted: Value,
    pub(crate) browsers: Vec<Browser>,
    pub(crate) checked: bool,
}

impl ChannelUpdate {
    /// A change of a channel as it was read.
    pub fn of(channel: Channel) -> Self {
        let base = Value::Object(channel.configuration);
        Self { id: channel.id, wanted: base.clone(), base, browsers: Vec::new(), checked: true }
    }

    /// Sets how many sessions the channel may have at once.
    pub fn max_concurrent_sessions(self, sessions: u64) -> Self {
        self.set(["webchat", "maxConcurrentSessions"], sessions.into())
    }

    /// Sets the features of the channel, all of them.
    pub fn features(self, features: impl IntoIterator<Item = ChannelFeature>) -> Self {
        let names = features.into_iter().map(|feature| Value::from(feature.as_str()));
        self.set(["webchat", "features"], names.collect())
    }

    /// Sets the queue that conversations go to.
    pub fn queue_id(self, queue: impl Into<String>) -> Self {
        self.set(["routing", "queueId"], Value::String(queue.into()))
    }

    /// Sets anything else: the keys that lead there, and its value. What is not an object on the way becomes one. Nothing can be set to `null`:
    /// in what is sent, that removes a key.
    pub fn set<'a>(mut self, keys: impl IntoIterator<Item = &'a str>, value: Value) -> Self {
        let mut place = &mut self.wanted;
        for key in keys {
            if !place.is_object() {
                *place = Value::Object(Map::new());
            }
            let Value::Object(object) = place else { return self };
            place = object.entry(key).or_insert(Value::Null);
        }
        *place = value;
        self
    }

    /// Sets the whole configuration: what is not in it is removed.
    pub fn configuration(mut self, configuration: Map<String, Value>) -> Self {
        self.wanted = Value::Object(configuration);
        self
    }

    /// Sets the browsers that every feature has to work in; none by default.
    pub fn browsers(mut self, browsers: impl IntoIterator<Item = Browser>) -> Self {
        self.browsers = browsers.into_iter().collect();
        self
    }

    /// Leaves every check of the configuration to the server, for a server that has moved on.
    pub fn unchecked(mut self) -> Self {
        self.checked = false;
        self
    }

    /// The way back from changes that were made: at each of their places, what was there before. A place that was `null` is removed, since
    /// nothing can be set to that.
    pub(crate) fn undoing(id: ChannelId, changes: &[Change]) -> Self {
        let (mut base, mut wanted) = (Map::new(), Map::new());
        for Change { path, before, after, .. } in changes {
            places::put(&mut base, path, after.as_ref());
            places::put(&mut wanted, path, before.as_ref().filter(|before| !before.is_null()));
        }
        let (base, wanted) = (Value::Object(base), Value::Object(wanted));
        // What was there need not keep the rules.
        Self { id, base, wanted, browsers: Vec::new(), checked: false }
    }

    /// What it changes, in the order of the paths below `configuration`.
    pub fn changes(&self) -> Vec<Change> {
        diff(&self.base, &self.wanted)
    }
}
