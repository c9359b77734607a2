//! A sender that keeps the order of every conversation, and sends nothing twice.

use std::fmt;
use std::num::NonZeroU32;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::{Semaphore, oneshot};
use webmessaging_http::Error;
use webmessaging_model::ConversationId;

use crate::client::{BotsClient, absent};
use crate::lanes::{Job, Lane, Lanes};
use crate::message::Message;
use crate::operations::SEND_MESSAGE;
use crate::outcome::{Delivered, Reason, Undelivered};

/// So many messages wait at once, before callers wait themselves.
const ROOM: usize = 1_000;

/// So many are under way at once.
const AT_ONCE: usize = 64;

/// So often one is sent that has certainly not arrived.
const ROUNDS: NonZeroU32 = NonZeroU32::new(5).unwrap();

/// So long a lost message is given to arrive, before anybody looks for it.
const SETTLE: Duration = Duration::from_secs(5);

/// Sends messages, each conversation in order and many conversations at once. Cheap to clone.
///
/// - **Order.** A conversation is a lane: its next message goes out when the one before has arrived. The order is that in which the calls of
///   [`enqueue`](Self::enqueue) were first polled; keep polling a call that you have begun, others wait behind it.
/// - **Bounded.** A caller waits while 1 000 messages wait already; 64 are under way at once.
/// - **Not twice.** When an answer is lost, the lane stands still, waits, and reads the conversation back: what has arrived is not sent again, and what has not
///   is. A request that is held up for longer than the wait ([`SenderBuilder::settle`]) and acts all the same makes a second message; nothing else does. Where
///   nobody can say, the lane stays stopped, everything that was accepted behind it is handed back unsent, and somebody has to
///   [`resume`](Self::resume) it.
///
/// # Examples
/// ```no_run
/// use webmessaging_bots::{BotsClient, Message, Sender};
///
/// # async fn example(bots: BotsClient) -> Result<(), Box<dyn std::error::Error>> {
/// let sender = Sender::new(bots);
/// let first = sender.enqueue("conversation-1", Message::text("customer-1", "bot-1", "One moment")).await?;
/// let second = sender.enqueue("conversation-1", Message::text("customer-1", "bot-1", "Here it is")).await?;
/// println!("{}, {}", first.await?.message_id, second.await?.message_id);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Sender {
    lanes: Arc<Lanes>,
    /// Whether the origin of what is sent was admitted, where there is a list.
    is_admitted: bool,
}

/// How a [`Sender`] is to be.
#[derive(Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct SenderBuilder {
    bots: BotsClient,
    room: usize,
    at_once: usize,
    rounds: NonZeroU32,
    settle: Duration,
}

/// A message that was accepted; the future is what came of it. Dropped, the message goes out all the same.
#[derive(Debug)]
pub struct Ticket {
    request_id: String,
    outcome: oneshot::Receiver<Result<Delivered, Undelivered>>,
}

impl Sender {
    /// A sender with the usual limits.
    pub fn new(bots: BotsClient) -> Self {
        Self::builder(bots).build()
    }

    /// A sender whose limits are to be set.
    pub fn builder(bots: BotsClient) -> SenderBuilder {
        SenderBuilder { bots, room: ROOM, at_once: AT_ONCE, rounds: ROUNDS, settle: SETTLE }
    }

    /// What it sends with.
    pub fn client(&self) -> &BotsClient {
        &self.lanes.bots
    }

    /// Accepts a message, once there is room for it.
    ///
    /// # Errors
    /// [`Undelivered`] when its conversation is stopped. A message that breaks a rule is refused when its turn comes.
    pub async fn enqueue(
        &self,
        conversation: impl Into<ConversationId>,
        message: Message,
    ) -> Result<Ticket, Undelivered> {
        let request_id = self.lanes.bots.http.new_id();
        self.enqueue_as(conversation, request_id, message).await
    }

    /// Accepts a message with a request id that somebody has written down before, to find it again after a crash.
    ///
    /// # Errors
    /// Those of [`enqueue`](Self::enqueue).
    pub async fn enqueue_as(
        &self,
        conversation: impl Into<ConversationId>,
        request_id: impl Into<String>,
        message: Message,
    ) -> Result<Ticket, Undelivered> {
        self.accept(conversation.into(), request_id.into(), message, false).await
    }

    /// Accepts a message that somebody who is gone may have sent with this request id: the conversation is read back first, when its turn comes, and at once. Give
    /// it the time to arrive before ([`settle`](Self::settle)).
    ///
    /// # Errors
    /// Those of [`enqueue`](Self::enqueue).
    pub async fn enqueue_again(
        &self,
        conversation: impl Into<ConversationId>,
        request_id: impl Into<String>,
        message: Message,
    ) -> Result<Ticket, Undelivered> {
        self.accept(conversation.into(), request_id.into(), message, true).await
    }

