//! Conversations, and `GET /api/v2/conversations/{conversationId}`, which shows one.

use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};

use crate::answer::{Refusal, json_response};
use crate::organization::Organization;
use crate::serve::Call;

/// When conversations of the builder began; fixed, so that runs are alike.
pub(crate) const START_TIME: &str = "2026-01-05T09:00:00.000Z";

/// When they ended, if they did.
const END_TIME: &str = "2026-01-05T09:30:00.000Z";

/// A conversation and who takes part in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Conversation {
    pub(crate) id: String,
    pub(crate) start_time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) end_time: Option<String>,
    pub(crate) state: String,
    pub(crate) participants: Vec<Participant>,
}

impl Conversation {
    /// A conversation that is under way and that nobody takes part in yet.
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            start_time: START_TIME.to_owned(),
            end_time: None,
            state: "connected".to_owned(),
            participants: Vec::new(),
        }
    }

    /// Adds a participant.
    pub fn participant(mut self, participant: Participant) -> Self {
        self.participants.push(participant);
        self
    }

    /// Ends the conversation, and with it the stay of every participant it has so far.
    pub fn ended(mut self) -> Self {
        "disconnected".clone_into(&mut self.state);
        self.end_time = Some(END_TIME.to_owned());
        for participant in &mut self.participants {
            participant.end_time.clone_from(&self.end_time);
        }
        self
    }

    /// The id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Everybody who takes or took part.
    pub fn participants(&self) -> &[Participant] {
        &self.participants
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.end_time.is_some()
    }

    /// Whether somebody takes part and has not left; of a conversation without participants nobody knows better.
    pub(crate) fn is_joined_by(&self, id: &str) -> bool {
        let is_there = |known: &Participant| known.id == id && known.end_time.is_none();
        self.participants.is_empty() || self.participants.iter().any(is_there)
    }
}

/// Somebody who takes part in a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Participant {
    pub(crate) id: String,
    pub(crate) purpose: String,
    pub(crate) start_time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) end_time: Option<String>,
}

impl Participant {
    /// A participant with its purpose, one of the platform's words: `customer`, `agent`, `user`, `external`, `acd`, `ivr`.
    pub fn new(id: impl Into<String>, purpose: impl Into<String>) -> Self {
        Self { id: id.into(), purpose: purpose.into(), start_time: START_TIME.to_owned(), end_time: None }
    }

    /// The id.
    pub fn id(&self) -> &str {
        &self.id
    }
}

pub(crate) fn get(call: &Call) -> Result<Response, Refusal> {
    let id = call.param("conversationId");
    let organization = call.shared.organization.capture();
    let mut answer = json!(find(&organization, id)?);
    if let Value::Object(fields) = &mut answer {
        fields.insert("selfUri".to_owned(), call.path.clone().into());
    }
    Ok(json_response(StatusCode::OK, &answer))
}

/// The conversation with this id.
pub(crate) fn find<'a>(organization: &'a Organization, id: &str) -> Result<&'a Conversation, Refusal> {
    let known = organization.conversations().iter().find(|conversation| conversation.id() == id);
    known.ok_or_else(Refusal::not_found)
}
