//! The error of setting up, recording and looking after deliveries: what is wrong, and what to do about it.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// What went wrong. The code of each kind is a heading of `docs/errors.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A target is set up in a way that cannot work.
    Configuration,
    /// The new payload of a dead letter is not what its target takes; nothing was changed.
    InvalidPayload,
    /// There is no such target, or no such dead letter.
    NotFound,
    /// Somebody else is changing the same thing at this moment; nothing was changed.
    Busy,
    /// The store failed; the source says how.
    Store,
}

impl ErrorKind {
    /// Every kind, for documentation and tests.
    pub const ALL: &'static [Self] =
        &[Self::Configuration, Self::InvalidPayload, Self::NotFound, Self::Busy, Self::Store];

    /// The stable name, as it appears in JSON and in the documentation.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::InvalidPayload => "invalid_payload",
            Self::NotFound => "not_found",
            Self::Busy => "busy",
            Self::Store => "store",
        }
    }
}

/// The error of this crate. What comes of a delivery is no error of a call: it is in the outbox, the journal and the status.
///
/// One pointer wide and cheap to clone. `Display` is one line without a payload, a secret or a URL.
///
/// # Examples
/// ```
/// use webmessaging_sync::{ErrorKind, Secrets, ShapeName, TargetConfig};
///
/// let config = TargetConfig::new("crm", "http://crm.example/guests", ShapeName::CrmGuests);
/// let error = config.build(&Secrets::none()).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Configuration);
/// assert_eq!(error.to_string(), "target `crm`: `url` must be https; plain http is for this machine alone");
/// ```
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    message: Cow<'static, str>,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner { kind, message: message.into(), source: None }))
    }

    pub(crate) fn configuration(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Configuration, message)
    }

    pub(crate) fn with_source(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.0.source = Some(Arc::new(source));
        self
    }

    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }
}

impl From<webmessaging_store::Error> for Error {
    fn from(error: webmessaging_store::Error) -> Self {
        let kind = match error.kind() {
            webmessaging_store::ErrorKind::NotFound => ErrorKind::NotFound,
            _ => ErrorKind::Store,
        };
        Self::new(kind, error.to_string()).with_source(error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("message", &self.0.message)
            .field("source", &self.0.source)
            .finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn std::error::Error + 'static))
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

    #[test]
    fn it_is_one_pointer_wide_and_can_cross_threads() {
        fn crosses<T: Send + Sync + Clone + 'static>() {}
        crosses::<Error>();
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }

    #[test]
    fn codes_are_distinct() {
        let codes: std::collections::HashSet<_> = ErrorKind::ALL.iter().map(|kind| kind.code()).collect();
        assert_eq!(codes.len(), ErrorKind::ALL.len());
    }

    #[test]
    fn the_stores_word_is_kept() {
        let gone = Error::from(webmessaging_store::Error::new(webmessaging_store::ErrorKind::NotFound));
        assert_eq!(gone.kind(), ErrorKind::NotFound);
        let full = Error::from(webmessaging_store::Error::new(webmessaging_store::ErrorKind::Full));
        assert_eq!(full.kind(), ErrorKind::Store);
        assert_eq!(full.to_string(), "the disk or the store is full: make room, nothing was written");
        assert!(full.source().is_some());
    }
}
