//! The client for messages of bots.

use std::num::NonZeroUsize;
use std::time::Duration;

use webmessaging_http::{Answer, Client, Endpoint, Error, ErrorKind, Facts};
use webmessaging_journal::Journal;
use webmessaging_model::{Code, ConversationId, MessageId, Operation, ParticipantId, Violation, Violations};

use crate::arrival::Arrival;
use crate::get_conversation::{Conversation, GetConversation};
use crate::list_messages::ListMessages;
use crate::message::Message;
use crate::operations::SEND_MESSAGE;
use crate::origin::AllowedOrigins;
use crate::presence::Presence;
use crate::receipts::Receipts;
use crate::record;
use crate::send_message::{Accepted, SendMessage};

/// Sends messages of bots, one request each. Cheap to clone.
///
/// Two calls at once can arrive in any order; [`Sender`](crate::Sender) keeps the order of each conversation, and finds out what became of a message
/// whose answer was lost.
///
/// # Examples
/// ```no_run
/// use webmessaging_bots::{BotsClient, Message};
/// use webmessaging_http::{Client, Credentials};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let bots = BotsClient::new(Client::builder(Credentials::new("id", "secret")).build()?);
/// let sent = bots.send("conversation-1", &Message::text("customer-1", "bot-1", "Good morning")).await?;
/// println!("{} after {:?}", sent.message_id, sent.facts.latency);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct BotsClient {
    pub(crate) http: Client,
    pub(crate) journal: Journal,
    pub(crate) crm_target: Option<String>,
    pub(crate) receipts: Option<Receipts>,
    origins: Option<AllowedOrigins>,
    /// Whether the origin of what is sent was admitted, where there is a list.
    pub(crate) is_admitted: bool,
    presence: Option<Presence>,
}

/// A message that was sent.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SentMessage {
    /// Its id; where the platform names none, that of the request.
    pub message_id: MessageId,
    /// The `X-Genesys-Request-Id` that it was sent with.
    pub request_id: String,
    /// The SHA-256 of the bytes that were sent.
    pub sha256: [u8; 32],
    /// How the call went.
    pub facts: Facts,
}

impl BotsClient {
    /// A client that tells nobody what it does.
    pub fn new(http: Client) -> Self {
        let journal = Journal::none();
        let (crm_target, receipts, origins, presence) = (None, None, None, None);
        Self { http, journal, crm_target, receipts, origins, is_admitted: false, presence }
    }

    /// Sets who is told of messages: audit log, metrics, outbox; nobody by default. A call is over when its durable sinks have the record; a message that
    /// was sent and could not be recorded fails with [`NotRecorded`](ErrorKind::NotRecorded).
    #[must_use]
    pub fn journal(mut self, journal: Journal) -> Self {
        self.journal = journal;
        self
    }

    /// Names the CRM that is told of each message, where there are several.
    #[must_use]
    pub fn crm_target(mut self, name: impl Into<String>) -> Self {
        self.crm_target = Some(name.into());
        self
    }

    /// Sets where messages are noted that wait for a read receipt.
    #[must_use]
    pub fn receipts(mut self, receipts: Receipts) -> Self {
        self.receipts = Some(receipts);
        self
    }

    /// Sets which pages may have messages sent. From then on nothing is sent but through [`from_origin`](Self::from_origin).
    #[must_use]
    pub fn allowed_origins(mut self, origins: AllowedOrigins) -> Self {
        self.origins = Some(origins);
        self.is_admitted = false;
        self
    }

    /// Has every message wait for a look whether its conversation is under way and both sides take part in it. What was seen is taken for `life`, of
    /// 1 000 conversations.
    #[must_use]
    pub fn check_participants(mut self, life: Duration) -> Self {
        const CONVERSATIONS_MAX: NonZeroUsize = NonZeroUsize::new(1_000).unwrap();
        self.presence = Some(Presence::new(CONVERSATIONS_MAX, life));
        self
    }

    /// A client for what the page of this origin asks for; the origin is looked at once.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) when the origin is not in the list, or there is none.
    pub fn from_origin(&self, origin: &str) -> Result<Self, Error> {
        let admitted = self.origins.as_ref().map_or_else(|| Err(not_admitted()), |list| list.admit(origin));
        match admitted {
            Ok(_) => Ok(Self { is_admitted: true, ..self.clone() }),
            Err(violation) => Err(Error::from(Violations::from(violation)).with_operation(&SEND_MESSAGE)),
        }
    }

