//! The lanes of a sender: one for each conversation that has a message waiting.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use webmessaging_http::{Error, ErrorKind, Sent};
use webmessaging_model::{ConversationId, MessageId};

use crate::arrival::Arrival;
use crate::client::{BotsClient, cannot_say};
use crate::message::Message;
use crate::operations::SEND_MESSAGE;
use crate::outcome::{Delivered, Reason, Undelivered};
use crate::record;
use crate::send_message::SendMessage;

/// The first pause before a message that has not arrived is sent again; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(200);

/// Longer than this no pause is, but where the server asks for it.
const PAUSE_MAX: Duration = Duration::from_secs(10);

pub(crate) struct Lanes {
    pub(crate) bots: BotsClient,
    pub(crate) room: Arc<Semaphore>,
    pub(crate) capacity: usize,
    pub(crate) flights: Semaphore,
    pub(crate) by_conversation: Mutex<HashMap<ConversationId, Lane>>,
    pub(crate) rounds: u32,
    pub(crate) settle: Duration,
}

/// A conversation that has something to send, or must not.
pub(crate) enum Lane {
    /// Somebody is at work; these wait.
    Running(VecDeque<Job>),
    /// Nobody knows what became of the message with this request id.
    Stopped(String),
}

/// A message that waits, with its place among all that do.
pub(crate) struct Job {
    pub(crate) message: Message,
    pub(crate) request_id: String,
    pub(crate) told: oneshot::Sender<Result<Delivered, Undelivered>>,
    pub(crate) _room: OwnedSemaphorePermit,
}

impl Job {
    fn tell(self, outcome: Result<Delivered, Undelivered>) {
        // Whoever dropped the ticket does not want to know.
        let _ = self.told.send(outcome);
    }
}

impl Lanes {
    /// Nothing is half-done under the lock, so a poisoned one holds good data.
    pub(crate) fn lock(&self) -> MutexGuard<'_, HashMap<ConversationId, Lane>> {
        self.by_conversation.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a message to the end of its lane, which begins to run if it does not yet.
    pub(crate) fn add(self: &Arc<Self>, conversation: ConversationId, job: Job) -> Result<(), Undelivered> {
        let mut lanes = self.lock();
        match lanes.get_mut(&conversation) {
            Some(Lane::Running(waiting)) => waiting.push_back(job),
            Some(Lane::Stopped(_)) => return Err(Undelivered::not_sent(&job.request_id)),
            None => {
                lanes.insert(conversation.clone(), Lane::Running(VecDeque::new()));
                drop(lanes);
                tokio::spawn(Arc::clone(self).run(conversation, job));
            }
        }
        Ok(())
    }

    /// Sends what is in a lane until it is empty, or must stop.
    async fn run(self: Arc<Self>, conversation: ConversationId, mut job: Job) {
        loop {
            let outcome = self.deliver(&conversation, &job).await;
            let reason = outcome.as_ref().err().map(|undelivered| undelivered.reason);
            let next = self.after(&conversation, &job.request_id, reason);
            job.tell(outcome);
            match next {
                Some(next) => job = next,
                None => return,
            }
        }
    }

    /// What follows in a lane; nothing when it is over.
    fn after(&self, conversation: &ConversationId, request_id: &str, reason: Option<Reason>) -> Option<Job> {
        let mut lanes = self.lock();
        let Some(Lane::Running(waiting)) = lanes.get_mut(conversation) else { return None };
        if !matches!(reason, Some(Reason::GaveUp | Reason::Unknown)) {
            if let Some(next) = waiting.pop_front() {
                return Some(next);
            }
            lanes.remove(conversation);
            return None;
        }
        let behind = std::mem::take(waiting);
        if reason == Some(Reason::Unknown) {
            lanes.insert(conversation.clone(), Lane::Stopped(request_id.to_owned()));
        } else {
            lanes.remove(conversation);
        }
        drop(lanes);
        for job in behind {
            let undelivered = Undelivered::not_sent(&job.request_id);
            job.tell(Err(undelivered));
        }
        None
    }

    /// Sends a message until it is known what became of it, and records that.
    async fn deliver(&self, conversation: &ConversationId, job: &Job) -> Result<Delivered, Undelivered> {
        // Nobody closes it.
        let _flight = self.flights.acquire().await;
        let request = SendMessage::new(conversation.clone(), &*job.request_id, &job.message);
        let mut round = 1;
        loop {
            let error = match self.bots.attempt(&job.message, &request).await {
                Ok(answer) => {
                    let sent = self.bots.record(&job.message, &request, Ok(answer)).await;
                    let sent =
                        sent.map_err(|error| Undelivered::new(Reason::NotRecorded, &job.request_id, error))?;
                    let (message_id, facts) = (sent.message_id, Some(sent.facts));
                    return Ok(Delivered {
                        message_id,
                        request_id: sent.request_id,
                        sha256: sent.sha256,
                        facts,
                    });
                }
                Err(error) => error,
            };
            let reason = if error.may_have_acted() {
                match self.look(conversation, &job.request_id).await {
                    Arrival::Arrived(id) => return self.found(job, &request, id).await,
                    Arrival::Absent if round < self.rounds => {
                        round += 1;
                        continue;
                    }
                    Arrival::Absent => Reason::GaveUp,
                    Arrival::Unclear => Reason::Unknown,
                }
            } else if !error.is_transient() {
                Reason::Refused
            } else if round < self.rounds {
                let pause = error.retry_after().unwrap_or_else(|| pause(round));
                self.bots.http.clock().sleep(pause).await;
                round += 1;
                continue;
            } else {
                Reason::GaveUp
            };
            record::failed(&self.bots, &job.message, &request, &error).await;
            return Err(Undelivered::new(reason, &job.request_id, error));
        }
    }

    /// Looks what became of a message, as often as it takes to be answered.
    async fn look(&self, conversation: &ConversationId, request_id: &str) -> Arrival {
        for round in 1..=self.rounds {
            let pause = if round == 1 { self.settle } else { pause(round) };
            self.bots.http.clock().sleep(pause).await;
            match self.bots.arrival(conversation.clone(), request_id).await {
                Ok(arrival) => return arrival,
                Err(error) if cannot_say(&error) => return Arrival::Unclear,
                Err(_) => {}
            }
        }
        Arrival::Unclear
    }

    /// A message whose answer was lost has arrived.
    async fn found(&self, job: &Job, request: &SendMessage, id: MessageId) -> Result<Delivered, Undelivered> {
        if let Some(receipts) = &self.bots.receipts {
            receipts.sent(request.conversation(), &id);
        }
        match record::found(&self.bots, &job.message, request, &id).await {
            Ok(()) => {
                let (request_id, sha256) = (job.request_id.clone(), request.sha256());
                Ok(Delivered { message_id: id, request_id, sha256, facts: None })
            }
            Err(cause) => {
                let error = Error::new(ErrorKind::NotRecorded, Sent::Yes).with_operation(&SEND_MESSAGE);
                let error = error.with_subject(id.as_str()).with_source(cause);
                Err(Undelivered::new(Reason::NotRecorded, &job.request_id, error))
            }
        }
    }
}

fn pause(round: u32) -> Duration {
    PAUSE.saturating_mul(1 << (round - 1).min(10)).min(PAUSE_MAX)
}
