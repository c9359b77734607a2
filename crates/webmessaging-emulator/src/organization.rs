//! What the emulated organisation holds: channels and conversations, the sample unless others are given.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use crate::channels::Channel;
use crate::conversations::{Conversation, Participant};

/// The channels and conversations of an emulated organisation.
///
/// The default is the [sample](Self::sample). Seeds read one from a file, in the shape of the answers.
///
/// # Examples
///
/// ```
/// use webmessaging_emulator::{Channel, Emulator, Organization};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let organization = Organization::empty()
///     .channel(Channel::new("channel-1", "Support", "webchat").webchat(500, ["rich-media"]));
/// let emulator = Emulator::builder().organization(organization).start().await?;
/// assert_eq!(emulator.organization().channels()[0].id(), "channel-1");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Organization {
    channels: Vec<Channel>,
    conversations: Vec<Conversation>,
}

impl Default for Organization {
    fn default() -> Self {
        Self::sample()
    }
}

impl Organization {
    /// An organisation that holds nothing.
    pub fn empty() -> Self {
        Self { channels: Vec::new(), conversations: Vec::new() }
    }

    /// The sample: three channels, of which the second has nothing to do with web messaging and the third says so only
    /// in its configuration; and the conversation `conversation-id-789` between `customer-participant-id-123` and
    /// `bot-participant-id-456`.
    pub fn sample() -> Self {
        Self::empty()
            .channel(
                Channel::new("a1b2c3d4-e5f6-7890-abcd-ef1234567890", "Primary Web Messaging", "webchat")
                    .webchat(500, ["rich-media", "typing-indicators", "file-sharing"])
                    .routing("queue-123", "longest-idle"),
            )
            .channel(
                Channel::new("b2c3d4e5-f6a7-8901-bcde-f12345678901", "Support Mail", "email")
                    .routing("queue-456", "longest-idle"),
            )
            .channel(
                Channel::new("c3d4e5f6-a7b8-9012-cdef-123456789012", "Mobile App", "mobile")
                    .webchat(200, ["typing-indicators"])
                    .routing("queue-123", "longest-idle"),
            )
            .conversation(
                Conversation::new("conversation-id-789")
                    .participant(Participant::new("customer-participant-id-123", "customer"))
                    .participant(Participant::new("bot-participant-id-456", "agent")),
            )
    }

    /// Adds a channel, in place of an earlier one with its id.
    pub fn channel(mut self, channel: Channel) -> Self {
        self.channels.retain(|known| known.id() != channel.id());
        self.channels.push(channel);
        self
    }

    /// Adds a conversation, in place of an earlier one with its id.
    pub fn conversation(mut self, conversation: Conversation) -> Self {
        self.conversations.retain(|known| known.id() != conversation.id());
        self.conversations.push(conversation);
        self
    }

    /// All channels, in the order of the list that the platform answers.
    pub fn channels(&self) -> &[Channel] {
        &self.channels
    }

    /// All conversations.
    pub fn conversations(&self) -> &[Conversation] {
        &self.conversations
    }

    /// Puts a channel in the place of the one with its id, if there is one.
    fn replace_channel(&mut self, channel: Channel) {
        if let Some(known) = self.channels.iter_mut().find(|known| known.id() == channel.id()) {
            *known = channel;
        }
    }

    /// An organisation of these parts, whose ids are known to be unique.
    pub(crate) fn of(channels: Vec<Channel>, conversations: Vec<Conversation>) -> Self {
        Self { channels, conversations }
    }

    /// Makes the number of channels `count`: surplus ones go, missing ones are web messaging channels like the sample's.
    pub(crate) fn resize_channels(&mut self, count: usize) {
        self.channels.truncate(count);
        let taken: HashSet<String> = self.channels.iter().map(|channel| channel.id().to_owned()).collect();
        let numbered = (self.channels.len() + 1..).map(|number| (number, format!("channel-{number}")));
        let missing = count - self.channels.len();
        for (number, id) in numbered.filter(|(_, id)| !taken.contains(id)).take(missing) {
            let channel = Channel::new(id, format!("Channel {number}"), "webchat");
            let channel = channel.webchat(100, ["typing-indicators"]).routing("queue-123", "longest-idle");
            self.channels.push(channel);
        }
    }
}

/// The organisation of a running emulator.
#[derive(Debug, Default)]
pub(crate) struct LiveOrganization {
    organization: Mutex<Arc<Organization>>,
}