    /// Sends a message, once: when its answer is lost it may have arrived, and is not sent again.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) for a message that breaks a rule, from an origin that is not admitted, or for a conversation that is over;
    /// [`NotRecorded`](ErrorKind::NotRecorded); those of [`Client::send`]. [`Error::may_have_acted`] says whether it may have arrived, where the
    /// error's operation is `bots.message.send`.
    pub async fn send(
        &self,
        conversation: impl Into<ConversationId>,
        message: &Message,
    ) -> Result<SentMessage, Error> {
        let request = SendMessage::new(conversation, self.http.new_id(), message);
        let sent = self.attempt(message, &request, self.is_admitted).await;
        self.record(message, &request, sent).await
    }

    /// Reads a conversation: whether it is under way, and who takes part.
    ///
    /// # Errors
    /// Those of [`Client::send`].
    pub async fn conversation(&self, id: impl Into<ConversationId>) -> Result<Conversation, Error> {
        Ok(self.http.send(&GetConversation::new(id)).await?.value)
    }

    /// Looks whether a message has arrived, by the id of its request.
    ///
    /// # Errors
    /// Those of [`Client::send`]: [`NotFound`](ErrorKind::NotFound) also where the platform cannot say.
    pub async fn arrival(
        &self,
        conversation: impl Into<ConversationId>,
        request_id: &str,
    ) -> Result<Arrival, Error> {
        self.arrival_of(conversation.into(), request_id, None).await
    }

    pub(crate) async fn arrival_of(
        &self,
        conversation: ConversationId,
        request_id: &str,
        from: Option<&ParticipantId>,
    ) -> Result<Arrival, Error> {
        Arrival::find(self.http.pages(ListMessages::new(conversation)).items(), request_id, from).await
    }

    /// A fresh id for a request, for whoever writes it down before the message is sent.
    pub fn new_request_id(&self) -> String {
        self.http.new_id()
    }

    /// Sends a message and tells nobody.
    pub(crate) async fn attempt(
        &self,
        message: &Message,
        request: &SendMessage,
        is_admitted: bool,
    ) -> Result<Answer<Option<Accepted>>, Error> {
        if self.origins.is_some() && !is_admitted {
            return Err(Error::from(Violations::from(not_admitted())).with_operation(&SEND_MESSAGE));
        }
        if let Some(presence) = &self.presence {
            // Nobody is asked about a message that goes nowhere.
            request.validate().map_err(|violations| Error::from(violations).with_operation(&SEND_MESSAGE))?;
            presence.check(self, request.conversation(), message).await?;
        }
        self.http.send(request).await
    }

    /// Tells what came of a message.
    pub(crate) async fn record(
        &self,
        message: &Message,
        request: &SendMessage,
        sent: Result<Answer<Option<Accepted>>, Error>,
    ) -> Result<SentMessage, Error> {
        match sent {
            Ok(Answer { value, facts, .. }) => {
                let id = value.and_then(|accepted| accepted.id);
                let message_id = id.unwrap_or_else(|| MessageId::from(request.request_id()));
                let (request_id, sha256) = (request.request_id().to_owned(), request.sha256());
                if let Some(receipts) = &self.receipts {
                    receipts.sent(request.conversation(), &message_id);
                }
                let sent = SentMessage { message_id, request_id, sha256, facts };
                record::sent(self, message, request.conversation(), &sent).await?;
                Ok(sent)
            }
            Err(error) => {
                record::failed(self, message, request, &error, may_have_arrived(&error)).await;
                Err(error)
            }
        }
    }
}

fn not_admitted() -> Violation {
    Violation::new("origin", Code::Required, "bot_message.origin.required")
}

/// That a conversation, or somebody in it, is not there for a message.
pub(crate) fn absent(path: &'static str, rule: &'static str, operation: &'static Operation) -> Error {
    let violation = Violation::new(path, Code::NotAllowed, rule);
    Error::from(Violations::from(violation)).with_operation(operation)
}

/// Whether an error says that the platform has no such list.
pub(crate) fn cannot_say(error: &Error) -> bool {
    use ErrorKind::{NotFound, Permission, Rejected, UnexpectedAnswer};
    !error.is_of_login() && matches!(error.kind(), NotFound | Permission | Rejected | UnexpectedAnswer)
}

/// Whether a message can be there though it failed. What was asked before it is not the message.
pub(crate) fn may_have_arrived(error: &Error) -> bool {
    let is_message = error.operation().is_none_or(|operation| operation.name == SEND_MESSAGE.name);
    is_message && error.may_have_acted()
}
