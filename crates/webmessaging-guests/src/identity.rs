//! Identities, hashed: the same guest has the same hash on every device, and nobody without the salt knows whose it is.

use std::collections::BTreeSet;
use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use webmessaging_model::{Code, Limit, Unit, Violation, limits};

use crate::email::{PLAIN_BYTES, normal_email, plain_email};
use crate::identity_attributes::{IdentityAttributes, IdentityHash, malformed};

/// Salts that are in examples, and so in everybody's hands.
const KNOWN_SALTS: [&str; 8] = [
    "default-salt",
    "production-salt",
    "changeme",
    "change-me",
    "secret",
    "password",
    "correct horse battery staple",
    "0123456789abcdef",
];

/// So many different bytes has any salt that somebody has drawn.
const DIFFERENT_BYTES_MIN: usize = 6;

/// Hashes e-mail addresses and phone numbers. Cheap to clone; `Debug` shows the mode alone.
///
/// # Examples
/// ```
/// use webmessaging_guests::IdentityHasher;
///
/// let hasher = IdentityHasher::hmac_sha256("n3ver-wr1te-it-d0wn-1n-code")?;
/// let hash = hasher.email(" Jane.Doe@Example.com ")?;
/// assert_eq!(hash, hasher.email("jane.doe@example.com")?);
/// assert!(IdentityHasher::salted_sha256("default-salt").is_err());
/// # Ok::<(), webmessaging_model::Violation>(())
/// ```
#[derive(Clone)]
pub struct IdentityHasher(Mode);

#[derive(Clone)]
enum Mode {
    SaltedSha256(SecretString),
    /// The key has been taken in.
    HmacSha256(Box<Hmac<Sha256>>),
}

/// What an identity was resolved by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResolutionMethod {
    /// The e-mail address, whether or not there is a phone number.
    Email,
    /// The phone number, for want of an e-mail address.
    Phone,
    /// Nothing was known.
    Unknown,
}

impl ResolutionMethod {
    /// Its stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Unknown => "unknown",
        }
    }
}

/// What an identity came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    email: Option<IdentityHash>,
    phone: Option<IdentityHash>,
}

impl Resolved {
    /// The hash of the e-mail address.
    pub fn email_hash(&self) -> Option<&IdentityHash> {
        self.email.as_ref()
    }

    /// The hash of the phone number.
    pub fn phone_hash(&self) -> Option<&IdentityHash> {
        self.phone.as_ref()
    }

    /// The hash by which the guest is known: that of the e-mail address, or else that of the phone number.
    pub fn primary(&self) -> Option<&IdentityHash> {
        self.email.as_ref().or(self.phone.as_ref())
    }

    /// What it was resolved by.
    pub fn method(&self) -> ResolutionMethod {
        match (&self.email, &self.phone) {
            (Some(_), _) => ResolutionMethod::Email,
            (None, Some(_)) => ResolutionMethod::Phone,
            (None, None) => ResolutionMethod::Unknown,
        }
    }
}

impl From<Resolved> for IdentityAttributes {
    fn from(resolved: Resolved) -> Self {
        Self { email_hash: resolved.email, phone_hash: resolved.phone, device_fingerprint: None }
    }
}

impl IdentityHasher {
    /// SHA-256 over the identity and the salt behind it, as the design document has it: for systems that have such hashes already.
    ///
    /// # Errors
    /// A violation when the salt is shorter than 16 bytes, one of the well-known examples, or nearly all one character.
    pub fn salted_sha256(salt: impl Into<SecretString>) -> Result<Self, Violation> {
        let salt = salt.into();
        check(salt.expose_secret().as_bytes())?;
        Ok(Self(Mode::SaltedSha256(salt)))
    }

    /// HMAC-SHA-256 with the salt as the key: stronger, since nothing can be appended and keys are what it was made for. Prefer it.
    ///
    /// # Errors
    /// Those of [`salted_sha256`](Self::salted_sha256).
    pub fn hmac_sha256(key: impl Into<SecretString>) -> Result<Self, Violation> {
        let key = key.into();
        let key = key.expose_secret().as_bytes();
        check(key)?;
        // Keys of any length will do.
        let mac = Hmac::new_from_slice(key).map_err(|_| malformed("salt", "guest.identity_salt.key"))?;
        Ok(Self(Mode::HmacSha256(Box::new(mac))))
    }

    /// The hash of an e-mail address: trimmed, in lower case, what is before the `@` in NFC, the domain in its ASCII form (`xn--`). For an ASCII address that
    /// is what the design document does. Quoted addresses and invisible characters are refused.
    ///
    /// # Errors
    /// A violation when it is no address. It is not repeated.
    pub fn email(&self, address: &str) -> Result<IdentityHash, Violation> {
        let mut normal = [0; PLAIN_BYTES];
        match plain_email(address, &mut normal) {
            Some(length) => Ok(self.hash_within(&mut normal, length)),
            None => Ok(self.hash(normal_email(address)?.as_bytes())),
        }
    }

