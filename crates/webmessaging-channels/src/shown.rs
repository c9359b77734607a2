//! Plans and sightings as people read them.

use std::fmt::{self, Write as _};

use serde_json::Value;
use webmessaging_model::ChannelId;
use webmessaging_model::json_merge::Change;

use crate::manifest_plan::{ManifestPlan, PlannedChannel};

impl fmt::Display for ManifestPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for channel in self.channels.iter().filter(|channel| !channel.is_empty()) {
            write_channel(f, channel, self.overwrites)?;
            writeln!(f)?;
        }
        for id in &self.missing {
            writeln!(f, "{}\n  ? there is no such channel, or not any more\n", Title(id, None))?;
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

/// The channel, and a line for every place: `+` is added, `-` removed, `~` changed, and a `!` before it is a conflict.
impl fmt::Display for PlannedChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_channel(f, self, false)
    }
}

fn write_channel(f: &mut fmt::Formatter<'_>, channel: &PlannedChannel, overwrites: bool) -> fmt::Result {
    writeln!(f, "{}", Title(channel.id(), channel.name.as_deref()))?;
    for change in channel.changes() {
        let conflict = channel.conflicts.iter().find(|conflict| conflict.path == change.path);
        writeln!(f, "{}", Line { change: &change, is_in_conflict: conflict.is_some() })?;
        if let Some(conflict) = conflict {
            let base = conflict.base.as_ref().map_or_else(|| "nothing".to_owned(), Value::to_string);
            let after = if overwrites { ", and is overwritten" } else { "" };
            writeln!(
                f,
                "  !   somebody has changed it since it was applied: it was {}{after}",
                Plain(&base)
            )?;
        }
    }
    Ok(())
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// A channel as people know it.
pub(crate) struct Title<'a>(pub(crate) &'a ChannelId, pub(crate) Option<&'a str>);

impl fmt::Display for Title<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Plain(self.0.as_str()))?;
        match self.1 {
            Some(name) => write!(f, " ({})", Plain(name)),
            None => Ok(()),
        }
    }
}

/// One change as a line.
pub(crate) struct Line<'a> {
    pub(crate) change: &'a Change,
    pub(crate) is_in_conflict: bool,
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Change { path, before, after, .. } = self.change;
        let (sign, values) = match (before, after) {
            (Some(before), Some(after)) => ('~', format!("{before} -> {after}")),
            (None, Some(after)) => ('+', after.to_string()),
            (Some(before), None) => ('-', before.to_string()),
            (None, None) => return Ok(()),
        };
        let conflict = if self.is_in_conflict { "! " } else { "" };
        write!(f, "  {conflict}{sign} {}: {}", Plain(path), Plain(&values))
    }
}

/// Text of others on one line: it cannot look like lines of ours, nor command a terminal.
struct Plain<'a>(&'a str);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            if c.is_control() { write!(f, "{}", c.escape_default())? } else { f.write_char(c)? }
        }
        Ok(())
    }
}
