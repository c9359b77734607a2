//! What is sent of a guest when it is created.

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memmem::Finder;
use serde::Serialize;
use webmessaging_journal::kind::Consent;
use webmessaging_model::plain_identity::is_plain_identity;
use webmessaging_model::{Code, Violation, Violations};

use crate::attributes::Attributes;
use crate::context::{CampaignId, ChannelContext, OriginPage};
use crate::identity::Resolved;
use crate::identity_attributes::{DeviceFingerprint, IdentityAttributes};
use crate::schema;
use crate::wire;

/// What is sent of a guest: as little as the [schema](crate::GUEST_SCHEMA) allows, and nothing that it forbids can be put in. Contract: design.
///
/// # Examples
/// ```
/// use webmessaging_guests::{CampaignId, Consent, GuestPayload, OriginPage};
///
/// let payload = GuestPayload::new(Consent::new(false, true))
///     .origin_page(OriginPage::new("https://shop.example/cart")?)
///     .campaign_id(CampaignId::new("WINTER-2026")?);
/// let json = serde_json::to_string(&payload).unwrap();
/// assert_eq!(GuestPayload::from_json(json.as_bytes()).unwrap(), payload);
///
/// // An address in plain text is found wherever it is.
/// let violation = OriginPage::new("https://shop.example/?mail=jane%40example.com").unwrap_err();
/// assert_eq!(violation.rule, "guest.plain_identity");
/// # Ok::<(), webmessaging_model::Violation>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct GuestPayload {
    channel: Channel,
    /// What the guest has agreed to.
    pub consent: Consent,
    /// Who the guest is, without saying it.
    #[serde(skip_serializing_if = "IdentityAttributes::is_empty")]
    pub identity_attributes: IdentityAttributes,
    /// Where the guest came from.
    #[serde(skip_serializing_if = "ChannelContext::is_empty")]
    pub channel_context: ChannelContext,
    /// Anything else that is worth knowing.
    #[serde(skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
}

static NULL: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("null"));

/// The one channel that there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
enum Channel {
    #[serde(rename = "webmessaging")]
    WebMessaging,
}

impl GuestPayload {
    /// A guest of whom nothing is known but what they have agreed to.
    pub fn new(consent: Consent) -> Self {
        Self {
            channel: Channel::WebMessaging,
            consent,
            identity_attributes: IdentityAttributes::default(),
            channel_context: ChannelContext::default(),
            attributes: Attributes::default(),
        }
    }

    /// Reads a payload and checks all of it.
    ///
    /// # Errors
    /// [`Violations`] with one entry for every broken rule: the path is a JSON Pointer, the rule the schema's keyword, with the limit where it has
    /// one. No value of the payload is repeated. A value that was [vouched](Attributes::vouched) for is refused here: nobody vouches for what is read.
    pub fn from_json(json: &[u8]) -> Result<Self, Violations> {
        // A payload has neither lists nor `null`; where something looks like one, the schema is asked first.
        if memchr::memchr(b'[', json).is_some() || NULL.find(json).is_some() {
            schema::check_json(json)?;
        }
        // Once more, and slower, for everything that is wrong.
        wire::read(json).ok_or_else(|| schema::violations(json))
    }

    /// Adds the hashes that an identity came to.
    #[must_use]
    pub fn identity(mut self, resolved: &Resolved) -> Self {
        self.identity_attributes.email_hash = resolved.email_hash().copied();
        self.identity_attributes.phone_hash = resolved.phone_hash().copied();
        self
    }

    /// Sets what tells the device from others.
    #[must_use]
    pub fn device_fingerprint(mut self, fingerprint: DeviceFingerprint) -> Self {
        self.identity_attributes.device_fingerprint = Some(fingerprint);
        self
    }

    /// Sets the page that the guest came from.
    #[must_use]
    pub fn origin_page(mut self, page: OriginPage) -> Self {
        self.channel_context.origin_page = Some(page);
        self
    }

    /// Sets the campaign that the guest came from.
    #[must_use]
    pub fn campaign_id(mut self, campaign: CampaignId) -> Self {
        self.channel_context.campaign_id = Some(campaign);
        self
    }

    /// Sets the attributes, all of them.
    #[must_use]
    pub fn attributes(mut self, attributes: Attributes) -> Self {
        self.attributes = attributes;
        self
    }
}

/// Refuses what looks like a plain e-mail address or phone number. In doubt it does.
pub(crate) fn no_plain_identity<P: Into<Cow<'static, str>>>(
    text: &str,
    path: impl FnOnce() -> P,
) -> Result<(), Violation> {
    if is_plain_identity(text) {
        return Err(Violation::new(path(), Code::PlainIdentity, "guest.plain_identity"));
    }
    Ok(())
}
