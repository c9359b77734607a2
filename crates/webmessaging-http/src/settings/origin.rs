//! Where a value comes from, which every error about it begins with.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use crate::error::Error;

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// An environment variable.
    Variable(&'static str),
    /// A line of the file, counted from 1.
    File {
        /// The file.
        path: Arc<Path>,
        /// The line.
        line: usize,
    },
    /// Code, or the flag of a command that code set it for.
    Code(Option<&'static str>),
}

impl Origin {
    /// An error about what was found here. It must not repeat a value.
    pub(super) fn refuse(&self, what: impl fmt::Display) -> Error {
        Error::configuration(format!("{self}: {what}"))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Variable(name) => f.write_str(name),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Code(None) => f.write_str("code"),
            Self::Code(Some(flag)) => f.write_str(flag),
        }
    }
}
