//! The emulator's own endpoints: what it can do, and its faults, clock, requests and state from outside.

mod guard;
mod page;
mod requests;
mod table;
mod verdicts;
mod webhooks;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequestParts, RawPathParams};
use axum::response::Response;
use http::header::EXPECT;
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use crate::answer::{ERROR_CODE_HEADER, Refusal, json_response};
use crate::body::{RequestBody, media_type};
use crate::capabilities::capabilities;
use crate::control::table::{Action, at};
use crate::document::{DocumentError, Fields, Place, from_json};
use crate::fault::FaultScript;
use crate::inspect::{ClockState, EmulatorState};
use crate::record::Entry;
use crate::routes::ErrorShape;
use crate::seed::{SeedError, from_body, prepare};
use crate::serve::wrong_method;
use crate::snapshot::{SNAPSHOTS_MAX, Snapshot, reset};
use crate::state::Shared;

pub(crate) use self::table::{described, paths};

/// The longest body of a control request, in bytes: files of a seed come in base64.
const BODY_BYTES_MAX: usize = 32 * 1024 * 1024;

/// The farthest that one request moves the clock: ten years.
const ADVANCE_SECONDS_MAX: f64 = 315_360_000.0;

/// Whether a matched path template is one of ours.
pub(crate) fn is_control(template: &str) -> bool {
    at(template).next().is_some()
}

/// Serves a request for a control path. It is neither counted nor recorded, and no fault or limit applies.
pub(crate) async fn serve(
    shared: &Arc<Shared>,
    template: &str,
    parts: &mut Parts,
    body: Body,
    context_id: &str,
) -> Response {
    let mut body = RequestBody::new(body, Entry::new(None, parts));
    let result = match at(template).find(|control| control.method == parts.method) {
        None => Err(wrong_method(at(template).map(|control| &control.method)).into()),
        Some(control) => act(shared, control.action, parts, &mut body).await,
    };
    // A sender that asked first has not begun to send, and is told without being invited to.
    if !(parts.headers.contains_key(EXPECT) && body.is_untouched()) {
        body.drain(shared.body_bytes_max()).await;
    }
    result.unwrap_or_else(|failure| failure.into_response(context_id))
}

/// Why a control request is not served.
enum Failure {
    Refusal(Refusal),
    Document(DocumentError),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refusal(refusal)
    }
}

impl From<DocumentError> for Failure {
    fn from(error: DocumentError) -> Self {
        Self::Document(error)
    }
}

impl Failure {
    fn into_response(self, context_id: &str) -> Response {
        let error = match self {
            Self::Refusal(refusal) => return refusal.into_response(ErrorShape::Platform, context_id),
            Self::Document(error) => error,
        };
        let code = "emulator.document.invalid";
        let body = json!({
            "message": error.to_string(),
            "code": code,
            "status": StatusCode::BAD_REQUEST.as_u16(),
            "contextId": context_id,
            "problems": error.problems(),
        });
        let mut response = json_response(StatusCode::BAD_REQUEST, &body);
        response.headers_mut().insert(ERROR_CODE_HEADER, HeaderValue::from_static(code));
        response
    }
}

