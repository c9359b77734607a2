//! Messages of bots: sent, failed, read.

use webmessaging_model::{MessageId, Timestamp};

use super::define::kind;
use super::{Cause, Described, Outcome, Subject};
use crate::details::Details;

kind! {
    /// A message of a bot was accepted. The latency, the request id and the SHA-256 of the bytes sent are in the event's
    /// facts; a CRM is told `delivered` and the event's own time.
    pub struct BotMessageSent {
        /// The conversation.
        conversation_id => String,
    }
    optional {
        /// The message.
        message_id => MessageId,
        /// Its type: `text`, `card` or `quickReply`.
        message_type => String,
        /// The name of the system that is told of it.
        crm_target => String,
    }
}

impl Described for BotMessageSent {
    fn subject(&self) -> Subject<'_> {
        Subject::new("conversation", &self.conversation_id)
    }

    fn activity(&self) -> Option<&'static str> {
        Some("bot_message.send")
    }

    fn details(&self) -> Details<'_> {
        Details::default()
            .id("messageId", self.message_id.as_ref())
            .name("messageType", self.message_type.as_deref())
            .name("crmTarget", self.crm_target.as_deref())
    }
}

kind! {
    /// A message of a bot was not accepted. A CRM is told `failed` and the event's own time.
    pub struct BotMessageFailed {
        /// The conversation.
        conversation_id => String,
        /// The stable code of what was in the way.
        cause => Cause,
    }
    optional {
        /// The message, where it has an id.
        message_id => MessageId,
        /// Its type: `text`, `card` or `quickReply`.
        message_type => String,
        /// The name of the system that is told of it.
        crm_target => String,
        /// Whether it may have arrived all the same.
        maybe_sent: bool,
    }
}

impl Described for BotMessageFailed {
    fn subject(&self) -> Subject<'_> {
        Subject::new("conversation", &self.conversation_id)
    }

    fn outcome(&self) -> Outcome<'_> {
        Outcome::Failure { code: self.cause.as_str() }
    }

    fn activity(&self) -> Option<&'static str> {
        Some("bot_message.send")
    }

    fn details(&self) -> Details<'_> {
        Details::default()
            .id("messageId", self.message_id.as_ref())
            .name("messageType", self.message_type.as_deref())
            .name("crmTarget", self.crm_target.as_deref())
            .flag("maybeSent", self.maybe_sent)
    }
}

kind! {
    /// A message was read.
    pub struct MessageRead {
        /// The conversation.
        conversation_id => String,
        /// The message.
        message_id => MessageId,
    }
    optional {
        /// Who read it.
        participant_id => String,
        /// When it was read.
        read_at: Timestamp,
    }
}

impl Described for MessageRead {
    fn subject(&self) -> Subject<'_> {
        Subject::new("message", self.message_id.as_str())
    }

    fn details(&self) -> Details<'_> {
        Details::default()
            .id("conversationId", Some(&self.conversation_id))
            .id("participantId", self.participant_id.as_ref())
            .time("readAt", self.read_at)
    }
}
