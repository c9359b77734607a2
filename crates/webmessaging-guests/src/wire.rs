//! Payloads and records as they are read. What the library says of a text that does not fit can have the text in it, so it is never passed on.

use std::borrow::Cow;

use serde::Deserialize;
use webmessaging_journal::kind::Consent;

use crate::attributes::{self, Attributes};
use crate::context::{CampaignId, OriginPage};
use crate::identity_attributes::{DeviceFingerprint, IdentityHash};
use crate::payload::GuestPayload;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Payload<'a> {
    #[serde(borrow)]
    channel: Cow<'a, str>,
    consent: Agreed,
    #[serde(default)]
    identity_attributes: Identity,
    #[serde(default)]
    channel_context: Context,
    #[serde(default, deserialize_with = "attributes::read")]
    attributes: Attributes,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Agreed {
    marketing: bool,
    data_processing: bool,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Identity {
    email_hash: Option<String>,
    phone_hash: Option<String>,
    device_fingerprint: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Context {
    origin_page: Option<String>,
    campaign_id: Option<String>,
}

/// A payload that is right in every way, or nothing.
pub(crate) fn read(json: &[u8]) -> Option<GuestPayload> {
    // Once for all of it, and not for each text.
    let json = std::str::from_utf8(json).ok()?;
    let Payload { channel, consent, identity_attributes: identity, channel_context: context, attributes } =
        serde_json::from_str(json).ok()?;
    if channel != "webmessaging" {
        return None;
    }
    let mut payload = GuestPayload::new(Consent::new(consent.marketing, consent.data_processing));
    let hash = |text: Option<String>| text.map(IdentityHash::from_hex).transpose().ok();
    payload.identity_attributes.email_hash = hash(identity.email_hash)?;
    payload.identity_attributes.phone_hash = hash(identity.phone_hash)?;
    payload.identity_attributes.device_fingerprint =
        identity.device_fingerprint.map(DeviceFingerprint::new).transpose().ok()?;
    payload.channel_context.origin_page = context.origin_page.map(OriginPage::new).transpose().ok()?;
    payload.channel_context.campaign_id = context.campaign_id.map(CampaignId::new).transpose().ok()?;
    payload.attributes = attributes;
    Some(payload)
}
