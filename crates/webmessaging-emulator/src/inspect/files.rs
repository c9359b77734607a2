//! Files and transfers, as the state shows them.

use serde::Serialize;
use uuid::Uuid;

use crate::attachments::{status, virus_scan_result};
use crate::files::{FileView, Phase};
use crate::scan::Verdict;
use crate::transfers::{TransferRequest, TransferStanding};
use crate::uploads::UploadRequest;

/// One file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct FileState {
    /// The file's id.
    pub id: String,
    /// The announced name.
    pub file_name: String,
    /// The announced content type.
    pub content_type: String,
    /// The announced size in bytes.
    pub file_size: u64,
    /// The message it is attached to.
    pub message_id: String,
    /// `pending`, `scanning`, `completed` or `failed`.
    pub status: String,
    /// `clean` or `malicious`, once the scan is over, unless it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub virus_scan_result: Option<String>,
    /// `passed` or `failed`, once the scan is over, unless it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format_validation: Option<String>,
}

/// One file transfer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct TransferState {
    /// The transfer's id.
    pub id: String,
    /// The announced name.
    pub file_name: String,
    /// The announced content type.
    pub mime_type: String,
    /// The announced size in bytes.
    pub file_size: u64,
    /// `created`, `uploaded`, `complete`, `failed`, `virus_detected` or `validation_failed`.
    pub status: String,
    /// `pending`, `in_progress`, `completed`, `skipped` or `failed`.
    pub virus_scan_status: String,
    /// `clean` or `detected`, once the scan is over, unless it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub virus_scan_result: Option<String>,
    /// `pending`, `passed` or `failed`.
    pub content_type_verification: String,
}

impl FileState {
    pub(super) fn of(id: Uuid, file: &FileView<UploadRequest>) -> Self {
        let verdict = match &file.phase {
            Phase::Judged { verdict, .. } => Some(*verdict),
            Phase::Pending | Phase::Scanning => None,
        };
        Self {
            id: id.to_string(),
            file_name: file.request.file_name.clone(),
            content_type: file.request.content_type.clone(),
            file_size: file.request.file_size,
            message_id: file.request.message_id.clone(),
            status: status(&file.phase).to_owned(),
            virus_scan_result: verdict.and_then(virus_scan_result).map(str::to_owned),
            format_validation: verdict.and_then(Verdict::format_validation).map(str::to_owned),
        }
    }
}

impl TransferState {
    pub(super) fn of(id: Uuid, transfer: &FileView<TransferRequest>) -> Self {
        let standing = TransferStanding::of(transfer);
        Self {
            id: id.to_string(),
            file_name: transfer.request.file_name.clone(),
            mime_type: transfer.request.mime_type.clone(),
            file_size: transfer.request.file_size,
            status: standing.status.to_owned(),
            virus_scan_status: standing.virus_scan_status.to_owned(),
            virus_scan_result: standing.virus_scan_result.map(str::to_owned),
            content_type_verification: standing.content_type_verification.to_owned(),
        }
    }
}
