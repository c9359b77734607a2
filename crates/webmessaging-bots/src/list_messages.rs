//! `GET /api/v2/conversations/{conversationId}/messages`: what has arrived in a conversation.

use serde::Deserialize;
use webmessaging_http::paging::{Entities, PageKey, Paged};
use webmessaging_http::{Encoder, Endpoint};
use webmessaging_model::{ConversationId, MessageId, Operation, Timestamp};

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
    /// When it arrived.
    #[serde(default)]
    pub created_date: Option<Timestamp>,
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
    type Answer = Entities<ArrivedMessage>;

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
