//! Signatures of storage URLs, digests of secrets, and random bytes.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use http::Method;
use sha2::Sha256;

/// Length of keys, digests and tokens in bytes.
pub(crate) const DIGEST_BYTES: usize = 32;

/// Signs and checks with a key that lives as long as one emulator.
pub(crate) struct Signer {
    keyed: Hmac<Sha256>,
}

impl Signer {
    /// Makes a signer with a fresh random key.
    pub(crate) fn random() -> Result<Self, getrandom::Error> {
        let key = random_bytes()?;
        Self::with_key(&key).ok_or(getrandom::Error::UNSUPPORTED)
    }

    /// The keyed digest of `bytes`; used to keep secrets only as digests.
    pub(crate) fn digest(&self, bytes: &[u8]) -> [u8; DIGEST_BYTES] {
        self.mac(bytes).finalize().into_bytes().into()
    }

    /// Whether `bytes` has the given digest, in constant time.
    pub(crate) fn matches(&self, bytes: &[u8], digest: &[u8; DIGEST_BYTES]) -> bool {
        self.mac(bytes).verify_slice(digest).is_ok()
    }

    /// The query of a URL that allows one method on one path until `expires` (Unix seconds).
    ///
    /// `length` is the exact number of bytes that may be sent; 0 for downloads.
    pub(crate) fn query(&self, method: &Method, path: &str, expires: u64, length: u64) -> String {
        let signature = hex::encode(self.digest(signed_text(method, path, expires, length).as_bytes()));
        format!("expires={expires}&signature={signature}")
    }

    /// Checks a query made by [`query`](Self::query) and gives its expiry in Unix seconds.
    ///
    /// Both parameters must be there exactly once; other parameters are not covered by the signature.
    pub(crate) fn check(&self, method: &Method, path: &str, query: Option<&str>, length: u64) -> Option<u64> {
        let query = query?;
        let expires = single_parameter(query, "expires")?;
        let signature = hex::decode(single_parameter(query, "signature")?).ok()?;
        let expires_seconds: u64 = expires.parse().ok()?;
        // The number is signed in its canonical form, so `+1` or `007` does not pass for `1` or `7`.
        if expires_seconds.to_string() != expires {
            return None;
        }
        let text = signed_text(method, path, expires_seconds, length);
        self.mac(text.as_bytes()).verify_slice(&signature).ok()?;
        Some(expires_seconds)
    }

    /// A signer with this key; `None` for a key that HMAC does not take.
    pub(crate) fn with_key(key: &[u8]) -> Option<Self> {
        Hmac::new_from_slice(key).ok().map(|keyed| Self { keyed })
    }

    fn mac(&self, bytes: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.keyed.clone();
        mac.update(bytes);
        mac
    }
}

/// A fresh token of 256 random bits, in URL-safe base64.
pub(crate) fn random_token() -> Result<String, getrandom::Error> {
    random_bytes().map(|bytes| URL_SAFE_NO_PAD.encode(bytes))
}

fn random_bytes() -> Result<[u8; DIGEST_BYTES], getrandom::Error> {
    let mut bytes = [0; DIGEST_BYTES];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

fn signed_text(method: &Method, path: &str, expires: u64, length: u64) -> String {
    format!("{method}\n{path}\n{expires}\n{length}")
}

/// The value of a parameter that occurs exactly once.
fn single_parameter(query: &str, name: &str) -> Option<String> {
    let mut values = url::form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key == name);
    let (_, value) = values.next()?;
    values.next().is_none().then(|| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = "/storage/uploads/1";

    fn signer() -> Signer {
        Signer::with_key(&[7; DIGEST_BYTES]).unwrap()
    }

    #[test]
    fn a_signed_query_passes_with_and_without_foreign_parameters() {
        let query = signer().query(&Method::PUT, PATH, 300, 42);
        let foreign = format!("a=b&{query}&trace=1");
        assert_eq!(signer().check(&Method::PUT, PATH, Some(&query), 42), Some(300));
        assert_eq!(signer().check(&Method::PUT, PATH, Some(&foreign), 42), Some(300));
    }

    #[test]
    fn each_signed_part_is_bound() {
        let query = signer().query(&Method::PUT, PATH, 300, 42);
        let other_key = Signer::with_key(&[8; DIGEST_BYTES]).unwrap();
        assert_eq!(signer().check(&Method::GET, PATH, Some(&query), 42), None);
        assert_eq!(signer().check(&Method::PUT, "/storage/uploads/2", Some(&query), 42), None);
        assert_eq!(signer().check(&Method::PUT, PATH, Some(&query), 43), None);
        assert_eq!(other_key.check(&Method::PUT, PATH, Some(&query), 42), None);
        assert_eq!(signer().check(&Method::PUT, PATH, None, 42), None);
        for changed in [
            query.replace("expires=300", "expires=301"),
            query.replace("expires=300", "expires=0300"),
            query.replace("expires=300", "expires=%2B300"),
            query.replace("expires=300", "expires=soon"),
            query.replace("expires=300&", ""),
            query.replace("signature=", "signature=0"),
            format!("{query}&expires=300"),
            format!("{query}&signature=00"),
            "expires=300&signature=".to_owned(),
        ] {
            assert_eq!(signer().check(&Method::PUT, PATH, Some(&changed), 42), None, "{changed}");
        }
    }

    #[test]
    fn tokens_are_long_and_differ() {
        let (one, two) = (random_token().unwrap(), random_token().unwrap());
        assert_eq!(one.len(), 43);
        assert_ne!(one, two);
    }
}
