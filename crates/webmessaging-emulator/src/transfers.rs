//! File transfers: `POST .../file-transfers` announces one, `POST .../renew` gives it new URLs.

mod state;

use std::time::{Duration, UNIX_EPOCH};

use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::announced::Announced;
use crate::answer::{Refusal, json_response};
use crate::clock::timestamp;
use crate::event::FILE_TRANSFER_STATUS_CHANGE;
use crate::files::Files;
use crate::scan::Verdict;
use crate::schema::{Detail, refuse_fractions};
use crate::serve::Call;
use crate::state::Shared;
use crate::storage::bad_signature;
use crate::uploads::json_body;

pub(crate) use self::state::{TransferStanding, get};

/// Every call about transfers says whose they are.
const ORGANIZATION_HEADER: HeaderName = HeaderName::from_static("x-genesys-organization-id");

/// The last second that a timestamp can be written for: the end of the year 9999.
const EXPIRES_MAX: u64 = 253_402_300_799;

/// An announced transfer; only what later answers need.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TransferRequest {
    pub(crate) file_name: String,
    pub(crate) file_size: u64,
    pub(crate) mime_type: String,
    #[serde(default = "is_scanned_by_default")]
    pub(crate) virus_scan_enabled: bool,
    metadata: Value,
    /// When the newest URLs expire, in Unix seconds.
    #[serde(skip)]
    expires: u64,
}

fn is_scanned_by_default() -> bool {
    true
}

impl Announced for TransferRequest {
    const ID_PARAM: &'static str = "transferId";

    fn files(shared: &Shared) -> &Files<Self> {
        &shared.transfers
    }

    fn file_name(&self) -> &str {
        &self.file_name
    }

    fn content_type(&self) -> &str {
        &self.mime_type
    }

    fn file_size(&self) -> u64 {
        self.file_size
    }

    fn is_scanned(&self) -> bool {
        self.virus_scan_enabled
    }

    fn check_headers(&self, _: Uuid, headers: &HeaderMap) -> Result<(), Refusal> {
        // The document has 403 for it, as stores answer when the type is part of what is signed.
        if headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes) != Some(self.mime_type.as_bytes()) {
            return Err(bad_signature());
        }
        Ok(())
    }

    fn verdict_event(&self, shared: &Shared, id: Uuid, verdict: Verdict) -> (&'static str, Value) {
        let directives = self.metadata.get("accessPolicyDirectives");
        let mut data = json!({
            "transferId": id.to_string(),
            "status": state::verdict_status(verdict),
            "fileName": self.file_name,
            "metadata": { "accessPolicyDirectives": directives },
        });
        if let (Some(result), Value::Object(fields)) = (state::virus_scan_result(verdict), &mut data) {
            fields.insert("virusScanResult".to_owned(), result.into());
            if verdict.is_cleared() {
                let (uri, _) = download_uri(shared, id);
                fields.insert("downloadUri".to_owned(), uri.into());
            }
        }
        (FILE_TRANSFER_STATUS_CHANGE, data)
    }
}

/// `POST /api/v2/webchat/messaging/file-transfers`.
pub(crate) async fn create(call: &mut Call) -> Result<Response, Refusal> {
    check_organization(&call.headers)?;
    let body = json_body(call).await?;
    let mut details = call.shared.schemas.check_transfer_request(&body);
    for detail in beyond_own_limits(&body) {
        if !details.contains(&detail) {
            details.push(detail);
        }
    }
    if !details.is_empty() {
        return Err(Refusal::constraints(details));
    }
    let whole = ["/fileSize", "/maxFileSize", "/metadata/accessPolicyDirectives/retentionDays"];
    refuse_fractions(&body, &whole)?;
    // What passes these checks decodes.
    let mut request: TransferRequest =
        serde_json::from_value(body).map_err(|_| Refusal::internal("transfer request"))?;
    request.expires = expiry(&call.shared);

    let id = call.shared.transfers.reserve(request.clone())?;
    Ok(json_response(StatusCode::CREATED, &announced(&call.shared, id, &request)))
}

/// `POST /api/v2/webchat/messaging/file-transfers/{transferId}/renew`.
pub(crate) async fn renew(call: &mut Call) -> Result<Response, Refusal> {
    check_organization(&call.headers)?;
    // Nothing in a body would matter.
    call.read_all().await;
    let id = transfer_id(call)?;
    let expires = expiry(&call.shared);
    let renewed = call.shared.transfers.announce_again(id, |request| request.expires = expires)?;
    let request = renewed.ok_or_else(|| {
        Refusal::new(StatusCode::CONFLICT, "request.conflict", "the bytes of the transfer are there already")
    })?;
    Ok(json_response(StatusCode::OK, &announced(&call.shared, id, &request)))
}

/// A transfer whose bytes may be sent. Its download URL is known, and serves nothing before the transfer is cleared.
fn announced(shared: &Shared, id: Uuid, request: &TransferRequest) -> Value {
    let url = |method, length| shared.signed_url(&method, &path(id), request.expires, length);
    json!({
        "transferId": id.to_string(),
        "uploadUri": url(Method::PUT, request.file_size),
        "downloadUri": url(Method::GET, 0),
        "expiresAt": expires_at(request.expires),
        "status": "created",
        "fileName": request.file_name,
        "fileSize": request.file_size,
        "mimeType": request.mime_type,
        "virusScanEnabled": request.virus_scan_enabled,
        "metadata": request.metadata,
    })
}

/// The limits that a request brings along for itself, as far as it breaks them.
fn beyond_own_limits(body: &Value) -> Vec<Detail> {
    let detail =
        |code: &str, field: &str| Detail { error_code: code.to_owned(), field_name: field.to_owned() };
    let mut details = Vec::new();
    if let (Some(size), Some(max)) = (body["fileSize"].as_u64(), body["maxFileSize"].as_u64())
        && size > max
    {
        details.push(detail("maximum", "fileSize"));
    }
    if let (Value::String(_), Value::Array(allowed)) = (&body["mimeType"], &body["allowedMimeTypes"])
        && !allowed.contains(&body["mimeType"])
    {
        details.push(detail("enum", "mimeType"));
    }
    details
}

fn check_organization(headers: &HeaderMap) -> Result<(), Refusal> {
    let mut values = headers.get_all(ORGANIZATION_HEADER).iter();
    match (values.next(), values.next()) {
        (Some(id), None) if !id.as_bytes().trim_ascii().is_empty() => Ok(()),
        _ => Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "bad.request",
            "the header X-Genesys-Organization-Id must be there once, with the id of the organisation",
        )),
    }
}

fn transfer_id(call: &Call) -> Result<Uuid, Refusal> {
    Uuid::parse_str(call.param(TransferRequest::ID_PARAM)).map_err(|_| Refusal::not_found())
}

fn path(id: Uuid) -> String {
    format!("/storage/transfers/{id}")
}

/// When URLs that are made now expire, in Unix seconds.
fn expiry(shared: &Shared) -> u64 {
    let lifetime = shared.settings.transfer_url_lifetime.as_secs();
    shared.clock.unix_seconds().saturating_add(lifetime).min(EXPIRES_MAX)
}

fn expires_at(expires: u64) -> String {
    timestamp(UNIX_EPOCH.checked_add(Duration::from_secs(expires)).unwrap_or(UNIX_EPOCH))
}

/// A download URL that is made now, and when it expires in Unix seconds.
fn download_uri(shared: &Shared, id: Uuid) -> (String, u64) {
    let expires = expiry(shared);
    (shared.signed_url(&Method::GET, &path(id), expires, 0), expires)
}
