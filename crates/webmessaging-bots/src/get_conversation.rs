//! `GET /api/v2/conversations/{conversationId}`: whether a conversation is under way, and who takes part.

use serde::Deserialize;
use webmessaging_http::{Encoder, Endpoint};
use webmessaging_model::{ConversationId, Operation, ParticipantId, Timestamp};

use crate::operations::GET_CONVERSATION;

/// A conversation, as far as a bot has to know it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Conversation {
    /// Its id.
    pub id: ConversationId,
    /// When it ended, if it did.
    #[serde(default)]
    pub end_time: Option<Timestamp>,
    /// Everybody who takes or took part.
    #[serde(default)]
    pub participants: Vec<Participant>,
}

/// Somebody who takes part in a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Participant {
    /// Its id.
    pub id: ParticipantId,
    /// What it is there for, such as `customer` or `agent`.
    #[serde(default)]
    pub purpose: Option<String>,
    /// When it left, if it did.
    #[serde(default)]
    pub end_time: Option<Timestamp>,
}

impl Conversation {
    /// Whether it is under way.
    pub fn is_active(&self) -> bool {
        self.end_time.is_none()
    }

    /// Whether somebody takes part in it now.
    pub fn has(&self, participant: &ParticipantId) -> bool {
        self.participants.iter().any(|other| other.id == *participant && other.end_time.is_none())
    }
}

/// Reads a conversation. Contract: live platform; scope `conversations:readonly`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a request does nothing until it is sent"]
pub struct GetConversation {
    conversation: ConversationId,
}

impl GetConversation {
    /// The conversation with this id.
    pub fn new(conversation: impl Into<ConversationId>) -> Self {
        Self { conversation: conversation.into() }
    }
}

impl Endpoint for GetConversation {
    type Answer = Conversation;

    fn operation(&self) -> &'static Operation {
        &GET_CONVERSATION
    }

    fn encode(&self, request: Encoder) -> Encoder {
        request.path("conversationId", &self.conversation)
    }
}
