//! What an answer means for what was sent: taken, later, never, or never again anything.

use std::time::Duration;

use bytes::Bytes;
use webmessaging_http::{Answer, Error, ErrorKind};

/// What becomes of the items of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The other side has them.
    Done {
        /// It said that it had them before.
        duplicate: bool,
    },
    /// They are tried again.
    Later {
        /// How long the other side asked to be left alone.
        asked: Option<Duration>,
    },
    /// Nothing was sent, since the host is left alone for a while; no attempt was made.
    NotSent {
        /// For how long.
        wait: Duration,
    },
    /// The other side does not want them as they are.
    Refused,
    /// There is nobody any more, 410: the target is switched off.
    Gone,
}

/// A verdict, and what it rests on: names and numbers, nothing that the other side wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Judged {
    pub(crate) verdict: Verdict,
    /// The stable code of what was in the way; empty where nothing was.
    pub(crate) cause: &'static str,
    pub(crate) status: Option<u16>,
}

impl Judged {
    /// Why something was not delivered, for people.
    pub(crate) fn reason(&self) -> String {
        match self.status {
            Some(status) => format!("{}, status {status}", self.cause),
            None => self.cause.to_owned(),
        }
    }
}

/// What came of a request.
///
/// `conflict_is_done` says what 409 means; `answers_each` that the body of a success tells of each item, so that one which broke off
/// is not known to be a success.
pub(crate) fn judge(
    outcome: &Result<Answer<Bytes>, Error>,
    conflict_is_done: bool,
    answers_each: bool,
) -> Judged {
    let error = match outcome {
        Ok(answer) => {
            let status = Some(answer.facts.status.as_u16());
            // A login page, or a proxy's: whoever wrote it has not taken anything.
            return if is_web_page(&answer.value) {
                Judged { verdict: Verdict::Later { asked: None }, cause: "web_page", status }
            } else {
                Judged { verdict: Verdict::Done { duplicate: false }, cause: "", status }
            };
        }
        Err(error) => error,
    };
    let status = error.status().map(|status| status.as_u16());
    let verdict = match status {
        // Taken, whatever became of the rest of the answer.
        Some(200..=299) if !answers_each || error.kind() == ErrorKind::UnexpectedAnswer => {
            Verdict::Done { duplicate: false }
        }
        Some(409) if conflict_is_done => Verdict::Done { duplicate: true },
        Some(410) => Verdict::Gone,
        // A key that was withdrawn, or a URL that is not the right one: it is the target's fault and not the item's.
        Some(401 | 403..=405 | 407) => Verdict::Later { asked: None },
        Some(408 | 425 | 429) => Verdict::Later { asked: error.retry_after() },
        Some(400..=499) => Verdict::Refused,
        _ if error.kind() == ErrorKind::CircuitOpen => {
            Verdict::NotSent { wait: error.retry_after().unwrap_or_default() }
        }
        _ => Verdict::Later { asked: error.retry_after() },
    };
    Judged { verdict, cause: error.kind().code(), status }
}

fn is_web_page(body: &[u8]) -> bool {
    let start = body.trim_ascii_start();
    [&b"<!doctype html"[..], b"<html"]
        .iter()
        .any(|tag| start.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag)))
}

#[cfg(test)]
mod tests {
    use webmessaging_http::Sent;

    use super::*;

    #[test]
    fn a_page_is_no_receipt() {
        for page in ["<!DOCTYPE html><title>Log in</title>", "\n <HTML lang=en>"] {
            assert!(is_web_page(page.as_bytes()), "{page}");
        }
        for receipt in ["", "{}", "<receipt/>", "<?xml version=\"1.0\"?><ok/>", "<htm"] {
            assert!(!is_web_page(receipt.as_bytes()), "{receipt}");
        }
    }

    #[test]
    fn what_got_no_answer_is_tried_again() {
        for kind in [
            ErrorKind::Connect,
            ErrorKind::Interrupted,
            ErrorKind::Timeout,
            ErrorKind::Tls,
            ErrorKind::Configuration,
        ] {
            let judged = judge(&Err(Error::new(kind, Sent::Maybe)), true, true);
            assert_eq!(judged.verdict, Verdict::Later { asked: None });
            assert_eq!(judged.reason(), kind.code());
        }
        let open = judge(&Err(Error::new(ErrorKind::CircuitOpen, Sent::No)), true, true);
        assert_eq!(open.verdict, Verdict::NotSent { wait: Duration::ZERO });
    }
}
