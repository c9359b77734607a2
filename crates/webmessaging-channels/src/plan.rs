//! What an update comes to on a channel as it is now.

use serde_json::Value;
use webmessaging_http::{Error, ErrorKind, Facts, Sent};
use webmessaging_model::json_merge::{Change, apply_merge_patch, diff, merge, merge_patch};
use webmessaging_model::{ChannelRules, Code, Violation, Violations};

use crate::channel::Channel;
use crate::channel_update::ChannelUpdate;
use crate::operations::UPDATE_CHANNEL;
use crate::record;

/// What an update would do, worked out against the channel as it is now.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Plan {
    /// The channel as it is now.
    pub channel: Channel,
    /// What would change of its configuration, in the order of the paths below `configuration`.
    pub changes: Vec<Change>,
    /// What would be sent: a JSON Merge Patch (RFC 7396) of the configuration; nothing where nothing would change.
    pub patch: Option<Value>,
}

impl Plan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.patch.is_none()
    }

    /// Brings an update together with the channel as it is.
    pub(crate) fn new(update: &ChannelUpdate, channel: Channel, rules: &ChannelRules) -> Result<Self, Error> {
        let current = Value::Object(channel.configuration.clone());
        let merged = merge(&update.base, &update.wanted, &current).map_err(|conflicts| {
            Error::new(ErrorKind::Conflict, Sent::No)
                .with_operation(&UPDATE_CHANNEL)
                .with_message(format!("the channel is not what it was: {conflicts}"))
                .with_source(conflicts)
        })?;
        if update.checked {
            check(rules, update, &current, &merged)?;
        }
        let changes = diff(&current, &merged);
        let patch = merge_patch(&current, &merged);
        if let Some(patch) = &patch {
            tells_all(patch, current, &merged)?;
        }
        Ok(Self { channel, changes, patch })
    }
}

/// In a patch `null` removes, so that nothing can be set to it.
fn tells_all(patch: &Value, mut before: Value, after: &Value) -> Result<(), Error> {
    apply_merge_patch(&mut before, patch);
    let lost = diff(&before, after).into_iter().map(|change| {
        let place = record::dotted(&change.path);
        Violation::new(place, Code::NotAllowed, "channel.configuration.null")
    });
    let found = Violations::check(lost.collect());
    found.map_err(|violations| Error::from(violations).with_operation(&UPDATE_CHANNEL))
}

/// What an update came to.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Updated {
    /// The channel as it is now.
    pub channel: Channel,
    /// What was changed of its configuration; nothing where it was so already.
    pub changes: Vec<Change>,
    /// The facts of the call that answered last: of the change, or of a look that has shown it to be there.
    pub facts: Facts,
}

/// Checks what an update makes of a configuration. What was broken before is not its fault.
pub(crate) fn check(
    rules: &ChannelRules,
    update: &ChannelUpdate,
    before: &Value,
    after: &Value,
) -> Result<(), Error> {
    let Err(violations) = rules.check(after, &update.browsers) else { return Ok(()) };
    let known = match rules.check(before, &update.browsers) {
        Ok(()) => Vec::new(),
        Err(known) => known.into_vec(),
    };
    let is_new = |violation: &Violation| !known.contains(violation);
    let found = Violations::check(violations.into_vec().into_iter().filter(is_new).collect());
    found.map_err(|violations| Error::from(violations).with_operation(&UPDATE_CHANNEL))
}
