//! The signature of a webhook: HMAC-SHA-256 over the exact bytes of its body, in one of several spellings.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::sign::Signer;

/// How the header `x-genesys-signature` spells its HMAC-SHA-256.
///
/// The design documents name the header and not its spelling. The default is that of the one signed webhook which the
/// platform does describe, the outbound one of Open Messaging.
///
/// # Examples
///
/// ```
/// use webmessaging_emulator::{Emulator, SignatureFormat};
///
/// let builder = Emulator::builder().signature_format(SignatureFormat::Hex);
/// # let _ = builder;
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[non_exhaustive]
pub enum SignatureFormat {
    /// `sha256=` and padded standard base64.
    #[default]
    PrefixedBase64,
    /// Padded standard base64.
    Base64,
    /// `sha256=` and lower-case hexadecimal.
    PrefixedHex,
    /// Lower-case hexadecimal.
    Hex,
}

impl SignatureFormat {
    /// The signature of `body`; `None` for a key that HMAC does not take, which there is none of.
    pub(crate) fn sign(self, secret: &str, body: &[u8]) -> Option<String> {
        let mac = Signer::with_key(secret.as_bytes())?.digest(body);
        Some(match self {
            Self::PrefixedBase64 => format!("sha256={}", STANDARD.encode(mac)),
            Self::Base64 => STANDARD.encode(mac),
            Self::PrefixedHex => format!("sha256={}", hex::encode(mac)),
            Self::Hex => hex::encode(mac),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The second test case of RFC 4231.
    #[test]
    fn a_known_answer_in_every_spelling() {
        let signed = |format: SignatureFormat| format.sign("Jefe", b"what do ya want for nothing?").unwrap();
        let hex = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        let base64 = "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=";
        assert_eq!(signed(SignatureFormat::Hex), hex);
        assert_eq!(signed(SignatureFormat::PrefixedHex), format!("sha256={hex}"));
        assert_eq!(signed(SignatureFormat::Base64), base64);
        assert_eq!(signed(SignatureFormat::default()), format!("sha256={base64}"));
    }
}
