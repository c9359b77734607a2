//! The secrets that webhooks are signed with: labeled, never empty, never printed, several at once while one is replaced.

use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use sha2::{Digest, Sha256};
use webmessaging_model::{Code, Limit, Unit, Violation, Violations};

/// The platform takes the secret token of an Open Messaging integration only when it is longer than 15 characters
/// (`notification.webhook.signature.secret.token.longer.than.15.characters`; checked 2026-11).
pub const SECRET_CHARACTERS_MIN: usize = 16;

/// The least that the Standard Webhooks specification allows for the decoded secret.
pub const STANDARD_SECRET_BYTES_MIN: usize = 24;

/// Nobody has a longer secret; what is longer is a file that was read by mistake.
pub const SECRET_BYTES_MAX: usize = 4_096;

/// As many secrets are tried for each delivery at most.
pub const SECRETS_MAX: usize = 16;

const LABEL_CHARACTERS_MAX: usize = 64;

/// The prefix of secrets in the Standard Webhooks specification.
pub(crate) const STANDARD_PREFIX: &str = "whsec_";

/// Bytes of an HMAC-SHA-256.
pub(crate) const MAC_BYTES: usize = 32;

/// One secret with a label that may be shown: in figures, in logs, in explanations.
///
/// # Examples
/// ```
/// use webmessaging_webhooks::Secret;
///
/// let secret = Secret::new("2026-11", "correct horse battery staple")?;
/// assert_eq!(format!("{secret:?}"), r#"Secret("2026-11")"#);
///
/// let refused = Secret::new("2026-11", "too short").unwrap_err();
/// assert_eq!(refused.to_string(), "secret is too small: 9 characters, at least 16 characters");
/// # Ok::<(), webmessaging_model::Violations>(())
/// ```
#[derive(Clone)]
pub struct Secret {
    label: Arc<str>,
    text: SecretString,
    is_encoded: bool,
    keyed: Hmac<Sha256>,
}

impl Secret {
    /// A secret whose text is the key as it stands, which is how the platform uses the token of an Open Messaging
    /// integration and the design documents the `secret` of a webhook.
    ///
    /// # Errors
    /// [`Violations`] when the secret is blank (`webhook.secret.required`), has fewer than 16 characters
    /// (`webhook.secret.min`) or more than 4096 bytes (`webhook.secret.max`), or when the label is empty, longer than 64
    /// characters or has control characters (`webhook.secret_label`).
    pub fn new(label: impl Into<String>, text: impl Into<SecretString>) -> Result<Self, Violations> {
        let text = text.into();
        let mut found = Vec::new();
        let characters = text.expose_secret().chars().count();
        if text.expose_secret().trim().is_empty() {
            found.push(Violation::new("secret", Code::Required, "webhook.secret.required"));
        } else if characters < SECRET_CHARACTERS_MIN {
            let violation = Violation::new("secret", Code::TooSmall, "webhook.secret.min");
            let min = Limit::Min(wide(SECRET_CHARACTERS_MIN));
            found.push(violation.limit(min, Unit::Characters).count(wide(characters)));
        }
        let keyed = keyed(text.expose_secret().as_bytes());
        Self::checked(label.into(), text, false, keyed, found)
    }

    /// A secret as the Standard Webhooks specification writes it: base64 of the key, with `whsec_` in front or without.
    ///
    /// # Errors
    /// As [`new`](Self::new), but for the length: [`Violations`] when it is not padded base64
    /// (`webhook.secret.base64`) or has fewer than 24 bytes when decoded (`webhook.secret.min`).
    pub fn standard(label: impl Into<String>, text: impl Into<SecretString>) -> Result<Self, Violations> {
        let text = text.into();
        let exposed = text.expose_secret();
        let encoded = exposed.strip_prefix(STANDARD_PREFIX).unwrap_or(exposed);
        let mut found = Vec::new();
        let key = SecretSlice::from(STANDARD.decode(encoded).unwrap_or_default());
        let key = key.expose_secret();
        if encoded.trim().is_empty() {
            found.push(Violation::new("secret", Code::Required, "webhook.secret.required"));
        } else if key.is_empty() {
            let charset = Limit::Charset("padded base64 of A-Z a-z 0-9 + / = behind an optional whsec_");
            let violation = Violation::new("secret", Code::ForbiddenCharacter, "webhook.secret.base64");
            found.push(violation.allowed(charset));
        } else if key.len() < STANDARD_SECRET_BYTES_MIN {
            let violation = Violation::new("secret", Code::TooSmall, "webhook.secret.min");
            let min = Limit::Min(wide(STANDARD_SECRET_BYTES_MIN));
            found.push(violation.limit(min, Unit::Bytes).count(wide(key.len())));
        }
        let keyed = keyed(key);
        Self::checked(label.into(), text, true, keyed, found)
    }

