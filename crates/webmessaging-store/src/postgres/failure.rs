//! What an error of PostgreSQL means for who called the store.

use std::fmt;

use crate::error::{Error, ErrorKind};

impl From<tokio_postgres::Error> for Error {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(told) = error.as_db_error() else {
            let is_io =
                std::error::Error::source(&error).is_some_and(<dyn std::error::Error>::is::<std::io::Error>);
            let kind = if is_io || error.is_closed() { ErrorKind::Unavailable } else { ErrorKind::Internal };
            // These never print a value, other than those of the server.
            return Self::new(kind).with_source(error);
        };
        let code = told.code().code();
        let cause = Cause { code: code.to_owned(), message: told.message().to_owned() };
        Self::new(kind(code)).with_source(cause)
    }
}

/// By the codes of appendix A of the manual, <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
fn kind(code: &str) -> ErrorKind {
    match code {
        // Out of disk.
        "53100" => ErrorKind::Full,
        // Read-only transaction: a standby, or a server that was set so.
        "25006" => ErrorKind::ReadOnly,
        // Data or index corrupted.
        "XX001" | "XX002" => ErrorKind::Corrupt,
        // Canceled by a timeout, lock not to be had, serialization, deadlock: the transaction is taken back.
        "57014" | "55P03" | "40001" | "40P01" => ErrorKind::Busy,
        // A unique key that somebody else took at the same moment.
        "23505" => ErrorKind::Conflict,
        // Shutting down, crashed, starting.
        "57P01" | "57P02" | "57P03" => ErrorKind::Unavailable,
        // No such database, no right.
        "3D000" | "42501" => ErrorKind::Configuration,
        _ => match code.get(..2) {
            Some("08") => ErrorKind::Unavailable,
            // Credentials.
            Some("28") => ErrorKind::Configuration,
            // Out of memory or connections.
            Some("53") => ErrorKind::Busy,
            _ => ErrorKind::Internal,
        },
    }
}

/// What the server said, without the detail, which quotes values.
#[derive(Debug)]
struct Cause {
    code: String,
    message: String,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.code)
    }
}

impl std::error::Error for Cause {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_the_server_become_kinds() {
        for (code, expected) in [
            ("53100", ErrorKind::Full),
            ("53300", ErrorKind::Busy),
            ("23505", ErrorKind::Conflict),
            ("25006", ErrorKind::ReadOnly),
            ("40P01", ErrorKind::Busy),
            ("57P03", ErrorKind::Unavailable),
            ("08006", ErrorKind::Unavailable),
            ("28P01", ErrorKind::Configuration),
            ("3D000", ErrorKind::Configuration),
            ("XX001", ErrorKind::Corrupt),
            ("42P01", ErrorKind::Internal),
            ("", ErrorKind::Internal),
        ] {
            assert_eq!(kind(code), expected, "{code}");
        }
    }
}
