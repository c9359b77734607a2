//! The timestamped form: `webhook-id`, `webhook-timestamp` and `webhook-signature` of the Standard Webhooks specification.
//!
//! Signed is `id.timestamp.body`. `webhook-signature` lists signatures with spaces between them, so that a sender can sign
//! with the old secret and the new one; those of other versions than `v1` are for others to read.

use http::{HeaderMap, HeaderName};
use webmessaging_model::Timestamp;

use super::body_signature::read_base64;
use super::{SIGNATURES_MAX, text, too_many};
use crate::error::{Error, ErrorKind};
use crate::secret::MAC_BYTES;

pub(crate) const ID: HeaderName = HeaderName::from_static("webhook-id");
pub(crate) const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
pub(crate) const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// In front of each signature.
pub(crate) const VERSION: &str = "v1,";

/// The id and the time of a delivery, as they were written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Marks<'a> {
    id: &'a str,
    seconds_text: &'a str,
    seconds: i64,
}

impl<'a> Marks<'a> {
    pub(crate) fn read(headers: &'a HeaderMap) -> Result<Self, Error> {
        let id = only(headers, &ID)?;
        let seconds_text = only(headers, &TIMESTAMP)?;
        let bad_time = || {
            let message = "webhook-timestamp is not a number of seconds";
            Error::with_message(ErrorKind::MalformedSignature, message)
        };
        // No signs and no white space: the text is signed, and one number shall have one text.
        if !seconds_text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(bad_time());
        }
        let seconds = seconds_text.parse().map_err(|_| bad_time())?;
        Ok(Self { id, seconds_text, seconds })
    }

    pub(crate) fn id(&self) -> &'a str {
        self.id
    }

    /// The time; what is beyond the calendar stays at its end, which is far from now.
    pub(crate) fn at(&self) -> Timestamp {
        Timestamp::from_unix_millis(self.seconds.saturating_mul(1_000))
    }

    /// What is signed in front of the body.
    pub(crate) fn prefix(&self) -> Vec<u8> {
        format!("{}.{}.", self.id, self.seconds_text).into_bytes()
    }
}

/// The value of a header that is there once and not empty.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<&'a str, Error> {
    let mut lines = headers.get_all(name).iter();
    let (first, second) = (lines.next(), lines.next());
    let value = match (first, second) {
        (None, _) => {
            return Err(Error::with_message(ErrorKind::MissingSignature, format!("there is no {name}")));
        }
        (Some(line), None) => text(line).filter(|text| !text.is_empty()),
        (Some(_), Some(_)) => None,
    };
    value.ok_or_else(|| {
        Error::with_message(
            ErrorKind::MalformedSignature,
            format!("{name} is empty, too long or there twice"),
        )
    })
}

/// The signatures that this version knows how to read; at least one.
pub(crate) fn read_signatures(headers: &HeaderMap) -> Result<Vec<[u8; MAC_BYTES]>, Error> {
    let lines = headers.get_all(SIGNATURE).iter().take(SIGNATURES_MAX + 1);
    let signatures: Vec<_> =
        lines.filter_map(text).flat_map(|line| line.split(' ')).take(SIGNATURES_MAX + 1).collect();
    if signatures.len() > SIGNATURES_MAX {
        return Err(too_many());
    }
    let macs: Vec<_> = signatures
        .iter()
        .filter_map(|signature| signature.strip_prefix(VERSION).and_then(read_base64))
        .collect();
    if macs.is_empty() { Err(Error::new(ErrorKind::MalformedSignature)) } else { Ok(macs) }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(id: &str, timestamp: &str) -> HeaderMap {
        [(ID, id), (TIMESTAMP, timestamp)]
            .map(|(name, value)| (name, HeaderValue::from_str(value).unwrap()))
            .into_iter()
            .collect()
    }

    #[test]
    fn times_are_plain_numbers_of_any_size() {
        for bad in ["-1", "+1", "1.0", "0x1", "now", "1 2", "9223372036854775808"] {
            let headers = headers("msg", bad);
            assert_eq!(Marks::read(&headers).unwrap_err().kind(), ErrorKind::MalformedSignature, "{bad}");
        }
        let largest = headers("msg", "9223372036854775807");
        assert_eq!(Marks::read(&largest).unwrap().at(), Timestamp::from_unix_millis(i64::MAX));
        let padded = headers("msg", "007");
        assert_eq!(Marks::read(&padded).unwrap().prefix(), b"msg.007.");
    }

    #[test]
    fn id_and_time_are_there_once() {
        let mut twice = headers("msg", "1");
        twice.append(ID, HeaderValue::from_static("other"));
        assert_eq!(Marks::read(&twice).unwrap_err().kind(), ErrorKind::MalformedSignature);
        assert_eq!(Marks::read(&headers("", "1")).unwrap_err().kind(), ErrorKind::MalformedSignature);
        for name in [ID, TIMESTAMP] {
            let mut without = headers("msg", "1");
            without.remove(&name);
            let error = Marks::read(&without).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::MissingSignature);
            assert_eq!(error.to_string(), format!("there is no {name}"));
        }
    }
}
