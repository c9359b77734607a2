//! Channels: changes of their configuration.

use std::collections::BTreeMap;

use webmessaging_model::ChannelId;

use super::define::kind;
use super::{Described, Subject};
use crate::details::Details;

kind! {
    /// The configuration of a channel was changed. How long it took is in the event's facts.
    pub struct ChannelUpdated {
        /// The channel.
        channel_id => ChannelId,
        /// The paths that were changed, such as `configuration.webchat.maxConcurrentSessions`.
        changed_paths => Vec<String>,
    }
    optional {
        /// By the name of a feature, whether the channel has it now.
        features => BTreeMap<String, bool>,
    }
}

impl Described for ChannelUpdated {
    fn subject(&self) -> Subject<'_> {
        Subject::new("channel", self.channel_id.as_str())
    }

    fn details(&self) -> Details<'_> {
        let details = Details::default().names("changedPaths", &self.changed_paths);
        let Some(features) = &self.features else { return details };
        details.flags("features", features)
    }
}
