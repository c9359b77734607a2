//! The path of one call: ids, journal, method, faults, bearer token, handler, refusal.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequestParts, MatchedPath, RawPathParams, Request, State};
use axum::response::Response;
use http::header::{ALLOW, EXPECT};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use uuid::Uuid;

use crate::answer::Refusal;
use crate::body::RequestBody;
use crate::connection::Connection;
use crate::control;
use crate::fault::serve_with_faults;
use crate::rate::Standing;
use crate::record::Entry;
use crate::routes::{Endpoint, ErrorShape, Route, endpoints_at};
use crate::state::Shared;
use crate::subscription::Collection;
use crate::transfers::TransferRequest;
use crate::uploads::UploadRequest;
use crate::{
    attachments, channels, conversations, guests, messages, oauth, storage, transfers, uploads, webhooks,
};

/// Both carry the id under which the answer can be asked about.
const ID_HEADERS: [HeaderName; 2] =
    [HeaderName::from_static("inin-correlation-id"), HeaderName::from_static("x-genesys-request-id")];

/// A request for a known endpoint, as its handler sees it.
pub(crate) struct Call {
    pub(crate) shared: Arc<Shared>,
    pub(crate) endpoint: &'static Endpoint,
    pub(crate) connection: Connection,
    pub(crate) context_id: String,
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: RequestBody,
    /// Where the caller's rate limit stands, once the request is counted.
    pub(crate) standing: Option<Standing>,
    params: Vec<(String, String)>,
}

