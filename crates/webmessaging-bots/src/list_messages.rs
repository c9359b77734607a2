//! `GET /api/v2/conversations/{conversationId}/messages`: what has arrived in a conversation.

use serde::Deserialize;
use serde_json::Value;
use webmessaging_http::paging::{Entities, Next, PageAnswer, PageKey, Paged};
use webmessaging_http::{Encoder, Endpoint};
use webmessaging_model::{ConversationId, MessageId, Operation, ParticipantId, Timestamp};

use crate::operations::LIST_MESSAGES;

/// Messages on a page.
const PAGE_SIZE: u64 = 100;

/// A message that has arrived, as far as it has to be known to find it again.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ArrivedMessage {
    /// Its id.
    pub id: MessageId,
    /// The `X-Genesys-Request-Id` that it was sent with, where the platform tells.
    #[serde(default)]
    pub request_id: Option<String>,
    /// Who it is from, where the platform tells.
    #[serde(default)]
    pub from: Option<MessageSide>,
    /// When it arrived.
    #[serde(default)]
    pub created_date: Option<Timestamp>,
}

/// A side of a message.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct MessageSide {
    /// The participant.
    pub id: ParticipantId,
}

/// A page of messages. One without its list is no answer: nothing follows from it about what has arrived.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Value")]
pub struct MessagePage(Entities<ArrivedMessage>);

impl TryFrom<Value> for MessagePage {
    type Error = serde_json::Error;

    fn try_from(page: Value) -> Result<Self, Self::Error> {
        if !page.get("entities").is_some_and(Value::is_array) {
            return Err(serde::de::Error::missing_field("entities"));
        }
        Entities::deserialize(page).map(Self)
    }
}

impl PageAnswer for MessagePage {
    type Item = ArrivedMessage;

    fn items(&self) -> &[ArrivedMessage] {
        self.0.items()
    }

    fn into_items(self) -> Vec<ArrivedMessage> {
        self.0.into_items()
    }

    fn next(&self) -> Next {
        self.0.next()
    }

    fn total(&self) -> Option<u64> {
        self.0.total()
    }

    fn first() -> PageKey {
        PageKey::Number(1)
    }
}

/// Reads a page of the messages of a conversation, the newest first. Contract: design; scope `conversation:read`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a request does nothing until it is sent"]
pub struct ListMessages {
    conversation: ConversationId,
    page: PageKey,
}

impl ListMessages {
    /// The first page, of 100 messages.
    pub fn new(conversation: impl Into<ConversationId>) -> Self {
        Self { conversation: conversation.into(), page: PageKey::Number(1) }
    }
}

impl Endpoint for ListMessages {
    type Answer = MessagePage;

    fn operation(&self) -> &'static Operation {
        &LIST_MESSAGES
    }

    fn encode(&self, request: Encoder) -> Encoder {
        request
            .path("conversationId", &self.conversation)
            .query("pageSize", PAGE_SIZE.to_string())
            .page(&self.page)
    }
}

impl Paged for ListMessages {
    fn at(&self, page: &PageKey) -> Self {
        Self { page: page.clone(), ..self.clone() }
    }

    fn page_size(&self) -> Option<u64> {
        Some(PAGE_SIZE)
    }
}
