//! `GET .../messages/{messageId}/attachments/{attachmentId}`: the state of a file, and where to fetch it.

use axum::response::Response;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::answer::{Refusal, json_response};
use crate::files::Phase;
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
    if let (Phase::Judged { verdict, .. }, Value::Object(fields)) = (&file.phase, &mut answer) {
        fields.insert("virusScanResult".to_owned(), verdict.virus_scan_result().into());
        fields.insert("formatValidation".to_owned(), verdict.format_validation().into());
        if verdict.is_cleared() {
            fields.insert("downloadUrl".to_owned(), download_url(call, id).into());
        }
    }
    Ok(json_response(StatusCode::OK, &answer))
}

pub(crate) fn status(phase: &Phase) -> &'static str {
    match phase {
        Phase::Pending => "pending",
        Phase::Scanning => "scanning",
        Phase::Judged { verdict, .. } => verdict.status(),
    }
}

fn download_url(call: &Call, id: Uuid) -> String {
    let path = format!("/storage/files/{id}");
    let expires = call.shared.clock.unix_seconds().saturating_add(DOWNLOAD_URL_SECONDS);
    let query = call.shared.signer.query(&Method::GET, &path, expires, 0);
    format!("{}{path}?{query}", call.shared.base_url)
}
