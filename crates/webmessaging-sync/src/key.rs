//! Idempotency keys: made of what is delivered, so that the same thing has the same key after any crash.

use std::fmt;

use sha2::{Digest, Sha256};
use uuid::Builder;
use webmessaging_journal::{Event, EventKind};

use crate::shape::ShapeName;

/// Longest key of somebody else's that goes out as it is, in bytes.
const FOREIGN_BYTES_MAX: usize = 64;

/// The key of an item or a request: a UUID of version 8 with 122 bits of a SHA-256.
///
/// It has the form that the document system of the platform's examples expects of a batch id, and a hundred of them fit into
/// a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key(String);

impl Key {
    /// The key of what a target is told of an event. The event's id is part of its content: what is recorded again is the same
    /// item, and what happened twice is two.
    ///
    /// A transfer comes to an archive once, whoever hears of its end and however often: a webhook, two who wait, or the process after
    /// one that was ended. Each of them records an event of its own, so the key is the transfer's.
    pub(crate) fn of_event(target: &str, shape: ShapeName, event: &Event) -> Self {
        let (target, shape_name) = (target.as_bytes(), shape.as_str().as_bytes());
        if let (ShapeName::Archive, EventKind::TransferFinished(finished)) = (shape, &event.kind) {
            let id = finished.transfer_id.as_bytes();
            return Self::of("subject", [target, shape_name, event.action().as_bytes(), id]);
        }
        // An event can always be written; if one could not, its id would still tell it from the others.
        let content = serde_json::to_vec(event).unwrap_or_default();
        Self::of("item", [target, shape_name, event.id.to_string().as_bytes(), &content])
    }

    /// The key of a dead letter whose payload was edited: another content is another item.
    pub(crate) fn of_edit(before: &str, payload: &[u8]) -> Self {
        Self::of("edit", [before.as_bytes(), payload])
    }

    /// The key of a request with several items: it names exactly these, in this order.
    pub(crate) fn of_batch(items: &[Self]) -> Self {
        Self::of("batch", items.iter().map(|key| key.0.as_bytes()))
    }

    /// The key of an item in the outbox as it goes out. Ours go out as they are; one that somebody else made and no list of keys in
    /// a header can hold is hashed.
    pub(crate) fn of_item(key: &str) -> Self {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:~+/=".contains(&byte);
        if (1..=FOREIGN_BYTES_MAX).contains(&key.len()) && key.bytes().all(is_plain) {
            Self(key.to_owned())
        } else {
            Self::of("foreign", [key.as_bytes()])
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Each part is preceded by its length, so that no two lists of parts are the same bytes.
    fn of<'a>(what: &'a str, parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut hash = Sha256::new();
        for part in [b"webmessaging-sync".as_slice(), what.as_bytes()].into_iter().chain(parts) {
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part);
        }
        let mut bytes = [0; 16];
        bytes.iter_mut().zip(hash.finalize()).for_each(|(to, from)| *to = from);
        Self(Builder::from_custom_bytes(bytes).into_uuid().to_string())
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;
    use webmessaging_journal::clock::SystemEntropy;
    use webmessaging_journal::kind::TransferFinished;
    use webmessaging_journal::{EventId, Stamp};
    use webmessaging_model::Timestamp;

    use super::*;

    fn keys(items: &[String]) -> Vec<Key> {
        items.iter().map(|item| Key(item.clone())).collect()
    }

    /// Keys are remembered on both sides: another algorithm would deliver things twice.
    #[test]
    fn a_key_is_a_uuid_of_version_8_and_stays_what_it_is() {
        let key = Key::of_batch(&keys(&["a".to_owned(), "b".to_owned()]));
        let uuid: uuid::Uuid = key.as_str().parse().unwrap();
        assert_eq!(uuid.get_version_num(), 8);
        assert_eq!(key.as_str(), "e636895f-c656-824f-84cf-be13dfb6ea6f");
    }

    /// Only what tells transfers and targets apart counts; the recipe is remembered on both sides, too.
    #[test]
    fn a_transfer_comes_to_an_archive_once_whoever_records_its_end() {
        let event = |id: &str, seconds: u64| {
            let at = Timestamp::UNIX_EPOCH + Duration::from_secs(seconds);
            let kind = TransferFinished::new(id, format!("{seconds}.pdf"));
            Stamp::new(EventId::new(at, &SystemEntropy), at, "test").event(kind)
        };
        let key = |target: &str, event: &Event| Key::of_event(target, ShapeName::Archive, event);
        let first = key("a", &event("t-1", 1));
        assert_eq!(first.as_str(), "406d7e72-89a2-81b5-a28f-61850e81066e");
        assert_eq!(key("a", &event("t-1", 2)), first);
        assert_ne!(key("a", &event("t-2", 1)), first);
        assert_ne!(key("b", &event("t-1", 1)), first);
        // In a form of one's own, each event is one.
        let own = |event: &Event| Key::of_event("a", ShapeName::Template, event);
        assert_ne!(own(&event("t-1", 1)), own(&event("t-1", 2)));
    }

    #[test]
    fn a_foreign_key_goes_out_in_a_form_that_a_header_can_hold() {
        assert_eq!(Key::of_item("guest-7:3").as_str(), "guest-7:3");
        for key in ["", "a,b", "a b", "ä", &"x".repeat(65)] {
            let uuid: uuid::Uuid = Key::of_item(key).as_str().parse().unwrap();
            assert_eq!(uuid.get_version_num(), 8, "{key}");
        }
        assert_ne!(Key::of_item("a,b"), Key::of_item("a,c"));
    }

    proptest! {
        #[test]
        fn a_batch_is_named_by_its_items_and_their_order(
            a in proptest::collection::vec("[a-c]{0,3}", 0..4),
            b in proptest::collection::vec("[a-c]{0,3}", 0..4),
        ) {
            prop_assert_eq!(Key::of_batch(&keys(&a)) == Key::of_batch(&keys(&b)), a == b);
        }
    }
}
