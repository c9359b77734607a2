//! All targets of a program, and what each of them is told of an event.

use std::sync::Arc;

use webmessaging_journal::Event;
use webmessaging_model::Timestamp;
use webmessaging_store::NewItem;

use super::Target;
use crate::error::{Error, ErrorKind};

/// Most targets of a program.
pub const TARGETS_MAX: usize = 100;

/// All targets. Cheap to clone.
///
/// # Examples
/// ```
/// use webmessaging_journal::clock::SystemEntropy;
/// use webmessaging_journal::kind::BotMessageSent;
/// use webmessaging_journal::{EventId, Stamp};
/// use webmessaging_model::Timestamp;
/// use webmessaging_sync::{Secrets, ShapeName, TargetConfig, Targets};
///
/// let crm = TargetConfig::new("crm", "https://crm.example/messages", ShapeName::CrmMessages);
/// let targets = Targets::new([crm.build(&Secrets::none())?])?;
///
/// let at = Timestamp::UNIX_EPOCH;
/// let event = Stamp::new(EventId::new(at, &SystemEntropy), at, "bot").event(BotMessageSent::new("conversation-1"));
/// let items = targets.items_for(&event, at);
/// assert_eq!((items.len(), items[0].lane.as_deref()), (1, Some("conversation:conversation-1")));
/// # Ok::<(), webmessaging_sync::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Targets(Arc<[Target]>);

impl Targets {
    /// Gathers targets.
    ///
    /// # Errors
    /// [`Configuration`](ErrorKind::Configuration) when two have the same name, or there are more than [`TARGETS_MAX`].
    pub fn new(targets: impl IntoIterator<Item = Target>) -> Result<Self, Error> {
        let targets: Vec<_> = targets.into_iter().take(TARGETS_MAX + 1).collect();
        if targets.len() > TARGETS_MAX {
            return Err(Error::configuration(format!("more than {TARGETS_MAX} targets")));
        }
        let mut names: Vec<_> = targets.iter().map(Target::name).collect();
        names.sort_unstable();
        let same = names.windows(2).find_map(|pair| (pair.first() == pair.last()).then(|| pair.first())?);
        match same {
            Some(name) => Err(Error::configuration(format!("two targets have the name `{name}`"))),
            None => Ok(Self(targets.into())),
        }
    }

    /// What has to be delivered because of an event: one item for each target that wants it.
    ///
    /// It is pure: a handler of webhooks puts the items among the effects of its delivery, so that both are durable in one step. The same
    /// event makes the same items, with the same keys, however often it is recorded.
    pub fn items_for(&self, event: &Event, now: Timestamp) -> Vec<NewItem> {
        self.0.iter().filter_map(|target| target.item_for(event, now)).collect()
    }

    /// The targets, in their order.
    pub fn iter(&self) -> impl Iterator<Item = &Target> {
        self.0.iter()
    }

    /// The target of a name.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound).
    pub fn get(&self, name: &str) -> Result<&Target, Error> {
        let found = self.iter().find(|target| target.name == name);
        found.ok_or_else(|| Error::new(ErrorKind::NotFound, "there is no target of this name"))
    }
}
