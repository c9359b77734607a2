//! One delivery: read, checked, kept, and only then answered.

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use sha2::{Digest, Sha256};
use tokio::sync::SemaphorePermit;
use webmessaging_model::Timestamp;
use webmessaging_store::{Accepted, NewDelivery};

use super::limit::within;
use super::{Receiver, Trust, log};
use crate::error::{Error, ErrorKind};
use crate::event::Event;
use crate::verify::{X_GENESYS_EVENT_ID, too_large};

/// When a sender that was turned away shall come again. The platform comes every 5 seconds, whatever it is told.
const COME_AGAIN_SECONDS: HeaderValue = HeaderValue::from_static("5");

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// What a delivery is answered with.
#[derive(Debug)]
enum Answer {
    Kept,
    KeptBefore,
    Refused(Error),
    TooSlow,
    TurnedAway,
}

pub(super) async fn take(State(receiver): State<Receiver>, request: Request<Body>) -> Response<Body> {
    let started = receiver.0.clock.now();
    let answer = taken(&receiver, request).await;
    let figures = &receiver.0.figures;
    figures.acknowledged(receiver.0.clock.now().saturating_duration_since(started));
    match &answer {
        Answer::Kept => figures.accepted(true),
        Answer::KeptBefore => figures.accepted(false),
        Answer::Refused(error) => {
            figures.refused(error.kind());
            log::refused(error.kind());
        }
        Answer::TooSlow | Answer::TurnedAway => figures.turned_away(),
    }
    answer.into_response()
}

async fn taken(receiver: &Receiver, request: Request<Body>) -> Answer {
    if receiver.is_stopping() {
        return Answer::TurnedAway;
    }
    let Ok(_place) = receiver.0.places.try_acquire() else {
        log::no_place();
        return Answer::TurnedAway;
    };
    let (head, body) = request.into_parts();
    let Some(_room) = room_for(receiver, &head.headers) else {
        log::no_place();
        return Answer::TurnedAway;
    };
    let body = match read(receiver, &head.headers, body).await {
        Ok(body) => body,
        Err(answer) => return answer,
    };
    let now = receiver.0.clock.wall();
    let delivery = match check(receiver, body, &head.headers, now) {
        Ok(delivery) => delivery,
        Err(error) => return Answer::Refused(error),
    };
    let event_type = delivery.event_type.clone();
    log::read(&event_type);
    match receiver.0.store.accept(delivery).await {
        Ok(accepted) => {
            let is_new = matches!(accepted, Accepted::New(_));
            log::accepted(&event_type, is_new);
            if is_new {
                receiver.0.arrived.notify_one();
            }
            if is_new { Answer::Kept } else { Answer::KeptBefore }
        }
        Err(error) => {
            log::not_kept(&error);
            Answer::TurnedAway
        }
    }
}

fn told_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok())
}

/// Room for a body of the length that it is said to have, or else for the longest.
fn room_for<'a>(receiver: &'a Receiver, headers: &HeaderMap) -> Option<SemaphorePermit<'a>> {
    let longest = receiver.0.setup.body_bytes_max;
    let kib = told_length(headers).unwrap_or(longest).min(longest) / 1_024 + 1;
    receiver.0.room.try_acquire_many(u32::try_from(kib).ok()?).ok()
}

/// The whole body, within its limits.
async fn read(receiver: &Receiver, headers: &HeaderMap, body: Body) -> Result<Bytes, Answer> {
    let setup = &receiver.0.setup;
    let refused = |length: Option<usize>| Answer::Refused(too_large(length, setup.body_bytes_max));
    if let Some(length) = told_length(headers).filter(|length| *length > setup.body_bytes_max) {
        return Err(refused(Some(length)));
    }
    let reading = Limited::new(body, setup.body_bytes_max).collect();
    match within(&*receiver.0.clock, setup.body_time_max, reading).await {
        Some(Ok(body)) => Ok(body.to_bytes()),
        Some(Err(error)) if error.is::<http_body_util::LengthLimitError>() => Err(refused(None)),
        // The sender has hung up: nobody hears the answer.
        Some(Err(_)) | None => Err(Answer::TooSlow),
    }
}

