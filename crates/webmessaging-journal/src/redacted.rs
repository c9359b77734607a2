//! The form of an event that logs have: fixed names, measures and ids, what is allowed of the rest.

use std::borrow::Cow;

use serde::Serialize;
use webmessaging_model::Timestamp;

use crate::details::{Details, safe_actor, safe_id};
use crate::event::{Event, EventId};
use crate::facts::Facts;

/// An event as logs have it. Every record has every name; what is not known is `null`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Redacted<'a> {
    id: EventId,
    time: Timestamp,
    actor: Cow<'a, str>,
    action: Cow<'a, str>,
    subject: RedactedSubject<'a>,
    outcome: RedactedOutcome<'a>,
    operation: Option<Cow<'a, str>>,
    status: Option<u16>,
    attempts: Option<u32>,
    latency_ms: Option<u64>,
    request_id: Option<Cow<'a, str>>,
    correlation_id: Option<Cow<'a, str>>,
    payload_sha256: Option<String>,
    details: Details<'a>,
}

#[derive(Serialize)]
struct RedactedSubject<'a> {
    #[serde(rename = "type")]
    kind: Cow<'a, str>,
    id: Cow<'a, str>,
}

#[derive(Serialize)]
struct RedactedOutcome<'a> {
    result: &'static str,
    cause: Option<&'a str>,
}

impl<'a> Redacted<'a> {
    pub(crate) fn of(event: &'a Event) -> Self {
        let (subject, outcome) = (event.subject(), event.outcome());
        let Facts { operation, status, attempts, correlation_id, request_id, payload_sha256, .. } =
            &event.facts;
        Self {
            id: event.id,
            time: event.at,
            actor: safe_actor(event.actor.as_str()),
            action: safe_id(event.action()),
            subject: RedactedSubject { kind: safe_id(subject.kind), id: subject_id(subject.id) },
            outcome: RedactedOutcome { result: outcome.name(), cause: outcome.cause() },
            operation: operation.as_deref().map(safe_id),
            status: *status,
            attempts: *attempts,
            latency_ms: event.facts.latency_millis(),
            request_id: request_id.as_deref().map(safe_id),
            correlation_id: correlation_id.as_deref().map(safe_id),
            payload_sha256: payload_sha256.map(hex::encode),
            details: event.kind.details(),
        }
    }
}

/// Kinds that are not known have no id.
fn subject_id(id: &str) -> Cow<'_, str> {
    if id.is_empty() { Cow::Borrowed("") } else { safe_id(id) }
}