    fn checked(
        label: String,
        text: SecretString,
        is_encoded: bool,
        keyed: Hmac<Sha256>,
        mut found: Vec<Violation>,
    ) -> Result<Self, Violations> {
        let bytes = text.expose_secret().len();
        if bytes > SECRET_BYTES_MAX {
            let violation = Violation::new("secret", Code::TooLong, "webhook.secret.max");
            found.push(violation.limit(Limit::Max(wide(SECRET_BYTES_MAX)), Unit::Bytes).count(wide(bytes)));
        }
        let characters = label.chars().count();
        let has_control = label.chars().any(char::is_control);
        if label.trim().is_empty() || characters > LABEL_CHARACTERS_MAX || has_control {
            let violation = Violation::new("label", Code::NotAllowed, "webhook.secret_label");
            found.push(violation.allowed(Limit::Charset("1 to 64 characters that can be printed")));
        }
        Violations::check(found)?;
        Ok(Self { label: label.into(), text, is_encoded, keyed })
    }

    /// The label.
    pub fn label(&self) -> &str {
        &self.label
    }

    pub(crate) fn shared_label(&self) -> Arc<str> {
        Arc::clone(&self.label)
    }

    /// The text as it was given, and whether the key is what it decodes to.
    pub(crate) fn text(&self) -> (&str, bool) {
        (self.text.expose_secret(), self.is_encoded)
    }

    pub(crate) fn keyed(&self) -> &Hmac<Sha256> {
        &self.keyed
    }

    /// The HMAC of these parts, one after the other.
    pub(crate) fn mac(&self, parts: &[&[u8]]) -> [u8; MAC_BYTES] {
        let mut mac = self.keyed.clone();
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({:?})", self.label)
    }
}

/// The secrets that are accepted: at least one, at most 16, each with a label of its own.
///
/// While a secret is replaced both are in here. The first one is the current one; see
/// [`Delivery::secret_index`](crate::Delivery::secret_index) for which one was used.
///
/// # Examples
/// ```
/// use webmessaging_webhooks::{Secret, Secrets};
///
/// let new = Secret::new("2026-11", "correct horse battery staple")?;
/// let old = Secret::new("2026-05", "swordfish-swordfish")?;
/// let secrets = Secrets::new([new, old])?;
/// assert_eq!(secrets.labels().collect::<Vec<_>>(), ["2026-11", "2026-05"]);
///
/// assert_eq!(Secrets::new([]).unwrap_err().to_string(), "secrets is required");
/// # Ok::<(), webmessaging_model::Violations>(())
/// ```
#[derive(Debug, Clone)]
pub struct Secrets(Vec<Secret>);

impl Secrets {
    /// These secrets, the current one first.
    ///
    /// # Errors
    /// [`Violations`] when there is none (`webhook.secrets.required`), there are more than 16 (`webhook.secrets.max`), or two
    /// have the same label (`webhook.secrets.label`), which would make figures about them wrong.
    pub fn new(secrets: impl IntoIterator<Item = Secret>) -> Result<Self, Violations> {
        let secrets: Vec<_> = secrets.into_iter().take(SECRETS_MAX + 1).collect();
        let mut found = Vec::new();
        if secrets.is_empty() {
            found.push(Violation::new("secrets", Code::Required, "webhook.secrets.required"));
        }
        if secrets.len() > SECRETS_MAX {
            let violation = Violation::new("secrets", Code::TooLarge, "webhook.secrets.max");
            found.push(violation.allowed(Limit::Max(wide(SECRETS_MAX))));
        }
        let mut labels: Vec<_> = secrets.iter().map(Secret::label).collect();
        labels.sort_unstable();
        labels.dedup();
        if labels.len() < secrets.len() {
            let violation = Violation::new("secrets", Code::NotAllowed, "webhook.secrets.label");
            found.push(violation.allowed(Limit::Charset("labels that differ")));
        }
        Violations::check(found)?;
        Ok(Self(secrets))
    }

    /// The labels, in their order.
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(Secret::label)
    }

    pub(crate) fn as_slice(&self) -> &[Secret] {
        &self.0
    }
}

