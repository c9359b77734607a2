//! What was sent of a guest: fields for a CRM, changes for the audit log, and whether it was as little as promised.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use webmessaging_model::Timestamp;
use webmessaging_model::plain_identity::{is_hash, is_plain_identity};

use crate::details::{Detail, Details, REDACTED};
use crate::text::PrivateText;

/// So many changed fields are kept; of further ones it is known that there were some, and whether they were harmless.
const CHANGES_MAX: usize = 200;

/// What was sent of a guest, and from where it came.
///
/// `dataMinimized` of the audit record is computed from all of it, see [`is_minimized`](Self::is_minimized).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct GuestChange {
    /// The guest's id in the system outside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<PrivateText>,
    /// The hash of the guest's e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_hash: Option<PrivateText>,
    /// What the guest has agreed to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consent_flags: Option<Consent>,
    /// When the guest was last heard of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_interaction: Option<Timestamp>,
    /// Where the guest came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_context: Option<ChannelContext>,
    /// The address the request came from; the audit log has it in plain text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_address: Option<PrivateText>,
    /// What the browser says of itself; the audit log has up to 256 characters of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<PrivateText>,
    /// Whether the GDPR applies, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gdpr_applicable: Option<bool>,
    /// The fields that were sent.
    pub data_changes: DataChanges,
}

/// What a guest has agreed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Consent {
    /// To marketing.
    pub marketing: bool,
    /// To the processing of data.
    pub data_processing: bool,
}

impl Consent {
    /// What a guest has agreed to.
    pub fn new(marketing: bool, data_processing: bool) -> Self {
        Self { marketing, data_processing }
    }
}

/// Where a guest came from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ChannelContext {
    /// The page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin_page: Option<PrivateText>,
    /// The campaign.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub campaign_id: Option<PrivateText>,
}

impl ChannelContext {
    /// Where a guest came from.
    pub fn new(origin_page: Option<PrivateText>, campaign_id: Option<PrivateText>) -> Self {
        Self { origin_page, campaign_id }
    }
}

/// The fields that were sent, by path. Texts are looked at and not kept.
///
/// # Examples
/// ```
/// use webmessaging_journal::kind::DataChanges;
///
/// let changes = DataChanges::new().with("consent.marketing", true).with("attributes.note", "call 0171 2345678");
/// assert!(changes.has_plain_identity());
/// assert!(!format!("{changes:?}").contains("2345678"));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DataChanges {
    fields: BTreeMap<String, ChangedValue>,
    omitted: u64,
    plain_identity: bool,
}

/// What is kept of a value that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum ChangedValue {
    /// A yes or no, as it was.
    Flag(bool),
    /// A text that has the form of a hash: 64 hexadecimal digits.
    Hash,
    /// Any other text, or a number.
    Text,
    /// The field was removed.
    Removed,
}

impl DataChanges {
    /// No changes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a field that was sent, by its path as the wire names it.
    #[must_use]
    pub fn with(mut self, path: &str, value: impl Into<SentValue>) -> Self {
        let SentValue { kept, is_plain } = value.into();
        // Whatever is there in place of a hash has not been hashed.
        let lower = path.rsplit('.').next().unwrap_or(path).to_ascii_lowercase();
        let is_identity = lower.contains("email") || lower.contains("phone");
        self.plain_identity |=
            is_plain || is_plain_identity(path) || is_identity && kept == ChangedValue::Text;
        let path = safe_path(path);
        if self.fields.len() >= CHANGES_MAX && !self.fields.contains_key(&*path) {
            self.omitted = self.omitted.saturating_add(1);
        } else {
            self.fields.insert(path.into_owned(), kept);
        }
        self
    }

    /// Whether something was sent that looks like a plain e-mail address or phone number.
    pub fn has_plain_identity(&self) -> bool {
        self.plain_identity
    }

    fn detail(&self) -> Detail<'_> {
        let mut fields: Vec<_> = self
            .fields
            .iter()
            .map(|(path, value)| {
                let value = match value {
                    ChangedValue::Flag(flag) => Detail::Flag(*flag),
                    ChangedValue::Hash => Detail::Text("[hash]".into()),
                    ChangedValue::Text => Detail::Text(REDACTED.into()),
                    ChangedValue::Removed => Detail::Null,
                };
                (safe_path(path), value)
            })
            .collect();
        if self.omitted > 0 {
            fields.push(("[omitted]".into(), Detail::Number(self.omitted)));
        }
        Detail::Object(fields)
    }
}

