//! What is said of messages that were sent, and of one that may have been.

use serde_json::{Value, json};
use webmessaging::bots::operations::SEND_MESSAGE;
use webmessaging::bots::{Delivered, Message, Reason, SendMessage, Undelivered};
use webmessaging::http::Sent;
use webmessaging::model::ConversationId;
use webmessaging::{Error, ErrorKind};

use crate::failure::{Exit, Failure};
use crate::output::{Output, table};

/// A message as it goes out, and nothing of what it says.
pub(super) struct Shape {
    kind: &'static str,
    bytes: usize,
    sha256: String,
}

impl Shape {
    pub(super) fn of(message: &Message) -> Self {
        // The digest is that of the body, which has neither of the ids.
        let sha256 = hex::encode(SendMessage::new("-", "-", message).sha256());
        let bytes = serde_json::to_vec(message).map_or(0, |body| body.len());
        Self { kind: message.message_type().as_str(), bytes, sha256 }
    }

    fn to_json(&self) -> Value {
        json!({"type": self.kind, "bytes": self.bytes, "sha256": self.sha256})
    }
}

/// Why a message is not known to be there.
pub(super) struct Trouble {
    request_id: String,
    reason: &'static str,
    may_have_arrived: bool,
    failure: Failure,
    exit: Exit,
}

impl Trouble {
    /// Nobody has waited for the answer.
    pub(super) fn interrupted(request_id: String) -> Self {
        let error = Error::new(ErrorKind::Canceled, Sent::Maybe).with_operation(&SEND_MESSAGE);
        let (failure, exit) = (error.into(), Exit::Interrupted);
        Self { request_id, reason: "interrupted", may_have_arrived: true, failure, exit }
    }
}

impl From<Undelivered> for Trouble {
    fn from(undelivered: Undelivered) -> Self {
        let (reason, may_have_arrived) = (undelivered.reason, !undelivered.can_repeat());
        let error = undelivered.error;
        let error = error
            .unwrap_or_else(|| Error::new(ErrorKind::Interrupted, Sent::Maybe).with_operation(&SEND_MESSAGE));
        let failure = Failure::from(error);
        // Whatever was in the way: somebody has to look before it is tried again.
        let exit = if reason == Reason::Unknown { Exit::Unavailable } else { failure.exit() };
        Self { request_id: undelivered.request_id, reason: reason.as_str(), may_have_arrived, failure, exit }
    }
}

/// What became of the messages of a command.
pub(super) struct Ended<'a> {
    conversation: &'a ConversationId,
    pub(super) sent: Vec<(Shape, Delivered)>,
    pub(super) failed: Option<(Shape, Trouble)>,
    pub(super) not_sent: usize,
}

impl<'a> Ended<'a> {
    pub(super) fn new(conversation: &'a ConversationId) -> Self {
        Self { conversation, sent: Vec::new(), failed: None, not_sent: 0 }
    }

    pub(super) fn report(&self, output: Output) -> Result<Exit, Failure> {
        if output.is_for_people() {
            let sent: Vec<_> = self.sent.iter().map(|(shape, delivered)| to_text(shape, delivered)).collect();
            if !sent.is_empty() {
                output.note(&sent.join("\n"))?;
            }
        } else {
            output.result(&self.to_json(), String::new)?;
        }
        let Some((_, trouble)) = &self.failed else { return Ok(Exit::Success) };
        output.complain(&trouble.failure)?;
        output.warn(&self.advice(trouble))?;
        Ok(trouble.exit)
    }

    fn to_json(&self) -> Value {
        let messages: Vec<_> =
            self.sent.iter().map(|(shape, delivered)| sent_json(shape, delivered)).collect();
        let mut report = json!({
            "ok": self.failed.is_none(), "conversationId": self.conversation, "messages": messages,
            "notSent": self.not_sent,
        });
        if let (Some((shape, trouble)), Value::Object(fields)) = (&self.failed, &mut report) {
            let failed = with(
                shape.to_json(),
                &json!({
                    "requestId": trouble.request_id, "reason": trouble.reason, "mayHaveArrived": trouble.may_have_arrived,
                }),
            );
            fields.insert("failed".to_owned(), failed);
            fields.insert("error".to_owned(), trouble.failure.json());
        }
        report
    }

    /// What somebody has to know before it is tried again.
    fn advice(&self, trouble: &Trouble) -> String {
        let (id, conversation) = (&trouble.request_id, self.conversation);
        let mut lines = Vec::new();
        if trouble.reason == Reason::NotRecorded.as_str() {
            lines.push(format!("message {id} has arrived, and is not on record: do not send it again"));
        } else if trouble.may_have_arrived {
            lines.push(format!("message {id} may have arrived: do not send it again before you have looked"));
            lines.push(format!(
                "whether it has: GET /api/v2/conversations/{conversation}/messages lists what has, each with its `requestId`"
            ));
            lines.push(
                "whether it was read: `webmessaging bots receipts` of the log that it is recorded in"
                    .to_owned(),
            );
        } else {
            lines.push(format!("message {id} has not arrived"));
        }
        if !self.sent.is_empty() || self.not_sent > 0 {
            lines.push(format!(
                "before it {} were sent, and {} behind it were not",
                self.sent.len(),
                self.not_sent
            ));
        }
        lines.join("\n")
    }
}

/// What would be sent.
pub(super) fn dry_run(messages: &[Message], output: Output) -> Result<Exit, Failure> {
    let shapes: Vec<_> = messages.iter().map(Shape::of).collect();
    let json: Vec<_> = shapes.iter().map(Shape::to_json).collect();
    output.result(&json!({"ok": true, "dryRun": true, "messages": json}), || {
        let rows = shapes
            .iter()
            .map(|shape| vec![shape.kind.to_owned(), shape.bytes.to_string(), shape.sha256.clone()]);
        format!("{}\nno rule is broken, nothing was sent", table(&["type", "bytes", "sha-256"], rows))
    })?;
    Ok(Exit::Success)
}

fn sent_json(shape: &Shape, delivered: &Delivered) -> Value {
    let facts = delivered.facts.as_ref();
    with(
        shape.to_json(),
        &json!({
            "messageId": delivered.message_id, "requestId": delivered.request_id,
            "latencyMs": facts.map(|facts| facts.latency.as_millis()), "attempts": facts.map(|facts| facts.attempts),
            "foundAgain": facts.is_none(),
        }),
    )
}

fn with(mut json: Value, more: &Value) -> Value {
    if let (Value::Object(fields), Value::Object(more)) = (&mut json, more) {
        fields.extend(more.clone());
    }
    json
}

fn to_text(shape: &Shape, delivered: &Delivered) -> String {
    let row = |name: &str, value: String| vec![name.to_owned(), value];
    let latency = delivered.facts.as_ref().map(|facts| format!("{} ms", facts.latency.as_millis()));
    let latency = latency.unwrap_or_else(|| {
        "not known: the answer was lost, and the message was found in its conversation".to_owned()
    });
    let rows = [
        row("request", delivered.request_id.clone()),
        row("type", shape.kind.to_owned()),
        row("bytes", shape.bytes.to_string()),
        row("sha-256", hex::encode(delivered.sha256)),
        row("latency", latency),
    ];
    table(&["message", delivered.message_id.as_str()], rows)
}
