//! What a manifest comes to on the channels as they are.

use std::fmt;

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
    pub(crate) update: ChannelUpdate,
}

impl ManifestPlan {
    /// Whether all channels are as the manifest says.
    pub fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.channels.iter().all(PlannedChannel::is_empty)
    }

    /// Whether somebody else has changed what the manifest would change.
    pub fn has_conflicts(&self) -> bool {
        self.channels.iter().any(|channel| !channel.conflicts.is_empty())
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
        Self { name: channel.name, conflicts, update }
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
        struct Shown<'a> {
            id: &'a ChannelId,
            name: Option<&'a str>,
            changes: Vec<Change>,
            conflicts: &'a [Conflict],
        }
        let (id, changes) = (self.id(), self.changes());
        Shown { id, name: self.name.as_deref(), changes, conflicts: &self.conflicts }.serialize(serializer)
    }
}

impl fmt::Display for ManifestPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for channel in self.channels.iter().filter(|channel| !channel.is_empty()) {
            writeln!(f, "{channel}")?;
        }
        for id in &self.missing {
            writeln!(f, "{id}\n  ? there is no such channel, or not any more\n")?;
        }
        let places = |count: fn(&PlannedChannel) -> usize| self.channels.iter().map(count).sum::<usize>();
        let changes = places(|channel| channel.changes().len());
        let conflicts = places(|channel| channel.conflicts.len());
        let changing = self.channels.iter().filter(|channel| !channel.is_empty()).count();
        let all = self.channels.len() + self.missing.len();
        write!(f, "{changing} of {} to change, {}", counted(all, "channel"), counted(changes, "place"))?;
        if conflicts > 0 {
            write!(f, ", {conflicts} of them in conflict")?;
        }
        if !self.missing.is_empty() {
            write!(f, ", {} missing", counted(self.missing.len(), "channel"))?;
        }
        Ok(())
    }
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// The channel, and a line for every place: `+` is added, `-` removed, `~` changed, `!` in conflict.
impl fmt::Display for PlannedChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", Title(self.id(), self.name.as_deref()))?;
        for change in self.changes() {
            let conflict = self.conflicts.iter().find(|conflict| conflict.path == change.path);
            let sign = if conflict.is_some() { Some('!') } else { None };
            writeln!(f, "{}", Line { change: &change, sign })?;
            if let Some(conflict) = conflict {
                let base = conflict.base.as_ref().map_or_else(|| "nothing".to_owned(), Value::to_string);
                writeln!(f, "  !   somebody has changed it since it was applied: it was {base}")?;
            }
        }
        Ok(())
    }
}

/// A channel as people know it.
pub(crate) struct Title<'a>(pub(crate) &'a ChannelId, pub(crate) Option<&'a str>);

impl fmt::Display for Title<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.1 {
            Some(name) => write!(f, "{} ({name})", self.0),
            None => write!(f, "{}", self.0),
        }
    }
}

/// One change as a line.
pub(crate) struct Line<'a> {
    pub(crate) change: &'a Change,
    /// In place of the one that the change has by itself.
    pub(crate) sign: Option<char>,
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { change: Change { path, before, after, .. }, sign } = self;
        match (before, after) {
            (Some(before), Some(after)) => write!(f, "  {} {path}: {before} -> {after}", sign.unwrap_or('~')),
            (None, Some(after)) => write!(f, "  {} {path}: {after}", sign.unwrap_or('+')),
            (Some(before), None) => write!(f, "  {} {path}: {before}", sign.unwrap_or('-')),
            (None, None) => Ok(()),
        }
    }
}
