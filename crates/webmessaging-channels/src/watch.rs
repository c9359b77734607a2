//! Channels, looked at again and again: what has changed between two looks.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::Serialize;
use serde_json::json;
use webmessaging_http::{Error, ErrorKind};
use webmessaging_model::ChannelId;
use webmessaging_model::json_merge::{Change, diff};

use crate::channel::Channel;
use crate::client::ChannelsClient;
use crate::shown::{Line, Title};

/// Looks at the channels of web messaging at intervals; [`ChannelsClient::watch`] starts it.
///
/// Each look takes the requests of the list's pages: one for every hundred channels of whatever type. Two changes of one place between two looks
/// are seen as one.
#[derive(Debug)]
#[must_use = "nothing is looked at before `next` is called"]
pub struct Watch {
    channels: ChannelsClient,
    interval: Duration,
    seen: Option<BTreeMap<ChannelId, Channel>>,
    has_looked: bool,
}

/// What is different from the look before. `Display` is the channel, and a line for every place.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "seen", rename_all = "camelCase")]
#[non_exhaustive]
pub enum Sighting {
    /// A channel that was not there.
    Appeared {
        /// The channel.
        channel: Channel,
    },
    /// A channel that was changed.
    Changed {
        /// The channel as it is now.
        channel: Channel,
        /// What is different, in the order of the paths; they begin at the channel, as in `/configuration/routing/queueId`.
        changes: Vec<Change>,
    },
    /// A channel that is gone, or has become one of another type.
    Gone {
        /// The channel as it was.
        channel: Channel,
    },
}

impl ChannelsClient {
    /// Looks at the channels of web messaging every `interval`.
    pub fn watch(&self, interval: Duration) -> Watch {
        Watch { channels: self.clone(), interval, seen: None, has_looked: false }
    }
}

impl Watch {
    /// Waits until something is different. The first call looks at what there is and goes on from that.
    ///
    /// # Errors
    /// Those of [`Client::send`](webmessaging_http::Client::send). Nothing is lost by them: the next call compares with the last look that
    /// succeeded, an interval later.
    pub async fn next(&mut self) -> Result<Vec<Sighting>, Error> {
        loop {
            if std::mem::replace(&mut self.has_looked, true) {
                self.channels.http.clock().sleep(self.interval).await;
            }
            let now = self.look().await?;
            let sightings = self.seen.as_ref().map(|seen| compare(seen, &now)).unwrap_or_default();
            self.seen = Some(now);
            if !sightings.is_empty() {
                return Ok(sightings);
            }
        }
    }

    async fn look(&self) -> Result<BTreeMap<ChannelId, Channel>, Error> {
        let mut now = BTreeMap::new();
        let mut listed = self.channels.discover();
        while let Some(channel) = listed.next().await {
            let channel = channel?;
            now.insert(channel.id.clone(), channel);
        }
        // A list that changes while it is read can leave one out.
        for id in self.seen.iter().flat_map(BTreeMap::keys) {
            if now.contains_key(id) {
                continue;
            }
            match self.channels.channel(id.clone()).await {
                Ok(channel) if channel.is_web_messaging() => {
                    now.insert(id.clone(), channel);
                }
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(now)
    }
}

impl Sighting {
    /// The channel it is about.
    pub fn channel(&self) -> &Channel {
        match self {
            Self::Appeared { channel } | Self::Changed { channel, .. } | Self::Gone { channel } => channel,
        }
    }
}

impl fmt::Display for Sighting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let channel = self.channel();
        write!(f, "{}", Title(&channel.id, channel.name.as_deref()))?;
        match self {
            Self::Appeared { .. } => write!(f, "\n  + the channel"),
            Self::Gone { .. } => write!(f, "\n  - the channel"),
            Self::Changed { changes, .. } => changes
                .iter()
                .try_for_each(|change| write!(f, "\n{}", Line { change, is_in_conflict: false })),
        }
    }
}

fn compare(before: &BTreeMap<ChannelId, Channel>, now: &BTreeMap<ChannelId, Channel>) -> Vec<Sighting> {
    let mut sightings = Vec::new();
    for (id, channel) in now {
        match before.get(id) {
            None => sightings.push(Sighting::Appeared { channel: channel.clone() }),
            Some(old) if old == channel => {}
            Some(old) => {
                let (channel, changes) = (channel.clone(), diff(&json!(old), &json!(channel)));
                sightings.push(Sighting::Changed { channel, changes });
            }
        }
    }
    let gone = before.iter().filter(|(id, _)| !now.contains_key(*id));
    sightings.extend(gone.map(|(_, channel)| Sighting::Gone { channel: channel.clone() }));
    sightings
}
