//! What became of a plan, channel by channel.

use serde_json::Value;
use webmessaging_http::{Error, ErrorKind};
use webmessaging_model::ChannelId;
use webmessaging_model::json_merge::{Change, diff};

use crate::channel::Channel;
use crate::channel_update::ChannelUpdate;
use crate::client::is_doubtful;
use crate::manifest::Declared;
use crate::manifest_plan::PlannedChannel;

/// What became of a plan: every channel of it, in its order.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Applied {
    /// The channels.
    pub channels: Vec<AppliedChannel>,
}

/// What became of one channel.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct AppliedChannel {
    /// How it ended.
    pub end: ApplyEnd,
    /// Where the platform has made something else of what it was told: from that to what is there.
    pub differing: Vec<Change>,
    pub(crate) declared: Declared,
    pub(crate) update: ChannelUpdate,
}

/// How a channel of a plan ended.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ApplyEnd {
    /// It was as it should be.
    Unchanged,
    /// It was changed, at these places.
    Changed(Vec<Change>),
    /// The change failed; [`may_be_changed`](AppliedChannel::may_be_changed) says whether it can be there all the same.
    Failed(Error),
    /// It was not touched, because another one had failed, or because nothing more was to be begun.
    NotTried,
}

impl Applied {
    /// The channel that failed, with its error.
    pub fn failed(&self) -> Option<(&ChannelId, &Error)> {
        self.channels.iter().find_map(|channel| match &channel.end {
            ApplyEnd::Failed(error) => Some((channel.id(), error)),
            _ => None,
        })
    }

    /// Whether all channels are as planned.
    pub fn is_complete(&self) -> bool {
        let is_done = |end: &ApplyEnd| matches!(end, ApplyEnd::Unchanged | ApplyEnd::Changed(_));
        self.channels.iter().all(|channel| is_done(&channel.end))
    }

    pub(crate) fn pending(&mut self) -> impl Iterator<Item = &mut AppliedChannel> {
        self.channels.iter_mut().filter(|channel| matches!(channel.end, ApplyEnd::NotTried))
    }
}

impl AppliedChannel {
    pub(crate) fn planned(channel: &PlannedChannel) -> Self {
        Self {
            end: if channel.is_empty() { ApplyEnd::Unchanged } else { ApplyEnd::NotTried },
            differing: Vec::new(),
            declared: channel.declared.clone(),
            update: channel.update.clone(),
        }
    }

    /// The channel.
    pub fn id(&self) -> &ChannelId {
        &self.update.id
    }

    /// Whether the change was made, or can have been made though nobody knows.
    pub fn may_be_changed(&self) -> bool {
        match &self.end {
            ApplyEnd::Changed(_) => true,
            ApplyEnd::Failed(error) => is_doubtful(error) || error.kind() == ErrorKind::NotRecorded,
            ApplyEnd::Unchanged | ApplyEnd::NotTried => false,
        }
    }

    /// What is now applied of the manifest, for the next [`plan_manifest`](crate::ChannelsClient::plan_manifest): what it says, with what the platform
    /// has made of it. Nothing where the channel is not known to be like that.
    pub fn applied(&self) -> Option<Declared> {
        match &self.end {
            ApplyEnd::Unchanged | ApplyEnd::Changed(_) => Some(self.declared.as_stored(&self.differing)),
            ApplyEnd::Failed(error) if error.kind() == ErrorKind::NotRecorded => Some(self.declared.clone()),
            ApplyEnd::Failed(_) | ApplyEnd::NotTried => None,
        }
    }

    /// The way back: where it was changed, or where it would have been.
    pub(crate) fn undoing(&self) -> ChannelUpdate {
        let id = self.id().clone();
        match &self.end {
            ApplyEnd::Changed(changes) => ChannelUpdate::undoing(id, changes),
            _ => ChannelUpdate::undoing(id, &self.update.changes()),
        }
    }

    pub(crate) fn compare(&mut self, stored: &Channel) {
        let asked = self.declared.over(&stored.configuration);
        self.differing = diff(&asked, &Value::Object(stored.configuration.clone()));
    }
}
