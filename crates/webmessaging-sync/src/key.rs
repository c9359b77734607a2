//! Idempotency keys: made of what is delivered, so that the same thing has the same key after any crash.

use std::fmt;

use sha2::{Digest, Sha256};
use uuid::Builder;
use webmessaging_journal::Event;

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
    pub(crate) fn of_event(target: &str, shape: &str, event: &Event) -> Self {
        // An event can always be written; if one could not, its id would still tell it from the others.
        let content = serde_json::to_vec(event).unwrap_or_default();
        Self::of("item", [target.as_bytes(), shape.as_bytes(), event.id.to_string().as_bytes(), &content])
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
    use proptest::prelude::*;

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
