//! Failures of what is on this machine: input and setup, the store, the audit log, and deliveries that are refused.

use std::error::Error as StdError;

use serde_json::{Value, json};
use webmessaging::model::Violations;
use webmessaging::{journal, store, sync, webhooks};

use super::{ERRORS_PAGE, Exit, Failure, causes};

/// Where refused deliveries are explained.
const WEBHOOKS_PAGE: &str =
    concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/guides/verify-webhooks.md#why-was-it-refused");

/// Where targets are described.
const SYNC_PAGE: &str =
    concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/guides/synchronize.md#targets");

/// Where the audit log is described.
const AUDIT_PAGE: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/reference/audit-log.md");

/// Why the command failed, without the platform having a part in it.
#[derive(Debug)]
pub(crate) struct Local {
    exit: Exit,
    /// The stable name; but for input and setup with the part in front, as in `store.not_found`.
    kind: String,
    message: String,
    subject: Option<String>,
    is_transient: bool,
    violations: Option<Violations>,
    hints: Vec<&'static str>,
    causes: Vec<String>,
}

impl Local {
    /// Something is wrong with the input or the setup.
    pub(crate) fn input(kind: &str, message: impl Into<String>) -> Self {
        Self::new(Exit::InvalidInput, kind.to_owned(), message)
    }

    fn new(exit: Exit, kind: String, message: impl Into<String>) -> Self {
        Self {
            exit,
            kind,
            message: message.into(),
            subject: None,
            is_transient: false,
            violations: None,
            hints: Vec::new(),
            causes: Vec::new(),
        }
    }

    /// Names what it is about, as the user named it.
    pub(crate) fn about(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// Adds what can be done about it.
    pub(crate) fn hint(mut self, hint: &'static str) -> Self {
        self.hints.push(hint);
        self
    }

    /// Adds the cause.
    pub(crate) fn caused_by(mut self, error: impl StdError + 'static) -> Self {
        self.causes = causes(Some(&error));
        self
    }

    pub(super) fn exit(&self) -> Exit {
        self.exit
    }

    pub(super) fn text(&self) -> String {
        let subject = self.subject.as_ref().map(|subject| format!("{subject}: ")).unwrap_or_default();
        let mut lines = vec![format!("error[{}]: {subject}{}", self.kind, self.message)];
        lines.extend(self.violations.iter().flatten().map(|broken| format!("  - {broken}")));
        lines.extend(self.causes.iter().cloned());
        let later = self.is_transient.then_some("the same command can work later");
        let hints = self.hints.iter().copied().chain(later).map(str::to_owned);
        let hints: Vec<_> = hints.chain(self.page()).map(|hint| format!("hint: {hint}")).collect();
        if !hints.is_empty() {
            lines.push(String::new());
            lines.extend(hints);
        }
        lines.join("\n")
    }

    /// Where the error is explained; input and setup explain themselves. Anchors leave out the dots of their headings.
    fn page(&self) -> Option<String> {
        let anchor = self.kind.contains('.').then(|| self.kind.replace('.', ""))?;
        Some(format!("{ERRORS_PAGE}#{anchor}"))
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "kind": self.kind,
            "message": self.message,
            "subject": self.subject,
            "transient": self.is_transient,
            "violations": self.violations,
        })
    }
}

impl From<Violations> for Local {
    fn from(violations: Violations) -> Self {
        Self { violations: Some(violations), ..Self::input("invalid_input", "the input is not valid") }
    }
}

impl From<store::Error> for Local {
    fn from(error: store::Error) -> Self {
        use store::ErrorKind as Kind;

        let exit = match error.kind() {
            Kind::InvalidInput
            | Kind::NotFound
            | Kind::Conflict
            | Kind::LeaseLost
            | Kind::NewerSchema
            | Kind::Configuration => Exit::InvalidInput,
            Kind::Busy | Kind::Unavailable => Exit::Unavailable,
            Kind::Corrupt => Exit::Damaged,
            _ => Exit::Internal,
        };
        let message = if error.violations().is_some() { error.kind().to_string() } else { error.to_string() };
        Self {
            is_transient: error.is_transient(),
            violations: error.violations().cloned(),
            causes: causes(error.source()),
            ..Self::new(exit, format!("store.{}", error.kind().code()), message)
        }
    }
}

