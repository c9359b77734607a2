//! What a call came to: the part of an event that is the same for everything that happens.

use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use webmessaging_model::CallFacts;

/// The facts of the call that made something happen. All of them are optional.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use webmessaging_journal::Facts;
///
/// let facts = Facts::new().operation("messages.send").status(200).latency(Duration::from_millis(42));
/// assert_eq!(facts.latency_millis(), Some(42));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Facts {
    /// The name of the operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<Cow<'static, str>>,
    /// The HTTP status of the last answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// How many times the request was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u32>,
    /// How long it took, from the call to its end, to the microsecond.
    #[serde(rename = "latencyMicros", with = "micros", skip_serializing_if = "Option::is_none")]
    pub latency: Option<Duration>,
    /// Our id of the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    /// The other side's id of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// SHA-256 of exactly the bytes that were sent.
    #[serde(with = "hexadecimal", skip_serializing_if = "Option::is_none")]
    pub payload_sha256: Option<[u8; 32]>,
}

impl Facts {
    /// No facts.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What is known of a call; of an answer of the transport and of an error of it as well.
    #[must_use]
    pub fn of(call: impl Into<CallFacts>) -> Self {
        let CallFacts { operation, status, attempts, latency, correlation_id, request_id, .. } = call.into();
        let mut facts = Self { status, attempts, correlation_id, request_id, ..Self::default() };
        facts.operation = operation.map(Cow::Borrowed);
        latency.into_iter().fold(facts, Self::latency)
    }

    /// Sets the name of the operation.
    #[must_use]
    pub fn operation(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.operation = Some(name.into());
        self
    }

    /// Sets the HTTP status of the last answer.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// Sets how many times the request was sent.
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = Some(attempts);
        self
    }

    /// Sets how long it took; what is below a microsecond is cut off.
    #[must_use]
    pub fn latency(mut self, latency: Duration) -> Self {
        self.latency = Some(Duration::from_micros(as_micros(latency)));
        self
    }

    /// Sets our id of the call.
    #[must_use]
    pub fn correlation_id(mut self, id: impl Into<String>) -> Self {
        self.correlation_id = Some(id.into());
        self
    }

    /// Sets the other side's id of the request.
    #[must_use]
    pub fn request_id(mut self, id: impl Into<String>) -> Self {
        self.request_id = Some(id.into());
        self
    }

    /// Sets the SHA-256 of exactly the bytes that were sent.
    #[must_use]
    pub fn payload_sha256(mut self, digest: [u8; 32]) -> Self {
        self.payload_sha256 = Some(digest);
        self
    }

    /// The latency in whole milliseconds.
    pub fn latency_millis(&self) -> Option<u64> {
        self.latency.map(|latency| u64::try_from(latency.as_millis()).unwrap_or(u64::MAX))
    }

    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

fn as_micros(latency: Duration) -> u64 {
    u64::try_from(latency.as_micros()).unwrap_or(u64::MAX)
}

#[expect(clippy::ref_option, reason = "serde hands over a reference to the field")]
mod micros {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        latency: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match latency {
            Some(latency) => serializer.serialize_some(&super::as_micros(*latency)),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<u64>::deserialize(deserializer)?.map(Duration::from_micros))
    }
}

#[expect(clippy::ref_option, reason = "serde hands over a reference to the field")]
mod hexadecimal {
    use std::borrow::Cow;

    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        digest: &Option<[u8; 32]>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match digest {
            Some(digest) => serializer.serialize_some(&hex::encode(digest)),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<[u8; 32]>, D::Error> {
        let Some(text) = Option::<Cow<'de, str>>::deserialize(deserializer)? else { return Ok(None) };
        let mut digest = [0; 32];
        // The text is not repeated: it is anybody's.
        hex::decode_to_slice(text.as_bytes(), &mut digest)
            .map_err(|_| D::Error::custom("not 64 hexadecimal digits"))?;
        Ok(Some(digest))
    }
}