fn check(
    receiver: &Receiver,
    body: Bytes,
    headers: &HeaderMap,
    now: Timestamp,
) -> Result<NewDelivery, Error> {
    let (event, id, body) = match &receiver.0.trust {
        Trust::Signed(verifier) => {
            let delivery = match verifier.verify(body.clone(), headers, now) {
                Ok(delivery) => delivery,
                // Genuine, and not what this version can read: a refusal would lose it for good.
                Err(error) if matches!(error.kind(), ErrorKind::NotJson | ErrorKind::UnknownShape) => {
                    return Ok(unreadable(receiver, body, now));
                }
                Err(error) => return Err(error),
            };
            receiver.0.figures.secret_used(delivery.secret_index(), now);
            // An id that nobody signed is nobody's word: with it, a delivery that was recorded could be sent again under the id of
            // another one, which would then be taken for a duplicate.
            let id = delivery
                .delivery_id()
                .filter(|id| delivery.is_delivery_id_signed() && is_usable(id))
                .map(str::to_owned);
            let (event, body) = delivery.into_parts();
            (event, id, body)
        }
        Trust::Anybody => {
            let event = Event::from_slice(&body)?;
            let of_header = || headers.get(X_GENESYS_EVENT_ID)?.to_str().ok();
            let id = event.event_id().or_else(of_header).filter(|id| is_usable(id)).map(str::to_owned);
            (event, id, body)
        }
    };
    let mut delivery = NewDelivery::new(
        receiver.0.setup.source.clone(),
        event.content_key().to_string(),
        shortened(event.event_type()),
        now,
    )
    .body(body);
    delivery.delivery_id = id;
    Ok(delivery)
}

/// A delivery that will go to the dead letters, where somebody can look at it.
fn unreadable(receiver: &Receiver, body: Bytes, now: Timestamp) -> NewDelivery {
    let key = format!("bytes:{}", hex::encode(Sha256::digest(&body)));
    NewDelivery::new(receiver.0.setup.source.clone(), key, "unreadable", now).body(body)
}

fn is_usable(id: &str) -> bool {
    !id.is_empty() && id.len() <= webmessaging_store::limits::NAME_BYTES_MAX && !id.contains('\0')
}

/// The type as the store takes it, which is for people who look; the whole of it is in the body.
fn shortened(event_type: &str) -> String {
    if event_type.trim().is_empty() || event_type.contains('\0') {
        return "unnamed".to_owned();
    }
    let mut end = event_type.len().min(webmessaging_store::limits::NAME_BYTES_MAX);
    while !event_type.is_char_boundary(end) {
        end -= 1;
    }
    event_type.get(..end).unwrap_or_default().to_owned()
}

impl Answer {
    fn into_response(self) -> Response<Body> {
        let (status, body) = match self {
            Self::Kept => (StatusCode::OK, r#"{"status":"accepted"}"#.into()),
            Self::KeptBefore => (StatusCode::OK, r#"{"status":"duplicate"}"#.into()),
            Self::Refused(error) => (refusal(error.kind()), problem(error.kind().code(), &error.to_string())),
            // Not 408: to the platform that would be final.
            Self::TooSlow => (
                StatusCode::SERVICE_UNAVAILABLE,
                problem("body_too_slow", "the body took too long to arrive, send it again"),
            ),
            Self::TurnedAway => (
                StatusCode::SERVICE_UNAVAILABLE,
                problem("not_kept", "the delivery was not kept, send it again"),
            ),
        };
        let mut response = Response::new(body);
        *response.status_mut() = status;
        response.headers_mut().insert(CONTENT_TYPE, JSON);
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, COME_AGAIN_SECONDS);
        }
        response
    }
}

/// The status that makes the sender give up: what is wrong with a delivery is wrong the next time, too.
fn refusal(kind: ErrorKind) -> StatusCode {
    match kind {
        ErrorKind::MissingSignature
        | ErrorKind::MalformedSignature
        | ErrorKind::Mismatch
        | ErrorKind::Expired => StatusCode::UNAUTHORIZED,
        ErrorKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorKind::NotJson => StatusCode::BAD_REQUEST,
        ErrorKind::UnknownShape => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

fn problem(code: &str, message: &str) -> Body {
    serde_json::json!({ "code": code, "message": message }).to_string().into()
}
