//! Signing, for senders and for tests of receivers.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue};
use webmessaging_model::{Code, Limit, Timestamp, Violation, Violations};

use crate::secret::{MAC_BYTES, Secrets};
use crate::verify::{ID, SIGNATURE, TIMESTAMP, X_GENESYS_SIGNATURE};

/// How a signature of the body is spelled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Spelling {
    /// `sha256=` and padded base64, as Open Messaging webhooks of the live platform have it.
    #[default]
    PrefixedBase64,
    /// Padded base64.
    Base64,
    /// `sha256=` and lower-case hexadecimal.
    PrefixedHex,
    /// Lower-case hexadecimal.
    Hex,
}

impl Spelling {
    /// Every spelling.
    pub const ALL: &'static [Self] = &[Self::PrefixedBase64, Self::Base64, Self::PrefixedHex, Self::Hex];

    fn spell(self, mac: [u8; MAC_BYTES]) -> String {
        match self {
            Self::PrefixedBase64 => format!("sha256={}", STANDARD.encode(mac)),
            Self::Base64 => STANDARD.encode(mac),
            Self::PrefixedHex => format!("sha256={}", hex::encode(mac)),
            Self::Hex => hex::encode(mac),
        }
    }
}

/// Signs bodies as senders do.
///
/// # Examples
/// ```
/// use webmessaging_model::Timestamp;
/// use webmessaging_webhooks::{Secret, Signer, Verifier};
///
/// let secret = Secret::new("test", "correct horse battery staple")?;
/// let now = Timestamp::from_unix_millis(1_764_060_600_000);
/// let body = r#"{"eventType":"example","data":{}}"#;
///
/// let headers = Signer::new(secret.clone()).timestamped("msg_1", now, body.as_bytes())?;
/// let delivery = Verifier::new(secret).timestamped(true).verify(body, &headers, now)?;
/// assert_eq!(delivery.delivery_id(), Some("msg_1"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Signer {
    secrets: Secrets,
    header: HeaderName,
    spelling: Spelling,
}

impl Signer {
    /// A signer with one secret or several. The first one signs bodies; all of them sign the timestamped form.
    pub fn new(secrets: impl Into<Secrets>) -> Self {
        Self { secrets: secrets.into(), header: X_GENESYS_SIGNATURE, spelling: Spelling::default() }
    }

    /// Sets the header for the signature of the body; `x-genesys-signature` by default.
    #[must_use]
    pub fn header(mut self, header: HeaderName) -> Self {
        self.header = header;
        self
    }

    /// Sets the spelling of the signature of the body; `sha256=` and base64 by default.
    #[must_use]
    pub fn spelling(mut self, spelling: Spelling) -> Self {
        self.spelling = spelling;
        self
    }

    /// The header that signs this body.
    pub fn sign(&self, body: &[u8]) -> HeaderMap {
        let signed = self.secrets.as_slice().first().map(|secret| self.spelling.spell(secret.mac(&[body])));
        // Hexadecimal and base64 fit a header.
        let value = signed.and_then(|signed| HeaderValue::try_from(signed).ok());
        value.map(|value| (self.header.clone(), value)).into_iter().collect()
    }

    /// The headers of the timestamped form, signed with every secret.
    ///
    /// # Errors
    /// [`Violations`] when the id is empty or has a character that a header cannot carry (`webhook.id`).
    pub fn timestamped(&self, id: &str, at: Timestamp, body: &[u8]) -> Result<HeaderMap, Violations> {
        let charset = Limit::Charset("1 to 256 visible characters of ASCII");
        let bad_id = || Violation::new("id", Code::NotAllowed, "webhook.id").allowed(charset.clone());
        if id.is_empty() || id.len() > 256 || !id.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(bad_id().into());
        }
        let seconds = at.unix_millis().div_euclid(1_000).max(0).to_string();
        let prefix = format!("{id}.{seconds}.");
        let sign = |mac| format!("v1,{}", STANDARD.encode(mac));
        let signatures: Vec<_> = self
            .secrets
            .as_slice()
            .iter()
            .map(|secret| sign(secret.mac(&[prefix.as_bytes(), body])))
            .collect();
        [(ID, id.to_owned()), (TIMESTAMP, seconds), (SIGNATURE, signatures.join(" "))]
            .into_iter()
            .map(|(name, value)| Ok((name, HeaderValue::try_from(value).map_err(|_| bad_id())?)))
            .collect()
    }
}
