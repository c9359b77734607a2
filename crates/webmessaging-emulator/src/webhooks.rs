//! Registering, listing and deleting webhooks, in both collections.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::response::Response;
use http::header::{CONNECTION, CONTENT_LENGTH, EXPECT, HOST, TE, TRAILER, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::answer::{Refusal, json_response};
use crate::attempt::RETRIES_MAX;
use crate::filter::Filter;
use crate::job::{EVENT_ID_HEADER, SIGNATURE_HEADER};
use crate::page::page;
use crate::schema::{Detail, check_webhook};
use crate::serve::Call;
use crate::subscription::{Collection, Sealed, Subscription};
use crate::target::Target;
use crate::uploads::json_body;

/// Stands in the headers of a registration for the organisation's webhook token.
const TOKEN_PLACEHOLDER: &str = "{{platform:webhook:token}}";

/// Headers that are the sender's own business.
const RESERVED_HEADERS: [HeaderName; 11] = [
    CONNECTION,
    CONTENT_LENGTH,
    EXPECT,
    HOST,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
    HeaderName::from_static("keep-alive"),
    EVENT_ID_HEADER,
    SIGNATURE_HEADER,
];

/// `POST` to a collection.
pub(crate) async fn create(call: &mut Call, collection: Collection) -> Result<Response, Refusal> {
    let body = json_body(call).await?;
    let subscription =
        subscription(collection, body, &call.shared.webhook_token).map_err(Refusal::constraints)?;
    let registered = call.shared.subscriptions.register(subscription)?;
    Ok(json_response(StatusCode::OK, &registered.answer()))
}

/// `GET` of a collection.
pub(crate) fn list(call: &Call, collection: Collection) -> Result<Response, Refusal> {
    let all = call.shared.subscriptions.list(collection)?;
    let answer = page(collection.path(), call.query.as_deref(), &all, |known| known.answer())?;
    Ok(json_response(StatusCode::OK, &answer))
}

/// `DELETE` of one webhook.
pub(crate) fn delete(call: &Call, collection: Collection) -> Result<Response, Refusal> {
    if !call.shared.subscriptions.remove(collection, call.param("webhookId"))? {
        return Err(Refusal::not_found());
    }
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}

/// The webhook of a registration, with a fresh id, or every rule that the registration breaks.
pub(crate) fn subscription(
    collection: Collection,
    registration: Value,
    token: &SecretString,
) -> Result<Subscription, Vec<Detail>> {
    let details = check_webhook(collection, &registration);
    if !details.is_empty() {
        return Err(details);
    }
    let Value::Object(mut fields) = registration else { return Err(vec![detail("type", "")]) };
    let token = token.expose_secret();
    let (url_field, headers_field) = (collection.url_field(), collection.headers_field());
    let headers = fields.remove(headers_field);
    let secret = fields.remove("secret");
    let url = text(fields.remove(url_field).as_ref());
    let name = text(fields.remove("name").as_ref());

    // What the schema cannot see.
    let mut details = Vec::new();
    if Target::parse(&url).is_none() {
        details.push(detail("format", url_field));
    }
    let headers = own_headers(headers.as_ref(), token).unwrap_or_else(|| {
        details.push(detail("propertyNames", headers_field));
        BTreeMap::new()
    });
    let retries_max = retries_max(fields.get("retryPolicy")).unwrap_or_else(|| {
        details.push(detail("type", "/retryPolicy/maxRetries"));
        0
    });
    let filter = filter(collection, &fields).ok_or_else(|| vec![detail("pattern", "eventFilter")])?;
    if !details.is_empty() {
        return Err(details);
    }
    Ok(Subscription {
        id: Uuid::new_v4().to_string(),
        collection,
        name,
        url: url.into(),
        filter,
        headers,
        // The file upload document knows no secret of one webhook, only the organisation's token.
        secret: secret.map_or_else(|| token.to_owned(), |secret| text(Some(&secret))).into(),
        retries_max,
        is_enabled: fields.get("enabled") != Some(&Value::Bool(false)),
        shown: fields,
        gone: CancellationToken::new(),
    })
}

fn detail(error_code: &str, field_name: &str) -> Detail {
    Detail { error_code: error_code.to_owned(), field_name: field_name.to_owned() }
}

fn text(value: Option<&Value>) -> String {
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn filter(collection: Collection, fields: &Map<String, Value>) -> Option<Filter> {
    match collection {
        Collection::Webhooks => Filter::event_type(fields.get("eventFilter")?.as_str()?),
        Collection::PlatformWebhooks => {
            serde_json::from_value(fields.get("eventFilters")?.clone()).ok().map(Filter::Actions)
        }
    }
}

/// The headers of a registration, unless one is reserved, not a header, or there twice.
fn own_headers(headers: Option<&Value>, token: &str) -> Option<BTreeMap<String, Sealed>> {
    let mut seen = HeaderMap::new();
    let mut own = BTreeMap::new();
    for (name, value) in headers.and_then(Value::as_object).into_iter().flatten() {
        let value = value.as_str()?.replace(TOKEN_PLACEHOLDER, token);
        let header = HeaderName::try_from(name).ok().filter(|name| !RESERVED_HEADERS.contains(name))?;
        if seen.insert(header, HeaderValue::try_from(&value).ok()?).is_some() {
            return None;
        }
        own.insert(name.to_ascii_lowercase(), value.into());
    }
    Some(own)
}

/// How often a webhook's policy lets a delivery be repeated; `None` for a number that is none to JSON's decoders.
fn retries_max(policy: Option<&Value>) -> Option<u32> {
    let field = |name: &str| policy.and_then(|policy| policy.get(name));
    if field("enabled") == Some(&Value::Bool(false)) {
        return Some(0);
    }
    field("maxRetries").map_or(Some(RETRIES_MAX), |max| max.as_u64().and_then(|max| max.try_into().ok()))
}
