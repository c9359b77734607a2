//! Why a delivery was not taken: a kind, one line, and never what the right signature would have been.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// Why a delivery was not taken.
///
/// It holds neither the secret nor the expected signature nor anything of the body, so it can be logged and answered as it
/// is. [`explain`](crate::explain()) finds out which mistake it was.
#[derive(Debug, Clone)]
pub struct Error {
    kind: ErrorKind,
    message: Option<Cow<'static, str>>,
    source: Option<Arc<serde_json::Error>>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind) -> Self {
        Self { kind, message: None, source: None }
    }

    /// An error that says more than its kind, in words that nobody sent.
    pub(crate) fn with_message(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, message: Some(message.into()), source: None }
    }

    /// An error of the JSON parser. Complaints about values can repeat them, so those are not kept.
    pub(crate) fn json(error: serde_json::Error) -> Self {
        use serde_json::error::Category;
        let at = format!("line {} column {}", error.line(), error.column());
        match error.classify() {
            Category::Data => {
                Self::with_message(ErrorKind::UnknownShape, format!("the event has another shape, see {at}"))
            }
            Category::Io | Category::Syntax | Category::Eof => Self {
                kind: ErrorKind::NotJson,
                message: Some(format!("the body is not JSON, see {at}").into()),
                source: Some(Arc::new(error)),
            },
        }
    }

    /// What was wrong.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.message {
            Some(message) => f.write_str(message),
            None => self.kind.fmt(f),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn std::error::Error + 'static))
    }
}

/// What is wrong with a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// None of the headers that may carry a signature is there, or the timestamped form lacks its id or its time.
    MissingSignature,
    /// There is a signature header, and nothing in it can be read as an HMAC-SHA-256; or there are too many.
    MalformedSignature,
    /// No signature was made over these bytes with one of the secrets.
    Mismatch,
    /// The signature is right and its time too far from now: a replay, or a clock that is wrong.
    Expired,
    /// The body has more bytes than are taken.
    TooLarge,
    /// The signature is right and the body is not JSON.
    NotJson,
    /// The signature is right, the body is JSON, and not an event as it is known.
    UnknownShape,
}

impl ErrorKind {
    /// Every kind, for documentation and tests.
    pub const ALL: &'static [Self] = &[
        Self::MissingSignature,
        Self::MalformedSignature,
        Self::Mismatch,
        Self::Expired,
        Self::TooLarge,
        Self::NotJson,
        Self::UnknownShape,
    ];

    /// The stable name, as it appears in JSON and in the documentation.
    pub const fn code(self) -> &'static str {
        self.texts().0
    }

    /// Whether the sender has proved that it knows a secret. What is wrong is then wrong with the content or the clock, and a
    /// refusal loses something genuine.
    pub const fn is_signed(self) -> bool {
        matches!(self, Self::Expired | Self::NotJson | Self::UnknownShape)
    }

    const fn texts(self) -> (&'static str, &'static str) {
        match self {
            Self::MissingSignature => ("missing_signature", "there is no signature"),
            Self::MalformedSignature => ("malformed_signature", "the signature cannot be read"),
            Self::Mismatch => ("signature_mismatch", "the signature is not of these bytes and secrets"),
            Self::Expired => ("signature_expired", "the time of the signature is too far from now"),
            Self::TooLarge => ("body_too_large", "the body is too large"),
            Self::NotJson => ("body_not_json", "the body is not JSON"),
            Self::UnknownShape => ("unknown_shape", "the body is not an event of a known shape"),
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.texts().1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct() {
        let codes: std::collections::HashSet<_> = ErrorKind::ALL.iter().map(|kind| kind.code()).collect();
        assert_eq!(codes.len(), ErrorKind::ALL.len());
    }

    #[test]
    fn what_the_parser_repeats_of_the_body_is_not_kept() {
        let data = serde_json::from_str::<u8>("\"swordfish\"").unwrap_err();
        assert!(data.to_string().contains("swordfish"));
        let error = Error::json(data);
        assert_eq!(error.kind(), ErrorKind::UnknownShape);
        assert!(!format!("{error} {error:?}").contains("swordfish"));

        let syntax = Error::json(serde_json::from_str::<u8>("{swordfish").unwrap_err());
        assert_eq!(syntax.kind(), ErrorKind::UnknownShape);
        let syntax = Error::json(serde_json::from_str::<serde_json::Value>("{swordfish").unwrap_err());
        assert_eq!(syntax.kind(), ErrorKind::NotJson);
        assert!(!format!("{syntax} {syntax:?}").contains("swordfish"));
        assert_eq!(syntax.to_string(), "the body is not JSON, see line 1 column 2");
        assert!(std::error::Error::source(&syntax).is_some());
    }
}
