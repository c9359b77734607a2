//! How the command ends: its exit codes, and what it says when it fails.

mod local;

use std::error::Error as StdError;
use std::process::ExitCode;

use serde_json::{Value, json};
use webmessaging::model::{Code, ScanVerdict, Violation, limits};
use webmessaging::{Error, ErrorKind};

pub(crate) use self::local::Local;

/// Where the errors are explained.
const ERRORS_PAGE: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/errors.md");

/// The exit codes, with their meaning; `docs/reference/exit-codes.md` explains them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Success = 0,
    Internal = 1,
    /// Of `channels plan`, whose exit codes are a convention of their own; otherwise 2 is clap's, for wrong usage.
    Pending = 2,
    InvalidInput = 3,
    Blocked = 4,
    Refused = 5,
    Unavailable = 6,
    Damaged = 7,
    // 128 and the number of the signal, as shells have it.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl Exit {
    /// Of plans: what is asked for cannot be done as it stands.
    pub(crate) const CONFLICT: Self = Self::InvalidInput;

    /// Where a scan's verdict leads.
    pub(crate) fn of_verdict(verdict: ScanVerdict) -> Self {
        if verdict == ScanVerdict::Clean { Self::Success } else { Self::Blocked }
    }
}

/// Why the command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A call failed, or was refused before it was made.
    Call {
        error: Error,
        /// What it was about, as the user named it; the error itself repeats no input.
        subject: Option<String>,
    },
    /// The input, the setup, the store, the audit log or a delivery is not as it should be.
    Local(Box<Local>),
    /// Something on this machine failed.
    Internal { message: &'static str, source: Box<dyn StdError> },
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Call { error, subject: None }
    }
}

impl Failure {
    pub(crate) fn internal(message: &'static str, source: impl Into<Box<dyn StdError>>) -> Self {
        Self::Internal { message, source: source.into() }
    }

    pub(crate) fn about(error: Error, subject: impl Into<String>) -> Self {
        Self::Call { error, subject: Some(subject.into()) }
    }

    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Internal { .. } => Exit::Internal,
            Self::Local(failure) => failure.exit(),
            Self::Call { error, .. } => match error.kind() {
                ErrorKind::InvalidInput | ErrorKind::Source | ErrorKind::Configuration => Exit::InvalidInput,
                ErrorKind::Authentication
                | ErrorKind::Permission
                | ErrorKind::NotFound
                | ErrorKind::Conflict
                | ErrorKind::Rejected => Exit::Refused,
                ErrorKind::Canceled => Exit::Interrupted,
                // It was done; what failed is here.
                ErrorKind::NotRecorded => Exit::Internal,
                // No answer, none in time, none that makes sense or can be trusted, or a server in trouble.
                _ => Exit::Unavailable,
            },
        }
    }

    /// The lines for a person: what failed, each broken rule, the causes, what can be done, and where to read on.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Local(failure) => failure.text(),
            Self::Internal { message, source } => {
                let mut lines = vec![format!("error: {message}: {source}")];
                lines.extend(causes(source.source()));
                lines.join("\n")
            }
            Self::Call { error, subject } => {
                let code = error.kind().code();
                let subject = subject.as_ref().map(|subject| format!("{subject}: ")).unwrap_or_default();
                let mut lines = vec![match error.violations() {
                    None => format!("error[{code}]: {subject}{error}"),
                    Some(_) => format!("error[{code}]: {subject}{}", error.kind()),
                }];
                lines.extend(error.violations().into_iter().flatten().map(|broken| format!("  - {broken}")));
                lines.extend(server_details(error));
                lines.extend(causes(StdError::source(error)));
                lines.push(String::new());
                lines.extend(hints(error).map(|hint| format!("hint: {hint}")));
                lines.push(format!("hint: {ERRORS_PAGE}#{code}"));
                lines.join("\n")
            }
        }
    }

    /// The same for a program.
    pub(crate) fn json(&self) -> Value {
        match self {
            Self::Local(failure) => failure.json(),
            Self::Internal { message, source } => {
                json!({"kind": "internal", "message": format!("{message}: {source}")})
            }
            Self::Call { error, subject } => json!({
                "kind": error.kind().code(),
                "message": error.to_string(),
                "subject": subject,
                "made": error.subject(),
                "operation": error.operation().map(|operation| operation.name),
                "status": error.status().map(|status| status.as_u16()),
                "code": error.api().and_then(|api| api.code.as_deref()),
                "details": error.api().map_or_else(Vec::new, |api| {
                    let details = api.details.iter();
                    let json = |detail: &webmessaging::http::ApiDetail| {
                        json!({"field": detail.field, "code": detail.code, "message": detail.message})
                    };
                    details.map(json).collect()
                }),
                "sent": error.sent().as_str(),
                "transient": error.is_transient(),
                "canRepeat": error.can_repeat(),
                "retryAfterSeconds": error.retry_after().map(|wait| wait.as_secs()),
                "attempts": error.attempts(),
                "requestId": error.request_id(),
                "correlationId": error.correlation_id(),
                "violations": error.violations(),
            }),
        }
    }
}

/// What the platform says about single fields.
fn server_details(error: &Error) -> impl Iterator<Item = String> {
    let details = error.api().map(|api| api.details.as_slice()).unwrap_or_default();
    details.iter().map(|detail| {
        let parts = [&detail.field, &detail.code, &detail.message];
        let parts: Vec<_> = parts.into_iter().filter_map(Option::as_deref).collect();
        format!("  - the server: {}", parts.join(": "))
    })
}

fn causes(mut source: Option<&(dyn StdError + 'static)>) -> Vec<String> {
    let mut lines = Vec::new();
    while let Some(error) = source {
        lines.push(format!("  caused by: {error}"));
        source = error.source();
    }
    lines
}

/// What a person can do about it.
fn hints(error: &Error) -> impl Iterator<Item = &'static str> {
    let from_name = error
        .violations()
        .into_iter()
        .flatten()
        .any(|violation| violation.path == "contentType" && violation.code == Code::NotAllowed);
    let is_long_text = |violation: &Violation| {
        violation.rule == limits::BOT_TEXT_CHARACTERS_MAX.name && violation.code == Code::TooLong
    };
    let can_be_split = error.violations().into_iter().flatten().any(is_long_text);
    let hints = [
        (can_be_split, "a TEXT that is too long is cut into several messages with --split"),
        (from_name, "the media type is told from the file name; --content-type announces another one"),
        (error.is_transient() && error.can_repeat(), "the same command can work later"),
    ];
    hints.into_iter().filter_map(|(applies, hint)| applies.then_some(hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = include_str!("../../../docs/reference/exit-codes.md");

    #[test]
    fn the_page_has_a_row_for_every_exit_code() {
        let rows: Vec<u8> = PAGE
            .lines()
            .filter_map(|line| line.strip_prefix("| ")?.split_once(" |")?.0.parse().ok())
            .collect();
        let exits = [
            Exit::Success,
            Exit::Internal,
            Exit::Pending,
            Exit::InvalidInput,
            Exit::Blocked,
            Exit::Refused,
            Exit::Unavailable,
            Exit::Damaged,
            Exit::Interrupted,
        ];
        let codes: Vec<u8> = exits.into_iter().map(|exit| exit as u8).collect();
        assert_eq!(rows, codes);
    }
}
