//! `GET .../file-transfers/{transferId}`: how far a transfer is, in the words of its document.

use axum::response::Response;
use http::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::answer::{Refusal, json_response};
use crate::files::{FileView, Phase};
use crate::scan::{Verdict, VirusScan};
use crate::serve::Call;
use crate::state::Shared;
use crate::transfers::{TransferRequest, check_organization, download_uri, expires_at, transfer_id};

/// How far a transfer is: the four fields that tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TransferStanding {
    pub(crate) status: &'static str,
    pub(crate) virus_scan_status: &'static str,
    pub(crate) virus_scan_result: Option<&'static str>,
    pub(crate) content_type_verification: &'static str,
}

impl TransferStanding {
    pub(crate) fn of(transfer: &FileView<TransferRequest>) -> Self {
        let is_scanned = transfer.request.virus_scan_enabled;
        let before = |status, virus_scan_status| Self {
            status,
            virus_scan_status: if is_scanned { virus_scan_status } else { "skipped" },
            virus_scan_result: None,
            content_type_verification: "pending",
        };
        match &transfer.phase {
            Phase::Pending => before("created", "pending"),
            Phase::Scanning => before("uploaded", "in_progress"),
            Phase::Judged { verdict, .. } => Self::judged(*verdict),
        }
    }

    fn judged(verdict: Verdict) -> Self {
        Self {
            status: verdict_status(verdict),
            virus_scan_status: match verdict.virus_scan {
                VirusScan::Clean | VirusScan::Malicious => "completed",
                VirusScan::Skipped => "skipped",
                VirusScan::Failed => "failed",
            },
            virus_scan_result: virus_scan_result(verdict),
            // A scan that failed never came to it.
            content_type_verification: verdict.format_validation().unwrap_or("pending"),
        }
    }
}

pub(crate) fn get(call: &Call) -> Result<Response, Refusal> {
    check_organization(&call.headers)?;
    let id = transfer_id(call)?;
    let transfer = call.shared.transfers.view(id, call.shared.clock.now())?.ok_or_else(Refusal::not_found)?;
    Ok(json_response(StatusCode::OK, &described(&call.shared, id, &transfer)))
}

fn described(shared: &Shared, id: Uuid, transfer: &FileView<TransferRequest>) -> Value {
    let request = &transfer.request;
    let standing = TransferStanding::of(transfer);
    let mut answer = json!({
        "transferId": id.to_string(),
        "status": standing.status,
        "virusScanStatus": standing.virus_scan_status,
        "contentTypeVerification": standing.content_type_verification,
        "fileName": request.file_name,
        "fileSize": request.file_size,
        "mimeType": request.mime_type,
        "expiresAt": expires_at(request.expires),
        "metadata": request.metadata,
    });
    let Value::Object(fields) = &mut answer else { return answer };
    if let Some(result) = standing.virus_scan_result {
        fields.insert("virusScanResult".to_owned(), result.into());
    }
    if let Some(sha256) = transfer.sha256 {
        fields.insert("sha256".to_owned(), hex::encode(sha256).into());
    }
    if let Phase::Judged { verdict, .. } = transfer.phase
        && verdict.is_cleared()
    {
        // There is no renewal any more: each answer brings a URL that lives from now on.
        let (uri, expires) = download_uri(shared, id);
        fields.insert("downloadUri".to_owned(), uri.into());
        fields.insert("expiresAt".to_owned(), expires_at(expires).into());
    }
    answer
}

/// The field `status` of a transfer that has been scanned.
pub(super) fn verdict_status(verdict: Verdict) -> &'static str {
    match verdict.virus_scan {
        VirusScan::Failed => "failed",
        VirusScan::Malicious => "virus_detected",
        VirusScan::Clean | VirusScan::Skipped if verdict.is_format_valid => "complete",
        VirusScan::Clean | VirusScan::Skipped => "validation_failed",
    }
}

/// The field `virusScanResult`, as far as the scan came to any.
pub(super) fn virus_scan_result(verdict: Verdict) -> Option<&'static str> {
    match verdict.virus_scan {
        VirusScan::Clean => Some("clean"),
        VirusScan::Malicious => Some("detected"),
        VirusScan::Skipped | VirusScan::Failed => None,
    }
}
