//! `POST /api/v2/conversations/{conversationId}/messages`: sends a message.

use std::fmt;

use bytes::Bytes;
use http::HeaderName;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use webmessaging_http::{Encoder, Endpoint};
use webmessaging_model::{ConversationId, MessageId, Operation, Timestamp, Violations};

use crate::message::Message;
use crate::operations::SEND_MESSAGE;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-genesys-request-id");

/// Sends a message. Contract: design; scope `conversation:write`. `Debug` does not show what it says.
///
/// The body is written once: what [`sha256`](Self::sha256) is made of are the bytes that go out, in every attempt. This is the bare request:
/// [`BotsClient::send`](crate::BotsClient::send) records what came of it.
#[derive(Clone, PartialEq)]
#[must_use = "a request does nothing until it is sent"]
pub struct SendMessage {
    conversation: ConversationId,
    request_id: String,
    body: Bytes,
    checked: Result<(), Violations>,
}

/// What the platform says of a message that it took.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Accepted {
    /// Its id.
    pub id: Option<MessageId>,
    /// When it was taken.
    pub created_date: Option<Timestamp>,
}

impl SendMessage {
    /// A message for a conversation. `request_id` is sent as `X-Genesys-Request-Id`, and finds the message again when its answer was lost: one for each
    /// message.
    pub fn new(
        conversation: impl Into<ConversationId>,
        request_id: impl Into<String>,
        message: &Message,
    ) -> Self {
        let checked = message.validate();
        // Only a value that has no JSON form could fail, and there is none among them.
        let body = serde_json::to_vec(message).unwrap_or_default().into();
        Self { conversation: conversation.into(), request_id: request_id.into(), body, checked }
    }

    /// Sends it though it breaks our limits: a server may have moved on. Markup is sent then, too.
    pub fn unchecked(mut self) -> Self {
        self.checked = Ok(());
        self
    }

    /// The conversation.
    pub fn conversation(&self) -> &ConversationId {
        &self.conversation
    }

    /// The id of the request.
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    /// The SHA-256 of the body.
    pub fn sha256(&self) -> [u8; 32] {
        Sha256::digest(&self.body).into()
    }
}

impl fmt::Debug for SendMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendMessage")
            .field("conversation", &self.conversation)
            .field("request_id", &self.request_id)
            .field("body", &format_args!("{} bytes", self.body.len()))
            .finish_non_exhaustive()
    }
}

impl Endpoint for SendMessage {
    type Answer = Option<Accepted>;

    fn operation(&self) -> &'static Operation {
        &SEND_MESSAGE
    }

    fn validate(&self) -> Result<(), Violations> {
        self.checked.clone()
    }

    fn encode(&self, request: Encoder) -> Encoder {
        request
            .path("conversationId", &self.conversation)
            .header(REQUEST_ID, &self.request_id)
            .json_bytes(self.body.clone())
    }
}