impl From<Secret> for Secrets {
    fn from(secret: Secret) -> Self {
        Self(vec![secret])
    }
}

/// HMAC-SHA-256 with this key, brought to the length of a block as RFC 2104 has it.
pub(crate) fn keyed(key: &[u8]) -> Hmac<Sha256> {
    let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
    let digest = Sha256::digest(key);
    let short = if key.len() > block.len() { digest.as_slice() } else { key };
    for (to, from) in block.iter_mut().zip(short) {
        *to = *from;
    }
    Hmac::new(&block)
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "swordfish-swordfish";

    fn rules<T: fmt::Debug>(result: Result<T, Violations>) -> Vec<&'static str> {
        result.unwrap_err().iter().map(|violation| violation.rule).collect()
    }

    #[test]
    fn short_and_blank_secrets_are_refused_by_name() {
        for blank in ["", " ", "\n", "                    "] {
            assert_eq!(rules(Secret::new("a", blank)), ["webhook.secret.required"]);
            assert_eq!(rules(Secret::standard("a", blank)), ["webhook.secret.required"]);
        }
        assert_eq!(rules(Secret::new("a", "x".repeat(15))), ["webhook.secret.min"]);
        assert!(Secret::new("a", "x".repeat(16)).is_ok());
        // Characters, as the platform counts them.
        assert_eq!(rules(Secret::new("a", "\u{e9}".repeat(15))), ["webhook.secret.min"]);
        assert!(Secret::new("a", "x".repeat(SECRET_BYTES_MAX)).is_ok());
        assert_eq!(rules(Secret::new("a", "x".repeat(SECRET_BYTES_MAX + 1))), ["webhook.secret.max"]);
    }

    #[test]
    fn encoded_secrets_are_held_to_the_length_of_what_they_encode() {
        let encoded = |bytes: usize| STANDARD.encode(vec![7; bytes]);
        assert_eq!(rules(Secret::standard("a", encoded(23))), ["webhook.secret.min"]);
        assert!(Secret::standard("a", encoded(24)).is_ok());
        assert!(Secret::standard("a", format!("whsec_{}", encoded(24))).is_ok());
        for bad in ["whsec_", "not base64 at all, not even nearly"] {
            let expected = if bad == "whsec_" { "webhook.secret.required" } else { "webhook.secret.base64" };
            assert_eq!(rules(Secret::standard("a", bad)), [expected]);
        }
    }

    #[test]
    fn labels_are_there_to_be_shown() {
        for bad in ["", " ", "a\nb", &"x".repeat(65)] {
            assert_eq!(rules(Secret::new(bad, GOOD)), ["webhook.secret_label"], "{bad:?}");
        }
        assert!(Secret::new("x".repeat(64), GOOD).is_ok());
    }

    #[test]
    fn a_set_has_one_to_sixteen_secrets_with_labels_that_differ() {
        let many = |count: usize| (0..count).map(|number| Secret::new(number.to_string(), GOOD).unwrap());
        assert_eq!(rules(Secrets::new([])), ["webhook.secrets.required"]);
        assert!(Secrets::new(many(16)).is_ok());
        assert_eq!(rules(Secrets::new(many(17))), ["webhook.secrets.max"]);
        assert_eq!(rules(Secrets::new(many(2).chain(many(1)))), ["webhook.secrets.label"]);
    }

    #[test]
    fn nothing_prints_a_secret() {
        let secrets = Secrets::from(Secret::new("a", GOOD).unwrap());
        assert_eq!(format!("{secrets:?}"), r#"Secrets([Secret("a")])"#);
        let refused = Secret::new("a", "swordfish").unwrap_err();
        assert!(!format!("{refused} {refused:?}").contains("sword"));
    }

    /// Test cases 1, 2, 3 and 5 of RFC 4231, whose keys are too short for a secret; the others are among the integration tests.
    #[test]
    fn short_keys_of_rfc_4231() {
        for (key, data, expected) in [
            (
                vec![0x0b; 20],
                b"Hi There".to_vec(),
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
            ),
            (
                b"Jefe".to_vec(),
                b"what do ya want for nothing?".to_vec(),
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                vec![0xaa; 20],
                vec![0xdd; 50],
                "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
            ),
            (vec![0x0c; 20], b"Test With Truncation".to_vec(), "a3b6167473100ee06e0c796c2955552b"),
        ] {
            let mac = keyed(&key).chain_update(&data).finalize().into_bytes();
            assert!(hex::encode(mac).starts_with(expected), "{data:?}");
        }
    }
}
