//! Which keys could have been used instead: everything that configuration files and shells do to a secret.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use super::finding::FindingCode;
use crate::secret::{MAC_BYTES, STANDARD_PREFIX, Secret, keyed};

/// A key that may have been used.
pub(super) struct Key {
    /// Which secret it comes from; `None` for no secret at all.
    pub(super) secret: Option<usize>,
    /// `None` for the secret as it is set up.
    pub(super) code: Option<FindingCode>,
    pub(super) detail: Option<&'static str>,
    /// `None` for a hash without a key.
    keyed: Option<Hmac<Sha256>>,
}

impl Key {
    pub(super) fn mac(&self, prefix: &[u8], text: &[u8]) -> [u8; MAC_BYTES] {
        match &self.keyed {
            Some(keyed) => {
                keyed.clone().chain_update(prefix).chain_update(text).finalize().into_bytes().into()
            }
            None => Sha256::new().chain_update(prefix).chain_update(text).finalize().into(),
        }
    }
}

/// The keys of these secrets as they are set up, then everything that is made of them by mistake.
pub(super) fn keys<'a>(secrets: impl Iterator<Item = &'a Secret> + Clone) -> Vec<Key> {
    let mut keys: Vec<_> = secrets
        .clone()
        .enumerate()
        .map(|(index, secret)| {
            let keyed = Some(secret.keyed().clone());
            Key { secret: Some(index), code: None, detail: None, keyed }
        })
        .collect();
    for (index, secret) in secrets.enumerate() {
        let made = variants(secret).into_iter().map(|(code, detail, bytes)| Key {
            secret: Some(index),
            code: Some(code),
            detail: Some(detail),
            keyed: Some(keyed(&bytes)),
        });
        keys.extend(made);
    }
    let without = |code, keyed| Key { secret: None, code: Some(code), detail: None, keyed };
    keys.push(without(FindingCode::EmptySecret, Some(keyed(b""))));
    keys.push(without(FindingCode::PlainHash, None));
    keys
}

fn variants(secret: &Secret) -> Vec<(FindingCode, &'static str, Vec<u8>)> {
    use FindingCode::{SecretDecoded, SecretEncoded, SecretNotDecoded, SecretQuotes, SecretWhitespace};
    let (text, is_encoded) = secret.text();
    let bytes = |text: &str| text.as_bytes().to_vec();
    let unquoted = |quote| text.strip_prefix(quote).and_then(|text| text.strip_suffix(quote));
    let bare = text.trim().strip_prefix(STANDARD_PREFIX);
    let base64 = |text: &str| STANDARD.decode(text).or_else(|_| STANDARD_NO_PAD.decode(text)).ok();
    let candidates = [
        (SecretNotDecoded, "as it is written", is_encoded.then(|| bytes(text))),
        (SecretNotDecoded, "as it is written, without whsec_", is_encoded.then(|| bare.map(bytes)).flatten()),
        (SecretWhitespace, "without white space around it", Some(bytes(text.trim()))),
        (SecretWhitespace, "with a line feed behind it", Some(bytes(&format!("{text}\n")))),
        (SecretWhitespace, "with CR LF behind it", Some(bytes(&format!("{text}\r\n")))),
        (SecretWhitespace, "with a space behind it", Some(bytes(&format!("{text} ")))),
        (SecretWhitespace, "with a space in front", Some(bytes(&format!(" {text}")))),
        (SecretQuotes, "without the quotes", unquoted('"').or(unquoted('\'')).map(bytes)),
        (SecretQuotes, "in double quotes", Some(bytes(&format!("\"{text}\"")))),
        (SecretQuotes, "in single quotes", Some(bytes(&format!("'{text}'")))),
        (SecretDecoded, "decoded from base64", base64(bare.unwrap_or(text.trim()))),
        (SecretDecoded, "decoded from hexadecimal", hex::decode(text.trim()).ok()),
        (SecretDecoded, "without whsec_", bare.map(bytes)),
        (SecretEncoded, "encoded in base64", Some(bytes(&STANDARD.encode(text)))),
        (SecretEncoded, "encoded in hexadecimal", Some(bytes(&hex::encode(text)))),
    ];
    let is_set_up =
        |key: &[u8]| secret.mac(&[]) == <[u8; MAC_BYTES]>::from(keyed(key).finalize().into_bytes());
    // What changes nothing explains nothing.
    let mut variants: Vec<(FindingCode, &'static str, Vec<u8>)> = Vec::new();
    for (code, detail, key) in candidates {
        if let Some(key) = key.filter(|key| !is_set_up(key) && variants.iter().all(|known| known.2 != *key)) {
            variants.push((code, detail, key));
        }
    }
    variants
}
