//! What a log says of messages and receipts, read as its records are copied out.

use std::io::{self, Write};

use serde::Deserialize;
use webmessaging::model::Timestamp;

/// In place of an id that a log must not have; any two of them look alike.
const REDACTED: &str = "[redacted]";

/// Something that happened to a message.
pub(super) struct Happened {
    pub(super) at: Timestamp,
    pub(super) what: What,
    pub(super) conversation: String,
    pub(super) message: String,
}

pub(super) enum What {
    Sent {
        kind: Option<String>,
    },
    /// It failed, and may have arrived all the same; the id is that of its request.
    MayBeSent,
    Read,
}

/// Takes a log record by record, and keeps what is about messages.
#[derive(Default)]
pub(super) struct Records {
    line: Vec<u8>,
    pub(super) happened: Vec<Happened>,
    /// Records about messages that do not say about which.
    pub(super) without_id: u64,
}

#[derive(Deserialize)]
struct Record {
    time: Timestamp,
    action: String,
    subject: Subject,
    details: Details,
}

#[derive(Deserialize)]
struct Subject {
    id: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Details {
    conversation_id: Option<String>,
    message_id: Option<String>,
    message_type: Option<String>,
    maybe_sent: bool,
    read_at: Option<Timestamp>,
}

impl Records {
    fn take(&mut self, line: &[u8]) {
        // Records of other things can have other details.
        let Ok(record) = serde_json::from_slice::<Record>(line) else { return };
        let Record { time, action, subject, details } = record;
        let (at, what, conversation, message) = match &*action {
            "bot_message.sent" => {
                (time, What::Sent { kind: details.message_type }, Some(subject.id), details.message_id)
            }
            "bot_message.failed" if details.maybe_sent => {
                (time, What::MayBeSent, Some(subject.id), details.message_id)
            }
            "message.read" => {
                (details.read_at.unwrap_or(time), What::Read, details.conversation_id, Some(subject.id))
            }
            _ => return,
        };
        match (conversation, message) {
            (Some(conversation), Some(message)) if conversation != REDACTED && message != REDACTED => {
                self.happened.push(Happened { at, what, conversation, message });
            }
            _ => self.without_id += 1,
        }
    }
}

impl Write for Records {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(part);
            if part.last() == Some(&b'\n') {
                let line = std::mem::take(&mut self.line);
                self.take(&line);
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