impl Call {
    /// A decoded path variable; empty when the template has none of that name.
    pub(crate) fn param(&self, name: &str) -> &str {
        self.params.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// Does what the endpoint is there for; a refusal is worded and the rest of the body read.
    pub(crate) async fn effect(&mut self) -> Response {
        let mut response = match self.handle().await {
            Ok(response) => response,
            Err(refusal) => {
                // A sender that asked first has not begun to send, and is told without being invited to.
                if !(self.headers.contains_key(EXPECT) && self.body.is_untouched()) {
                    self.read_all().await;
                }
                refusal.into_response(self.endpoint.errors, &self.context_id)
            }
        };
        if let Some(standing) = self.standing {
            standing.write(&mut response);
        }
        response
    }

    /// Reads the rest of the body, within the emulator's limit, so that the sender gets to see the answer.
    pub(crate) async fn read_all(&mut self) {
        self.body.drain(self.shared.body_bytes_max()).await;
    }

    async fn handle(&mut self) -> Result<Response, Refusal> {
        if !self.endpoint.scopes.is_empty() {
            let now = self.shared.clock.now();
            let caller = self.shared.oauth.authorize(&self.headers, self.endpoint.scopes, now)?;
            match self.shared.rates.count(&caller, now) {
                Ok(standing) => self.standing = standing,
                Err((refusal, standing)) => {
                    self.standing = standing;
                    return Err(refusal);
                }
            }
        }
        match self.endpoint.route {
            Route::Token => oauth::token(self).await,
            Route::CreateUpload => uploads::create(self).await,
            Route::PutUpload => storage::put::<UploadRequest>(self).await,
            Route::GetAttachment => attachments::get(self),
            Route::Download => storage::get::<UploadRequest>(self).await,
            Route::CreateTransfer => transfers::create(self).await,
            Route::RenewTransfer => transfers::renew(self).await,
            Route::GetTransfer => transfers::get(self),
            Route::PutTransfer => storage::put::<TransferRequest>(self).await,
            Route::DownloadTransfer => storage::get::<TransferRequest>(self).await,
            Route::ListChannels => channels::list(self),
            Route::GetChannel => channels::get(self),
            Route::UpdateChannel => channels::update(self).await,
            Route::GetConversation => conversations::get(self),
            Route::SendMessage => messages::send(self).await,
            Route::ListMessages => messages::list(self),
            Route::CreateGuest => guests::create(self).await,
            Route::GetGuest => guests::get(self),
            Route::ListAudits => guests::list_audits(self),
            Route::UpdateGuest => guests::update(self).await,
            Route::CreateWebhook => webhooks::create(self, Collection::Webhooks).await,
            Route::ListWebhooks => webhooks::list(self, Collection::Webhooks),
            Route::DeleteWebhook => webhooks::delete(self, Collection::Webhooks),
            Route::CreatePlatformWebhook => webhooks::create(self, Collection::PlatformWebhooks).await,
            Route::ListPlatformWebhooks => webhooks::list(self, Collection::PlatformWebhooks),
            Route::DeletePlatformWebhook => webhooks::delete(self, Collection::PlatformWebhooks),
        }
    }
}

/// Serves every request, of known and unknown paths.
pub(crate) async fn serve(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let context_id = Uuid::new_v4().to_string();
    let template = parts.extensions.get::<MatchedPath>().map(|path| path.as_str().to_owned());
    if let Some(template) = template.as_deref().filter(|template| control::is_control(template)) {
        let mut response = control::serve(&shared, template, &mut parts, body, &context_id).await;
        set_ids(&mut response, &context_id);
        return response;
    }
    let at_path: Vec<&'static Endpoint> =
        template.iter().flat_map(|template| endpoints_at(template)).collect();
    let endpoint = at_path.iter().find(|endpoint| endpoint.method == parts.method).copied();
    let route = endpoint.map(|endpoint| endpoint.route);
    let entry = shared.journal.begin(route, &parts);

    let mut response = match (endpoint, at_path.as_slice()) {
        (Some(endpoint), _) => known(shared, endpoint, &context_id, &entry, &mut parts, body).await,
        (None, at_path) => {
            let shape = at_path.first().map_or(ErrorShape::Platform, |endpoint| endpoint.errors);
            let refusal = if at_path.is_empty() {
                Refusal::not_found()
            } else {
                wrong_method(at_path.iter().map(|endpoint| &endpoint.method))
            };
            if !parts.headers.contains_key(EXPECT) {
                RequestBody::new(body, Arc::clone(&entry)).drain(shared.body_bytes_max()).await;
            }
            refusal.into_response(shape, &context_id)
        }
    };
    set_ids(&mut response, &context_id);
    entry.answered(response.status());
    let route = route.map(tracing::field::display);
    tracing::debug!(route, method = %parts.method, status = response.status().as_u16(), context_id, "answered");
    response
}

async fn known(
    shared: Arc<Shared>,
    endpoint: &'static Endpoint,
    context_id: &str,
    entry: &Arc<Entry>,
    parts: &mut Parts,
    body: Body,
) -> Response {
    let Ok(params) = RawPathParams::from_request_parts(parts, &()).await else {
        let refusal = Refusal::new(StatusCode::BAD_REQUEST, "bad.request", "the path is not UTF-8");
        return refusal.into_response(endpoint.errors, context_id);
    };
    let mut call = Call {
        connection: parts.extensions.get().cloned().unwrap_or_default(),
        context_id: context_id.to_owned(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().map(str::to_owned),
        headers: parts.headers.clone(),
        body: RequestBody::new(body, Arc::clone(entry)),
        standing: None,
        shared,
        endpoint,
        params: params.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
    };
    serve_with_faults(&mut call).await
}

pub(crate) fn wrong_method<'a>(allowed: impl IntoIterator<Item = &'a Method>) -> Refusal {
    let allowed = allowed.into_iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
    let allow = HeaderValue::from_str(&allowed).unwrap_or(HeaderValue::from_static("GET"));
    Refusal::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method.not.allowed",
        format!("the path takes only {allowed}"),
    )
    .with_header(ALLOW, allow)
}

/// A canned answer keeps the ids that it brings along.
fn set_ids(response: &mut Response, context_id: &str) {
    for name in ID_HEADERS {
        if let Ok(value) = HeaderValue::from_str(context_id) {
            response.headers_mut().entry(name).or_insert(value);
        }
    }
}
