//! What stays in order with what: the subject of an event, as the name of a lane.

use sha2::{Digest, Sha256};
use webmessaging_journal::{Event, EventKind};

/// Longest lane that is named by its subject as it is; the store takes 512 bytes.
const NAME_BYTES_MAX: usize = 400;

/// The lane of an event: the conversation for messages, otherwise its subject.
pub(crate) fn of(event: &Event) -> String {
    let subject = event.subject();
    let (kind, id) = match &event.kind {
        EventKind::MessageRead(read) => ("conversation", read.conversation_id.as_str()),
        _ => (subject.kind, subject.id),
    };
    let name = format!("{kind}:{id}");
    if name.len() <= NAME_BYTES_MAX && !name.contains(char::is_control) {
        return name;
    }
    // Not a name any more, but still the same for the same subject.
    format!("sha256:{}", hex::encode(Sha256::digest(name)))
}

/// The target of a delivery that an event tells of.
pub(crate) fn delivery_target(event: &Event) -> Option<&str> {
    match &event.kind {
        EventKind::DeliverySucceeded(delivery) => Some(&delivery.target),
        EventKind::DeliveryFailed(delivery) => Some(&delivery.target),
        _ => None,
    }
}

/// Whether a kind of item tells of a delivery.
pub(crate) fn is_delivery(kind: &str) -> bool {
    kind.starts_with("delivery.")
}

#[cfg(test)]
mod tests {
    use webmessaging_journal::clock::SystemEntropy;
    use webmessaging_journal::kind::{BotMessageSent, MessageRead};
    use webmessaging_journal::{EventId, Stamp};
    use webmessaging_model::{MessageId, Timestamp};

    use super::*;

    fn lane(kind: impl Into<EventKind>) -> String {
        let at = Timestamp::UNIX_EPOCH;
        of(&Stamp::new(EventId::new(at, &SystemEntropy), at, "a").event(kind))
    }

    #[test]
    fn messages_of_a_conversation_share_its_lane() {
        assert_eq!(lane(BotMessageSent::new("c-1")), "conversation:c-1");
        assert_eq!(lane(MessageRead::new("c-1", MessageId::new("m"))), "conversation:c-1");
    }

    #[test]
    fn an_id_that_no_lane_can_be_named_by_still_has_its_own() {
        let long = |last: &str| lane(BotMessageSent::new("x".repeat(NAME_BYTES_MAX - 13) + last));
        assert_eq!(long("").len(), NAME_BYTES_MAX);
        assert!(long("y").starts_with("sha256:") && long("y").len() == 71);
        assert_ne!(long("y"), long("z"));
        assert_eq!(long("y"), long("y"));
        assert!(lane(BotMessageSent::new("a\0b")).starts_with("sha256:"));
    }
}
