//! A guest as the platform shows it.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use webmessaging_journal::kind::Consent;
use webmessaging_model::{GuestId, Timestamp};

/// What of a guest can be changed.
pub(crate) const CONTENT: [&str; 4] = ["consent", "identityAttributes", "channelContext", "attributes"];

/// A guest. What this version does not know of it is kept as it came. `Debug` shows ids and names of fields alone.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Guest {
    /// Its id.
    pub id: GuestId,
    /// When it was created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_date: Option<Timestamp>,
    /// When it was changed last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified_date: Option<Timestamp>,
    /// When its session was closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_date: Option<Timestamp>,
    /// How many messages there were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interaction_count: Option<u64>,
    /// Every other field: `consent`, `identityAttributes`, `channelContext`, `attributes`, and whatever else there is.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl Guest {
    /// What the guest has agreed to, where it says so.
    pub fn consent(&self) -> Option<Consent> {
        Consent::deserialize(self.rest.get("consent")?).ok()
    }

    /// The value of an attribute.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.rest.get("attributes")?.get(name)?.as_str()
    }

    /// The hash of the e-mail address.
    pub fn email_hash(&self) -> Option<&str> {
        self.rest.get("identityAttributes")?.get("emailHash")?.as_str()
    }

    /// The hash of the phone number.
    pub fn phone_hash(&self) -> Option<&str> {
        self.rest.get("identityAttributes")?.get("phoneHash")?.as_str()
    }

    /// What of it can be changed.
    pub(crate) fn content(&self) -> Value {
        let fields =
            CONTENT.iter().filter_map(|name| Some(((*name).to_owned(), self.rest.get(*name)?.clone())));
        Value::Object(fields.collect())
    }
}

impl fmt::Debug for Guest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields: Vec<_> = self.rest.keys().collect();
        f.debug_struct("Guest")
            .field("id", &self.id)
            .field("modified_date", &self.modified_date)
            .field("fields", &fields)
            .finish_non_exhaustive()
    }
}

/// A value with the version that it was read at: whoever changes it cannot forget which one that was.
#[derive(Debug, Clone, PartialEq)]
pub struct ETagged<T> {
    /// The value.
    pub value: T,
    etag: String,
}

impl<T> ETagged<T> {
    /// A value that was kept together with its `ETag`.
    pub fn new(value: T, etag: impl Into<String>) -> Self {
        Self { value, etag: etag.into() }
    }

    /// The version, as the `ETag` header had it.
    pub fn etag(&self) -> &str {
        &self.etag
    }
}
