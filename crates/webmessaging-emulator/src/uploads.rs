//! `POST .../webmessaging/upload`: checks an announcement and answers a signed URL for the bytes.

use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::announced::Announced;
use crate::answer::{Refusal, json_response};
use crate::attachments::{findings, verdict_status};
use crate::body::media_type;
use crate::files::Files;
use crate::scan::Verdict;
use crate::schema::refuse_fractions;
use crate::serve::Call;
use crate::state::{REQUEST_BYTES_MAX, Shared};
use crate::storage::invalid_argument;

/// A scan has ended.
const FILE_UPLOAD_COMPLETED: &str = "genesys.cloud.messaging.file.upload.completed";

/// An announced file; only what later answers need.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UploadRequest {
    pub(crate) file_name: String,
    pub(crate) content_type: String,
    pub(crate) file_size: u64,
    pub(crate) message_id: String,
}

impl Announced for UploadRequest {
    const ID_PARAM: &'static str = "fileId";

    fn files(shared: &Shared) -> &Files<Self> {
        &shared.files
    }

    fn file_name(&self) -> &str {
        &self.file_name
    }

    fn content_type(&self) -> &str {
        &self.content_type
    }

    fn file_size(&self) -> u64 {
        self.file_size
    }

    fn is_scanned(&self) -> bool {
        true
    }

    fn check_headers(&self, id: Uuid, headers: &HeaderMap) -> Result<(), Refusal> {
        if headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes) != Some(b"application/octet-stream") {
            return Err(invalid_argument("The Content-Type must be application/octet-stream"));
        }
        if headers.get("x-genesys-file-id").map(HeaderValue::as_bytes) != Some(id.to_string().as_bytes()) {
            return Err(invalid_argument("The x-genesys-file-id header does not name this file"));
        }
        Ok(())
    }

    fn verdict_event(&self, _: &Shared, id: Uuid, verdict: Verdict) -> (&'static str, Value) {
        let mut data = json!({ "fileId": id.to_string(), "status": verdict_status(verdict) });
        if let Value::Object(fields) = &mut data {
            fields.extend(findings(verdict));
        }
        (FILE_UPLOAD_COMPLETED, data)
    }
}

pub(crate) async fn create(call: &mut Call) -> Result<Response, Refusal> {
    let body = json_body(call).await?;
    let details = call.shared.schemas.check_upload_request(&body);
    if !details.is_empty() {
        return Err(Refusal::constraints(details));
    }
    refuse_fractions(&body, &["/fileSize"])?;
    // What passes these checks decodes.
    let request: UploadRequest =
        serde_json::from_value(body).map_err(|_| Refusal::internal("upload request"))?;

    let file_size = request.file_size;
    let id = call.shared.files.reserve(request)?;
    let lifetime = call.shared.settings.upload_url_lifetime.as_secs();
    let expires = call.shared.clock.unix_seconds().saturating_add(lifetime);
    let path = format!("/storage/uploads/{id}");
    let upload_url = call.shared.signed_url(&Method::PUT, &path, expires, file_size);
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
