//! Guests for a CRM, and what the CRM answers of each of them.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use webmessaging_journal::kind::{ChannelContext, Consent, GuestChange};
use webmessaging_journal::{Event, EventKind, PrivateText};
use webmessaging_model::Timestamp;

use super::explain;

/// A guest as a CRM takes it. What is not known is left out.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Record {
    external_id: PrivateText,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_hash: Option<PrivateText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    consent_flags: Option<Consent>,
    last_interaction: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel_context: Option<ChannelContext>,
}

/// The guest of an event. What stands in place of a hash and is none stays here.
pub(super) fn record(event: &Event) -> Option<Value> {
    let (guest, change): (&str, &GuestChange) = match &event.kind {
        EventKind::GuestCreated(created) => (&created.guest_id, &created.change),
        EventKind::GuestUpdated(updated) => (&updated.guest_id, &updated.change),
        _ => return None,
    };
    let record = Record {
        external_id: change.external_id.clone().unwrap_or_else(|| guest.into()),
        email_hash: change.email_hash.clone().filter(|hash| is_hash(hash.expose())),
        consent_flags: change.consent_flags,
        last_interaction: change.last_interaction.unwrap_or(event.at),
        channel_context: change.channel_context.clone(),
    };
    serde_json::to_value(record).ok()
}

pub(super) fn check(record: &Value) -> Result<(), String> {
    explain::check::<Record>(record)?;
    match record.get("emailHash").and_then(Value::as_str) {
        Some(hash) if !is_hash(hash) => {
            Err("`emailHash`: must be a SHA-256, 64 hexadecimal digits".to_owned())
        }
        _ => Ok(()),
    }
}

fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// What the other side said of a record; of two words the later one in this list counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Told {
    /// It has it.
    Done,
    /// It does not want it.
    Refused,
    /// It wants it later.
    Later,
}

/// `{"results": [{"externalId": ..., "status": ...}]}`; everything else in it is ignored.
#[derive(Deserialize)]
struct Answer {
    results: Vec<Outcome>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Outcome {
    external_id: String,
    status: Value,
}

/// What an answer says of each record, if it says anything. A record that it does not name was taken with the others.
pub(super) fn told(answer: &[u8], records: &[&Value]) -> Option<Vec<Told>> {
    let answer: Answer = serde_json::from_slice(answer).ok()?;
    let mut by_id: HashMap<&str, Told> = HashMap::new();
    for Outcome { external_id, status } in &answer.results {
        let told = meaning(status);
        by_id.entry(external_id).and_modify(|known| *known = told.max(*known)).or_insert(told);
    }
    let of = |record: &&Value| {
        let id = record.get("externalId").and_then(Value::as_str).unwrap_or_default();
        by_id.get(id).copied().unwrap_or(Told::Done)
    };
    Some(records.iter().map(of).collect())
}

/// A status as HTTP has it, or one of a few words. What is not understood is asked again, and so becomes visible at last.
fn meaning(status: &Value) -> Told {
    if let Some(number) = status.as_u64() {
        return match number {
            200..=299 | 409 => Told::Done,
            408 | 425 | 429 => Told::Later,
            400..=499 => Told::Refused,
            _ => Told::Later,
        };
    }
    match status.as_str().unwrap_or_default().to_ascii_lowercase().as_str() {
        "ok" | "success" | "created" | "updated" | "unchanged" | "duplicate" => Told::Done,
        "rejected" | "invalid" | "refused" => Told::Refused,
        _ => Told::Later,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_speaks_of_each_record_or_of_none() {
        let records =
            [json!({ "externalId": "a" }), json!({ "externalId": "b" }), json!({ "externalId": "c" })];
        let records: Vec<_> = records.iter().collect();
        for answer in ["", "{}", "<html>", r#"{"results":7}"#, "null"] {
            assert_eq!(told(answer.as_bytes(), &records), None, "{answer}");
        }
        let answer = r#"{"took":3,"results":[
            {"externalId":"b","status":422,"error":"x"}, {"externalId":"c","status":"created"},
            {"externalId":"z","status":500}]}"#;
        assert_eq!(told(answer.as_bytes(), &records), Some(vec![Told::Done, Told::Refused, Told::Done]));
        let twice = r#"{"results":[{"externalId":"a","status":503},{"externalId":"a","status":200}]}"#;
        assert_eq!(told(twice.as_bytes(), &records), Some(vec![Told::Later, Told::Done, Told::Done]));
    }

    #[test]
    fn a_status_is_a_number_or_a_word() {
        for (status, expected) in [
            (json!(201), Told::Done),
            (json!(409), Told::Done),
            (json!(429), Told::Later),
            (json!(404), Told::Refused),
            (json!(503), Told::Later),
            (json!(0), Told::Later),
            (json!("Created"), Told::Done),
            (json!("rejected"), Told::Refused),
            (json!("soon"), Told::Later),
            (json!(null), Told::Later),
        ] {
            assert_eq!(meaning(&status), expected, "{status}");
        }
    }
}