impl From<journal::Error> for Local {
    fn from(error: journal::Error) -> Self {
        use journal::ErrorKind as Kind;

        let exit = match error.kind() {
            Kind::Locked | Kind::TooLarge => Exit::InvalidInput,
            Kind::Damaged => Exit::Damaged,
            _ => Exit::Internal,
        };
        // The error itself says its cause.
        let causes = causes(error.source().and_then(StdError::source));
        Self { causes, ..Self::new(exit, format!("audit.{}", error.kind().code()), error.to_string()) }
            .hint(AUDIT_PAGE)
    }
}

impl From<sync::Error> for Local {
    fn from(error: sync::Error) -> Self {
        use sync::ErrorKind as Kind;

        // What the store says is told as everywhere else.
        if let Some(error) = error.source().and_then(|source| source.downcast_ref::<store::Error>()) {
            return error.clone().into();
        }
        let exit = match error.kind() {
            Kind::Configuration | Kind::InvalidPayload | Kind::NotFound => Exit::InvalidInput,
            Kind::Busy => Exit::Unavailable,
            _ => Exit::Internal,
        };
        Self {
            is_transient: error.kind() == Kind::Busy,
            causes: causes(error.source()),
            ..Self::new(exit, format!("sync.{}", error.kind().code()), error.to_string())
        }
        .hint(SYNC_PAGE)
    }
}

impl From<webhooks::Error> for Local {
    fn from(error: webhooks::Error) -> Self {
        let kind = format!("webhook.{}", error.kind().code());
        Self { causes: causes(error.source()), ..Self::new(Exit::InvalidInput, kind, error.to_string()) }
            .hint("`webmessaging webhooks explain` with the same arguments finds out which mistake it is")
            .hint(WEBHOOKS_PAGE)
    }
}

impl From<Local> for Failure {
    fn from(failure: Local) -> Self {
        Self::Local(Box::new(failure))
    }
}

impl From<Box<Local>> for Failure {
    fn from(failure: Box<Local>) -> Self {
        Self::Local(failure)
    }
}

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Self {
        Local::from(error).into()
    }
}

impl From<sync::Error> for Failure {
    fn from(error: sync::Error) -> Self {
        Local::from(error).into()
    }
}

impl From<journal::Error> for Failure {
    fn from(error: journal::Error) -> Self {
        Local::from(error).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_of_the_store_and_the_log_has_its_exit_code() {
        let exits: Vec<_> = store::ErrorKind::ALL
            .iter()
            .map(|kind| (kind.code(), Local::from(store::Error::new(*kind)).exit as u8))
            .collect();
        let expected = [
            ("invalid_input", 3),
            ("not_found", 3),
            ("conflict", 3),
            ("lease_lost", 3),
            ("busy", 6),
            ("unavailable", 6),
            ("full", 1),
            ("read_only", 1),
            ("corrupt", 7),
            ("newer_schema", 3),
            ("configuration", 3),
            ("internal", 1),
        ];
        assert_eq!(exits, expected);
        let log = |kind| Local::from(journal::Error::new(kind, "it is so")).exit;
        assert_eq!(log(journal::ErrorKind::Locked), Exit::InvalidInput);
        assert_eq!(log(journal::ErrorKind::Damaged), Exit::Damaged);
        assert_eq!(log(journal::ErrorKind::Io), Exit::Internal);
    }

    #[test]
    fn a_person_reads_what_it_is_about_why_and_what_to_do() {
        let disk = std::io::Error::from(std::io::ErrorKind::StorageFull);
        let error = store::Error::new(store::ErrorKind::Full).with_source(disk);
        let text = Local::from(error).about("store.db").text();
        let expected = "error[store.full]: store.db: the disk or the store is full: make room, nothing was written\n  \
                        caused by: no storage space\n\n\
                        hint: the same command can work later\n\
                        hint: ";
        assert_eq!(text, format!("{expected}{ERRORS_PAGE}#storefull"));
        assert!(include_str!("../../../../docs/errors.md").contains("\n## store.full\n"));
    }
}
