//! `GET .../messages/{messageId}/attachments/{attachmentId}`: the state of a file, and where to fetch it.

use axum::response::Response;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::answer::{Refusal, json_response};
use crate::files::Phase;
use crate::scan::{Verdict, VirusScan};
use crate::serve::Call;

/// Lifetime of a signed download URL in seconds.
const DOWNLOAD_URL_SECONDS: u64 = 3_600;

pub(crate) fn get(call: &Call) -> Result<Response, Refusal> {
    let id = Uuid::parse_str(call.param("attachmentId")).map_err(|_| Refusal::not_found())?;
    let file = call.shared.files.view(id, call.shared.clock.now())?.ok_or_else(Refusal::not_found)?;
    if file.request.message_id != call.param("messageId") {
        return Err(Refusal::not_found());
    }

    let mut answer = json!({
        "id": id.to_string(),
        "fileName": file.request.file_name,
        "contentType": file.request.content_type,
        "contentLength": file.request.file_size,
        "messageId": file.request.message_id,
        "status": status(&file.phase),
    });
    if let Value::Object(fields) = &mut answer {
        if let Some(sha256) = file.sha256 {
            fields.insert("sha256".to_owned(), hex::encode(sha256).into());
        }
        if let Phase::Judged { verdict, .. } = file.phase {
            fields.extend(findings(verdict));
            if verdict.is_cleared() {
                fields.insert("downloadUrl".to_owned(), download_url(call, id).into());
            }
        }
    }
    Ok(json_response(StatusCode::OK, &answer))
}

pub(crate) fn status(phase: &Phase) -> &'static str {
    match phase {
        Phase::Pending => "pending",
        Phase::Scanning => "scanning",
        Phase::Judged { verdict, .. } => verdict_status(*verdict),
    }
}

/// The field `status` of a file that has been scanned.
pub(crate) fn verdict_status(verdict: Verdict) -> &'static str {
    if verdict.is_cleared() { "completed" } else { "failed" }
}

/// The field `virusScanResult`; a scan that failed has none.
pub(crate) fn virus_scan_result(verdict: Verdict) -> Option<&'static str> {
    match verdict.virus_scan {
        VirusScan::Clean => Some("clean"),
        VirusScan::Malicious => Some("malicious"),
        VirusScan::Skipped | VirusScan::Failed => None,
    }
}

/// The fields that say what a scan found, as far as it found anything.
pub(crate) fn findings(verdict: Verdict) -> impl Iterator<Item = (String, Value)> {
    let fields =
        [("virusScanResult", virus_scan_result(verdict)), ("formatValidation", verdict.format_validation())];
    fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into())))
}

fn download_url(call: &Call, id: Uuid) -> String {
    let expires = call.shared.clock.unix_seconds().saturating_add(DOWNLOAD_URL_SECONDS);
    call.shared.signed_url(&Method::GET, &format!("/storage/files/{id}"), expires, 0)
}