async fn act(
    shared: &Arc<Shared>,
    action: Action,
    parts: &mut Parts,
    body: &mut RequestBody,
) -> Result<Response, Failure> {
    // What is emulated is no secret, and changes nothing.
    if action != Action::Capabilities {
        guard::check(parts, shared.settings.allows_remote_control)?;
    }
    match action {
        Action::Capabilities => return Ok(json_response(StatusCode::OK, &capabilities())),
        Action::GetFaults => return document(&shared.faults.script()),
        Action::PutFaults => {
            let text = json_body(parts, body).await?;
            shared.faults.set_script(FaultScript::from_json_bytes(&text)?);
        }
        Action::DeleteFaults => shared.faults.set_script(FaultScript::default()),
        Action::GetClock => return document(&ClockState::of(&shared.clock)),
        Action::AdvanceClock => {
            let text = json_body(parts, body).await?;
            shared.clock.advance(advance(&text)?);
            return document(&ClockState::of(&shared.clock));
        }
        Action::GetRequests => return Ok(requests::get(&shared.journal, parts.uri.query())?),
        Action::DeleteRequests => shared.journal.clear(),
        Action::GetDeliveries => return Ok(webhooks::deliveries(&shared.sender, parts.uri.query())?),
        Action::Tamper => webhooks::tamper(&shared.sender, &json_body(parts, body).await?)?,
        Action::SendEvent => return webhooks::event(shared, &json_body(parts, body).await?),
        Action::FailScans => verdicts::fail_scans(shared, &json_body(parts, body).await?)?,
        Action::Rejudge => {
            let id = id(parts).await?;
            verdicts::rejudge(shared, id, &json_body(parts, body).await?)?;
        }
        Action::GetState => return document(&EmulatorState::of(shared)),
        Action::PutState => {
            let text = json_body(parts, body).await?;
            seed(shared, &text).await?;
        }
        Action::TakeSnapshot => {
            let id = shared.snapshots.keep(Snapshot::take(shared)).ok_or_else(too_many_snapshots)?;
            return Ok(json_response(StatusCode::CREATED, &json!({ "id": id.to_string() })));
        }
        Action::RestoreSnapshot => {
            let snapshot = shared.snapshots.get(id(parts).await?).ok_or_else(Refusal::not_found)?;
            snapshot.restore(shared).map_err(|_| Refusal::internal("snapshot of another emulator"))?;
        }
        Action::DeleteSnapshot => {
            if !shared.snapshots.forget(id(parts).await?) {
                return Err(Refusal::not_found().into());
            }
        }
        Action::Reset => reset(shared),
    }
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}

fn document(value: &impl Serialize) -> Result<Response, Failure> {
    let value = serde_json::to_value(value).map_err(|_| Refusal::internal("document"))?;
    Ok(json_response(StatusCode::OK, &value))
}

async fn json_body(parts: &Parts, body: &mut RequestBody) -> Result<Vec<u8>, Refusal> {
    if media_type(&parts.headers).as_deref() != Some("application/json") {
        return Err(Refusal::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported.media.type",
            "the content type must be application/json",
        ));
    }
    body.read(BODY_BYTES_MAX).await?.ok_or_else(|| {
        Refusal::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "request.entity.too.large",
            format!("the request body exceeds the maximum of {BODY_BYTES_MAX} bytes"),
        )
    })
}

fn advance(text: &[u8]) -> Result<Duration, DocumentError> {
    let seconds = from_json(text, |value, problems| {
        let mut fields = Fields::new(value, Place::default(), problems)?;
        let seconds = fields.required().number("seconds", 0.0..=ADVANCE_SECONDS_MAX);
        fields.finish();
        seconds
    })?;
    Ok(seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).unwrap_or_default())
}

async fn seed(shared: &Arc<Shared>, text: &[u8]) -> Result<(), Failure> {
    let directory = shared.directory.path().to_owned();
    match prepare(from_body(text)?, &shared.schemas, &shared.webhook_token, directory).await {
        Ok(seed) => {
            shared.apply(&seed);
            Ok(())
        }
        Err(SeedError::Invalid(error)) => Err(error.into()),
        Err(SeedError::Storage(_)) => Err(Refusal::internal("store seed").into()),
    }
}

async fn id(parts: &mut Parts) -> Result<Uuid, Refusal> {
    let params = RawPathParams::from_request_parts(parts, &()).await.map_err(|_| Refusal::not_found())?;
    let id = params.iter().find_map(|(_, value)| Uuid::parse_str(value).ok());
    id.ok_or_else(Refusal::not_found)
}

fn too_many_snapshots() -> Refusal {
    Refusal::new(
        StatusCode::CONFLICT,
        "emulator.snapshots.too.many",
        format!("no more than {SNAPSHOTS_MAX} snapshots are kept; delete one first"),
    )
}
