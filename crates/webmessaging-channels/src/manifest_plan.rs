//! What a manifest comes to on the channels as they are.

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use webmessaging_model::ChannelId;
use webmessaging_model::json_merge::{Change, Conflict, diff};

use crate::channel::Channel;
use crate::channel_update::ChannelUpdate;
use crate::manifest::{Declared, Manifest};

/// What a manifest would change, worked out against the channels as they are. `Display` is the plan for people, one line for each place.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ManifestPlan {
    /// The channels that there are, in the order of the manifest.
    pub channels: Vec<PlannedChannel>,
    /// The channels that there are not.
    pub missing: Vec<ChannelId>,
    /// Whether conflicts are overwritten.
    pub overwrites: bool,
}

/// What a manifest would change of one channel.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct PlannedChannel {
    /// What people call it.
    pub name: Option<String>,
    /// Places that the manifest would change, and somebody else has changed since it was applied last: `base` is what was applied, `mine` what
    /// the manifest says now, `theirs` what is there.
    pub conflicts: Vec<Conflict>,
    /// Whether it is known what was applied last. If not, nothing is known of what others have changed.
    pub was_applied: bool,
    pub(crate) declared: Declared,
    pub(crate) update: ChannelUpdate,
}

impl ManifestPlan {
    /// The same, but conflicts do not stop it: what others have changed is overwritten.
    #[must_use]
    pub fn overwriting(mut self) -> Self {
        self.overwrites = true;
        self
    }

    /// Whether all channels are as the manifest says.
    pub fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.channels.iter().all(PlannedChannel::is_empty)
    }

    /// Whether somebody else has changed what the manifest would change, and that is not to be overwritten.
    pub fn is_in_conflict(&self) -> bool {
        !self.overwrites && self.channels.iter().any(|channel| !channel.conflicts.is_empty())
    }
}

impl PlannedChannel {
    /// `last` is what was said of the channel when the manifest was applied.
    pub(crate) fn new(
        manifest: &Manifest,
        declared: &Declared,
        last: Option<&Declared>,
        channel: Channel,
    ) -> Self {
        let wanted = declared.over(&channel.configuration);
        let update = ChannelUpdate::of(channel.clone()).browsers(manifest.browsers_of(declared).to_vec());
        let update = ChannelUpdate { wanted, ..update };
        let conflicts = last.map(|last| conflicts(last, &channel.configuration, &update)).unwrap_or_default();
        let (was_applied, declared) = (last.is_some(), declared.clone());
        Self { name: channel.name, conflicts, was_applied, declared, update }
    }

    /// The channel.
    pub fn id(&self) -> &ChannelId {
        &self.update.id
    }

    /// What would change, in the order of the paths below `configuration`.
    pub fn changes(&self) -> Vec<Change> {
        self.update.changes()
    }

    /// Whether nothing would change.
    pub fn is_empty(&self) -> bool {
        self.update.base == self.update.wanted
    }
}

/// Where something would change that is not what was applied: somebody else has changed it, or a part of it.
fn conflicts(last: &Declared, current: &Map<String, Value>, update: &ChannelUpdate) -> Vec<Conflict> {
    let applied = last.over(current);
    let theirs = diff(&applied, &update.base);
    let is_theirs = |path: &str| {
        theirs.iter().any(|change| is_within(path, &change.path) || is_within(&change.path, path))
    };
    let changes = update.changes().into_iter().filter(|change| is_theirs(&change.path));
    let conflict = |change: Change| {
        let base = applied.pointer(&change.path).cloned();
        Conflict::new(change.path, base, change.after, change.before)
    };
    changes.map(conflict).collect()
}

/// Whether a place is another one, or lies within it.
fn is_within(place: &str, other: &str) -> bool {
    place.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl Serialize for PlannedChannel {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Shown<'a> {
            id: &'a ChannelId,
            name: Option<&'a str>,
            was_applied: bool,
            changes: Vec<Change>,
            conflicts: &'a [Conflict],
        }
        let Self { name, conflicts, was_applied, .. } = self;
        let shown = Shown {
            id: self.id(),
            name: name.as_deref(),
            was_applied: *was_applied,
            changes: self.changes(),
            conflicts,
        };
        shown.serialize(serializer)
    }
}