impl LiveOrganization {
    /// The organisation as it is.
    pub(crate) fn capture(&self) -> Arc<Organization> {
        Arc::clone(&self.lock())
    }

    /// Puts this organisation in place of the other one.
    pub(crate) fn restore(&self, organization: Arc<Organization>) {
        *self.lock() = organization;
    }

    /// Puts a channel in the place of the one with its id; for who has the turn. Whoever has captured the organisation, as
    /// snapshots do, keeps it as it was.
    pub(crate) fn replace_channel(&self, channel: Channel) {
        Arc::make_mut(&mut self.lock()).replace_channel(channel);
    }

    /// No step leaves the organisation half-changed, so a poisoned lock holds good data.
    fn lock(&self) -> MutexGuard<'_, Arc<Organization>> {
        self.organization.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(organization: &Organization) -> Vec<&str> {
        organization.channels.iter().map(Channel::id).collect()
    }

    #[test]
    fn the_sample_has_channels_of_each_kind_and_the_documented_conversation() {
        let sample = Organization::sample();
        let kinds: Vec<(&str, bool, bool)> = sample
            .channels
            .iter()
            .map(|channel| {
                let written = serde_json::to_value(channel).unwrap();
                let has = |part: &str| written["configuration"].get(part).is_some();
                (channel.channel_type(), has("webchat"), has("routing"))
            })
            .collect();
        assert_eq!(kinds, [("webchat", true, true), ("email", false, true), ("mobile", true, true)]);
        let conversation = &sample.conversations()[0];
        let participants: Vec<&str> = conversation.participants().iter().map(Participant::id).collect();
        assert_eq!(conversation.id(), "conversation-id-789");
        assert_eq!(participants, ["customer-participant-id-123", "bot-participant-id-456"]);
    }

    #[test]
    fn a_second_entry_of_one_id_replaces_the_first() {
        let organization = Organization::empty()
            .channel(Channel::new("1", "one", "webchat"))
            .channel(Channel::new("2", "two", "webchat"))
            .channel(Channel::new("1", "changed", "webchat"));
        assert_eq!(ids(&organization), ["2", "1"]);
        assert_eq!(organization.channels()[1].name(), "changed");
        let organization = organization
            .conversation(Conversation::new("1"))
            .conversation(Conversation::new("1").participant(Participant::new("a", "agent")).ended());
        assert_eq!(organization.conversations().len(), 1);
        assert_eq!(organization.conversations()[0].participants()[0].id(), "a");
    }

    #[test]
    fn channels_are_cut_off_or_filled_up() {
        let mut organization = Organization::empty().channel(Channel::new("own", "Own", "email"));
        organization.resize_channels(3);
        assert_eq!(ids(&organization), ["own", "channel-2", "channel-3"]);
        let mut taken = Organization::empty().channel(Channel::new("channel-3", "Own", "email"));
        taken.resize_channels(3);
        assert_eq!(ids(&taken), ["channel-3", "channel-2", "channel-4"]);
        organization.resize_channels(1);
        assert_eq!(ids(&organization), ["own"]);
    }
    #[test]
    fn a_channel_is_replaced_in_its_place_and_not_in_what_was_captured() {
        let live = LiveOrganization::default();
        let captured = live.capture();
        let id = captured.channels()[1].id().to_owned();
        live.replace_channel(Channel::new(&id, "Changed", "email"));
        live.replace_channel(Channel::new("unknown", "New", "email"));
        let names = |organization: &Organization| -> Vec<String> {
            organization.channels().iter().map(|channel| channel.name().to_owned()).collect()
        };
        assert_eq!(names(&live.capture()), ["Primary Web Messaging", "Changed", "Mobile App"]);
        assert_eq!(*captured, Organization::sample());
    }

    #[test]
    fn a_poisoned_lock_holds_good_data() {
        let live = LiveOrganization::default();
        let panicked = std::thread::scope(|scope| {
            let holder = scope.spawn(|| {
                let _organization = live.lock();
                panic!("while the organisation is locked");
            });
            holder.join()
        });
        assert!(panicked.is_err() && live.organization.is_poisoned());
        let id = live.capture().channels()[0].id().to_owned();
        live.replace_channel(Channel::new(id, "Changed", "webchat"));
        assert_eq!(live.capture().channels()[0].name(), "Changed");
    }
}
