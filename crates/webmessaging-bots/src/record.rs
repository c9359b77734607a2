//! What happens to messages is told to the journal: never what they say.

use webmessaging_http::Error;
use webmessaging_journal::Facts as EventFacts;
use webmessaging_journal::kind::{BotMessageFailed, BotMessageSent};
use webmessaging_model::{ConversationId, MessageId};

use crate::client::{BotsClient, SentMessage};
use crate::message::Message;
use crate::operations::SEND_MESSAGE;
use crate::send_message::SendMessage;

/// That a message was sent.
pub(crate) async fn sent(
    bots: &BotsClient,
    message: &Message,
    conversation: &ConversationId,
    sent: &SentMessage,
) -> Result<(), Error> {
    let recorded = bots.journal.record(|stamp| {
        let kind = described(bots, message, conversation, &sent.message_id);
        stamp.event(kind).facts(EventFacts::of(&sent.facts).payload_sha256(sent.sha256))
    });
    let lost = |error| Error::not_recorded(&sent.facts, error).with_subject(sent.message_id.as_str());
    recorded.await.map_err(lost)
}

/// That a message whose answer was lost was found in its conversation.
pub(crate) async fn found(
    bots: &BotsClient,
    message: &Message,
    request: &SendMessage,
    id: &MessageId,
) -> Result<(), webmessaging_journal::Error> {
    bots.journal
        .record(|stamp| {
            let kind = described(bots, message, request.conversation(), id);
            let facts = EventFacts::new().operation(SEND_MESSAGE.name).payload_sha256(request.sha256());
            stamp.event(kind).facts(facts)
        })
        .await
}

/// That a message was not sent, or may have been. What it failed with matters more than a record that cannot be written.
pub(crate) async fn failed(
    bots: &BotsClient,
    message: &Message,
    request: &SendMessage,
    error: &Error,
    maybe_sent: bool,
) {
    let recorded = bots.journal.record(|stamp| {
        let mut kind = BotMessageFailed::new(request.conversation().as_str(), error.kind().code())
            .message_id(request.request_id())
            .message_type(message.message_type().as_str())
            .maybe_sent(maybe_sent);
        kind.crm_target.clone_from(&bots.crm_target);
        let facts = EventFacts::of(error).operation(SEND_MESSAGE.name).payload_sha256(request.sha256());
        stamp.event(kind).facts(facts)
    });
    let _ = recorded.await;
}

fn described(
    bots: &BotsClient,
    message: &Message,
    conversation: &ConversationId,
    id: &MessageId,
) -> BotMessageSent {
    let mut kind = BotMessageSent::new(conversation.as_str())
        .message_id(id.clone())
        .message_type(message.message_type().as_str());
    kind.crm_target.clone_from(&bots.crm_target);
    kind
}
