//! Bot messages: `POST /api/v2/conversations/{conversationId}/messages` sends one, `GET` lists those of a conversation.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use axum::response::Response;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::answer::{Refusal, json_response};
use crate::clock::timestamp;
use crate::conversations::{Conversation, find};
use crate::page::page;
use crate::schema::{Detail, check_message};
use crate::serve::Call;
use crate::uploads::json_body;

/// Under this id the sender can ask about a request; it is kept with the message.
const REQUEST_ID_HEADER: &str = "x-genesys-request-id";

/// A message that a bot has sent to a conversation; see [`Emulator::messages`](crate::Emulator::messages).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct BotMessage {
    /// The id that the sender was answered.
    pub id: String,
    /// When it arrived, on the emulator's clock.
    pub created: SystemTime,
    /// The request's `X-Genesys-Request-Id`; `None` when it had none.
    pub request_id: Option<String>,
    /// What was sent: an object with `to`, `from`, `type`, and one of `text`, `cards` and `quickReplies`.
    pub body: Value,
}

/// The messages of each conversation, the oldest first. Those of one are shared with whoever has captured them, so that
/// a new message never copies those of others.
pub(crate) type Content = BTreeMap<String, Arc<Vec<Arc<BotMessage>>>>;

/// The bot messages of a running emulator.
#[derive(Debug, Default)]
pub(crate) struct Messages {
    content: Mutex<Arc<Content>>,
}

impl Messages {
    /// The messages as they are.
    pub(crate) fn capture(&self) -> Arc<Content> {
        Arc::clone(&self.lock())
    }

    /// Puts these in place of the others.
    pub(crate) fn restore(&self, content: Arc<Content>) {
        *self.lock() = content;
    }

    /// The messages of one conversation, the oldest first.
    pub(crate) fn of(&self, conversation_id: &str) -> Arc<Vec<Arc<BotMessage>>> {
        self.lock().get(conversation_id).cloned().unwrap_or_default()
    }

    fn push(&self, conversation_id: &str, message: BotMessage) {
        let mut content = self.lock();
        let messages = Arc::make_mut(&mut content).entry(conversation_id.to_owned()).or_default();
        Arc::make_mut(messages).push(Arc::new(message));
    }

    /// No step leaves the messages half-changed, so a poisoned lock holds good data.
    fn lock(&self) -> MutexGuard<'_, Arc<Content>> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) async fn send(call: &mut Call) -> Result<Response, Refusal> {
    let body = json_body(call).await?;
    let violations = check_message(&body);
    let shared = &call.shared;
    // Held to the end: messages are stored in the order of their times, and nothing ends the conversation in between.
    let _turn = shared.turn();
    let conversation_id = call.param("conversationId");
    let organization = shared.organization.capture();
    let conversation = find(&organization, conversation_id)?;
    if conversation.has_ended() {
        return Err(Refusal::new(
            StatusCode::CONFLICT,
            "conversation.not.active",
            "the conversation has ended",
        ));
    }
    if !violations.is_empty() {
        return Err(Refusal::constraints(violations));
    }
    let strangers = strangers(conversation, &body);
    if !strangers.is_empty() {
        return Err(Refusal::constraints(strangers));
    }
    let (id, created) = (Uuid::new_v4().to_string(), shared.clock.now());
    let answer = json!({
        "id": id,
        "conversationId": conversation_id,
        "createdDate": timestamp(created),
    });
    let request_id = request_id(&call.headers);
    shared.messages.push(conversation_id, BotMessage { id, created, request_id, body });
    Ok(json_response(StatusCode::OK, &answer))
}

pub(crate) fn list(call: &Call) -> Result<Response, Refusal> {
    let conversation_id = call.param("conversationId");
    find(&call.shared.organization.capture(), conversation_id)?;
    let messages = call.shared.messages.of(conversation_id);
    let newest_first: Vec<_> = messages.iter().rev().collect();
    let answer = page(&call.path, call.query.as_deref(), &newest_first, |message| shown(message))?;
    Ok(json_response(StatusCode::OK, &answer))
}

fn shown(message: &BotMessage) -> Value {
    let mut entity = message.body.clone();
    if let Value::Object(fields) = &mut entity {
        fields.insert("id".to_owned(), message.id.clone().into());
        fields.insert("createdDate".to_owned(), timestamp(message.created).into());
        if let Some(request_id) = &message.request_id {
            fields.insert("requestId".to_owned(), request_id.clone().into());
        }
    }
    entity
}

/// Which ends of a message do not take part in its conversation.
fn strangers(conversation: &Conversation, body: &Value) -> Vec<Detail> {
    let is_stranger = |pointer: &&str| {
        let id = body.pointer(pointer).and_then(Value::as_str);
        !id.is_some_and(|id| conversation.is_joined_by(id))
    };
    let strangers = ["/to/id", "/from/id"].into_iter().filter(is_stranger);
    let detail =
        |pointer: &str| Detail { error_code: "participant".to_owned(), field_name: pointer.to_owned() };
    strangers.map(detail).collect()
}

/// What the sender calls the request; nothing else than a text counts.
fn request_id(headers: &HeaderMap) -> Option<String> {
    headers.get(REQUEST_ID_HEADER)?.to_str().ok().map(str::to_owned)
}
