//! A guest as lists have it: with plain identities, which become hashes before anything leaves the process.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use webmessaging_journal::kind::Consent;
use webmessaging_model::{Violation, Violations};

use crate::context::{CampaignId, OriginPage};
use crate::identity::IdentityHasher;
use crate::identity_attributes::{DeviceFingerprint, IdentityHash, malformed};
use crate::payload::GuestPayload;

/// One line of a list of guests, for an import. `Debug` shows nothing of it.
///
/// # Examples
/// ```
/// use webmessaging_guests::{GuestRecord, IdentityHasher};
///
/// let record = GuestRecord::from_json(
///     br#"{"email": "jane@example.com", "marketing": false, "dataProcessing": true, "attributes": {"source": "shop"}}"#,
/// ).unwrap();
/// let hasher = IdentityHasher::hmac_sha256("n3ver-wr1te-it-d0wn-1n-code").unwrap();
/// let payload = record.payload(&hasher).unwrap();
/// assert!(payload.identity_attributes.email_hash.is_some());
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct GuestRecord {
    /// The e-mail address.
    pub email: Option<String>,
    /// The phone number.
    pub phone: Option<String>,
    /// The country of a phone number that does not say its own, such as `DE`; it counts with the feature `phone` alone.
    pub region: Option<String>,
    /// Whether the guest has agreed to marketing.
    pub marketing: bool,
    /// Whether the guest has agreed to the processing of data.
    pub data_processing: bool,
    /// What tells the device from others.
    pub device_fingerprint: Option<String>,
    /// The page that the guest came from.
    pub origin_page: Option<String>,
    /// The campaign that the guest came from.
    pub campaign_id: Option<String>,
    /// Anything else that is worth knowing.
    pub attributes: BTreeMap<String, String>,
}

impl GuestRecord {
    /// Reads a record from JSON, with the names of the fields in camel case.
    ///
    /// # Errors
    /// A violation when it is no such object, or has a field that there is not. Nothing of it is repeated.
    pub fn from_json(json: &[u8]) -> Result<Self, Violation> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        struct Line {
            email: Option<String>,
            phone: Option<String>,
            region: Option<String>,
            marketing: bool,
            data_processing: bool,
            device_fingerprint: Option<String>,
            origin_page: Option<String>,
            campaign_id: Option<String>,
            #[serde(default)]
            attributes: BTreeMap<String, String>,
        }
        // What the library says can have the text in it.
        let line: Result<Line, _> = serde_json::from_slice(json);
        let line = line.map_err(|_| malformed("", "guest.record"))?;
        Ok(Self {
            email: line.email,
            phone: line.phone,
            region: line.region,
            marketing: line.marketing,
            data_processing: line.data_processing,
            device_fingerprint: line.device_fingerprint,
            origin_page: line.origin_page,
            campaign_id: line.campaign_id,
            attributes: line.attributes,
        })
    }

    /// What is sent of it. Empty texts are nothing.
    ///
    /// # Errors
    /// [`Violations`] with everything that is wrong with it. No value is repeated.
    pub fn payload(&self, hasher: &IdentityHasher) -> Result<GuestPayload, Violations> {
        let mut found = Vec::new();
        let mut payload = GuestPayload::new(Consent::new(self.marketing, self.data_processing));
        let identity = &mut payload.identity_attributes;
        identity.email_hash = taken(&mut found, self.email.as_ref(), |email| hasher.email(email));
        identity.phone_hash =
            taken(&mut found, self.phone.as_ref(), |phone| self.hashed_phone(hasher, phone));
        identity.device_fingerprint =
            taken(&mut found, self.device_fingerprint.as_ref(), |text| DeviceFingerprint::new(text));
        payload.channel_context.origin_page =
            taken(&mut found, self.origin_page.as_ref(), |page| OriginPage::new(page));
        payload.channel_context.campaign_id =
            taken(&mut found, self.campaign_id.as_ref(), |id| CampaignId::new(id));
        for (name, value) in &self.attributes {
            match payload.attributes.clone().with(name, value) {
                Ok(attributes) => payload.attributes = attributes,
                Err(violation) => found.push(violation),
            }
        }
        Violations::check(found).map(|()| payload)
    }

    #[cfg(feature = "phone")]
    fn hashed_phone(&self, hasher: &IdentityHasher, phone: &str) -> Result<IdentityHash, Violation> {
        hasher.phone_in(phone, self.region.as_deref().filter(|region| !region.is_empty()))
    }

    #[cfg(not(feature = "phone"))]
    #[expect(clippy::unused_self, reason = "the region counts with the feature alone")]
    fn hashed_phone(&self, hasher: &IdentityHasher, phone: &str) -> Result<IdentityHash, Violation> {
        hasher.phone(phone)
    }
}

fn taken<T>(
    found: &mut Vec<Violation>,
    text: Option<&String>,
    make: impl FnOnce(&str) -> Result<T, Violation>,
) -> Option<T> {
    match make(text.filter(|text| !text.trim().is_empty())?) {
        Ok(part) => Some(part),
        Err(violation) => {
            found.push(violation);
            None
        }
    }
}

impl fmt::Debug for GuestRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GuestRecord([hidden])")
    }
}
