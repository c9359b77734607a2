//! Who a guest is, without saying it.

use std::fmt;

use serde::{Serialize, Serializer};
use webmessaging_model::plain_identity::is_hash;
use webmessaging_model::{Code, Limit, Unit, Violation, limits};

/// The hash of an identity: 64 hexadecimal digits. `Debug` does not show it: whoever has the salt finds out whose it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct IdentityHash([u8; 64]);

impl IdentityHash {
    /// A hash that somebody else has made.
    ///
    /// # Errors
    /// A violation when it is anything but 64 hexadecimal digits.
    pub fn from_hex(text: impl AsRef<str>) -> Result<Self, Violation> {
        let text = text.as_ref();
        let digits = text.as_bytes().try_into().ok().filter(|_| is_hash(text));
        digits.map(Self).ok_or_else(|| malformed("identityAttributes", "guest.identity_hash"))
    }

    pub(crate) fn from_digest(digest: &[u8; 32]) -> Self {
        let mut digits = [0; 64];
        // So many digits are those of so many bytes.
        let _ = faster_hex::hex_encode(digest, &mut digits);
        Self(digits)
    }

    /// The hexadecimal digits.
    pub fn as_str(&self) -> &str {
        // Digits are text.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl Serialize for IdentityHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl fmt::Debug for IdentityHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdentityHash([hidden])")
    }
}

/// What tells the device of a guest from others: up to 128 characters that are no plain identity. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct DeviceFingerprint(String);

impl DeviceFingerprint {
    /// A fingerprint.
    ///
    /// # Errors
    /// A violation when it is longer, or looks like a plain e-mail address or phone number.
    pub fn new(text: impl Into<String>) -> Result<Self, Violation> {
        const PATH: &str = "identityAttributes.deviceFingerprint";
        let text = text.into();
        at_most(&text, PATH, limits::GUEST_FINGERPRINT_CHARACTERS_MAX)?;
        crate::payload::no_plain_identity(&text, || PATH)?;
        Ok(Self(text))
    }

    /// The fingerprint.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for DeviceFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceFingerprint([hidden])")
    }
}

/// What is sent of a guest's identity.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct IdentityAttributes {
    /// The hash of the e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_hash: Option<IdentityHash>,
    /// The hash of the phone number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_hash: Option<IdentityHash>,
    /// What tells the device from others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_fingerprint: Option<DeviceFingerprint>,
}

impl IdentityAttributes {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Refuses a text of more characters.
pub(crate) fn at_most(
    text: &str,
    path: &'static str,
    limit: webmessaging_model::DatedLimit,
) -> Result<(), Violation> {
    // No text has more characters than bytes.
    if text.len() as u64 <= limit.value {
        return Ok(());
    }
    let count = text.chars().count() as u64;
    if count <= limit.value {
        return Ok(());
    }
    let violation = Violation::new(path, Code::TooLong, limit.name);
    Err(violation.limit(Limit::Max(limit.value), Unit::Characters).count(count))
}

pub(crate) fn malformed(path: &'static str, rule: &'static str) -> Violation {
    Violation::new(path, Code::Malformed, rule)
}
