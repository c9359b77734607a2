//! What can go wrong with a store.

use std::fmt;

/// What went wrong. The code of each kind is a heading of `docs/errors.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The input breaks the store's limits; nothing was written.
    InvalidInput,
    /// There is no such thing, or it is no longer in the state that the call is for.
    NotFound,
    /// It exists already, with another content, or has gone on since the caller looked at it.
    Conflict,
    /// Somebody else has taken over, or it is finished: what this caller did is not written.
    LeaseLost,
    /// The store has more to do than it can, or another process does not let it write; nothing was written.
    Busy,
    /// The store cannot be reached. When the connection broke in the middle, the call can have been done or not.
    Unavailable,
    /// There is no room left; nothing was written.
    Full,
    /// The store can be read, not written; nothing was written.
    ReadOnly,
    /// What is stored is damaged, or is not a store.
    Corrupt,
    /// A newer version has written the store; this one leaves it alone.
    NewerSchema,
    /// The store is set up in a way that cannot work.
    Configuration,
    /// The engine refused for a reason that this version does not know; the source says which.
    Internal,
}

impl ErrorKind {
    /// Every kind, for documentation and tests.
    pub const ALL: &'static [Self] = &[
        Self::InvalidInput,
        Self::NotFound,
        Self::Conflict,
        Self::LeaseLost,
        Self::Busy,
        Self::Unavailable,
        Self::Full,
        Self::ReadOnly,
        Self::Corrupt,
        Self::NewerSchema,
        Self::Configuration,
        Self::Internal,
    ];

    /// The stable name, as it appears in JSON and in the documentation.
    pub const fn code(self) -> &'static str {
        self.texts().0
    }

    /// Whether the same call can succeed later.
    pub(super) const fn is_transient(self) -> bool {
        matches!(self, Self::Busy | Self::Unavailable | Self::Full)
    }

    const fn texts(self) -> (&'static str, &'static str) {
        match self {
            Self::InvalidInput => ("invalid_input", "the input is not valid"),
            Self::NotFound => ("not_found", "not found, or no longer in a state for this: list it again"),
            Self::Conflict => ("conflict", "it exists already, with another content: use another key"),
            Self::LeaseLost => (
                "lease_lost",
                "somebody else has taken over or it is finished: leave it, nothing was written",
            ),
            Self::Busy => ("busy", "the store is busy: try again later, nothing was written"),
            Self::Unavailable => {
                ("unavailable", "the store cannot be reached: check that it runs, then try again")
            }
            Self::Full => ("full", "the disk or the store is full: make room, nothing was written"),
            Self::ReadOnly => {
                ("read_only", "the store cannot be written: check its permissions, nothing was written")
            }
            Self::Corrupt => ("corrupt", "the store is damaged or is not a store: restore it from a backup"),
            Self::NewerSchema => (
                "newer_schema",
                "a newer version has written the store: use that version, this one leaves it alone",
            ),
            Self::Configuration => ("configuration", "the store is not set up for this"),
            Self::Internal => ("internal", "the store's engine refused: see the cause"),
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
}
