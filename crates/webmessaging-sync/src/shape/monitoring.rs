//! Changes of channels for a monitoring system.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use webmessaging_journal::{Event, EventKind};
use webmessaging_model::Timestamp;

/// What monitoring is told of a change. What is not known is left out.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Record {
    event_id: String,
    event_type: String,
    channel_id: String,
    changed_paths: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    features: Option<BTreeMap<String, bool>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latency_ms: Option<u64>,
    updated_at: Timestamp,
}

/// The change of an event.
pub(super) fn record(event: &Event) -> Option<Value> {
    let EventKind::ChannelUpdated(updated) = &event.kind else { return None };
    let record = Record {
        event_id: event.id.to_string(),
        event_type: event.action().to_owned(),
        channel_id: updated.channel_id.to_string(),
        changed_paths: updated.changed_paths.clone(),
        features: updated.features.clone(),
        latency_ms: event.facts.latency_millis(),
        updated_at: event.at,
    };
    serde_json::to_value(record).ok()
}
