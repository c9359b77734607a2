//! The error of everything that is recorded: what failed, in which sink, and what to do about it.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// Why something could not be recorded, or a log could not be opened or read.
///
/// `Display` is one line without any text of an event; deeper causes are in [`source`](std::error::Error::source).
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    sink: Option<Cow<'static, str>>,
    message: Cow<'static, str>,
    further: Vec<Error>,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

/// What kind of thing went wrong; stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The disk, or whatever a sink writes to, has failed.
    Io,
    /// Somebody else writes to this log.
    Locked,
    /// A log is not what was written, or something of it is missing.
    Damaged,
    /// An event is too large for the log.
    TooLarge,
    /// A sink was not done within its time.
    TimedOut,
    /// A sink has panicked.
    Panicked,
    /// A sink was closed before.
    Closed,
    /// An error of a sink of somebody else.
    Sink,
}

impl ErrorKind {
    /// Every kind, for documentation and tests.
    pub const ALL: &'static [Self] = &[
        Self::Io,
        Self::Locked,
        Self::Damaged,
        Self::TooLarge,
        Self::TimedOut,
        Self::Panicked,
        Self::Closed,
        Self::Sink,
    ];

    /// The stable name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Io => "io",
            Self::Locked => "locked",
            Self::Damaged => "damaged",
            Self::TooLarge => "too_large",
            Self::TimedOut => "timed_out",
            Self::Panicked => "panicked",
            Self::Closed => "closed",
            Self::Sink => "sink",
        }
    }
}

impl Error {
    /// An error of a kind. The message says what is wrong and what to do, and holds nothing of an event.
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner { kind, sink: None, message: message.into(), further: Vec::new(), source: None }))
    }

    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The name of the sink that failed.
    pub fn sink(&self) -> Option<&str> {
        self.0.sink.as_deref()
    }

    /// The errors of the other sinks that failed with the same event.
    pub fn further(&self) -> &[Self] {
        &self.0.further
    }

    /// Names the cause. It must not print anything of an event.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.0.source = Some(Arc::from(source.into()));
        self
    }

    pub(crate) fn with_sink(mut self, name: Cow<'static, str>) -> Self {
        self.0.sink.get_or_insert(name);
        self
    }

    /// All errors of one event as one; `None` of nothing.
    pub(crate) fn together(mut errors: Vec<Self>) -> Option<Self> {
        if errors.is_empty() {
            return None;
        }
        let mut first = errors.remove(0);
        first.0.further = errors;
        Some(first)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(sink) = self.sink() {
            write!(f, "sink {sink}: ")?;
        }
        f.write_str(&self.0.message)?;
        if let Some(source) = &self.0.source {
            write!(f, ": {source}")?;
        }
        for further in &self.0.further {
            write!(f, "; {further}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("sink", &self.0.sink)
            .field("message", &self.0.message)
            .field("further", &self.0.further)
            .field("source", &self.0.source)
            .finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

    #[test]
    fn an_error_is_one_line_that_names_every_sink() {
        let io = std::io::Error::from(std::io::ErrorKind::StorageFull);
        let disk =
            Error::new(ErrorKind::Io, "the log cannot be written").with_source(io).with_sink("audit".into());
        let late = Error::new(ErrorKind::TimedOut, "not done within 10s").with_sink("outbox".into());
        let both = Error::together(vec![disk, late]).unwrap();
        assert_eq!(
            both.to_string(),
            "sink audit: the log cannot be written: no storage space; sink outbox: not done within 10s"
        );
        assert_eq!((both.kind(), both.further()[0].kind()), (ErrorKind::Io, ErrorKind::TimedOut));
        assert!(both.source().is_some());
        assert!(Error::together(Vec::new()).is_none());
    }

    #[test]
    fn codes_are_distinct() {
        let codes: std::collections::BTreeSet<_> = ErrorKind::ALL.iter().map(|kind| kind.code()).collect();
        assert_eq!(codes.len(), ErrorKind::ALL.len());
    }
}
