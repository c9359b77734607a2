//! The key of what an event says: SHA-256 over its fields, each with its length in front, so that no two lists of fields
//! have the same bytes.

use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// In front of everything; another recipe gets another number.
const DOMAIN: &str = "webmessaging.content-key.1";

/// A key for the second look at a delivery; see [`Event::content_key`](super::Event::content_key). Written as hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContentKey([u8; 32]);

impl ContentKey {
    /// The key itself.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for ContentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for ContentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ContentKey({self})")
    }
}

impl Serialize for ContentKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Takes one field after the other.
pub(super) struct Digest(Sha256);

impl Digest {
    pub(super) fn new(event_type: &str) -> Self {
        let mut digest = Self(Sha256::new());
        digest.text(DOMAIN);
        digest.text(event_type);
        digest
    }

    pub(super) fn text(&mut self, text: &str) {
        self.tagged(b't', text.len());
        self.0.update(text);
    }

    pub(super) fn maybe(&mut self, text: Option<&str>) {
        match text {
            Some(text) => self.text(text),
            None => self.tagged(b'-', 0),
        }
    }

    /// A value of JSON, whatever the order of its keys. Written out here: a program can switch the parser to another order.
    pub(super) fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.tagged(b'0', 0),
            Value::Bool(value) => self.tagged(b'b', usize::from(*value)),
            Value::Number(number) => {
                let number = number.to_string();
                self.tagged(b'n', number.len());
                self.0.update(number);
            }
            Value::String(text) => self.text(text),
            Value::Array(values) => {
                self.tagged(b'a', values.len());
                for value in values {
                    self.value(value);
                }
            }
            Value::Object(fields) => {
                self.tagged(b'o', fields.len());
                let mut fields: Vec<_> = fields.iter().collect();
                fields.sort_unstable_by_key(|(name, _)| *name);
                for (name, value) in fields {
                    self.text(name);
                    self.value(value);
                }
            }
        }
    }

    pub(super) fn finish(self) -> ContentKey {
        ContentKey(self.0.finalize().into())
    }

    fn tagged(&mut self, tag: u8, length: usize) {
        self.0.update([tag]);
        self.0.update(u64::try_from(length).unwrap_or(u64::MAX).to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn key(value: &Value) -> ContentKey {
        let mut digest = Digest::new("type");
        digest.value(value);
        digest.finish()
    }

    #[test]
    fn values_that_differ_have_keys_that_differ() {
        let values = [
            json!(null),
            json!(false),
            json!(true),
            json!(0),
            json!(1),
            json!("1"),
            json!(""),
            json!([]),
            json!({}),
            json!([[], []]),
            json!([[[]]]),
            json!(["a", "b"]),
            json!(["ab"]),
            json!({ "a": "b" }),
            json!({ "ab": "" }),
            json!({ "a": null }),
        ];
        let keys: std::collections::HashSet<_> = values.iter().map(key).collect();
        assert_eq!(keys.len(), values.len());
    }

    #[test]
    fn the_order_of_keys_does_not_matter() {
        let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(key(&read(r#"{"a":1,"b":[2]}"#)), key(&read(r#"{ "b": [2], "a": 1 }"#)));
    }

    /// Keys are stored: a change of the recipe must be a decision.
    #[test]
    fn the_recipe_is_fixed() {
        let mut digest = Digest::new("channel.updated");
        digest.maybe(None);
        digest.maybe(Some("2026-11-25T08:30:00.000Z"));
        digest.value(&json!({ "id": "channel-1", "version": 7, "tags": [true, null] }));
        assert_eq!(
            digest.finish().to_string(),
            "9b5b79402c0356346391887c41d3b14f1a141e85c157f1492bcc526076d2ada4"
        );
    }
}
