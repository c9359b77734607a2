//! Guests: `POST /api/v2/conversations/webmessaging/guests` creates one, `GET .../{guestId}` shows it, `PATCH` changes it.

mod audits;
mod update;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use axum::response::Response;
use http::header::ETAG;
use http::{HeaderValue, StatusCode};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::answer::{Refusal, json_response};
use crate::clock::timestamp;
use crate::schema::check_guest;
use crate::serve::Call;
use crate::uploads::json_body;

pub(crate) use self::audits::list as list_audits;
pub(crate) use self::update::update;

/// What can be changed of a guest.
const CONTENT: [&str; 4] = ["consent", "identityAttributes", "channelContext", "attributes"];

/// A guest as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Guest {
    created: SystemTime,
    modified: SystemTime,
    /// Grows with each change.
    version: u64,
    /// What was sent, without the channel.
    content: Map<String, Value>,
}

impl Guest {
    fn answer(&self, id: &str, status: StatusCode) -> Response {
        let mut body = self.content.clone();
        body.insert("id".to_owned(), id.into());
        body.insert("channel".to_owned(), "webmessaging".into());
        body.insert("createdDate".to_owned(), timestamp(self.created).into());
        body.insert("modifiedDate".to_owned(), timestamp(self.modified).into());
        body.insert("interactionCount".to_owned(), 0.into());
        let mut response = json_response(status, &Value::Object(body));
        response.headers_mut().insert(ETAG, self.etag());
        response
    }

    fn etag(&self) -> HeaderValue {
        // Digits and quotes are what a header can hold.
        HeaderValue::from_str(&format!("\"{}\"", self.version)).unwrap_or(HeaderValue::from_static("\"0\""))
    }
}

/// Something that happened to a guest.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Audit {
    id: Uuid,
    at: SystemTime,
    action: &'static str,
    guest: String,
}

/// All guests, and what happened to them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Content {
    guests: BTreeMap<String, Guest>,
    /// The oldest first.
    audits: Vec<Audit>,
}

/// The guests of a running emulator.
#[derive(Debug, Default)]
pub(crate) struct Guests {
    content: Mutex<Arc<Content>>,
}

impl Guests {
    /// The guests as they are.
    pub(crate) fn capture(&self) -> Arc<Content> {
        Arc::clone(&self.lock())
    }

    /// Puts these in place of the others.
    pub(crate) fn restore(&self, content: Arc<Content>) {
        *self.lock() = content;
    }

    fn get(&self, id: &str) -> Result<Guest, Refusal> {
        self.lock().guests.get(id).cloned().ok_or_else(Refusal::not_found)
    }

    fn put(&self, id: &str, guest: Guest, action: &'static str) {
        let mut content = self.lock();
        let content = Arc::make_mut(&mut content);
        let audit = Audit { id: Uuid::new_v4(), at: guest.modified, action, guest: id.to_owned() };
        content.audits.push(audit);
        content.guests.insert(id.to_owned(), guest);
    }

    /// Content is replaced as a whole, so a poisoned lock holds good data.
    fn lock(&self) -> MutexGuard<'_, Arc<Content>> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) async fn create(call: &mut Call) -> Result<Response, Refusal> {
    let body = json_body(call).await?;
    let details = check_guest(&body);
    if !details.is_empty() {
        return Err(Refusal::constraints(details));
    }
    let fields = body.as_object().into_iter().flatten();
    let content = fields.filter(|(name, _)| CONTENT.contains(&name.as_str()));
    let content = content.map(|(name, value)| (name.clone(), value.clone())).collect();
    let now = call.shared.clock.now();
    let guest = Guest { created: now, modified: now, version: 1, content };
    let id = Uuid::new_v4().to_string();
    call.shared.guests.put(&id, guest.clone(), "GUEST_CREATED");
    Ok(guest.answer(&id, StatusCode::CREATED))
}

pub(crate) fn get(call: &Call) -> Result<Response, Refusal> {
    let id = call.param("guestId");
    Ok(call.shared.guests.get(id)?.answer(id, StatusCode::OK))
}

/// What the schema of a new guest says of this content.
fn violations(content: &Map<String, Value>) -> Vec<crate::schema::Detail> {
    let mut body = json!(content);
    if let Value::Object(fields) = &mut body {
        fields.insert("channel".to_owned(), "webmessaging".into());
    }
    check_guest(&body)
}
