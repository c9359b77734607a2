//! What came of a message that a sender has accepted.

use std::error::Error as StdError;
use std::fmt;

use webmessaging_http::{Error, Facts};
use webmessaging_model::MessageId;

use crate::client::SentMessage;

/// A message that has arrived.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Delivered {
    /// Its id; where the platform names none, that of the request.
    pub message_id: MessageId,
    /// The `X-Genesys-Request-Id` that it was sent with.
    pub request_id: String,
    /// The SHA-256 of the bytes that were sent.
    pub sha256: [u8; 32],
    /// How the call went; nothing where its answer was lost and the message was found in its conversation.
    pub facts: Option<Facts>,
}

/// Why nobody says that a message has arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// It was refused, and has not arrived: by our rules, or by the platform.
    Refused,
    /// It has not arrived, after every round, or because the login failed. What was behind it in its conversation was handed back, too.
    GaveUp,
    /// It was not sent, because of one before it in its conversation.
    Behind,
    /// It may have arrived, and nobody can say. Its conversation is stopped.
    Unknown,
    /// It has arrived, and could not be recorded.
    NotRecorded,
}

impl Reason {
    /// Its stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::GaveUp => "gave_up",
            Self::Behind => "behind",
            Self::Unknown => "unknown",
            Self::NotRecorded => "not_recorded",
        }
    }
}

/// A message of which nobody says that it has arrived.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Undelivered {
    /// Why.
    pub reason: Reason,
    /// The `X-Genesys-Request-Id` that it was sent with, or would have been.
    pub request_id: String,
    /// What went wrong, where this message was sent.
    pub error: Option<Error>,
}

impl From<SentMessage> for Delivered {
    fn from(sent: SentMessage) -> Self {
        let SentMessage { message_id, request_id, sha256, facts } = sent;
        Self { message_id, request_id, sha256, facts: Some(facts) }
    }
}

impl Undelivered {
    pub(crate) fn new(reason: Reason, request_id: &str, error: Error) -> Self {
        Self { reason, request_id: request_id.to_owned(), error: Some(error) }
    }

    /// A message that was not sent, because of one before it in its conversation.
    pub fn not_sent(request_id: &str) -> Self {
        Self { reason: Reason::Behind, request_id: request_id.to_owned(), error: None }
    }

    /// A message of which nobody can say whether it has arrived.
    pub fn unknown(request_id: &str) -> Self {
        Self { reason: Reason::Unknown, request_id: request_id.to_owned(), error: None }
    }

    /// Whether it has certainly not arrived, so that it can be sent again.
    pub fn can_repeat(&self) -> bool {
        matches!(self.reason, Reason::Refused | Reason::GaveUp | Reason::Behind)
    }
}

impl fmt::Display for Undelivered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = &self.request_id;
        match self.reason {
            Reason::Refused => write!(f, "message {id} was refused")?,
            Reason::GaveUp => write!(f, "message {id} could not be sent")?,
            Reason::Behind => {
                write!(f, "message {id} was not sent: one before it in its conversation failed")?;
            }
            Reason::Unknown => {
                write!(f, "message {id} may have arrived; its conversation is stopped until somebody looks")?;
            }
            Reason::NotRecorded => write!(f, "message {id} has arrived and could not be recorded")?,
        }
        match &self.error {
            Some(error) => write!(f, ": {error}"),
            None => Ok(()),
        }
    }
}

impl StdError for Undelivered {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.error.as_ref().map(|error| error as _)
    }
}
