//! The error of every call to a store: what went wrong, and what to do about it.

mod kind;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use webmessaging_model::Violations;

pub use self::kind::ErrorKind;

/// The error of a store.
///
/// One pointer wide and cheap to clone. `Display` is one line that says what is wrong and what to do, without any content. What the
/// engine said is in [`source`](std::error::Error::source).
///
/// # Examples
/// ```
/// use webmessaging_store::{Error, ErrorKind};
///
/// let error = Error::new(ErrorKind::Full);
/// assert_eq!(error.to_string(), "the disk or the store is full: make room, nothing was written");
/// assert!(error.is_transient());
/// ```
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    message: Option<Cow<'static, str>>,
    violations: Option<Violations>,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error of a kind; for stores of one's own.
    pub fn new(kind: ErrorKind) -> Self {
        Self(Box::new(Inner { kind, message: None, violations: None, source: None }))
    }

    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Every rule that the input broke.
    pub fn violations(&self) -> Option<&Violations> {
        self.0.violations.as_ref()
    }

    /// Whether the same call can succeed later without anybody changing the call.
    pub fn is_transient(&self) -> bool {
        self.0.kind.is_transient()
    }

    /// Says in a few words what is special about this one, and what to do. It must have no content and no secret.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<Cow<'static, str>>) -> Self {
        self.0.message = Some(message.into());
        self
    }

    /// Names the cause. It must not print a content or a secret.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.0.source = Some(Arc::from(source.into()));
        self
    }
}

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "testing"))]
impl Error {
    pub(crate) fn too_many_edits() -> Self {
        let message = "the letter was edited too many times: drop it and enqueue a new item";
        Self::new(ErrorKind::Conflict).with_message(message)
    }

    pub(crate) fn finished_differently() -> Self {
        let message = "the intent is finished with another outcome: look at what happened";
        Self::new(ErrorKind::Conflict).with_message(message)
    }
}

impl From<Violations> for Error {
    fn from(violations: Violations) -> Self {
        let mut error = Self::new(ErrorKind::InvalidInput);
        error.0.violations = Some(violations);
        error
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.message {
            Some(message) => f.write_str(message)?,
            None => self.0.kind.fmt(f)?,
        }
        match &self.0.violations {
            Some(violations) => write!(f, ": {violations}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("message", &self.0.message)
            .field("violations", &self.0.violations)
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
    use super::*;

    #[test]
    fn it_is_one_pointer_wide_and_can_cross_threads() {
        fn crosses<T: Send + Sync + Clone + 'static>() {}
        crosses::<Error>();
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }
}