/// A value on its way into [`DataChanges`]: a text, a number, yes or no, or `None` for a field that was removed.
#[derive(Clone, Copy)]
pub struct SentValue {
    kept: ChangedValue,
    is_plain: bool,
}

impl fmt::Debug for SentValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kept.fmt(f)
    }
}

impl From<bool> for SentValue {
    fn from(value: bool) -> Self {
        Self { kept: ChangedValue::Flag(value), is_plain: false }
    }
}

impl From<&str> for SentValue {
    fn from(text: &str) -> Self {
        let kept = if is_hash(text) { ChangedValue::Hash } else { ChangedValue::Text };
        Self { kept, is_plain: is_plain_identity(text) }
    }
}

impl From<u64> for SentValue {
    fn from(number: u64) -> Self {
        Self::from(number.to_string().as_str())
    }
}

impl From<Option<&str>> for SentValue {
    fn from(text: Option<&str>) -> Self {
        text.map_or(Self { kept: ChangedValue::Removed, is_plain: false }, Self::from)
    }
}

/// A path as it may be kept: names of fields, but not what somebody made a name of.
fn safe_path(path: &str) -> Cow<'_, str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    let is_safe = (1..=128).contains(&path.len()) && path.bytes().all(is_plain) && !is_plain_identity(path);
    Cow::Borrowed(if is_safe { path } else { REDACTED })
}

impl GuestChange {
    /// A change of which nothing is known yet but the fields that were sent.
    #[must_use]
    pub fn new(data_changes: DataChanges) -> Self {
        Self { data_changes, ..Self::default() }
    }

    /// Sets the guest's id in the system outside.
    #[must_use]
    pub fn external_id(mut self, id: impl Into<PrivateText>) -> Self {
        self.external_id = Some(id.into());
        self
    }

    /// Sets the hash of the guest's e-mail address.
    #[must_use]
    pub fn email_hash(mut self, hash: impl Into<PrivateText>) -> Self {
        self.email_hash = Some(hash.into());
        self
    }

    /// Sets what the guest has agreed to.
    #[must_use]
    pub fn consent_flags(mut self, consent: Consent) -> Self {
        self.consent_flags = Some(consent);
        self
    }

    /// Sets when the guest was last heard of.
    #[must_use]
    pub fn last_interaction(mut self, at: Timestamp) -> Self {
        self.last_interaction = Some(at);
        self
    }

    /// Sets where the guest came from.
    #[must_use]
    pub fn channel_context(mut self, context: ChannelContext) -> Self {
        self.channel_context = Some(context);
        self
    }

    /// Sets the address the request came from.
    #[must_use]
    pub fn ip_address(mut self, address: impl Into<PrivateText>) -> Self {
        self.ip_address = Some(address.into());
        self
    }

    /// Sets what the browser says of itself.
    #[must_use]
    pub fn user_agent(mut self, agent: impl Into<PrivateText>) -> Self {
        self.user_agent = Some(agent.into());
        self
    }

    /// Sets whether the GDPR applies.
    #[must_use]
    pub fn gdpr_applicable(mut self, applicable: bool) -> Self {
        self.gdpr_applicable = Some(applicable);
        self
    }

    /// Whether as little was sent as promised: nothing looks like a plain e-mail address or phone number, and identities
    /// are hashes. It looks at texts and cannot know names; where it is in doubt it says no.
    pub fn is_minimized(&self) -> bool {
        let context = self.channel_context.as_ref();
        let texts = [
            self.external_id.as_ref(),
            context.and_then(|context| context.origin_page.as_ref()),
            context.and_then(|context| context.campaign_id.as_ref()),
        ];
        !self.data_changes.has_plain_identity()
            && self.email_hash.as_ref().is_none_or(|hash| is_hash(hash.expose()))
            && texts.into_iter().flatten().all(|text| !is_plain_identity(text.expose()))
    }

    pub(super) fn details(&self) -> Details<'_> {
        let flags = vec![
            ("gdprApplicable".into(), self.gdpr_applicable.map_or(Detail::Null, Detail::Flag)),
            ("dataMinimized".into(), Detail::Flag(self.is_minimized())),
        ];
        Details::default()
            .address("ipAddress", self.ip_address.as_ref().map(PrivateText::expose))
            .agent("userAgent", self.user_agent.as_ref().map(PrivateText::expose))
            .detail("dataChanges", self.data_changes.detail())
            .detail("complianceFlags", Detail::Object(flags))
    }
}
