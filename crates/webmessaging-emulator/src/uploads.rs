//! `POST .../webmessaging/upload`: checks an announcement and answers a signed URL for the bytes.

use axum::response::Response;
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::answer::{Refusal, json_response};
use crate::body::media_type;
use crate::schema::Detail;
use crate::serve::Call;
use crate::state::REQUEST_BYTES_MAX;

/// An announced file; only what later answers need.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UploadRequest {
    pub(crate) file_name: String,
    pub(crate) content_type: String,
    pub(crate) file_size: u64,
    pub(crate) message_id: String,
}

pub(crate) async fn create(call: &mut Call) -> Result<Response, Refusal> {
    let body = json_body(call).await?;
    let details = call.shared.schemas.check_upload_request(&body);
    if !details.is_empty() {
        return Err(Refusal::constraints(details));
    }
    // What passes the schema decodes, but for one thing: the schema counts 5.0 as an integer.
    let request: UploadRequest = serde_json::from_value(body).map_err(|_| {
        let detail = Detail { error_code: "type".to_owned(), field_name: "fileSize".to_owned() };
        Refusal::constraints(vec![detail])
    })?;

    let file_size = request.file_size;
    let id = call.shared.files.reserve(request)?;
    let path = format!("/storage/uploads/{id}");
    let lifetime = call.shared.settings.upload_url_lifetime.as_secs();
    let expires = call.shared.clock.unix_seconds().saturating_add(lifetime);
    let query = call.shared.signer.query(&Method::PUT, &path, expires, file_size);
    let upload_url = format!("{}{path}?{query}", call.shared.base_url);
    Ok(json_response(StatusCode::OK, &json!({ "uploadUrl": upload_url, "fileId": id.to_string() })))
}

/// Reads a JSON body: content type, then size, then syntax.
pub(crate) async fn json_body(call: &mut Call) -> Result<Value, Refusal> {
    if media_type(&call.headers).as_deref() != Some("application/json") {
        return Err(Refusal::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported.media.type",
            "the content type must be application/json",
        ));
    }
    let Some(body) = call.body.read(REQUEST_BYTES_MAX).await? else {
        return Err(Refusal::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "request.entity.too.large",
            format!("the request body exceeds the maximum of {REQUEST_BYTES_MAX} bytes"),
        ));
    };
    // The parser's message is left out: it can quote the body.
    serde_json::from_slice(&body)
        .map_err(|_| Refusal::new(StatusCode::BAD_REQUEST, "bad.request", "the request body is not JSON"))
}
