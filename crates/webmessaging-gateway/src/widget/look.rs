//! What became of a file, for a page that asks until there is a verdict.

use axum::body::Body;
use axum::extract::{Path, Request, State};
use http::{Response, StatusCode};
use serde_json::json;
use webmessaging::model::ScanProgress;

use super::Widget;
use super::client::Client;
use super::problem::{Problem, answer};
use super::upload::parameter;

pub(super) async fn look(
    State(widget): State<Widget>,
    Path(file_id): Path<String>,
    request: Request,
) -> Response<Body> {
    looked(&widget, file_id, request).await.unwrap_or_else(Problem::into_response)
}

async fn looked(widget: &Widget, file_id: String, request: Request) -> Result<Response<Body>, Problem> {
    let inner = &widget.0;
    let (head, _) = request.into_parts();
    let client = Client::of(&head, inner.setup.trusted_proxies);
    inner.looks.take(client, inner.clock.now()).map_err(Problem::rate_limited)?;
    let message = parameter(&head.uri, "messageId");
    let attachment =
        inner.files.attachment(message, file_id.as_str()).await.map_err(|error| Problem::of(&error))?;
    // The worse of both: what a webhook has said is not taken back by an answer that is behind.
    let mut progress = ScanProgress::new(inner.gate.verdict(file_id.as_str()));
    progress.advance(attachment.verdict());
    Ok(answer(StatusCode::OK, &json!({ "fileId": file_id, "scan": progress.verdict().as_str() })))
}