    /// The hash of a phone number in E.164, such as `+49301234567`; spaces around it are taken away.
    ///
    /// # Errors
    /// A violation when it is none. It is not repeated. With the feature `phone`, `phone_in` takes what people write.
    pub fn phone(&self, number: &str) -> Result<IdentityHash, Violation> {
        let number = number.trim();
        let digits = number.strip_prefix('+').unwrap_or_default();
        let is_e164 = (7..=15).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && !digits.starts_with('0');
        if !is_e164 {
            return Err(malformed("phone", "guest.phone.e164"));
        }
        Ok(self.hash(number.as_bytes()))
    }

    /// The hash of a phone number as people write it, brought to E.164; `region` is the country (ISO 3166, such as `DE`) of numbers that do not
    /// say theirs.
    ///
    /// # Errors
    /// A violation when it is no number that there can be, has letters in it, or when it does not say its country and neither does `region`. It is not repeated.
    #[cfg(feature = "phone")]
    pub fn phone_in(&self, number: &str, region: Option<&str>) -> Result<IdentityHash, Violation> {
        let region = match region {
            Some(region) => {
                let known = region.to_ascii_uppercase().parse();
                Some(known.map_err(|_| malformed("region", "guest.phone.region"))?)
            }
            None => None,
        };
        // Letters on a keypad, and extensions: whoever means them says so in digits.
        if number.chars().any(char::is_alphabetic) {
            return Err(malformed("phone", "guest.phone.number"));
        }
        let parsed = phonenumber::parse(region, number.trim());
        let number = parsed.map_err(|_| malformed("phone", "guest.phone.number"))?;
        if !number.is_valid() {
            return Err(malformed("phone", "guest.phone.number"));
        }
        self.phone(&number.format().mode(phonenumber::Mode::E164).to_string())
    }

    /// Both hashes of a guest, as far as something is known; empty texts are nothing.
    ///
    /// # Errors
    /// Those of [`email`](Self::email) and [`phone`](Self::phone).
    pub fn resolve(&self, email: Option<&str>, phone: Option<&str>) -> Result<Resolved, Violation> {
        let is_given = |text: &&str| !text.trim().is_empty();
        let email = email.filter(is_given).map(|email| self.email(email)).transpose()?;
        let phone = phone.filter(is_given).map(|phone| self.phone(phone)).transpose()?;
        Ok(Resolved { email, phone })
    }

    /// The hash of an identity with room behind it: identity and salt are hashed in one piece where they fit, which is faster.
    fn hash_within(&self, buffer: &mut [u8; PLAIN_BYTES], length: usize) -> IdentityHash {
        if let Mode::SaltedSha256(salt) = &self.0 {
            let salt = salt.expose_secret().as_bytes();
            let end = length + salt.len();
            if let Some(room) = buffer.get_mut(length..end) {
                room.copy_from_slice(salt);
                let whole = buffer.get(..end).unwrap_or_default();
                return IdentityHash::from_digest(&Sha256::digest(whole).into());
            }
        }
        self.hash(buffer.get(..length).unwrap_or_default())
    }

    fn hash(&self, identity: &[u8]) -> IdentityHash {
        let digest: [u8; 32] = match &self.0 {
            Mode::SaltedSha256(salt) => {
                Sha256::new().chain_update(identity).chain_update(salt.expose_secret()).finalize().into()
            }
            Mode::HmacSha256(keyed) => {
                let mut mac = keyed.clone();
                mac.update(identity);
                mac.finalize().into_bytes().into()
            }
        };
        IdentityHash::from_digest(&digest)
    }
}

impl fmt::Debug for IdentityHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Mode::SaltedSha256(_) => "IdentityHasher(SHA-256, salted)",
            Mode::HmacSha256(_) => "IdentityHasher(HMAC-SHA-256)",
        })
    }
}

/// Refuses a salt that protects nobody.
fn check(salt: &[u8]) -> Result<(), Violation> {
    let min = limits::IDENTITY_SALT_BYTES_MIN;
    if salt.is_empty() {
        return Err(Violation::new("salt", Code::Required, "guest.identity_salt.required"));
    }
    if KNOWN_SALTS.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(salt)) {
        return Err(Violation::new("salt", Code::NotAllowed, "guest.identity_salt.known"));
    }
    if (salt.len() as u64) < min.value {
        let violation = Violation::new("salt", Code::TooSmall, min.name);
        return Err(violation.limit(Limit::Min(min.value), Unit::Bytes).count(salt.len() as u64));
    }
    let different: BTreeSet<u8> = salt.iter().copied().collect();
    if different.len() < DIFFERENT_BYTES_MIN {
        return Err(Violation::new("salt", Code::NotAllowed, "guest.identity_salt.dull"));
    }
    Ok(())
}
