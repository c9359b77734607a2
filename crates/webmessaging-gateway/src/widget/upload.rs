//! One upload: taken from the browser, then delivered, whatever becomes of the browser.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Response, StatusCode, Uri};
use http_body_util::BodyExt;
use percent_encoding::percent_decode;
use serde_json::json;
use tokio::sync::OwnedSemaphorePermit;
use webmessaging::files::{DeliverError, Delivered, UploadedFile};
use webmessaging::model::ScanVerdict;

use super::Widget;
use super::client::Client;
use super::problem::{Problem, answer};
use super::spool::Spooled;

/// So much of a body that is refused is read all the same, and for so long.
const DISCARD_BYTES_MAX: usize = 64 * 1024 * 1024;
const DISCARD_TIME_MAX: Duration = Duration::from_secs(10);

const X_FILE_NAME: &str = "x-file-name";

pub(super) async fn take(State(widget): State<Widget>, request: Request) -> Response<Body> {
    taken(&widget, request).await.unwrap_or_else(Problem::into_response)
}

async fn taken(widget: &Widget, request: Request) -> Result<Response<Body>, Problem> {
    let (inner, setup) = (&widget.0, &widget.0.setup);
    let (head, body) = request.into_parts();
    let (place, bytes) = match admitted(widget, &head) {
        Ok(admitted) => admitted,
        Err(problem) => {
            tokio::select! {
                () = discard(body) => {}
                () = inner.clock.watchdog(DISCARD_TIME_MAX) => {}
            }
            return Err(problem);
        }
    };

    let reading = Spooled::read(body, bytes, setup.file_size_bytes_max, &setup.spool);
    let spooled = tokio::select! {
        spooled = reading => spooled?,
        () = inner.clock.watchdog(setup.body_time_max) => return Err(Problem::too_slow()),
    };

    // What is missing or wrong is named by the files client, all of it at once, with what the first bytes tell.
    let delivery = inner
        .files
        .deliver(spooled.into_source(file_name(&head.headers)))
        .channel(parameter(&head.uri, "channelId"))
        .message(parameter(&head.uri, "messageId"))
        .gate(&inner.gate)
        .within(setup.scan_within)
        // It would wait for minutes, which no browser does.
        .scan_retries(0);
    // A task of its own: a browser that hangs up does not get around the verdict and what follows from it.
    let delivered = tokio::spawn(async move {
        let _place = place;
        delivery.await
    });
    match delivered.await {
        Ok(outcome) => came_to(outcome),
        // It has panicked, or the runtime is shutting down.
        Err(_) => Err(Problem::internal()),
    }
}

/// A place for an upload, and the length of its body.
fn admitted(widget: &Widget, head: &Parts) -> Result<(OwnedSemaphorePermit, u64), Problem> {
    let (inner, setup) = (&widget.0, &widget.0.setup);
    let Ok(place) = Arc::clone(&inner.places).try_acquire_owned() else { return Err(Problem::busy()) };
    let client = Client::of(head, setup.trusted_proxies);
    inner.uploads.take(client, inner.clock.now()).map_err(Problem::rate_limited)?;
    let bytes = announced_length(&head.headers, setup.file_size_bytes_max)?;
    Ok((place, bytes))
}

/// Lets a browser finish what it is sending: one that is hung up on in the middle of it never reads the answer.
async fn discard(mut body: Body) {
    let mut bytes = 0;
    while let Some(Ok(frame)) = body.frame().await {
        bytes += frame.data_ref().map_or(0, Bytes::len);
        if bytes > DISCARD_BYTES_MAX {
            return;
        }
    }
}

fn came_to(outcome: Result<Delivered, DeliverError>) -> Result<Response<Body>, Problem> {
    match outcome {
        Ok(delivered) => Ok(created(&delivered.file, delivered.verdict)),
        Err(failed) => match failed.file() {
            // The file is there and on record; only its verdict could not be asked for. To send it again would double it.
            Some(file) if failed.error().is_transient() => Ok(created(file, ScanVerdict::Pending)),
            _ => Err(Problem::of(failed.error())),
        },
    }
}

fn created(file: &UploadedFile, verdict: ScanVerdict) -> Response<Body> {
    let body = json!({
        "fileId": file.file_id.as_str(),
        "fileName": file.file_name,
        "contentType": file.content_type.to_string(),
        "sizeBytes": file.size_bytes,
        "sha256": file.sha256,
        "scan": verdict.as_str(),
    });
    answer(StatusCode::CREATED, &body)
}

/// The length that the body is to have. Without one there is nothing to announce to the platform.
fn announced_length(headers: &HeaderMap, bytes_max: u64) -> Result<u64, Problem> {
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    let length = length.filter(|_| !headers.contains_key(TRANSFER_ENCODING));
    let length = length.filter(|length| length.bytes().all(|byte| byte.is_ascii_digit()));
    match length.map(str::parse) {
        Some(Ok(length)) if length <= bytes_max => Ok(length),
        // A number that is too long for us is too large all the same.
        Some(_) if length != Some("") => Err(Problem::too_large(bytes_max)),
        _ => Err(Problem::length_required()),
    }
}

/// Decoded once. What is left of other encodings has characters that no file name may have.
fn file_name(headers: &HeaderMap) -> String {
    let name = headers.get(X_FILE_NAME).map(HeaderValue::as_bytes).unwrap_or_default();
    percent_decode(name).decode_utf8_lossy().into_owned()
}

/// A parameter of the query; empty when it is missing.
pub(super) fn parameter(uri: &Uri, name: &str) -> String {
    let query = uri.query().unwrap_or_default().as_bytes();
    let mut found = url::form_urlencoded::parse(query).filter(|(key, _)| key == name);
    found.next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}
