//! Files for document systems: clean ones in batches, finished transfers one by one.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use webmessaging_journal::kind::AccessPolicy;
use webmessaging_journal::{Event, EventKind, PrivateText, StorageLocation};
use webmessaging_model::Timestamp;

const SOURCE: &str = "genesys-cloud-web-messaging";

/// A clean file. What is not known of it is left out.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Document {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<PrivateText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_type: Option<String>,
    source: String,
    processed_at: Timestamp,
}

/// The file of an event, when its scan found it clean; nobody is told of another one.
pub(super) fn document(event: &Event) -> Option<Value> {
    let EventKind::FileScanned(scanned) = &event.kind else { return None };
    if !scanned.is_clean() {
        return None;
    }
    let document = Document {
        id: scanned.file_id.to_string(),
        name: scanned.name.clone(),
        size: scanned.size,
        content_type: scanned.content_type.clone(),
        source: SOURCE.to_owned(),
        processed_at: event.at,
    };
    serde_json::to_value(document).ok()
}

/// When the newest of these files was processed: the time of a batch, which is part of its content and so the same whenever it is
/// sent.
pub(super) fn newest(files: &[Value]) -> Timestamp {
    let times = files.iter().filter_map(|file| file.get("processedAt")?.as_str()?.parse().ok());
    times.max().unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A finished transfer. What is not known of it is left out.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the wire names it so")]
pub(super) struct Archived {
    document_id: String,
    file_name: PrivateText,
    #[serde(skip_serializing_if = "Option::is_none")]
    storage_location: Option<StorageLocation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_policy: Option<AccessPolicy>,
    archived_at: Timestamp,
}

/// The transfer of an event.
pub(super) fn archived(event: &Event) -> Option<Value> {
    let EventKind::TransferFinished(finished) = &event.kind else { return None };
    let archived = Archived {
        document_id: finished.transfer_id.clone(),
        file_name: finished.file_name.clone(),
        storage_location: finished.storage_location.clone(),
        access_policy: finished.access_policy.clone(),
        archived_at: event.at,
    };
    serde_json::to_value(archived).ok()
}
