//! Verification: exact bytes and headers in, the event that was signed out, and nothing else to parse.

mod body_signature;
mod delivery;
mod timestamped;

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use webmessaging_model::Timestamp;

use crate::error::{Error, ErrorKind};
use crate::event::Event;
use crate::secret::{MAC_BYTES, Secret, Secrets};

pub(crate) use self::body_signature::{read as read_body_signature, read_base64, read_hex};
pub use self::delivery::{Delivery, Proof, Scheme};
pub(crate) use self::timestamped::{ID, Marks, SIGNATURE, TIMESTAMP};

/// Carries the signature of the body. Contract: design.
pub const X_GENESYS_SIGNATURE: HeaderName = HeaderName::from_static("x-genesys-signature");

/// Carries the signature of the body of an Open Messaging webhook. Contract: live platform.
pub const X_HUB_SIGNATURE_256: HeaderName = HeaderName::from_static("x-hub-signature-256");

/// Carries the id of the event, which no signature covers. Contract: design.
pub const X_GENESYS_EVENT_ID: HeaderName = HeaderName::from_static("x-genesys-event-id");

/// Bodies are taken up to this length, unless a verifier is told otherwise: the 10 MB of the design documents.
pub const BODY_BYTES_MAX: usize = 10 * 1_024 * 1_024;

/// A signature may be so far from now, unless a verifier is told otherwise; the libraries of the Standard Webhooks
/// specification have the same.
pub const TIMESTAMP_WINDOW: Duration = Duration::from_secs(300);

/// A header line with signatures is read up to this length.
pub const SIGNATURE_HEADER_BYTES_MAX: usize = 2_048;

/// As many signatures are compared at most.
pub const SIGNATURES_MAX: usize = 16;

/// Checks deliveries; made once and shared.
///
/// By default a delivery needs an HMAC-SHA-256 over its body in `x-genesys-signature` or `X-Hub-Signature-256`, as
/// hexadecimal or base64, with or without `sha256=` in front. The timestamped form of the Standard Webhooks specification is
/// off until it is asked for.
///
/// # Examples
/// ```
/// use http::HeaderMap;
/// use webmessaging_model::Timestamp;
/// use webmessaging_webhooks::{ErrorKind, EventData, Secret, Signer, Verifier};
///
/// let secret = Secret::new("2026-11", "correct horse battery staple")?;
/// let verifier = Verifier::new(secret.clone());
/// let now: Timestamp = "2026-11-25T08:30:00Z".parse()?;
///
/// let body = r#"{"eventType":"channel.updated","data":{"id":"channel-1"}}"#;
/// let headers = Signer::new(secret).sign(body.as_bytes());
/// let delivery = verifier.verify(body, &headers, now)?;
/// assert!(matches!(delivery.event().data(), EventData::ChannelUpdated(_)));
///
/// let refused = verifier.verify(body, &HeaderMap::new(), now).unwrap_err();
/// assert_eq!(refused.kind(), ErrorKind::MissingSignature);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Verifier {
    secrets: Secrets,
    headers: Vec<HeaderName>,
    is_timestamped: bool,
    window: Duration,
    body_bytes_max: usize,
}

impl Verifier {
    /// A verifier for one secret or several. There is none without a secret.
    pub fn new(secrets: impl Into<Secrets>) -> Self {
        Self {
            secrets: secrets.into(),
            headers: vec![X_GENESYS_SIGNATURE, X_HUB_SIGNATURE_256],
            is_timestamped: false,
            window: TIMESTAMP_WINDOW,
            body_bytes_max: BODY_BYTES_MAX,
        }
    }

    /// Sets the headers that may carry a signature of the body; `x-genesys-signature` and `x-hub-signature-256` by default.
    /// With none of them, and without [`timestamped`](Self::timestamped), nothing is accepted.
    #[must_use]
    pub fn headers(mut self, headers: impl IntoIterator<Item = HeaderName>) -> Self {
        self.headers = headers.into_iter().collect();
        self
    }

    /// Sets whether the timestamped form (`webhook-id`, `webhook-timestamp`, `webhook-signature`) is accepted; off by default.
    ///
    /// Where `webhook-signature` is there, it decides. Only this form stops replays by itself, and only when no other is
    /// accepted: add `.headers([])`, or somebody sends what they recorded with the other headers alone.
    #[must_use]
    pub fn timestamped(mut self, is_timestamped: bool) -> Self {
        self.is_timestamped = is_timestamped;
        self
    }

    /// Sets how far the time of a timestamped signature may be from now, before and after; 5 minutes by default.
    #[must_use]
    pub fn window(mut self, window: Duration) -> Self {
        self.window = window;
        self
    }

    /// Sets how many bytes a body may have; 10 MiB by default.
    #[must_use]
    pub fn body_bytes_max(mut self, max: usize) -> Self {
        self.body_bytes_max = max;
        self
    }

    /// The secrets.
    pub fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// Checks a delivery and reads its event.
    ///
    /// `body` is what came over the wire, byte for byte. `now` matters to the timestamped form only.
    ///
    /// # Errors
    /// [`TooLarge`](ErrorKind::TooLarge), [`MissingSignature`](ErrorKind::MissingSignature),
    /// [`MalformedSignature`](ErrorKind::MalformedSignature), [`Mismatch`](ErrorKind::Mismatch) or
    /// [`Expired`](ErrorKind::Expired), and, for a body that is signed all right, [`NotJson`](ErrorKind::NotJson) or
    /// [`UnknownShape`](ErrorKind::UnknownShape).
    pub fn verify(
        &self,
        body: impl Into<Bytes>,
        headers: &HeaderMap,
        now: Timestamp,
    ) -> Result<Delivery, Error> {
        let body = body.into();
        let proof = self.verify_signature(&body, headers, now)?;
        let event = Event::from_slice(&body)?;
        Ok(Delivery::new(body, event, proof, headers))
    }

