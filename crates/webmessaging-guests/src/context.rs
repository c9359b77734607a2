//! Where a guest came from.

use std::fmt;

use fluent_uri::Uri;
use serde::Serialize;
use webmessaging_model::{Code, Limit, Violation, limits};

use crate::identity_attributes::{at_most, malformed};
use crate::payload::no_plain_identity;

/// The URI of a page (RFC 3986), of up to 2,048 characters and without a plain identity in it. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct OriginPage(String);

impl OriginPage {
    /// A page.
    ///
    /// # Errors
    /// A violation when it is no URI with a scheme, is longer, or holds what looks like a plain e-mail address or phone number: take those out of
    /// its query first.
    pub fn new(uri: impl Into<String>) -> Result<Self, Violation> {
        const PATH: &str = "channelContext.originPage";
        let uri = uri.into();
        at_most(&uri, PATH, limits::GUEST_ORIGIN_PAGE_CHARACTERS_MAX)?;
        if Uri::parse(uri.as_str()).is_err() {
            return Err(malformed(PATH, "guest.origin_page.uri"));
        }
        no_plain_identity(&uri, || PATH)?;
        Ok(Self(uri))
    }

    /// The URI.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for OriginPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OriginPage([hidden])")
    }
}

/// A campaign: 1 to 128 capital letters, digits, `_` and `-`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct CampaignId(String);

impl CampaignId {
    /// A campaign.
    ///
    /// # Errors
    /// A violation when it is empty, longer, or has another character.
    pub fn new(id: impl Into<String>) -> Result<Self, Violation> {
        const PATH: &str = "channelContext.campaignId";
        let id = id.into();
        let is_allowed =
            |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || b"_-".contains(&byte);
        if id.is_empty() {
            return Err(Violation::new(PATH, Code::Required, "guest.campaign_id.required"));
        }
        if !id.bytes().all(is_allowed) {
            let violation = Violation::new(PATH, Code::ForbiddenCharacter, "guest.campaign_id.charset");
            return Err(violation.allowed(Limit::Charset("A-Z 0-9 _ -")));
        }
        at_most(&id, PATH, limits::GUEST_CAMPAIGN_CHARACTERS_MAX)?;
        no_plain_identity(&id, || PATH)?;
        Ok(Self(id))
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Where a guest came from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ChannelContext {
    /// The page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin_page: Option<OriginPage>,
    /// The campaign.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub campaign_id: Option<CampaignId>,
}

impl ChannelContext {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
