//! What an error says: one line for a person, its parts for a programmer.

use std::fmt;

use super::{Error, ErrorKind, Place};
use crate::paging::PageKey;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        if let Some(operation) = inner.operation {
            write!(f, "{}: ", operation.name)?;
        }
        match &inner.message {
            Some(message) => f.write_str(message)?,
            None => inner.kind.fmt(f)?,
        }
        if let Some(violations) = &inner.violations {
            write!(f, ": {violations}")?;
        }
        if let Some(id) = &inner.subject {
            write!(f, ", made `{id}`")?;
        }
        if let Some(status) = inner.status {
            write!(f, ", status {}", status.as_u16())?;
        }
        if let Some(api) = &inner.api {
            if let Some(code) = &api.code {
                write!(f, ", code `{code}`")?;
            }
            if let Some(message) = &api.message {
                write!(f, ", the server says `{message}`")?;
            }
        }
        if let (ErrorKind::Permission, Some(operation)) = (inner.kind, inner.operation)
            && !operation.scopes.is_empty()
        {
            write!(f, ", needs scope `{}`", operation.scopes.join(" "))?;
        }
        if let Some(wait) = inner.retry_after {
            // Rounded up: whoever waits so long has waited long enough.
            write!(f, ", retry after {} s", wait.as_secs() + u64::from(wait.subsec_nanos() > 0))?;
        }
        if inner.attempts > 1 {
            write!(f, ", {} attempts", inner.attempts)?;
        }
        if let Some(Place { key, pages_before }) = &inner.page {
            write!(f, ", at {key}")?;
            if !matches!(key, PageKey::First | PageKey::Number(_)) {
                write!(f, ", {pages_before} pages before it")?;
            }
        }
        if let Some(id) = &inner.request_id {
            write!(f, ", request {id}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        f.debug_struct("Error")
            .field("kind", &inner.kind)
            .field("sent", &inner.sent)
            .field("attempts", &inner.attempts)
            .field("operation", &inner.operation.map(|operation| operation.name))
            .field("status", &inner.status)
            .field("retry_after", &inner.retry_after)
            .field("message", &inner.message)
            .field("api", &inner.api)
            .field("request_id", &inner.request_id)
            .field("correlation_id", &inner.correlation_id)
            .field("subject", &inner.subject)
            .field("violations", &inner.violations)
            .field("page", &inner.page)
            .field("source", &inner.source)
            .finish()
    }
}