    /// Checks the signature alone, for bodies that are not events.
    ///
    /// # Errors
    /// Those of [`verify`](Self::verify) that are about length, signature and time.
    pub fn verify_signature(&self, body: &[u8], headers: &HeaderMap, now: Timestamp) -> Result<Proof, Error> {
        if body.len() > self.body_bytes_max {
            return Err(too_large(Some(body.len()), self.body_bytes_max));
        }
        if self.is_timestamped && headers.contains_key(SIGNATURE) {
            return self.check_timestamped(body, headers, now);
        }
        let lines: Vec<_> = self
            .headers
            .iter()
            .flat_map(|name| headers.get_all(name).iter().map(move |line| (name, line)))
            .take(SIGNATURES_MAX + 1)
            .collect();
        if lines.is_empty() {
            return Err(self.missing());
        }
        if lines.len() > SIGNATURES_MAX {
            return Err(too_many());
        }
        let claims: Vec<_> = lines
            .iter()
            .filter_map(|(name, line)| Some((*name, read_body_signature(text(line)?)?)))
            .collect();
        if claims.is_empty() {
            return Err(Error::new(ErrorKind::MalformedSignature));
        }
        let macs: Vec<_> = claims.iter().map(|(_, mac)| *mac).collect();
        let (secret, claim) = self.first_match(&[body], &macs).ok_or(Error::new(ErrorKind::Mismatch))?;
        let header = claims.get(claim).map_or(X_GENESYS_SIGNATURE, |(name, _)| (*name).clone());
        Ok(self.proof(secret, Scheme::Body { header }))
    }

    fn check_timestamped(&self, body: &[u8], headers: &HeaderMap, now: Timestamp) -> Result<Proof, Error> {
        let marks = Marks::read(headers)?;
        let signatures = timestamped::read_signatures(headers)?;
        let prefix = marks.prefix();
        let (secret, _) =
            self.first_match(&[&prefix, body], &signatures).ok_or(Error::new(ErrorKind::Mismatch))?;
        // Only now: what is said of the time is worth something when it is signed.
        let at = marks.at();
        if at.since(now).max(now.since(at)) > self.window {
            return Err(Error::new(ErrorKind::Expired));
        }
        Ok(self.proof(secret, Scheme::Timestamped { id: marks.id().into(), at }))
    }

    /// The first secret that made one of these signatures, and which one. Each is compared with each, whatever was found.
    fn first_match(&self, parts: &[&[u8]], claims: &[[u8; MAC_BYTES]]) -> Option<(usize, usize)> {
        let mut found = None;
        for (index, secret) in self.secrets.as_slice().iter().enumerate() {
            let mac = secret.mac(parts);
            for (claim_index, claim) in claims.iter().enumerate() {
                let is_equal = is_equal(&mac, claim);
                found = if is_equal && found.is_none() { Some((index, claim_index)) } else { found };
            }
        }
        found
    }

    fn proof(&self, secret_index: usize, scheme: Scheme) -> Proof {
        let label = self.secrets.as_slice().get(secret_index).map(Secret::shared_label);
        Proof::new(secret_index, label.unwrap_or_default(), scheme)
    }

    fn missing(&self) -> Error {
        let timestamped = self.is_timestamped.then_some(SIGNATURE);
        let names: Vec<_> = self.headers.iter().chain(&timestamped).map(HeaderName::as_str).collect();
        let message = match names.as_slice() {
            [] => "no kind of signature is accepted".to_owned(),
            names => format!("there is no signature: accepted in {}", names.join(", ")),
        };
        Error::with_message(ErrorKind::MissingSignature, message)
    }

    pub(crate) fn accepts(&self, name: &HeaderName) -> bool {
        self.headers.contains(name)
    }

    pub(crate) fn timestamp_window(&self) -> Duration {
        self.window
    }

    pub(crate) fn accepts_timestamped(&self) -> bool {
        self.is_timestamped
    }
}

/// Compares in constant time.
pub(crate) fn is_equal(one: &[u8; MAC_BYTES], other: &[u8; MAC_BYTES]) -> bool {
    let output =
        |mac: &[u8; MAC_BYTES]| hmac::digest::CtOutput::<hmac::Hmac<sha2::Sha256>>::new((*mac).into());
    output(one) == output(other)
}

/// A header line as text of reasonable length, without the white space that does not belong to it.
pub(crate) fn text(line: &HeaderValue) -> Option<&str> {
    let text = line.to_str().ok()?;
    (text.len() <= SIGNATURE_HEADER_BYTES_MAX).then(|| text.trim_matches([' ', '\t']))
}

/// A body that is longer than is taken, by its length or, where that is not known, without.
pub(crate) fn too_large(length: Option<usize>, max: usize) -> Error {
    let length = length.map_or_else(String::new, |bytes| format!(": {bytes} bytes"));
    Error::with_message(ErrorKind::TooLarge, format!("the body is too large{length}, at most {max} bytes"))
}

fn too_many() -> Error {
    let message = format!("too many signatures: at most {SIGNATURES_MAX}");
    Error::with_message(ErrorKind::MalformedSignature, message)
}