    async fn accept(
        &self,
        conversation: ConversationId,
        request_id: String,
        message: Message,
        may_be_there: bool,
    ) -> Result<Ticket, Undelivered> {
        if !is_request_id(&request_id) {
            let error = absent("requestId", "bot_message.request_id", &SEND_MESSAGE);
            return Err(Undelivered::new(Reason::Refused, "", error));
        }
        let turn = self.lanes.turns.lock().await;
        let room = Arc::clone(&self.lanes.room).acquire_owned().await;
        // Nobody closes it.
        let room = room.map_err(|_| Undelivered::not_sent(&request_id))?;
        let (told, outcome) = oneshot::channel();
        let (id, is_admitted) = (request_id.clone(), self.is_admitted);
        let job = Job { message, request_id: id, may_be_there, is_admitted, told, _room: room };
        self.lanes.add(conversation, job)?;
        drop(turn);
        Ok(Ticket { request_id, outcome })
    }

    /// A sender for what the page of this origin asks for; it shares its lanes with this one.
    ///
    /// # Errors
    /// Those of [`BotsClient::from_origin`].
    pub fn from_origin(&self, origin: &str) -> Result<Self, Error> {
        let is_admitted = self.lanes.bots.from_origin(origin)?.is_admitted;
        Ok(Self { lanes: Arc::clone(&self.lanes), is_admitted })
    }

    /// Sends a message when its turn comes, and waits for what came of it.
    ///
    /// # Errors
    /// [`Undelivered`], with what is known of it.
    pub async fn send(
        &self,
        conversation: impl Into<ConversationId>,
        message: Message,
    ) -> Result<Delivered, Undelivered> {
        self.enqueue(conversation, message).await?.await
    }

    /// The conversations that are stopped, and the id of the request of which nobody knows whether it arrived. They stay until they are
    /// [resumed](Self::resume).
    pub fn stopped(&self) -> Vec<(ConversationId, String)> {
        let lanes = self.lanes.lock();
        let stopped = lanes.iter().filter_map(|(conversation, lane)| match lane {
            Lane::Stopped(request_id) => Some((conversation.clone(), request_id.clone())),
            Lane::Running(_) => None,
        });
        stopped.collect()
    }

    /// Lets a stopped conversation go on, once somebody has found out what became of its message. Whether it was stopped.
    pub fn resume(&self, conversation: &ConversationId) -> bool {
        let mut lanes = self.lanes.lock();
        let is_stopped = matches!(lanes.get(conversation), Some(Lane::Stopped(_)));
        if is_stopped {
            lanes.remove(conversation);
        }
        is_stopped
    }

    /// How long a message whose answer was lost is given to arrive.
    pub fn settle(&self) -> Duration {
        self.lanes.settle
    }

    /// Waits until everything that was accepted has an outcome. What is accepted meanwhile waits for that.
    pub async fn drain(&self) {
        let all = u32::try_from(self.lanes.capacity).unwrap_or(u32::MAX);
        let _ = self.lanes.room.acquire_many(all).await;
    }
}

impl SenderBuilder {
    /// Sets how many messages are accepted before callers wait; 1 000 by default, 1 at least.
    pub fn room(mut self, messages: usize) -> Self {
        self.room = messages;
        self
    }

    /// Sets how many messages are under way at once; 64 by default, 1 at least.
    pub fn at_once(mut self, messages: usize) -> Self {
        self.at_once = messages;
        self
    }

    /// Sets how often a message is sent that has certainly not arrived; 5 times by default.
    pub fn rounds(mut self, rounds: NonZeroU32) -> Self {
        self.rounds = rounds;
        self
    }

    /// Sets how long a message whose answer was lost is given to arrive, before the conversation is read back; 5 seconds by default, and three times that after a
    /// timeout. Longer than a request can be held up on its way: one that arrives later was sent again meanwhile.
    pub fn settle(mut self, settle: Duration) -> Self {
        self.settle = settle;
        self
    }

    /// The sender. Its lanes run in the tokio runtime of those who send.
    pub fn build(self) -> Sender {
        let capacity = self.room.clamp(1, u32::MAX as usize >> 3);
        let is_admitted = self.bots.is_admitted;
        let lanes = Lanes {
            bots: self.bots,
            room: Arc::new(Semaphore::new(capacity)),
            capacity,
            turns: tokio::sync::Mutex::const_new(()),
            flights: Semaphore::new(self.at_once.clamp(1, capacity)),
            by_conversation: Mutex::default(),
            rounds: self.rounds.get(),
            settle: self.settle,
        };
        Sender { lanes: Arc::new(lanes), is_admitted }
    }
}

/// What a header can hold, and a log can show.
fn is_request_id(id: &str) -> bool {
    (1..=255).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
}

impl Ticket {
    /// The `X-Genesys-Request-Id` that the message is sent with.
    pub fn request_id(&self) -> &str {
        &self.request_id
    }
}

impl Future for Ticket {
    type Output = Result<Delivered, Undelivered>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // A lane that is gone was ended with its runtime.
        let Self { request_id, outcome } = &mut *self;
        Pin::new(outcome).poll(cx).map(|told| told.unwrap_or_else(|_| Err(Undelivered::unknown(request_id))))
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("lanes", &self.lanes.lock().len()).finish_non_exhaustive()
    }
}
