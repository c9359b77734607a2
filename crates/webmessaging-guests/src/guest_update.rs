//! What is to become of a guest, beside what it was when somebody decided that.

use std::fmt;

use serde_json::{Map, Value, json};
use webmessaging_journal::kind::Consent;
use webmessaging_model::json_merge::{Change, diff};
use webmessaging_model::{GuestId, Violation};

use crate::attributes::Attributes;
use crate::context::{CampaignId, OriginPage};
use crate::guest::{ETagged, Guest};
use crate::identity::Resolved;

/// A change of a guest that remembers where it began, version and all. `Debug` shows the places alone.
///
/// # Examples
/// ```
/// use webmessaging_guests::{Consent, ETagged, Guest, GuestUpdate};
///
/// # let guest: Guest = serde_json::from_str(r#"{"id": "guest-1", "consent": {"marketing": true, "dataProcessing": true}}"#)?;
/// # let guest = ETagged::new(guest, "\"1\"");
/// let update = GuestUpdate::of(&guest)
///     .consent(Consent::new(false, true))
///     .attribute("plan", "gold")?;
/// let changes = update.changes();
/// let paths: Vec<_> = changes.iter().map(|change| &*change.path).collect();
/// assert_eq!(paths, ["/attributes", "/consent/marketing"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq)]
#[must_use = "nothing changes until it is sent"]
pub struct GuestUpdate {
    pub(crate) id: GuestId,
    pub(crate) etag: String,
    pub(crate) base: Value,
    pub(crate) wanted: Value,
    pub(crate) is_without_consent: bool,
}

impl GuestUpdate {
    /// A change of a guest as it was read.
    pub fn of(guest: &ETagged<Guest>) -> Self {
        let base = guest.value.content();
        let (id, etag) = (guest.value.id.clone(), guest.etag().to_owned());
        Self { id, etag, wanted: base.clone(), base, is_without_consent: false }
    }

    /// Sets what the guest has agreed to.
    pub fn consent(self, consent: Consent) -> Self {
        self.set("consent", None, Some(json!(consent)))
    }

    /// Sets the hashes that an identity came to; a hash that it does not have stays as it is.
    pub fn identity(mut self, resolved: &Resolved) -> Self {
        for (name, hash) in [("emailHash", resolved.email_hash()), ("phoneHash", resolved.phone_hash())] {
            if let Some(hash) = hash {
                self = self.set("identityAttributes", Some(name), Some(hash.as_str().into()));
            }
        }
        self
    }

    /// Sets the page that the guest came from.
    pub fn origin_page(self, page: &OriginPage) -> Self {
        self.set("channelContext", Some("originPage"), Some(page.as_str().into()))
    }

    /// Sets the campaign that the guest came from.
    pub fn campaign_id(self, campaign: &CampaignId) -> Self {
        self.set("channelContext", Some("campaignId"), Some(campaign.as_str().into()))
    }

    /// Sets an attribute.
    ///
    /// # Errors
    /// Those of [`Attributes::with`].
    pub fn attribute(self, name: &str, value: &str) -> Result<Self, Violation> {
        Attributes::new().with(name, value)?;
        Ok(self.set("attributes", Some(name), Some(value.into())))
    }

    /// Sets attributes; others stay as they are.
    pub fn attributes(mut self, attributes: &Attributes) -> Self {
        for (name, value) in attributes {
            self = self.set("attributes", Some(name), Some(value.as_str().into()));
        }
        self
    }

    /// Sets attributes that are figures of ours, some of which look like phone numbers.
    pub(crate) fn figures(mut self, figures: Vec<(&'static str, String)>) -> Self {
        for (name, value) in figures {
            self = self.set("attributes", Some(name), Some(value.into()));
        }
        self
    }

    /// Removes an attribute.
    pub fn remove_attribute(self, name: &str) -> Self {
        self.set("attributes", Some(name), None)
    }

    /// Changes a guest that has not agreed to the processing of data: there can be a duty to do so.
    pub fn without_consent(mut self) -> Self {
        self.is_without_consent = true;
        self
    }

    /// What it changes, in the order of the paths.
    pub fn changes(&self) -> Vec<Change> {
        diff(&self.base, &self.wanted)
    }

    /// Sets a field, or one within it.
    fn set(mut self, field: &str, name: Option<&str>, value: Option<Value>) -> Self {
        let Value::Object(wanted) = &mut self.wanted else { return self };
        let (place, key) = match name {
            None => (wanted, field),
            Some(name) => {
                if value.is_none() && !wanted.contains_key(field) {
                    return self;
                }
                let within = wanted.entry(field).or_insert_with(|| Value::Object(Map::new()));
                if !within.is_object() {
                    *within = Value::Object(Map::new());
                }
                let Value::Object(within) = within else { return self };
                (within, name)
            }
        };
        match value {
            Some(value) => place.insert(key.to_owned(), value),
            None => place.remove(key),
        };
        self
    }
}

impl fmt::Debug for GuestUpdate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places: Vec<_> = self.changes().into_iter().map(|change| change.path).collect();
        f.debug_struct("GuestUpdate")
            .field("id", &self.id)
            .field("etag", &self.etag)
            .field("places", &places)
            .finish_non_exhaustive()
    }
}
