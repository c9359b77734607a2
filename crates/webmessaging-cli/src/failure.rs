//! How the command ends: its exit codes, and what it says when it fails.

use std::error::Error as StdError;
use std::process::ExitCode;

use serde_json::{Value, json};
use webmessaging::model::ScanVerdict;
use webmessaging::{Error, ErrorKind};

/// The exit codes; the page `docs/reference/exit-codes.md` lists them, and a test compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Success = 0,
    Internal = 1,
    // 2 is clap's, for wrong usage.
    InvalidInput = 3,
    Blocked = 4,
    Refused = 5,
    Unavailable = 6,
    // 128 and the number of the signal, as shells have it.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl Exit {
    /// Where a scan's verdict leads; no verdict is asked for only when nobody waits for one.
    pub(crate) fn of_verdict(verdict: Option<ScanVerdict>) -> Self {
        match verdict {
            None | Some(ScanVerdict::Clean) => Self::Success,
            Some(_) => Self::Blocked,
        }
    }
}

/// Why the command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A call failed, or was refused before it was made.
    Call(Error),
    /// Something on this machine failed.
    Internal { message: &'static str, source: Box<dyn StdError> },
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Call(error)
    }
}

impl Failure {
    pub(crate) fn internal(message: &'static str, source: impl Into<Box<dyn StdError>>) -> Self {
        Self::Internal { message, source: source.into() }
    }

    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Internal { .. } => Exit::Internal,
            Self::Call(error) => match error.kind() {
                ErrorKind::InvalidInput | ErrorKind::Source | ErrorKind::Configuration => Exit::InvalidInput,
                ErrorKind::Authentication
                | ErrorKind::Permission
                | ErrorKind::NotFound
                | ErrorKind::Conflict
                | ErrorKind::Rejected => Exit::Refused,
                ErrorKind::Canceled => Exit::Interrupted,
                _ => Exit::Unavailable,
            },
        }
    }

    /// The lines for a person: what failed, each broken rule, the causes, and where to read on.
    pub(crate) fn text(&self) -> String {
        let (code, mut lines, source) = match self {
            Self::Internal { message, source } => {
                return format!("error: {message}: {source}");
            }
            Self::Call(error) => {
                let lines = if let Some(violations) = error.violations() {
                    let what = error.operation().map_or("", |operation| operation.name);
                    std::iter::once(format!("{what}: {}", error.kind()))
                        .chain(violations.iter().map(|violation| format!("  - {violation}")))
                        .collect()
                } else {
                    vec![error.to_string()]
                };
                (error.kind().code(), lines, StdError::source(error))
            }
        };
        let mut cause = source;
        while let Some(error) = cause {
            lines.push(format!("  caused by: {error}"));
            cause = error.source();
        }
        format!("error[{code}]: {}\n\nhint: docs/errors.md#{code}", lines.join("\n"))
    }

    /// The same for a program.
    pub(crate) fn json(&self) -> Value {
        match self {
            Self::Internal { message, source } => {
                json!({"ok": false, "error": {"kind": "internal", "message": format!("{message}: {source}")}})
            }
            Self::Call(error) => json!({"ok": false, "error": {
                "kind": error.kind().code(),
                "message": error.to_string(),
                "operation": error.operation().map(|operation| operation.name),
                "status": error.status().map(|status| status.as_u16()),
                "code": error.api().and_then(|api| api.code.as_deref()),
                "sent": error.sent().as_str(),
                "transient": error.is_transient(),
                "retryAfterSeconds": error.retry_after().map(|wait| wait.as_secs()),
                "attempts": error.attempts(),
                "requestId": error.request_id(),
                "correlationId": error.correlation_id(),
                "violations": error.violations(),
            }}),
        }
    }
}
