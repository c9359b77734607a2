//! Why a widget cannot be made.

use std::fmt;
use std::io;

/// Why a widget cannot be made.
#[derive(Debug)]
#[non_exhaustive]
pub enum WidgetError {
    /// No origin was named: no browser could use it.
    NoOrigin,
    /// Something named as an origin is none.
    Origin {
        /// What was named.
        origin: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// No file can be kept in the folder for files that wait.
    Spool(io::Error),
}

impl fmt::Display for WidgetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoOrigin => f.write_str("no origin is allowed, name at least one"),
            Self::Origin { origin, reason } => write!(f, "not an origin, {reason}: {origin}"),
            Self::Spool(_) => f.write_str("no file can be kept in the folder for files that wait"),
        }
    }
}

impl std::error::Error for WidgetError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Spool(error) => Some(error),
            Self::NoOrigin | Self::Origin { .. } => None,
        }
    }
}
